"""Putting the parts together: the firm's file becomes connectors and a store.

The one place that knows vendors by name. Everything else asks for roles.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError

from connectors.coupa.settings import CoupaSettings
from connectors.kantata.settings import KantataSettings
from connectors.netsuite.settings import NetSuiteSettings
from connectors.ports import SystemPort
from connectors.salesforce.settings import SalesforceSettings
from connectors.tryton.settings import TrytonSettings
from connectors.workday.settings import WorkdaySettings
from domain.policy import Role
from firm.load import load
from firm.model import Firm
from firm.policies import snapshot
from firm.problems import FirmFileError, Problem
from firm.secrets import SecretError
from firm.vendor_settings import connector_problems
from runtime.settings import Settings
from store.sql.engine import SqlStore, open_store


@dataclass(frozen=True)
class Vendor:
    """A vendor Fairlead speaks with: its settings, and the package of its connector."""

    settings: type[BaseModel]
    package: str

    def build(self, name: str, settings: BaseModel, **options: Any) -> SystemPort:
        """Its client, loaded when it is needed: most commands ask no system. A `transport` may be given."""
        client = import_module(f"{self.package}.client")
        return cast(SystemPort, client.build(name, settings, **options))


VENDORS: Mapping[str, Vendor] = {
    "salesforce": Vendor(SalesforceSettings, "connectors.salesforce"),
    "kantata": Vendor(KantataSettings, "connectors.kantata"),
    "netsuite": Vendor(NetSuiteSettings, "connectors.netsuite"),
    "coupa": Vendor(CoupaSettings, "connectors.coupa"),
    "tryton": Vendor(TrytonSettings, "connectors.tryton"),
    "workday": Vendor(WorkdaySettings, "connectors.workday"),
}


def load_firm(settings: Settings, environ: Mapping[str, str] = os.environ) -> Firm:
    """The firm's file, with every vendor's own settings checked too. Raises `FirmFileError`."""
    firm = load(settings.firm_file)
    problems: list[Problem] = []
    for name in firm.systems:
        try:
            connector_settings(firm, name, environ)
        except FirmFileError as error:
            problems.extend(error.problems)
    if problems:
        raise FirmFileError(problems)
    return firm


def connector_settings(firm: Firm, system: str, environ: Mapping[str, str] = os.environ) -> BaseModel:
    """Settings of the connector of `system`. Raises `FirmFileError` naming key and cure."""
    model = VENDORS[firm.systems[system].vendor].settings
    try:
        return model.model_validate(firm.connector_settings(system, environ))
    except SecretError as error:
        what, _, cure = str(error).partition("; ")
        key = f"systems.{system}.auth"
        raise FirmFileError(
            [Problem(file=firm.file.name, key=key, line=None, what=what, cure=cure)]
        ) from None
    except ValidationError as error:
        # `from None`: the original holds the values, resolved secrets among them.
        raise FirmFileError(connector_problems(firm, system, error, model)) from None


def build_connector(
    firm: Firm, system: str, environ: Mapping[str, str] = os.environ, *, in_flight: int | None = None
) -> SystemPort:
    """The client of one system; `in_flight` calls at once go before the firm's. Raises `FirmFileError`."""
    settings = connector_settings(firm, system, environ)
    if in_flight is not None:
        settings = settings.model_copy(update={"in_flight": in_flight})
    return VENDORS[firm.systems[system].vendor].build(system, settings)


def open_firm_store(firm: Firm, settings: Settings, environ: Mapping[str, str] = os.environ) -> SqlStore:
    """Fairlead's own database: the firm's, else the file in Fairlead's home. Raises `StoreError`."""
    return open_store(firm.store_url(environ) or settings.store_url)


def roles_of(firm: Firm, system: str) -> list[Role]:
    """The roles a system plays, for the whole firm or for one legal entity."""
    roles = snapshot(firm).routes
    played = {route.role for route in roles if route.system == system}
    return [role for role in get_args(Role) if role in played]


def intake_every(firm: Firm) -> timedelta | None:
    """How often approved time is looked for beside the events; None for never."""
    minutes = snapshot(firm).intake_poll_minutes
    return timedelta(minutes=minutes) if minutes else None


def orders_every(firm: Firm) -> timedelta | None:
    """How often changed purchase orders are looked for beside the events; None for never."""
    minutes = snapshot(firm).procurement.poll_minutes
    return timedelta(minutes=minutes) if minutes else None


def resources_every(firm: Firm) -> timedelta | None:
    """How often HR is asked for changes; None for never."""
    return firm.parts.resources.poll_every or None


def watch_every(firm: Firm) -> timedelta | None:
    """How often alerts are looked at; None for never."""
    return firm.parts.alerts.watch_every or None


POLL_GIVE_UP = timedelta(minutes=10)
