"""The PSA's side of resource sync: assignments come in; people, skills and unavailable hours go out."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity

from activities.boundary import Boundary, Clock, utc_now
from activities.effects import EffectRunner
from activities.resource_slices import Teller, person_key, slices, turned, workers_page
from connectors.ports import PsaPort
from domain import people_matching
from domain.intake import FeedPosition
from domain.people import UnavailableDay, Worker
from domain.people_matching import Plan
from domain.psa_people import FACTS, PersonFact, PsaPerson, TimeOff
from domain.resource_sync import SyncInput, SyncProgress
from store.people_ports import Told
from store.ports import Store


class PsaPeopleActivities:
    """Registered on the task queue of the PSA's account."""

    def __init__(
        self, port: PsaPort, effects: EffectRunner, store: Store, boundary: Boundary, clock: Clock = utc_now
    ) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._boundary = boundary
        self._clock = clock

    # -- assignments ------------------------------------------------------------------------------

    @activity.defn(name="psa.read_assignments")
    async def read_assignments(self, input: SyncInput) -> SyncProgress:
        """Who is planned where, page by page into the store."""
        cursor = f"{self._port.system}.assignments"

        async def begin() -> SyncProgress:
            mark = await self._store.cursors.get(cursor)
            overlap = timedelta(seconds=input.policy.overlap_seconds)
            return SyncProgress(since=mark - overlap if mark else None, mark=mark)

        async def page(progress: SyncProgress) -> SyncProgress:
            position = FeedPosition(since=progress.since, page=progress.page)
            found = await self._port.assignments(position, input.page_size)
            kept = await self._store.people.keep_assignments(self._port.system, found.assignments, found.gone)
            return turned(
                progress,
                found.next_page,
                found.mark,
                read=len(found.assignments) + len(found.gone),
                new=kept.new,
                changed=kept.changed,
            )

        async with self._boundary() as beats:
            progress = await slices(input, beats, begin, page)
            if progress.finished and progress.mark is not None:
                await self._store.cursors.put(cursor, progress.mark)
            return progress

    # -- people -----------------------------------------------------------------------------------

    @activity.defn(name="psa.keep_people")
    async def keep_people(self, input: SyncInput) -> SyncProgress:
        """Everybody the PSA can staff, compared with HR: found by what we told before, else by address."""

        async def begin() -> SyncProgress:
            return SyncProgress()

        async def page(progress: SyncProgress) -> SyncProgress:
            found = await self._port.people(progress.page, input.page_size)
            workers, told = await self._matched(input, found.people)
            teller = self._teller(input)
            for person in found.people:
                worker = workers.get(person.external_id)
                if worker is not None:
                    link = told.get(person_key(input.psa, worker.id))
                    await self._keep_person(input, teller, worker, person, link, found.facts)
                elif person.role:
                    words = (
                        f"user {person.external_id} of {input.psa} can be staffed, and HR knows nobody with"
                    )
                    teller.differ(person.external_id, "worker", f"{words} the same work address")
            people = [person.external_id for person in found.people]
            await teller.close([*people, *(worker.number for worker in workers.values())])
            return turned(
                progress, found.next_page, read=len(people), written=teller.written, refused=teller.refused
            )

        async with self._boundary() as beats:
            return await slices(input, beats, begin, page)

    async def _matched(
        self, input: SyncInput, people: Sequence[PsaPerson]
    ) -> tuple[dict[str, Worker], dict[str, Told]]:
        """Worker by the PSA's id, and what was told of each. An address of two workers matches nobody."""
        found = await self._store.people.by_emails(input.hr, [person.email for person in people])
        by_email: defaultdict[str, list[Worker]] = defaultdict(list)
        for worker in found:
            by_email[worker.email.casefold()].append(worker)
        told = await self._store.people.told([person_key(input.psa, worker.id) for worker in found])
        linked = {one.external_id: key for key, one in told.items() if one.external_id}
        matched: dict[str, Worker] = {}
        for person in people:
            same = by_email[person.email.casefold()]
            mine = [one for one in same if linked.get(person.external_id) == person_key(input.psa, one.id)]
            chosen = mine or same
            if len(chosen) == 1:
                matched[person.external_id] = chosen[0]
        return matched, told

    async def _keep_person(
        self,
        input: SyncInput,
        teller: Teller,
        worker: Worker,
        person: PsaPerson,
        link: Told | None,
        facts: Sequence[PersonFact],
    ) -> None:
        told = link or Told(key=person_key(input.psa, worker.id))
        plan = people_matching.person_plan(worker, person, told.facts, facts)
        told = await teller.agree(told, plan.agreed, person.external_id)
        await self._carry_out(teller, plan, told, f"psa.person.{worker.external_id}", worker.number)

    # -- who is new -------------------------------------------------------------------------------

    @activity.defn(name="psa.invite_people")
    async def invite_people(self, input: SyncInput) -> SyncProgress:
        """Whoever works for the firm now or soon, and is not in the PSA."""

        async def begin() -> SyncProgress:
            return SyncProgress(today=self._clock().date())

        async def page(progress: SyncProgress) -> SyncProgress:
            workers, told, following = await workers_page(self._store, input, progress)
            teller = self._teller(input)
            for worker in workers:
                link = told.get(person_key(input.psa, worker.id))
                if (link is None or not link.external_id) and self._is_wanted(input, progress, worker):
                    await self._invite(input, teller, worker)
            await teller.close([worker.number for worker in workers])
            return turned(
                progress, following, read=len(workers), written=teller.written, refused=teller.refused
            )

        async with self._boundary() as beats:
            return await slices(input, beats, begin, page)

    def _is_wanted(self, input: SyncInput, progress: SyncProgress, worker: Worker) -> bool:
        today = progress.today or self._clock().date()
        comes = worker.hired_on <= today + timedelta(days=input.policy.horizon_days)
        return bool(worker.role) and comes and (worker.ends_on is None or worker.ends_on >= today)

    async def _invite(self, input: SyncInput, teller: Teller, worker: Worker) -> None:
        if not input.policy.invite:
            words = f"not in {input.psa}: create the user there with the work address HR has"
            teller.differ(worker.number, "user", words)
            return
        try:
            command, facts = people_matching.newcomer(worker)
        except ValueError:
            words = f"not in {input.psa}, and HR has no name or work address to invite by"
            teller.differ(worker.number, "user", words)
            return
        told = Told(key=person_key(input.psa, worker.id))
        step = f"psa.newcomer.{worker.external_id}"
        told, made = await teller.tell(told, command, facts, step=step, person=worker.number, field="user")
        if made is not None:
            # What an invitation has no place for follows at once.
            person = PsaPerson(external_id=made.external_id, role=command.role, title=command.title)
            await self._keep_person(input, teller, worker, person, told, FACTS)

    # -- unavailable hours ------------------------------------------------------------------------

    @activity.defn(name="psa.keep_absences")
    async def keep_absences(self, input: SyncInput) -> SyncProgress:
        """Unavailable hours from today to the horizon, as days off; never why."""

        async def begin() -> SyncProgress:
            return SyncProgress(today=self._clock().date())

        async def page(progress: SyncProgress) -> SyncProgress:
            workers, links, following = await workers_page(self._store, input, progress)
            first = progress.today or self._clock().date()
            last = first + timedelta(days=input.policy.horizon_days)
            people = [told.external_id for told in links.values() if told.external_id]
            held, wanted = (
                _by_person(await self._port.time_off(people, first, last)),
                _by_worker(
                    await self._store.people.unavailable(
                        input.hr, first, last, [worker.external_id for worker in workers]
                    )
                ),
            )
            told = await self._store.people.told([_days_key(input.psa, worker) for worker in workers])
            teller = self._teller(input)
            for worker in workers:
                link = links.get(person_key(input.psa, worker.id))
                if link is None or not link.external_id:
                    continue
                key = _days_key(input.psa, worker)
                before = _from(told.get(key) or Told(key=key), first.isoformat())
                plan = people_matching.days_plan(
                    link.external_id,
                    wanted.get(worker.external_id, ()),
                    held.get(link.external_id, ()),
                    before.facts,
                )
                before = await teller.agree(before, plan.agreed)
                await self._carry_out(teller, plan, before, f"psa.days.{worker.external_id}", worker.number)
            await teller.close([worker.number for worker in workers])
            return turned(
                progress, following, read=len(workers), written=teller.written, refused=teller.refused
            )

        async with self._boundary() as beats:
            return await slices(input, beats, begin, page)

    # -- inside -----------------------------------------------------------------------------------

    async def _carry_out(self, teller: Teller, plan: Plan, told: Told, step: str, person: str) -> None:
        for command, facts in plan.writes:
            field = command.noun
            told, _ = await teller.tell(told, command, facts, step=step, person=person, field=field)
        for field, words in plan.differences.items():
            teller.differ(person, field, words)

    def _teller(self, input: SyncInput) -> Teller:
        return Teller(self._effects, self._store, input, self._clock())


def _by_person(entries: Sequence[TimeOff]) -> dict[str, list[TimeOff]]:
    found: defaultdict[str, list[TimeOff]] = defaultdict(list)
    for entry in entries:
        found[entry.person_external_id].append(entry)
    return found


def _by_worker(days: Sequence[UnavailableDay]) -> dict[str, list[UnavailableDay]]:
    found: defaultdict[str, list[UnavailableDay]] = defaultdict(list)
    for day in days:
        found[day.worker_external_id].append(day)
    return found


def _days_key(psa: str, worker: Worker) -> str:
    return f"{psa}:days:{worker.id}"


def _from(told: Told, first: str) -> Told:
    """Without the days that are past: what was told stays as small as the range."""
    return told.with_changes(facts={day: hours for day, hours in told.facts.items() if day >= first})
