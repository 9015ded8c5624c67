"""Putting the parts together: the firm's file becomes connectors, store and activities.

The one place that knows vendors by name. Everything else asks for roles.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError

from activities.attention import AttentionActivities
from activities.billing_told import CrmBillingActivities, PsaBillingActivities
from activities.boundary import Boundary
from activities.crediting import CreditingActivities
from activities.crm import CrmActivities
from activities.decisions import DecisionActivities
from activities.effects import CrashPoints, EffectRunner, no_crash
from activities.erp import ErpActivities
from activities.erp_billing import ErpBillingActivities
from activities.erp_invoices import ErpInvoiceActivities
from activities.gates import GateActivities
from activities.intake import IntakeActivities
from activities.intake_problems import IntakeProblemActivities
from activities.invoicing import InvoicingActivities
from activities.prebill import PrebillActivities
from activities.pricing import PricingActivities
from activities.process import ProcessActivities
from activities.project_billing import ProjectBillingActivities
from activities.psa import PsaActivities
from activities.psa_released import PsaReleasedActivities
from activities.watch import WatchActivities
from connectors.coupa.client import build as build_coupa
from connectors.coupa.settings import CoupaSettings
from connectors.kantata.client import build as build_kantata
from connectors.kantata.settings import KantataSettings
from connectors.netsuite.client import build as build_netsuite
from connectors.netsuite.settings import NetSuiteSettings
from connectors.ports import PsaPort, SystemPort
from connectors.salesforce.client import build as build_salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.tryton.client import build as build_tryton
from connectors.tryton.settings import TrytonSettings
from connectors.workday.client import build as build_workday
from connectors.workday.settings import WorkdaySettings
from domain.policy import PolicySnapshot, Role
from firm.billing_rules import FirmBillingRules
from firm.load import load
from firm.model import Firm
from firm.policies import snapshot
from firm.problems import FirmFileError, Problem
from firm.secrets import SecretError
from firm.vendor_settings import connector_problems
from runtime.crash_points import FileCrashPoints
from runtime.settings import Settings
from runtime.store_crash_points import with_crash_points
from store.ports import Store
from store.sql.engine import SqlStore, open_store

FIND_BEFORE_CREATE = "find-before-create"


@dataclass(frozen=True)
class Vendor:
    """A vendor Fairlead speaks with: its settings and how its client is built from them."""

    settings: type[BaseModel]
    build: Callable[[str, Any], SystemPort]


VENDORS: Mapping[str, Vendor] = {
    "salesforce": Vendor(SalesforceSettings, build_salesforce),
    "kantata": Vendor(KantataSettings, build_kantata),
    "netsuite": Vendor(NetSuiteSettings, build_netsuite),
    "coupa": Vendor(CoupaSettings, build_coupa),
    "tryton": Vendor(TrytonSettings, build_tryton),
    "workday": Vendor(WorkdaySettings, build_workday),
}

_ACTIVITIES: Mapping[str, tuple[Any, ...]] = {
    "crm": (CrmActivities, CrmBillingActivities),
    "psa": (PsaActivities, PsaBillingActivities, PsaReleasedActivities),
    "erp": (ErpActivities, ErpInvoiceActivities, ErpBillingActivities),
}
"""Role -> the classes whose activities are served on the task queue of the system that plays it."""


class FirmPolicies:
    """The firm's file as the activities need it."""

    def __init__(self, firm: Firm, settings: Settings) -> None:
        taken = snapshot(firm)
        routes = tuple(
            route.model_copy(update={"task_queue": settings.queue(route.task_queue)})
            for route in taken.routes
        )
        self._snapshot = taken.model_copy(update={"routes": routes})

    def snapshot(self) -> PolicySnapshot:
        return self._snapshot


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


def build_connector(firm: Firm, system: str, environ: Mapping[str, str] = os.environ) -> SystemPort:
    """The client of one system. Raises `FirmFileError`."""
    return VENDORS[firm.systems[system].vendor].build(system, connector_settings(firm, system, environ))


def open_firm_store(firm: Firm, settings: Settings, environ: Mapping[str, str] = os.environ) -> SqlStore:
    """Fairlead's own database: the firm's, else the file in Fairlead's home. Raises `StoreError`."""
    return open_store(firm.store_url(environ) or settings.store_url)


def roles_of(firm: Firm, system: str) -> list[Role]:
    """The roles a system plays, for the whole firm or for one legal entity."""
    roles = snapshot(firm).routes
    played = {route.role for route in roles if route.system == system}
    return [role for role in get_args(Role) if role in played]


def vendor_activities(
    firm: Firm, settings: Settings, store: Store, system: str, port: SystemPort
) -> list[Any]:
    """Activities of every role `system` plays, for the worker on its task queue."""
    store = _under_drill(settings, store)
    runner = EffectRunner(
        port,
        store,
        commit_limit=firm.systems[system].commit_limit,
        crash_point=_crash_points(settings),
        find_before_create=settings.planted_bug != FIND_BEFORE_CREATE,
    )
    boundary = Boundary()
    found: list[Any] = []
    for role in roles_of(firm, system):
        for activities in _ACTIVITIES.get(role, ()):
            found += methods(activities(port, runner, store, boundary))
        if role == "psa":
            found += methods(IntakeActivities(cast(PsaPort, port), store, boundary, firm))
    return found


def own_activities(firm: Firm, settings: Settings, store: Store) -> list[Any]:
    """Activities on our own store and the firm's file, for the worker of the workflows."""
    policies, store = FirmPolicies(firm, settings), _under_drill(settings, store)
    return [
        *methods(ProcessActivities(store, policies)),
        *methods(GateActivities(store, firm)),
        *methods(DecisionActivities(store)),
        *methods(AttentionActivities(store)),
        *methods(ProjectBillingActivities(store, policies, firm)),
        *methods(InvoicingActivities(store)),
        *methods(PricingActivities(store, FirmBillingRules(firm))),
        *methods(CreditingActivities(store)),
        *methods(PrebillActivities(store)),
        *methods(IntakeProblemActivities(store)),
        *methods(WatchActivities(store, policies, FirmBillingRules(firm))),
    ]


def methods(holder: object) -> list[Any]:
    """Every activity of a class that holds ports: nothing can be forgotten in a list."""
    names = [name for name in dir(type(holder)) if not name.startswith("__")]
    bound = [getattr(holder, name) for name in names]
    return [method for method in bound if hasattr(method, "__temporal_activity_definition")]


def _crash_points(settings: Settings) -> CrashPoints:
    return FileCrashPoints(Path(settings.crash_dir)) if settings.crash_dir else no_crash


def _under_drill(settings: Settings, store: Store) -> Store:
    """`store`, with crash points around its writes where a drill arms some."""
    return with_crash_points(store, _crash_points(settings)) if settings.crash_dir else store


def served_systems(firm: Firm, only: Sequence[str]) -> list[str]:
    """Systems a worker serves: those named, else all whose role has activities.

    Raises `ValueError` for an unknown name, and for one whose roles no process calls yet.
    """
    unknown = [name for name in only if name not in firm.systems]
    if unknown:
        raise ValueError(
            f"no system {unknown[0]!r} in {firm.file}; there are {', '.join(sorted(firm.systems))}"
        )
    served = [name for name in firm.systems if _ACTIVITIES.keys() & set(roles_of(firm, name))]
    idle = [name for name in only if name not in served]
    if idle:
        raise ValueError(f"no process calls {idle[0]!r} yet; a worker can serve {', '.join(sorted(served))}")
    return list(only) or served


def intake_every(firm: Firm) -> timedelta | None:
    """How often approved time is looked for beside the events; None for never."""
    minutes = snapshot(firm).intake_poll_minutes
    return timedelta(minutes=minutes) if minutes else None


def watch_every(firm: Firm) -> timedelta | None:
    """How often alerts are looked at; None for never."""
    return firm.parts.alerts.watch_every or None


POLL_GIVE_UP = timedelta(minutes=10)
