"""People on SQL (`store.people_ports.People`): what HR and PSA said, each page in one transaction."""

from collections.abc import Sequence
from datetime import date, datetime

from domain.people import UnavailableDay, WorkCalendar, Worker
from domain.psa_people import PsaAssignment
from domain.resource_sync import Difference, Part
from domain.staffing_demand import StaffingRequest
from store.people_ports import KeptPeople, Told, WorkedHours
from store.sql import people_demand, people_differences, people_planned, people_told, people_workers
from store.sql.database import Database


class SqlPeople:
    """Workers, unavailable days, calendars, assignments, what was told, differences, demand."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- HR

    async def keep_workers(self, workers: Sequence[Worker]) -> KeptPeople:
        return await self._db.write(lambda connection: people_workers.keep(connection, workers))

    async def workers(self, source: str, *, after: str = "", limit: int = 200) -> Sequence[Worker]:
        return await self._db.read(lambda connection: people_workers.listed(connection, source, after, limit))

    async def by_emails(self, source: str, emails: Sequence[str]) -> Sequence[Worker]:
        return await self._db.read(lambda connection: people_workers.by_emails(connection, source, emails))

    async def keep_unavailable(
        self, source: str, workers: Sequence[str], days: Sequence[UnavailableDay], first: date, last: date
    ) -> KeptPeople:
        return await self._db.write(
            lambda connection: people_workers.keep_days(connection, source, workers, days, first, last)
        )

    async def unavailable(
        self, source: str, first: date, last: date, workers: Sequence[str] | None = None
    ) -> Sequence[UnavailableDay]:
        return await self._db.read(
            lambda connection: people_workers.days(connection, source, first, last, workers)
        )

    async def keep_calendars(self, source: str, calendars: Sequence[WorkCalendar]) -> None:
        await self._db.write(lambda connection: people_workers.keep_calendars(connection, source, calendars))

    async def calendars(self, source: str) -> Sequence[WorkCalendar]:
        return await self._db.read(lambda connection: people_workers.calendars(connection, source))

    # -- PSA

    async def keep_assignments(
        self, system: str, assignments: Sequence[PsaAssignment], gone: Sequence[str]
    ) -> KeptPeople:
        return await self._db.write(
            lambda connection: people_planned.keep(connection, system, assignments, gone)
        )

    async def assignments(
        self, system: str, *, people: Sequence[str] | None = None, since: date | None = None
    ) -> Sequence[PsaAssignment]:
        return await self._db.read(
            lambda connection: people_planned.listed(connection, system, people, since)
        )

    async def worked(
        self, system: str, people: Sequence[str], first: date, last: date
    ) -> Sequence[WorkedHours]:
        return await self._db.read(
            lambda connection: people_planned.worked(connection, system, people, first, last)
        )

    # -- what was told

    async def told(self, keys: Sequence[str]) -> dict[str, Told]:
        return await self._db.read(lambda connection: people_told.told(connection, keys))

    async def tell(self, told: Told) -> None:
        await self._db.write(lambda connection: people_told.tell(connection, told))

    # -- differences

    async def differ(
        self, source: str, scope: Part, people: Sequence[str], found: Sequence[Difference], at: datetime
    ) -> int:
        return await self._db.write(
            lambda connection: people_differences.differ(connection, source, scope, people, found, at)
        )

    async def differences(
        self, source: str, *, owner: str | None = None, limit: int = 200
    ) -> Sequence[Difference]:
        return await self._db.read(
            lambda connection: people_differences.listed(connection, source, owner, limit)
        )

    # -- demand

    async def ask(self, requests: Sequence[StaffingRequest]) -> None:
        await self._db.write(lambda connection: people_demand.ask(connection, requests))

    async def answer(self, process: str, answers: Sequence[StaffingRequest]) -> None:
        await self._db.write(lambda connection: people_demand.answer(connection, process, answers))

    async def demand(
        self, *, state: str | None = "open", process: str | None = None
    ) -> Sequence[StaffingRequest]:
        return await self._db.read(lambda connection: people_demand.listed(connection, state, process))
