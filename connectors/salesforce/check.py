"""`fairlead systems check` for Salesforce: what our user reaches, may do, and how the org names things."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import get_args
from urllib.parse import urlsplit

from connectors.errors import ConnectorError
from connectors.http.auth import TokenAuth
from connectors.ports import Check
from connectors.salesforce import soql
from connectors.salesforce.api import SalesforceApi
from connectors.salesforce.fields import object_of
from connectors.salesforce.models import ObjectDescription
from connectors.salesforce.settings import SalesforceSettings
from domain.commands import DealStatus

DEAL_STATUSES: tuple[str, ...] = get_args(DealStatus)
OPERATION = "check"
STANDARD = {
    "Opportunity": soql.OPPORTUNITY,
    "Account": soql.ACCOUNT,
    "Contract": soql.CONTRACT,
    "OpportunityLineItem": soql.LINE,
}
LOW = 10
"""Percent of the daily allowance below which the check turns red."""


async def inspect(api: SalesforceApi, settings: SalesforceSettings) -> Sequence[Check]:
    """One line per ability; a failure is a red line, never an exception."""
    checks = [
        await _line("sign in and allowance", lambda: _allowance(api)),
        await _line("API version", lambda: _version(api)),
        _address(api),
    ]
    for thing, standard in STANDARD.items():
        checks.append(await _line(f"fields of {thing}", partial(_fields, api, settings, thing, standard)))
    return checks


async def _line(name: str, ask: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return (await ask()).model_copy(update={"name": name})
    except ConnectorError as error:
        return Check(name=name, ok=False, detail=error.message)


async def _allowance(api: SalesforceApi) -> Check:
    gauge = await api.daily_requests(operation=OPERATION)
    enough = gauge.left * 100 >= gauge.maximum * LOW
    return _answer(enough, f"{gauge}" + ("" if enough else f"; less than {LOW} % is left"))


async def _version(api: SalesforceApi) -> Check:
    versions = await api.versions(operation=OPERATION)
    known = api.version in versions
    return _answer(
        known, api.version if known else f"{api.version} is not among {', '.join(versions) or 'none'}"
    )


def _address(api: SalesforceApi) -> Check:
    """The org names its own address with the token; another one means that base_url is a login host."""
    auth = api.http.auth
    named = str(auth.answer.get("instance_url") or "") if isinstance(auth, TokenAuth) else ""
    same = not named or urlsplit(named).netloc == urlsplit(api.http.base_url).netloc
    detail = named or api.http.base_url
    return Check(
        name="address", ok=same, detail=detail if same else f"the org says {named}: set base_url to it"
    )


async def _fields(
    api: SalesforceApi, settings: SalesforceSettings, thing: str, standard: Iterable[str]
) -> Check:
    described = await api.describe(thing, operation=OPERATION)
    faults = [f"{thing}.{name} is missing" for name in standard if described.field(name) is None]
    for path, name in settings.fields.items():
        if name and object_of(path) == thing:
            faults += _faults(settings, described, path, name)
    return _answer(not faults, "; ".join(faults) or f"{len(described.fields)} fields seen")


def _faults(settings: SalesforceSettings, described: ObjectDescription, path: str, name: str) -> list[str]:
    field = described.field(name)
    place = f"{described.name}.{name}"
    if field is None:
        return [f"{place} ({path}) is missing or hidden from our user: correct `fields` or grant it"]
    if path.startswith(("mark.", "billing.")) and not field.updateable:
        return [f"{place} ({path}) is read-only for our user"]
    if path == "mark.status" and field.restricted:
        lacking = [status for status in DEAL_STATUSES if status not in field.active_values]
        return [f"{place} lacks the value {status!r}" for status in lacking]
    section, known = _translation(settings, path)
    unknown = sorted(field.active_values - known) if section else []
    return [f"{place} offers {value!r}, which `{section}` does not translate" for value in unknown]


def _translation(settings: SalesforceSettings, path: str) -> tuple[str, set[str]]:
    """The settings' section that translates a picklist, and the values it knows."""
    if path == "lines.billing_method":
        return "billing_methods", set(settings.billing_methods)
    if path == "lines.revenue_method":
        return "revenue_methods", set(settings.revenue_methods)
    return ("frequencies", set(settings.frequencies)) if path == "lines.frequency" else ("", set())


def _answer(ok: bool, detail: str) -> Check:
    return Check(name="", ok=ok, detail=detail)
