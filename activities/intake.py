"""Intake: approved time and expenses of a PSA become billables, page by page.

    page of the feed -> what it needs, looked up in bulk -> judged (domain.intake_rules) -> kept or refused
    -> heartbeat with the position

Every page is kept before the position moves, and keeping a page again changes nothing: a crash anywhere
costs the reading of a page twice. The cursor moves only when a drain has reached the end of its feed, and the
next drain begins an overlap before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from temporalio import activity

from activities.boundary import Beats, Boundary, Clock, resumed, utc_now
from activities.gates import RateCards
from connectors.ports import PsaPort
from domain.billable import Billable, IntakeProblem
from domain.intake import FeedPosition, WorkPage
from domain.intake_refusals import WAITS_FOR_ACTIVATION
from domain.intake_rules import Ground, Judged, KnownProject, changed_after, days_of, judge, projects_of
from domain.time_posting import Counts, DrainInput, DrainProgress
from store.ports import Store

MOST_PROBLEMS = 1000
"""Open problems that are looked at to find where to go back to, the oldest first."""

REMEMBERED = timedelta(seconds=30)
"""So late, at most, a new revision of a contract is seen."""
MOST_PROJECTS = 5000


@dataclass
class _Known:
    """What one activity has looked up."""

    projects: dict[str, KnownProject | None] = field(default_factory=dict)
    found_since: Mapping[str, datetime | None] = field(default_factory=dict)
    """Open problems with the position they were found at; going back over them does not make it earlier."""


class IntakeActivities:
    """Registered on the task queue of the PSA's account."""

    def __init__(
        self,
        port: PsaPort,
        store: Store,
        boundary: Boundary,
        rate_cards: RateCards,
        clock: Clock = utc_now,
    ) -> None:
        self._port = port
        self._store = store
        self._boundary = boundary
        self._rate_cards = rate_cards
        self._clock = clock
        self._projects: dict[str, tuple[datetime, KnownProject]] = {}

    @activity.defn(name="psa.drain")
    async def drain(self, input: DrainInput) -> DrainProgress:
        """Take in the next pages of one feed, at most `input.pages`; a retry goes on where this one stood."""
        async with self._boundary() as beats:
            progress = resumed(DrainProgress) or input.progress or await self._begin(input)
            last = input.pages + (input.progress.counts.pages if input.progress else 0)
            known = _Known(found_since=await self._found_since(progress))
            while not progress.finished and progress.counts.pages < last:
                progress = await self._next(input, progress, known, beats)
            if progress.finished and progress.mark is not None:
                await self._store.cursors.put(self._cursor(input), progress.mark)
            return progress

    # -- where to begin ---------------------------------------------------------------------------

    async def _begin(self, input: DrainInput) -> DrainProgress:
        mark = await self._store.cursors.get(self._cursor(input))
        overlap = timedelta(seconds=input.overlap_seconds)
        since = mark - overlap if mark is not None else None
        problems = await self._problems(input)
        again = bool(problems) and (input.again or await self._activated(problems))
        if again and since is not None:
            since = _earliest(since, [problem.since for problem in problems], overlap)
        if input.begin_on is not None:
            since = _later(since, datetime.combine(input.begin_on, time.min, UTC))
        return DrainProgress(position=FeedPosition(since=since), mark=mark, again=again)

    async def _problems(self, input: DrainInput) -> Sequence[IntakeProblem]:
        """Open problems of this feed."""
        prefix = f"{self._port.system}:{'time' if input.feed == 'time' else 'expense'}:"
        found = await self._store.billing.problems(limit=MOST_PROBLEMS)
        return [problem for problem in found if problem.key.startswith(prefix)]

    async def _activated(self, problems: Sequence[IntakeProblem]) -> bool:
        """Whether a project that entries wait for has become ours."""
        waiting = {problem.project for problem in problems if problem.rule in WAITS_FOR_ACTIVATION}
        for name in sorted(waiting):
            if await self._store.billing.contract(name) is not None:
                return True  # it had no contract
            project = await self._project(name)
            if project is not None and project.contract is not None:
                return True
        return False

    async def _found_since(self, progress: DrainProgress) -> Mapping[str, datetime | None]:
        if not progress.again:
            return {}
        found = await self._store.billing.problems(limit=MOST_PROBLEMS)
        return {problem.key: problem.since for problem in found}

    def _cursor(self, input: DrainInput) -> str:
        return f"{self._port.system}.approved_{input.feed}"

    # -- one page ---------------------------------------------------------------------------------

    async def _next(
        self, input: DrainInput, progress: DrainProgress, known: _Known, beats: Beats
    ) -> DrainProgress:
        read = self._port.approved_time if input.feed == "time" else self._port.approved_expenses
        page = await read(progress.position, input.page_size)
        if page.next_page and page.next_page == progress.position.page:
            raise RuntimeError(f"the feed of approved {input.feed} hands out the same page again")
        counts = await self._keep(page, await self._ground(input, page, progress, known), known)
        progress = DrainProgress(
            position=progress.position.with_changes(page=page.next_page),
            mark=_later(progress.mark, page.mark),
            again=progress.again,
            counts=progress.counts.plus(counts),
            finished=not page.next_page,
        )
        beats.progress(progress)
        return progress

    async def _ground(
        self, input: DrainInput, page: WorkPage, progress: DrainProgress, known: _Known
    ) -> Ground:
        for external_id in projects_of(page):
            if external_id not in known.projects:
                known.projects[external_id] = await self._project(external_id)
        days = days_of(page)
        return Ground(
            source=self._port.system,
            projects={id: project for id, project in known.projects.items() if project is not None},
            now=self._clock(),
            worked=await self._store.billing.worked(self._port.system, days) if days else (),
            card=self._rate_cards.card,
            expense_source=input.expense_source,
            since=progress.position.since,
        )

    async def _project(self, external_id: str) -> KnownProject | None:
        """A project as it stands; one of ours is remembered for a while, from slice to slice of a drain."""
        at, project = self._projects.get(external_id, (None, None))
        if at is None or self._clock() - at > REMEMBERED:
            project = await self._look_up(external_id)
            if project is not None and project.contract is not None:
                if len(self._projects) >= MOST_PROJECTS:
                    self._projects.clear()
                self._projects[external_id] = (self._clock(), project)
        return project

    async def _look_up(self, external_id: str) -> KnownProject | None:
        canonical = await self._store.references.canonical(self._port.system, "project", external_id)
        if canonical is None:
            return None
        number = canonical.removeprefix("project:")
        return KnownProject(number, await self._store.billing.contract(number))

    async def _keep(self, page: WorkPage, ground: Ground, known: _Known) -> Counts:
        judged = judge(page, ground)
        problems, standing = await self._still_wrong(judged)
        taken = await self._store.billing.take_in([*judged.entries, *standing])
        by_key = {entry.key: entry for entry in judged.entries}
        problems += [changed_after(by_key[key], why, ground) for key, why in taken.refused if key in by_key]
        if problems:
            await self._store.billing.refuse([_placed(problem, known) for problem in problems])
        return Counts(
            pages=1,
            new=taken.new,
            same=taken.same,
            replaced=taken.replaced,
            refused=len(problems),
            unpriced=len(judged.unpriced),
        )

    async def _still_wrong(self, judged: Judged) -> tuple[list[IntakeProblem], list[Billable]]:
        """Problems, without those of content that came in before: a task may be closed after its time."""
        problems: list[IntakeProblem] = []
        standing: list[Billable] = []
        for refused in judged.refused:
            kept = await self._store.billing.entry(refused.problem.key) if refused.content_hash else None
            if kept is not None and kept.content_hash == refused.content_hash:
                standing.append(kept)
            else:
                problems.append(refused.problem)
        return problems, standing


def _placed(problem: IntakeProblem, known: _Known) -> IntakeProblem:
    """`problem` at the latest position that brings it: where it was found first may be much later."""
    since = known.found_since.get(problem.key)
    later = _later(problem.since, since)
    return problem if later == problem.since else problem.with_changes(since=later)


def _earliest(since: datetime, found: Sequence[datetime | None], overlap: timedelta) -> datetime | None:
    """The earliest position; None, the beginning of the feed, is before all others."""
    places = [place for place in found if place is not None]
    return min([since, *(place - overlap for place in places)]) if len(places) == len(found) else None


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    return max((stamp for stamp in (first, second) if stamp is not None), default=None)
