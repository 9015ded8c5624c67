"""HR's side of resource sync: people and their unavailable hours come in, assignments and hours go out.

Of a person the store keeps what staffing needs; of an absence the hours. Assignments are told as lines of
HR's resource plan, one per assignment; hours as one record per person, project and month once the month is
over, and whatever changes later as a further record of the difference.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from temporalio import activity

from activities.boundary import Boundary, Clock, utc_now
from activities.effects import EffectRunner
from activities.resource_slices import Teller, person_key, slices, turned, workers_page
from connectors.ports import HrPort
from domain.calendar import Period
from domain.intake import FeedPosition
from domain.people import UnreadablePerson, Worker
from domain.people_commands import RecordAssignment, RecordUtilization
from domain.psa_people import PsaAssignment
from domain.readiness import OwnerGroup
from domain.resource_sync import SyncInput, SyncProgress
from store.people_ports import Told, WorkedHours
from store.ports import Store

ABSENCES_AT_ONCE = 50
PAST = timedelta(days=31)
"""Assignments that ended longer ago are not told any more."""
MONTHS = 12
"""So many months back a change of approved hours is still told."""


class HrActivities:
    """Registered on the task queue of the HR account."""

    def __init__(
        self, port: HrPort, effects: EffectRunner, store: Store, boundary: Boundary, clock: Clock = utc_now
    ) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._boundary = boundary
        self._clock = clock

    # -- people -----------------------------------------------------------------------------------

    @activity.defn(name="hr.read_people")
    async def read_people(self, input: SyncInput) -> SyncProgress:
        """Hires, changes and leavers with their skills, page by page into the store."""
        cursor = f"{self._port.system}.people"

        async def begin() -> SyncProgress:
            await self._store.people.keep_calendars(self._port.system, await self._port.work_calendars())
            mark = await self._store.cursors.get(cursor)
            overlap = timedelta(seconds=input.policy.overlap_seconds)
            return SyncProgress(since=mark - overlap if mark else None, mark=mark)

        async def page(progress: SyncProgress) -> SyncProgress:
            position = FeedPosition(since=progress.since, page=progress.page)
            found = await self._port.workers(position, input.page_size)
            workers = await asyncio.gather(*(self._with_skills(worker) for worker in found.workers))
            kept = await self._store.people.keep_workers(workers)
            await self._unreadable(input, found.unreadable, [worker.external_id for worker in workers])
            return turned(
                progress,
                found.next_page,
                found.mark,
                read=len(workers),
                new=kept.new,
                changed=kept.changed,
                refused=len(found.unreadable),
            )

        async with self._boundary() as beats:
            progress = await slices(input, beats, begin, page)
            if progress.finished and progress.mark is not None:
                await self._store.cursors.put(cursor, progress.mark)
            return progress

    async def _with_skills(self, worker: Worker) -> Worker:
        """Levels of skills stand in a list of their own, for each worker."""
        if not worker.skills:
            return worker
        return worker.with_changes(skills=tuple(await self._port.skills(worker.external_id)))

    async def _unreadable(
        self, input: SyncInput, unreadable: Sequence[UnreadablePerson], read: Sequence[str]
    ) -> None:
        teller = self._teller(input)
        for one in {one.external_id: one for one in unreadable}.values():
            words = f"{one.kind} of {one.external_id}: {one.field} {one.problem}"
            teller.differ(one.external_id, one.field, words, OwnerGroup.ENTERPRISE_ARCHITECTURE)
        await teller.close([*read, *(one.external_id for one in unreadable)])

    # -- unavailable hours ------------------------------------------------------------------------

    @activity.defn(name="hr.read_absences")
    async def read_absences(self, input: SyncInput) -> SyncProgress:
        """Unavailable hours from today to the horizon, of all workers; never their kind."""

        async def begin() -> SyncProgress:
            return SyncProgress(today=self._clock().date())

        async def page(progress: SyncProgress) -> SyncProgress:
            first, last = _range(input, progress)
            found = await self._port.absences(first, last, progress.page, ABSENCES_AT_ONCE)
            kept = await self._store.people.keep_unavailable(
                self._port.system, found.worker_external_ids, found.days, first, last
            )
            await self._unreadable(input, found.unreadable, found.worker_external_ids)
            return turned(
                progress,
                found.next_page,
                read=len(found.worker_external_ids),
                new=kept.new,
                changed=kept.changed,
                refused=len(found.unreadable),
            )

        async with self._boundary() as beats:
            return await slices(input, beats, begin, page)

    # -- assignments ------------------------------------------------------------------------------

    @activity.defn(name="hr.tell_assignments")
    async def tell_assignments(self, input: SyncInput) -> SyncProgress:
        """What the PSA plans, as lines of HR's resource plan; whoever leaves before the end is told of."""
        projects: dict[str, str | None] = {}

        async def begin() -> SyncProgress:
            return SyncProgress(today=self._clock().date())

        async def page(progress: SyncProgress) -> SyncProgress:
            workers, links, following = await workers_page(self._store, input, progress)
            planned = await self._planned(input, progress, links)
            lines = await self._store.people.told(
                [_line_key(self._port.system, one.external_id) for ones in planned.values() for one in ones]
            )
            teller = self._teller(input)
            for worker in workers:
                link = links.get(person_key(input.psa, worker.id))
                mine = planned.get(link.external_id, []) if link else []
                await self._tell_lines(input, teller, worker, mine, lines, projects)
                await self._leaves(input, teller, worker, mine)
            await teller.close([worker.number for worker in workers])
            return turned(
                progress, following, read=len(workers), written=teller.written, refused=teller.refused
            )

        async with self._boundary() as beats:
            return await slices(input, beats, begin, page)

    async def _planned(
        self, input: SyncInput, progress: SyncProgress, links: dict[str, Told]
    ) -> dict[str, list[PsaAssignment]]:
        since = (progress.today or self._clock().date()) - PAST
        people = [told.external_id for told in links.values() if told.external_id]
        found: defaultdict[str, list[PsaAssignment]] = defaultdict(list)
        for one in await self._store.people.assignments(input.psa, people=people, since=since):
            found[one.person_external_id].append(one)
        return found

    async def _tell_lines(
        self,
        input: SyncInput,
        teller: Teller,
        worker: Worker,
        planned: Sequence[PsaAssignment],
        lines: dict[str, Told],
        projects: dict[str, str | None],
    ) -> None:
        unknown: set[str] = set()
        for one in planned:
            key = _line_key(self._port.system, one.external_id)
            told = lines.get(key) or Told(key=key)
            facts = _line_facts(worker, one)
            if all(told.facts.get(name) == value for name, value in facts.items()):
                continue
            if not told.external_id and one.hours == 0:
                continue  # gone before it was ever told
            number = await self._number(input, one)
            project = told.facts.get("project") or await self._project(input, number, projects)
            if project is None:
                unknown.add(number or one.project_external_id)
                continue
            command = RecordAssignment(
                worker_external_id=worker.external_id,
                project_external_id=project,
                role=one.role or worker.role,
                starts_on=one.starts_on,
                ends_on=one.ends_on,
                hours=one.hours,
                line_external_id=told.external_id,
                line_key=told.facts.get("key", ""),
            )
            step = f"hr.assignment.{one.external_id}"
            first = told.facts.get("key") or teller.key(told, command, step)
            facts |= {"project": project, "key": first}
            await teller.tell(told, command, facts, step=step, person=worker.number, field="assignments")
        if unknown:
            words = (
                f"HR has no project {', '.join(sorted(unknown))}: create it there, or name hr_project under"
                " [resources]"
            )
            teller.differ(worker.number, "projects", words)

    async def _number(self, input: SyncInput, one: PsaAssignment) -> str:
        """Number of the project; empty for one that is not ours."""
        known = await self._store.references.canonical(input.psa, "project", one.project_external_id)
        return known.removeprefix("project:") if known else ""

    async def _project(self, input: SyncInput, number: str, projects: dict[str, str | None]) -> str | None:
        """The project in HR: of this number, else the one for all work."""
        for wanted in (number, input.policy.hr_project):
            if wanted and wanted not in projects:
                projects[wanted] = await self._port.project(wanted)
            if wanted and projects[wanted]:
                return projects[wanted]
        return None

    async def _leaves(
        self, input: SyncInput, teller: Teller, worker: Worker, planned: Sequence[PsaAssignment]
    ) -> None:
        last = worker.ends_on
        if last is None:
            return
        beyond = [one for one in planned if one.hours and one.ends_on > last]
        if beyond:
            numbers = {await self._number(input, one) or one.project_external_id for one in beyond}
            words = f"last day {last}, but planned beyond it on {', '.join(sorted(numbers))}"
            teller.differ(worker.number, "last day", words)

    # -- hours ------------------------------------------------------------------------------------

    @activity.defn(name="hr.tell_hours")
    async def tell_hours(self, input: SyncInput) -> SyncProgress:
        """Approved hours per person, project and month that is over, each once; then what changed of them."""
        projects: dict[str, str | None] = {}

        async def begin() -> SyncProgress:
            return SyncProgress(today=self._clock().date())

        async def page(progress: SyncProgress) -> SyncProgress:
            workers, links, following = await workers_page(self._store, input, progress)
            by_person = {told.external_id: told for told in links.values() if told.external_id}
            first, last = _months(progress.today or self._clock().date(), input.policy.hours_after_days)
            worked = await self._store.people.worked(input.psa, list(by_person), first, last)
            told = await self._store.people.told([_hours_key(self._port.system, one) for one in worked])
            teller = self._teller(input)
            numbers = {person_key(input.psa, worker.id): worker for worker in workers}
            for one in worked:
                worker = numbers[by_person[one.resource].key]
                await self._tell_month(input, teller, worker, one, told, projects)
            await teller.close([worker.number for worker in workers])
            return turned(
                progress, following, read=len(worked), written=teller.written, refused=teller.refused
            )

        async with self._boundary() as beats:
            return await slices(input, beats, begin, page)

    async def _tell_month(
        self,
        input: SyncInput,
        teller: Teller,
        worker: Worker,
        one: WorkedHours,
        known: dict[str, Told],
        projects: dict[str, str | None],
    ) -> None:
        key = _hours_key(self._port.system, one)
        told = known.get(key) or Told(key=key)
        hours = one.hours.quantize(Decimal("0.01"))
        more = hours - Decimal(told.facts.get("hours", "0"))
        if not more:
            return
        project = told.facts.get("project") or await self._project(input, one.project, projects)
        if project is None:
            words = f"HR has no project {one.project} to keep the hours of {one.month} on"
            teller.differ(worker.number, "hours", words)
            return
        month = Period.parse(one.month)
        command = RecordUtilization(
            worker_external_id=worker.external_id,
            project_external_id=project,
            starts_on=month.first,
            ends_on=month.last,
            hours=more,
        )
        step = f"hr.hours.{worker.external_id}.{one.project}.{one.month}"
        facts = {"hours": str(hours), "project": project}
        await teller.tell(told, command, facts, step=step, person=worker.number, field="hours")

    def _teller(self, input: SyncInput) -> Teller:
        return Teller(self._effects, self._store, input, self._clock())


def _range(input: SyncInput, progress: SyncProgress) -> tuple[date, date]:
    first = progress.today
    if first is None:
        raise ValueError(f"{input.part} goes on without the day it began; begin the sync anew")
    return first, first + timedelta(days=input.policy.horizon_days)


def _months(today: date, after_days: int) -> tuple[date, date]:
    """First and last day of the months whose hours are told now."""
    last = Period.of(today - timedelta(days=after_days)).previous
    first = last
    for _ in range(MONTHS - 1):
        first = first.previous
    return first.first, last.last


def _line_key(hr: str, assignment: str) -> str:
    return f"{hr}:assignment:{assignment}"


def _hours_key(hr: str, one: WorkedHours) -> str:
    return f"{hr}:hours:{one.resource}/{one.project}/{one.month}"


def _line_facts(worker: Worker, one: PsaAssignment) -> dict[str, str]:
    return {
        "worker": worker.external_id,
        "starts_on": one.starts_on.isoformat(),
        "ends_on": one.ends_on.isoformat(),
        "hours": str(one.hours.normalize() + 0),
    }
