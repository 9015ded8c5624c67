"""What the parts of resource sync have in common: pages in slices, and telling the other side exactly once.

A telling that a system refuses for good never stops its page: it becomes a difference for its owner. Whatever
may pass (a lost answer, a throttle) ends the slice, and its next attempt goes on with the page it was at.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from activities.boundary import Beats, resumed
from activities.effects import EffectContext, EffectRunner
from connectors.errors import Conflict, ConnectorError, NotFound, PeriodClosed, Rejected
from domain.commands import Command, Record
from domain.identity import content_hash, effect_key
from domain.people import Worker
from domain.readiness import OwnerGroup
from domain.resource_sync import Difference, SyncCounts, SyncInput, SyncProgress
from store.people_ports import Told
from store.ports import Store

REFUSALS = (Rejected, Conflict, NotFound, PeriodClosed)
Page = Callable[[SyncProgress], Awaitable[SyncProgress]]


async def slices(
    input: SyncInput, beats: Beats, begin: Callable[[], Awaitable[SyncProgress]], page: Page
) -> SyncProgress:
    """The next pages of a part, at most `input.pages`; a retry goes on where this one stood."""
    progress = resumed(SyncProgress) or input.progress or await begin()
    last = input.pages + (input.progress.counts.pages if input.progress else 0)
    while not progress.finished and progress.counts.pages < last:
        before = progress.page
        progress = await page(progress)
        if not progress.finished and progress.page == before:
            raise RuntimeError(f"{input.part} hands out the same page again")
        beats.progress(progress)
    return progress


def turned(
    progress: SyncProgress, following: str, mark: datetime | None = None, **counts: int
) -> SyncProgress:
    """`progress` after a page, of which `following` is the next; empty at the end."""
    return progress.with_changes(
        page=following,
        mark=max((at for at in (progress.mark, mark) if at is not None), default=None),
        counts=progress.counts.plus(SyncCounts(pages=1, **counts)),
        finished=not following,
    )


async def workers_page(
    store: Store, input: SyncInput, progress: SyncProgress
) -> tuple[Sequence[Worker], dict[str, Told], str]:
    """The next workers in order of ids, what the PSA was told of each, and the token of the next page."""
    found = await store.people.workers(input.hr, after=progress.page, limit=input.page_size)
    told = await store.people.told([person_key(input.psa, worker.id) for worker in found])
    following = found[-1].id if len(found) == input.page_size else ""
    return found, told, following


def person_key(psa: str, worker: str) -> str:
    """Under which it is kept what the PSA was told of a worker."""
    return f"{psa}:person:{worker}"


class Teller:
    """Writes to one side, remembers what it was told, and gathers what it refused."""

    def __init__(self, runner: EffectRunner, store: Store, input: SyncInput, now: datetime) -> None:
        self._runner = runner
        self._store = store
        self._input = input
        self._now = now
        self.found: list[Difference] = []
        self.written = 0
        self.refused = 0

    async def tell(
        self, told: Told, command: Command, facts: dict[str, str], *, step: str, person: str, field: str
    ) -> tuple[Told, Record | None]:
        """`told` after `command`; without a record it was refused, and is as it was.

        The key holds the content and how often the object was told: the same content comes again under
        another key once something else was told in between.
        """
        key = self.key(told, command, step)
        context = EffectContext(process=self._input.process, step=step, reason="resource sync")
        try:
            record = await self._runner.write(command, key, context)
        except REFUSALS as refusal:
            self.refused += 1
            self.differ(person, field, _short(refusal))
            return told, None
        self.written += 1
        kept = told.with_changes(
            external_id=told.external_id or record.external_id,
            revision=told.revision + 1,
            facts={**told.facts, **facts},
        )
        await self._store.people.tell(kept)
        return kept, record

    def key(self, told: Told, command: Command, step: str) -> str:
        """Effect key of the next telling."""
        content = content_hash(command.model_dump_json(exclude_defaults=True))[:10]
        return effect_key(self._input.process, f"{step}.{content}", told.revision + 1)

    async def agree(self, told: Told, facts: dict[str, str], external_id: str = "") -> Told:
        """Nothing is to be written: what is there is what HR says."""
        kept = told.with_changes(external_id=external_id or told.external_id, facts={**told.facts, **facts})
        if kept != told:
            await self._store.people.tell(kept)
        return kept

    def differ(
        self, person: str, field: str, problem: str, owner: OwnerGroup = OwnerGroup.DELIVERY_OPERATIONS
    ) -> None:
        self.found.append(
            Difference(
                scope=self._input.part,
                person=person,
                field=field,
                owner=owner,
                problem=problem[:500],
                found_at=self._now,
            )
        )

    async def close(self, people: Sequence[str]) -> None:
        """Keep what differs of `people`, who were all looked at; whatever else was open of them is healed."""
        await self._store.people.differ(self._input.hr, self._input.part, people, self.found, self._now)


def _short(refusal: ConnectorError) -> str:
    return refusal.message.splitlines()[0] if refusal.message else refusal.kind
