"""What a worker serves: the activities of each system's queue, and those on our own store.

A role of the firm's file becomes the classes of `activities/`, with the ports they ask for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

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
from activities.procurement import ProcurementActivities
from activities.procurement_rows import ProcurementRowActivities
from activities.project_billing import ProjectBillingActivities
from activities.psa import PsaActivities
from activities.psa_released import PsaReleasedActivities
from activities.resources import ResourceActivities
from activities.resources_hr import HrActivities
from activities.resources_psa import PsaPeopleActivities
from activities.watch import WatchActivities
from composition import roles_of
from connectors.ports import ProcurementPort, PsaPort, SystemPort
from domain.policy import PolicySnapshot
from firm.billing_rules import FirmBillingRules
from firm.model import Firm
from firm.policies import snapshot
from runtime.crash_points import FileCrashPoints
from runtime.settings import Settings
from runtime.store_crash_points import with_crash_points
from store.ports import Store

FIND_BEFORE_CREATE = "find-before-create"

_ACTIVITIES: Mapping[str, tuple[Any, ...]] = {
    "crm": (CrmActivities, CrmBillingActivities),
    "psa": (PsaActivities, PsaBillingActivities, PsaReleasedActivities, PsaPeopleActivities),
    "hr": (HrActivities,),
    "erp": (ErpActivities, ErpInvoiceActivities, ErpBillingActivities),
    "procurement": (),  # its class needs the rate cards too
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
        if role == "procurement":
            buying = cast(ProcurementPort, port)
            found += methods(ProcurementActivities(buying, runner, store, boundary, firm))
    return found


def own_activities(firm: Firm, settings: Settings, store: Store) -> list[Any]:
    """Activities on our own store and the firm's file, for the worker of the workflows."""
    policies, store = FirmPolicies(firm, settings), _under_drill(settings, store)
    return [
        *methods(ProcessActivities(store, policies)),
        *methods(GateActivities(store, firm)),
        *methods(DecisionActivities(store)),
        *methods(AttentionActivities(store)),
        *methods(ProcurementRowActivities(store)),
        *methods(ProjectBillingActivities(store, policies, firm)),
        *methods(InvoicingActivities(store)),
        *methods(PricingActivities(store, FirmBillingRules(firm))),
        *methods(CreditingActivities(store)),
        *methods(PrebillActivities(store)),
        *methods(IntakeProblemActivities(store)),
        *methods(ResourceActivities(store)),
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
