"""The self-check of one instance: signed in, allowed, and set up as the firm's file says."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from connectors.coupa import models
from connectors.coupa.account import Account, Params
from connectors.coupa.models import Named
from connectors.errors import ConnectorError
from connectors.http.auth import TokenAuth
from connectors.ports import Check

OPERATION = "check"


async def run(account: Account) -> Sequence[Check]:
    """One line per ability. Without access the rest is not asked for."""
    settings = account.settings
    access = await _judged("access and requester", lambda: _requester(account))
    if not access.ok:
        return [access]
    charts, addresses = settings.charts.values(), settings.ship_to.values()
    return [
        access,
        _scopes(account),
        await _judged("charts of accounts", lambda: _names(account, "account_types", charts)),
        await _judged("addresses", lambda: _names(account, "addresses", addresses)),
        await _judged("unit of measure", lambda: _unit(account)),
        await _judged("commodity", lambda: _commodity(account)),
        await _judged("suppliers", lambda: _readable(account, "suppliers")),
        await _judged("requisitions", lambda: _key_filter(account)),
        await _judged("purchase orders", lambda: _readable(account, "purchase_orders")),
    ]


async def _judged(name: str, ask: Callable[[], Awaitable[tuple[bool, str]]]) -> Check:
    try:
        ok, detail = await ask()
    except ConnectorError as error:
        return Check(name=name, ok=False, detail=error.message)
    return Check(name=name, ok=ok, detail=detail)


async def _requester(account: Account) -> tuple[bool, str]:
    login = account.settings.requester
    params: Params = {"login": login, "active": "true", "limit": 1}
    rows = await account.page("users", params, models.USER, operation=OPERATION)
    return bool(rows), f"asks as {login}" if rows else f"no active user {login!r}; correct `requester`"


def _scopes(account: Account) -> Check:
    """The instance names with the token what was granted; where it does not, the calls will tell."""
    auth = account.http.auth
    granted = str(auth.answer.get("scope") or "").split() if isinstance(auth, TokenAuth) else []
    lacking = [scope for scope in account.settings.scopes if scope not in granted] if granted else []
    detail = f"lacks {', '.join(lacking)}: grant them" if lacking else "granted"
    return Check(name="scopes", ok=not lacking, detail=detail)


async def _names(account: Account, resource: str, wanted: Iterable[str]) -> tuple[bool, str]:
    found = await account.search(Named, resource, {"active": "true"}, models.NAMED, operation=OPERATION)
    known = {row.name for row in found}
    lacking = sorted(set(wanted) - known)
    return not lacking, f"unknown: {', '.join(lacking)}" if lacking else f"{len(known)} known"


async def _unit(account: Account) -> tuple[bool, str]:
    code = account.settings.hour_unit
    rows = await account.page("uoms", {"code": code, "limit": 1}, models.CODED, operation=OPERATION)
    return bool(rows), code if rows else f"no unit {code!r}; correct `hour_unit`"


async def _commodity(account: Account) -> tuple[bool, str]:
    name = account.settings.commodity
    if not name:
        return True, "none by default"
    params: Params = {"name": name, "active": "true", "limit": 1}
    rows = await account.page("commodities", params, models.NAMED, operation=OPERATION)
    return bool(rows), name if rows else f"no active commodity {name!r}; correct `commodity`"


async def _readable(account: Account, resource: str) -> tuple[bool, str]:
    await account.page(resource, {"limit": 1}, ("id",), operation=OPERATION)
    return True, "can be read"


async def _key_filter(account: Account) -> tuple[bool, str]:
    """A filter that the instance does not honour would show foreign requisitions for a key nobody has."""
    by_key = account.settings.custom_field_filter.format(field=account.settings.key_field)
    params: Params = {by_key: "fairlead/check", "limit": 1}
    rows = await account.page("requisitions", params, ("id",), operation=OPERATION)
    wrong = f"the filter {by_key} is not honoured; correct `custom_field_filter` or `key_field`"
    return not rows, wrong if rows else "found by key"
