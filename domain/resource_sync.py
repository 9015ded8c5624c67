"""What crosses Temporal for the process "resource sync": its state, its parts, and the view of it.

All of it is bounded, however many people there are: counts, positions, and the oldest few differences.
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from domain.attention import AttentionItem
from domain.base import Canonical, Value
from domain.readiness import OwnerGroup

RESOURCES = "resources"
"""Name of the process in workflow ids and process keys."""

Part = Literal[
    "hr_people",
    "hr_absences",
    "psa_assignments",
    "psa_people",
    "psa_newcomers",
    "psa_absences",
    "hr_assignments",
    "hr_hours",
]
PARTS: tuple[Part, ...] = (
    "hr_people",
    "hr_absences",
    "psa_assignments",
    "psa_people",
    "psa_newcomers",
    "psa_absences",
    "hr_assignments",
    "hr_hours",
)
"""In their order: both sides are read before either is told anything."""


class ResourcesPolicy(Value):
    """`[resources]` of the firm's file, as a process takes it with it."""

    overlap_seconds: int = Field(default=600, ge=0)
    """A change stamp is set before its transaction commits: so much is read again."""
    horizon_days: int = Field(default=84, ge=7, le=370)
    """How far ahead unavailable hours are read and told."""
    invite: bool = True
    """Whether who is new is invited to the PSA; else it is a difference for its owner."""
    hr_project: str = ""
    """Number of the one HR project that assignments to all projects are kept on which HR does not have."""
    hours_after_days: int = Field(default=5, ge=0, le=60)
    """A month's hours are told to HR so many days after its end."""


class SyncCounts(Value):
    """What became of people, days, assignments."""

    pages: int = 0
    read: int = 0
    new: int = 0
    changed: int = 0
    written: int = 0
    """Effects on the other side."""
    refused: int = 0

    def plus(self, other: "SyncCounts") -> "SyncCounts":
        mine, theirs = dict(self), dict(other)
        return SyncCounts(**{name: mine[name] + theirs[name] for name in mine})


class SyncProgress(Value):
    """Where a part stands: what a slice hands to the next, and a heartbeat to a retry."""

    page: str = ""
    since: AwareDatetime | None = None
    mark: AwareDatetime | None = None
    today: date | None = None
    """The day the part began: its range of days stays the same over all its pages."""
    counts: SyncCounts = SyncCounts()
    finished: bool = False


class SyncInput(Canonical):
    """One slice of one part."""

    part: Part
    process: str
    firm: str
    hr: str
    """The HR account, by its name in the firm's file."""
    psa: str
    progress: SyncProgress | None = None
    policy: ResourcesPolicy = ResourcesPolicy()
    page_size: int = Field(default=200, ge=1)
    pages: int = Field(default=10, ge=1)
    """At most so many in this slice."""


class Difference(Canonical):
    """Something that HR and PSA do not agree on and no machine settles: one per person and field."""

    scope: Part
    person: str
    """Number of the worker, or the PSA's id where HR knows nobody. Never a name."""
    field: str
    owner: OwnerGroup = OwnerGroup.DELIVERY_OPERATIONS
    problem: str
    found_at: AwareDatetime

    @property
    def key(self) -> str:
        return f"{self.scope}/{self.person}/{self.field}"


class OwnerDifferences(Value):
    """What one group has to settle."""

    owner: OwnerGroup
    count: int
    more: bool = False
    """More than are counted."""
    oldest: tuple[Difference, ...] = ()

    @property
    def spoken(self) -> str:
        number = f"more than {self.count:,}" if self.more else f"{self.count:,}"
        return f"{number} {'difference' if self.count == 1 and not self.more else 'differences'}"


class OpenDifferences(Canonical):
    """What is open now, by owner."""

    owners: tuple[OwnerDifferences, ...] = ()


class DifferencesOf(Canonical):
    """Asks for the open differences of one HR account."""

    source: str


class WakeSync(Canonical):
    """Something changed, or somebody asks. Many wakes are one sync."""

    by: str = ""


class ResourceTick(Canonical):
    """Wakes the sync of one HR account."""

    firm: str
    hr: str
    psa: str


class Synced(Value):
    """One sync, from its first part to the end of its last."""

    started_at: AwareDatetime
    ended_at: AwareDatetime
    counts: dict[Part, SyncCounts] = {}
    open: tuple[OwnerDifferences, ...] = ()
    """What was open at its end."""


class ResourceSyncState(Canonical):
    """Everything that travels through continue-as-new."""

    firm: str
    hr: str
    psa: str
    requested_by: str = ""
    wanted: int = 1
    """Syncs asked for so far; the start is the first."""
    served: int = 0
    serving: int = 0
    """What the sync in progress answers."""
    part: Part | None = None
    """In the middle of a sync: where it is."""
    progress: SyncProgress | None = None
    counts: dict[Part, SyncCounts] = {}
    """Of the parts that the sync in progress has finished."""
    began_at: AwareDatetime | None = None
    syncs: int = 0
    last: Synced | None = None
    attention: tuple[AttentionItem, ...] = ()
    exception_numbers: dict[str, int] = {}
    page_size: int = 200
    slice_pages: int = 10
    slices_per_run: int = 60
    """Activities after which the run continues as new."""


class ResourceSyncView(Canonical):
    """Answer of the query `status`."""

    hr: str
    psa: str
    stage: str
    wanted: int
    served: int
    syncs: int = 0
    counts: dict[Part, SyncCounts] = {}
    last: Synced | None = None
    attention: tuple[AttentionItem, ...] = ()
    blocked: bool = False
    """A side cannot be read or written: a person is waited for."""
