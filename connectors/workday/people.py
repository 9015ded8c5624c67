"""Workers as a feed: all of them, or those with a change entered or becoming effective since a moment.

A change entered early for a later day is told twice: when it was entered, and when its day has come. So that
leavers do not simply vanish, inactive workers are always listed; and the list is made as of some weeks ahead
(`look_ahead_days`), which shows hires and last days before their time, while the details of each worker are
those of today.

Source: Get_Workers, Transaction_Log_Criteria_Data, Response_Filter.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from xml.etree.ElementTree import Element

from pydantic import AwareDatetime, ValidationError

from connectors.errors import Rejected
from connectors.workday import mapping
from connectors.workday.get_workers import MAX_COUNT, Changes, Found, Query, get_workers
from connectors.workday.settings import WorkdaySettings
from connectors.workday.soap import Soap
from domain.base import Value
from domain.intake import FeedPosition
from domain.people import UnreadablePerson, Worker, WorkerPage

OPERATION = "read workers"


class Cursor(Value):
    """Where a reading stands: frozen moment, kind of pass, page. Handed around as text."""

    through: AwareDatetime
    """Entry moment of the whole reading."""
    since: AwareDatetime | None = None
    by: Literal["all", "Updated", "Effective"] = "all"
    page: int = 1
    count: int

    @property
    def today(self) -> date:
        return self.through.astimezone(UTC).date()

    @property
    def changes(self) -> Changes | None:
        if self.since is None or self.by == "all":
            return None
        if self.by == "Updated":
            return Changes("Updated", self.since, self.through)
        # Effective moments are midnights of the tenant's zone: a day more on either side covers all zones.
        first = datetime.combine(self.since.astimezone(UTC).date(), time(), UTC) - timedelta(days=1)
        return Changes("Effective", first, self.through + timedelta(days=1))

    def following(self, pages: int) -> "Cursor | None":
        """What to read after this page of `pages`."""
        if self.page < pages:
            return self.with_changes(page=self.page + 1)
        return self.with_changes(by="Effective", page=1) if self.by == "Updated" else None


class People:
    """The feed of one tenant."""

    def __init__(
        self, system: str, soap: Soap, settings: WorkdaySettings, clock: Callable[[], datetime]
    ) -> None:
        self._system = system
        self._soap = soap
        self._settings = settings
        self._clock = clock

    async def workers(self, position: FeedPosition, limit: int) -> WorkerPage:
        """One page. Raises `Rejected` for a page token that is not ours."""
        cursor = self._cursor(position, limit)
        found = await self._listed(cursor)
        today = await self._today(cursor, found)
        read: list[Worker | UnreadablePerson] = []
        for element in found.workers:
            now = today.get(mapping.worker_id(element), element)
            read.append(mapping.worker(self._system, self._settings, now, element, cursor.through))
        following = cursor.following(found.pages)
        return WorkerPage(
            workers=tuple(one for one in read if isinstance(one, Worker)),
            unreadable=tuple(one for one in read if isinstance(one, UnreadablePerson)),
            next_page=following.model_dump_json() if following else "",
            mark=None if following else cursor.through,
        )

    async def _listed(self, cursor: Cursor) -> Found:
        query = Query(
            entered_by=cursor.through,
            effective=cursor.today + timedelta(days=self._settings.look_ahead_days),
            page=cursor.page,
            count=cursor.count,
            changes=cursor.changes,
            log=cursor.by != "all",
        )
        return await get_workers(self._soap, query, OPERATION)

    async def _today(self, cursor: Cursor, found: Found) -> Mapping[str, Element]:
        """The workers of a page as of today, by id; who is hired later is not among them."""
        ids = [id for id in map(mapping.worker_id, found.workers) if id]
        if not self._settings.look_ahead_days or not ids:
            return {}
        query = Query(entered_by=cursor.through, effective=cursor.today, worker_ids=ids, count=MAX_COUNT)
        shown = await get_workers(self._soap, query, OPERATION)
        return {mapping.worker_id(element): element for element in shown.workers}

    def _cursor(self, position: FeedPosition, limit: int) -> Cursor:
        if position.page:
            try:
                return Cursor.model_validate_json(position.page)
            except ValidationError:
                words = f"{position.page[:80]!r} is no page token of this connector; begin the reading anew"
                raise self._soap.error(Rejected, OPERATION, words, field="page") from None
        count, now = min(max(limit, 1), MAX_COUNT), self._clock()
        # The moment is sent in milliseconds: what is entered later in the same one is for the next reading.
        through = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if position.since is None:
            return Cursor(through=through, count=count)
        since = position.since - timedelta(seconds=self._settings.feed_overlap_seconds)
        return Cursor(through=through, since=since, by="Updated", count=count)
