"""What crosses Temporal for the process "time posting": its state, its drains, and the view of it.

All of it is bounded, however many entries there are: counts, positions, and the oldest few of what is open.
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from domain.attention import AttentionItem
from domain.base import Canonical, Value
from domain.intake import FeedPosition
from domain.readiness import OwnerGroup

TIME = "time"
"""Name of the process in workflow ids and process keys."""

Feed = Literal["time", "expenses"]
FEEDS: tuple[Feed, ...] = ("time", "expenses")
"""In the order they are drained."""


class Counts(Value):
    """What became of entries."""

    pages: int = 0
    new: int = 0
    same: int = 0
    replaced: int = 0
    refused: int = 0
    unpriced: int = 0
    """Came in, and no rate prices them yet."""

    def plus(self, other: "Counts") -> "Counts":
        mine, theirs = dict(self), dict(other)
        return Counts(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def came_in(self) -> int:
        """Entries that are new or changed."""
        return self.new + self.replaced


class DrainProgress(Value):
    """Where the drain of one feed stands: what a slice hands to the next, and a heartbeat to a retry."""

    position: FeedPosition = FeedPosition()
    mark: AwareDatetime | None = None
    """Newest change stamp seen; the cursor moves to it when the feed's end is reached."""
    again: bool = False
    """Goes back to what was refused."""
    counts: Counts = Counts()
    finished: bool = False


class DrainInput(Canonical):
    """One slice of the drain of one feed."""

    feed: Feed
    progress: DrainProgress | None = None
    """Where the slice before stopped; none begins at the cursor, less the overlap."""
    again: bool = False
    """Begin early enough to meet again whatever is still refused."""
    page_size: int = Field(default=200, ge=1)
    pages: int = Field(default=25, ge=1)
    """At most so many in this slice."""
    overlap_seconds: int = Field(default=300, ge=0)
    """A change stamp is set before its transaction commits: so much is read again."""
    begin_on: date | None = None
    """The feed is never read from before what changed on this day (UTC)."""
    expense_source: str = ""
    """System that owns expenses; empty means this one."""


class OldProblem(Value):
    """One of the oldest refused entries."""

    external_id: str
    project: str = ""
    problem: str
    amount: str = ""
    found_at: AwareDatetime


class OwnerProblems(Value):
    """What one group has to cure before it comes in."""

    owner: OwnerGroup
    count: int
    more: bool = False
    """More than are counted."""
    amounts: str = ""
    """Sums of what is counted, such as `96.00 h, 119.00 EUR`."""
    oldest: tuple[OldProblem, ...] = ()

    @property
    def spoken(self) -> str:
        number = f"more than {self.count:,}" if self.more else f"{self.count:,}"
        return f"{number} {'entry' if self.count == 1 and not self.more else 'entries'}"


class OpenProblems(Canonical):
    """What is refused now, by owner."""

    owners: tuple[OwnerProblems, ...] = ()


class ProblemsOf(Canonical):
    """Asks for the open problems of one source."""

    source: str


class SetAside(Canonical):
    """What of one owner is refused when a decision is made is left out, as it is."""

    source: str
    owner: OwnerGroup
    process: str
    decision: str
    decided_at: AwareDatetime
    actor: str
    reason: str


class Wake(Canonical):
    """Approved work may be there. Many wakes are one drain."""

    by: str = ""
    again: bool = False
    """Look again at everything that is refused."""


class Drained(Value):
    """One drain, from its start to the end of both feeds."""

    started_at: AwareDatetime
    ended_at: AwareDatetime
    counts: Counts
    refused: tuple[OwnerProblems, ...] = ()
    """What was open at its end."""


class TimePostingState(Canonical):
    """Everything that travels through continue-as-new."""

    firm: str
    system: str
    """The PSA, by its name in the firm's file."""
    requested_by: str = ""
    wanted: int = 1
    """Drains asked for so far; the start is the first."""
    served: int = 0
    """Of those, how many a finished drain has answered."""
    again: bool = False
    """The drain in progress goes back to what is refused."""
    again_wanted: bool = False
    """The one after it shall."""
    again_at: AwareDatetime | None = None
    """When a drain goes back to what is refused on its own account."""
    again_hours: int = 1
    serving: int = 0
    """What the drain in progress answers."""
    feed: Feed | None = None
    """In the middle of a drain: the feed it is at."""
    progress: DrainProgress | None = None
    counts: Counts = Counts()
    """Of the feeds that the drain in progress has finished."""
    drain_started_at: AwareDatetime | None = None
    drains: int = 0
    total: Counts = Counts()
    last: Drained | None = None
    attention: tuple[AttentionItem, ...] = ()
    exception_numbers: dict[str, int] = {}
    page_size: int = 200
    slice_pages: int = 25
    overlap_seconds: int = 300
    slices_per_run: int = 50
    """Activities on the PSA after which the run continues as new."""


class TimePostingView(Canonical):
    """Answer of the query `status`."""

    system: str
    stage: str
    wanted: int
    served: int
    drains: int = 0
    now: Counts = Counts()
    """Of the drain in progress."""
    last: Drained | None = None
    total: Counts = Counts()
    """Since the process began."""
    attention: tuple[AttentionItem, ...] = ()
    blocked: bool = False
    """The feed cannot be read: a person is waited for."""
