"""Policies a process runs under: taken as one snapshot at its first step, never read again.

A workflow never reads the firm's file: `policies.snapshot` returns profile, routes, limits and the
file's hash, and they are recorded in the history, so that a run can be explained years later.
"""

from datetime import date
from typing import Literal, Self

from domain.base import Canonical, Value
from domain.readiness import GateProfile, OwnerGroup
from domain.resource_sync import ResourcesPolicy

Role = Literal["crm", "psa", "erp", "hr", "procurement"]


class Route(Value):
    """Where a role's calls go: the system and the task queue of its account."""

    role: Role
    system: str
    task_queue: str
    entity: str | None = None
    """The legal entity this route is for; none means all others."""


class Timing(Value):
    """Seconds that decide how fast a dead worker is noticed and how long one call may take."""

    read_timeout: float = 60.0
    write_timeout: float = 120.0
    heartbeat_timeout: float = 5.0
    own_timeout: float = 30.0


class EntityPolicy(Value):
    """What the firm's file says of one legal entity."""

    code: str
    name: str
    country: str
    currency: str
    region: str
    currencies: tuple[str, ...] = ()
    """Currencies it may contract in; empty means its own only."""
    time_zone: str = "UTC"


class Person(Value):
    """Who stands behind an owner group, and who is told when the due time has passed."""

    group: OwnerGroup
    name: str
    email: str
    escalates_to: str


class AlertThresholds(Value):
    """Days after which something is told to its owner."""

    unbilled_days: int = 30
    """Approved work is not billed so long after it was done."""
    invoice_delay_days: int = 3
    """An invoice is not made so long after what it bills."""
    late_approval_days: int = 5
    """Work is approved so long after it was done."""
    missed_event_days: int = 2
    """A billing event is not there so long after it was due."""
    late_approval_window_days: int = 7
    """So long a late approval is told."""
    refused_days: int = 2
    """Approved work that was refused is not cured so long after it came."""
    stalled_days: int = 3
    """An activation has not changed for so long."""
    quarter_end_stalled_days: int = 1
    """The same in the last two weeks of a quarter."""
    waiting_event_days: int = 1
    """An event is not applied so long after it came."""
    escalation_days: int = 7
    """An alert that stands for so long is told to whom its owner escalates to, and again after as many."""


class ProcurementLimits(Value):
    """How long silence about a purchase is borne, and how often procurement is asked."""

    approval_hours: int = 72
    """From the requisition to its order."""
    acceptance_hours: int = 120
    """From the order to the supplier's acceptance."""
    poll_minutes: int = 15
    """How often orders are looked for that no event told of; requisitions at first as often. Zero: never."""


class PolicySnapshot(Canonical):
    firm: str
    file_hash: str
    routes: tuple[Route, ...]
    profiles: tuple[GateProfile, ...]
    entities: tuple[EntityPolicy, ...]
    owners: tuple[Person, ...]
    timing: Timing = Timing()
    exception_sla_hours: int = 24
    escalation_hours: int = 24
    staffing_approver_email: str | None = None
    templates: dict[str, str] = {}
    """Project template of the PSA per region, `default` for the rest."""
    staffing_poll_minutes: int = 15
    """How often the PSA is asked for staffing answers that no event brought; it doubles up to six hours."""
    intake_poll_minutes: int = 15
    """How often a PSA is asked for approved time that no event told of; zero for never."""
    intake_from: date | None = None
    """A PSA's approved work is read from what changed on this day (UTC) on; none means all of it."""
    expense_source: str = ""
    """System that owns expenses; empty means the PSA they are read from."""
    alerts: AlertThresholds = AlertThresholds()
    resources: ResourcesPolicy = ResourcesPolicy()
    procurement: ProcurementLimits = ProcurementLimits()
    second_person_fields: tuple[str, ...] = ()
    """Canonical paths whose correction needs a second person (money)."""

    def route(self, role: Role, entity: str | None = None) -> Route:
        """The route of `role` for `entity`. Raises `KeyError` naming the section to add."""
        matching = [r for r in self.routes if r.role == role and r.entity in (None, entity)]
        matching.sort(key=lambda r: r.entity is None)
        if not matching:
            raise KeyError(f"the firm's file names no system for role {role!r}; add it under [roles]")
        return matching[0]

    def has_role(self, role: Role) -> bool:
        return any(r.role == role for r in self.routes)

    def entity(self, code: str | None) -> EntityPolicy | None:
        return next((entity for entity in self.entities if entity.code == code), None)

    def profile(self, region: str | None) -> GateProfile:
        """The gate profile of `region`, or the one called `default`."""
        by_region = {profile.region: profile for profile in self.profiles}
        return by_region.get(region or "", by_region["default"])

    def without_gates(self) -> Self:
        """For a process that creates no project: profiles and templates are most of the bytes."""
        return self.with_changes(profiles=(), templates={})

    def person(self, group: OwnerGroup) -> Person:
        return next(person for person in self.owners if person.group is group)
