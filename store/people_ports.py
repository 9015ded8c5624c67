"""What resource sync, staffing and capacity ask of Fairlead's own database.

As in `store.ports`, every method is idempotent under repetition with the same arguments. No pay, no private
data, and of an absence never its kind: there is no column for them.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from domain.base import Canonical, Value
from domain.people import UnavailableDay, WorkCalendar, Worker
from domain.psa_people import PsaAssignment
from domain.resource_sync import Difference, Part
from domain.staffing_demand import StaffingRequest


class KeptPeople(Value):
    """What became of a page."""

    new: int = 0
    changed: int = 0
    same: int = 0


class Told(Canonical):
    """What the other side was told last of one object, and where it stands there."""

    key: str
    """`<system>:<object>:<id>`."""
    external_id: str = ""
    """In that system."""
    revision: int = 0
    """How often it was told; the next telling is one more."""
    facts: dict[str, str] = {}


class WorkedHours(Value):
    """Approved time of one person on one project in one month."""

    resource: str
    """The PSA's id of the person."""
    project: str
    month: str
    """`YYYY-MM`."""
    minutes: int

    @property
    def hours(self) -> Decimal:
        return Decimal(self.minutes) / 60


class People(Protocol):
    """Who works for the firm, when they are there, and who needs them."""

    # -- HR

    async def keep_workers(self, workers: Sequence[Worker]) -> KeptPeople:
        """Keep a page. An older version after a newer one changes nothing."""

    async def workers(self, source: str, *, after: str = "", limit: int = 200) -> Sequence[Worker]:
        """Workers of an HR account in order of their ids, those behind `after`."""

    async def by_emails(self, source: str, emails: Sequence[str]) -> Sequence[Worker]:
        """Workers with these addresses, whatever their case."""

    async def keep_unavailable(
        self, source: str, workers: Sequence[str], days: Sequence[UnavailableDay], first: date, last: date
    ) -> KeptPeople:
        """Replace all that was known of these workers (by HR's ids) from `first` to `last`."""

    async def unavailable(
        self, source: str, first: date, last: date, workers: Sequence[str] | None = None
    ) -> Sequence[UnavailableDay]:
        """Unavailable hours per day, of these workers or of all, in order of worker and day."""

    async def keep_calendars(self, source: str, calendars: Sequence[WorkCalendar]) -> None:
        """Replace the calendars of an HR account."""

    async def calendars(self, source: str) -> Sequence[WorkCalendar]: ...

    # -- PSA

    async def keep_assignments(
        self, system: str, assignments: Sequence[PsaAssignment], gone: Sequence[str]
    ) -> KeptPeople:
        """Keep a page; what is gone is kept with zero hours, so that it can be told."""

    async def assignments(
        self, system: str, *, people: Sequence[str] | None = None, since: date | None = None
    ) -> Sequence[PsaAssignment]:
        """Assignments of these people (by the PSA's ids) or of all; with `since` none that ended before."""

    async def worked(
        self, system: str, people: Sequence[str], first: date, last: date
    ) -> Sequence[WorkedHours]:
        """Approved time of these people by person, project and month, in that order."""

    # -- what was told

    async def told(self, keys: Sequence[str]) -> dict[str, Told]: ...

    async def tell(self, told: Told) -> None:
        """Keep what was told. A revision before the one that is kept changes nothing."""

    # -- differences

    async def differ(
        self, source: str, scope: Part, people: Sequence[str], found: Sequence[Difference], at: datetime
    ) -> int:
        """What a look at `people` found: new ones are kept, those that are not found any more are healed.

        Returns how many are new. One that is open keeps the time it was found.
        """

    async def differences(
        self, source: str, *, owner: str | None = None, limit: int = 200
    ) -> Sequence[Difference]:
        """Open ones, the oldest first."""

    # -- demand

    async def ask(self, requests: Sequence[StaffingRequest]) -> None:
        """Keep what was asked. A repeat changes nothing; a higher revision replaces a lower one."""

    async def answer(self, process: str, answers: Sequence[StaffingRequest]) -> None:
        """Keep state and resource of requests of a process; the first answer's time stands."""

    async def demand(
        self, *, state: str | None = "open", process: str | None = None
    ) -> Sequence[StaffingRequest]:
        """Requests, the one asked first first."""
