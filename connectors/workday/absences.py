"""Unavailable hours per day, out of time off and leaves; of neither the kind.

Workers are listed a page at a time in a reading that is frozen at one entry moment; for each of them the two
lists of absences are read. A leave takes away every weekday it lasts, time off the hours it says; together
never more than the worker's day.

Source: Workday REST, absenceManagement: timeOffDetails (one row per day, its newest state), leavesOfAbsence.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, ValidationError

from connectors.errors import NotFound, Rejected
from connectors.workday import mapping
from connectors.workday.get_workers import MAX_COUNT, Query, get_workers
from connectors.workday.models import Leave, Reference, TimeOff
from connectors.workday.rest import Rest
from connectors.workday.soap import Soap
from domain.base import Value
from domain.calendar import overlap
from domain.people import AbsencePage, UnavailableDay, UnreadablePerson

OPERATION = "read absences"
DAYS_A_WEEK = 5


class Cursor(Value):
    """Where a reading stands."""

    through: AwareDatetime
    page: int = 1
    count: int


class Refused(ValueError):
    """An absence that cannot be counted: (field, words)."""


class Absences:
    """Absences of one tenant."""

    def __init__(self, rest: Rest, soap: Soap, clock: Callable[[], datetime]) -> None:
        self._rest = rest
        self._soap = soap
        self._settings = rest.settings
        self._clock = clock

    async def page(self, first: date, last: date, page: str, limit: int) -> AbsencePage:
        """Days of up to `limit` workers. Raises `ValueError` for a range that ends before it begins."""
        if first > last:
            raise ValueError(f"the range ends on {last}, before it begins on {first}")
        cursor = self._cursor(page, limit)
        query = Query(
            entered_by=cursor.through,
            effective=cursor.through.astimezone(UTC).date(),
            page=cursor.page,
            count=cursor.count,
            inactive=False,
            personal=False,
        )
        found = await get_workers(self._soap, query, OPERATION)
        hours = {id: self._day(element) for element in found.workers if (id := mapping.worker_id(element))}
        read = await asyncio.gather(*(self._of(id, day, first, last) for id, day in hours.items()))
        more = cursor.page < found.pages
        return AbsencePage(
            worker_external_ids=tuple(hours),
            days=tuple(day for days, _ in read for day in days),
            unreadable=tuple(problem for _, problems in read for problem in problems),
            next_page=cursor.with_changes(page=cursor.page + 1).model_dump_json() if more else "",
        )

    def _day(self, element: Any) -> Decimal:
        """Hours of a full day of the worker."""
        try:
            weekly = mapping.weekly_hours(element)
        except mapping.BadElement:
            weekly = None  # told with the worker itself, see People
        return (weekly or Decimal(self._settings.hours_per_week)) / DAYS_A_WEEK

    async def _of(
        self, worker: str, day: Decimal, first: date, last: date
    ) -> tuple[list[UnavailableDay], list[UnreadablePerson]]:
        taken: defaultdict[date, Decimal] = defaultdict(Decimal)
        problems: list[UnreadablePerson] = []
        try:
            time_off = await self._time_off(worker, first, last)
            leaves = await self._leaves(worker, first, last)
        except NotFound:
            return [], []  # gone since the list was made
        for row in time_off:
            entry = self._rest.read(TimeOff, row, "timeOffDetails", OPERATION)
            with _told(problems, worker):
                self._add_entry(taken, entry, day)
        for row in leaves:
            leave = self._rest.read(Leave, row, "leavesOfAbsence", OPERATION)
            with _told(problems, worker):
                self._add_leave(taken, leave, day, first, last)
        within = {on: min(hours, day) for on, hours in taken.items() if first <= on <= last and hours > 0}
        return [
            UnavailableDay(worker_external_id=worker, day=on, hours=hours)
            for on, hours in sorted(within.items())
        ], problems

    async def _time_off(self, worker: str, first: date, last: date) -> list[dict[str, Any]]:
        return await self._rest.rows(
            "absenceManagement",
            f"workers/{worker}/timeOffDetails",
            {"fromDate": first.isoformat(), "toDate": last.isoformat()},
            # The rows have no id. Their type is looked at to tell two entries of a day apart, and not kept.
            identity=lambda row: (row.get("date"), _id(row.get("timeOffType")), _id(row.get("position"))),
            operation=OPERATION,
        )

    async def _leaves(self, worker: str, first: date, last: date) -> list[dict[str, Any]]:
        return await self._rest.rows(
            "absenceManagement",
            f"workers/{worker}/leavesOfAbsence",
            {"fromDate": first.isoformat(), "toDate": last.isoformat()},
            identity=lambda row: row.get("id"),
            operation=OPERATION,
        )

    def _add_entry(self, taken: dict[date, Decimal], entry: TimeOff, day: Decimal) -> None:
        if not self._counts(entry.status, "timeOffDetails.status"):
            return
        if entry.unit.is_one_of(self._settings.hour_units):
            taken[entry.date] += entry.quantity
        elif entry.unit.is_one_of(self._settings.day_units):
            taken[entry.date] += entry.quantity * day
        else:
            raise Refused(
                "timeOffDetails.unit", f"{entry.unit.descriptor or entry.unit.id!r} is no known unit"
            )

    def _add_leave(
        self, taken: dict[date, Decimal], leave: Leave, day: Decimal, first: date, last: date
    ) -> None:
        if not self._counts(leave.status, "leavesOfAbsence.status") or not leave.keeps_away:
            return
        # A leave without an end lasts.
        common = overlap(first, last, leave.firstDayOfLeave, leave.last_day or last)
        on = common[0] if common else None
        while common and on and on <= common[1]:
            if on.weekday() < DAYS_A_WEEK:
                taken[on] += day
            on += timedelta(days=1)

    def _counts(self, status: Reference, field: str) -> bool:
        if status.is_one_of(self._settings.counted_absences):
            return True
        if status.is_one_of(self._settings.ignored_absences):
            return False
        words = f"{status.descriptor or status.id!r} is no known status; list it in the system's settings"
        raise Refused(field, words)

    def _cursor(self, page: str, limit: int) -> Cursor:
        if not page:
            return Cursor(through=self._clock(), count=min(max(limit, 1), MAX_COUNT))
        try:
            return Cursor.model_validate_json(page)
        except ValidationError:
            words = f"{page[:80]!r} is no page token of this connector; begin the reading anew"
            raise self._rest.error(Rejected, OPERATION, words, field="page") from None


@contextmanager
def _told(problems: list[UnreadablePerson], worker: str) -> Iterator[None]:
    """One absence that cannot be counted is told and does not stop the others."""
    try:
        yield
    except Refused as refused:
        field, words = refused.args
        problems.append(UnreadablePerson(kind="absence", external_id=worker, field=field, problem=words))


def _id(reference: Any) -> Any:
    return reference.get("id") if isinstance(reference, dict) else reference
