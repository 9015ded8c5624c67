"""Every few seconds: dispatch again what is received, unapplied or waiting, and due; and further jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import structlog

from store.ports import InboxRow, Store

INTERVAL = 10.0
"""Seconds between sweeps."""
BATCH = 100
NEXT_BATCH = 0.1
"""Seconds before the next batch when more than one is due."""
AT_ONCE = 8

_log = structlog.get_logger("fairlead.gateway.sweeper")


class Sweeper:
    """What makes dispatching certain: it needs nothing but the inbox, so a crash anywhere loses nothing."""

    def __init__(
        self,
        store: Store,
        dispatch: Callable[[InboxRow], Awaitable[None]],
        *,
        interval: float = INTERVAL,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        also: Sequence[Callable[[], Awaitable[object]]] = (),
    ) -> None:
        self._store = store
        self._dispatch = dispatch
        self._interval = interval
        self._now = now
        self._also = tuple(also)

    async def run(self) -> None:
        """Sweep, and do the other jobs, until cancelled, whatever goes wrong in between.

        Each of `also` has a rhythm of its own, so that a slow one holds up nothing else.
        """
        await asyncio.gather(self._sweeping(), *(self._repeating(job) for job in self._also))

    async def _repeating(self, job: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await job()
            except Exception as error:
                _log.exception("sweep_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval)

    async def _sweeping(self) -> None:
        while True:
            full_and_clean = False
            try:
                full_and_clean = await self.sweep() == BATCH
            except Exception as error:
                _log.exception("sweep_failed", error=type(error).__name__)
            await asyncio.sleep(min(NEXT_BATCH, self._interval) if full_and_clean else self._interval)

    async def sweep(self) -> int:
        """Dispatch what is due now; how many rows went through without an error."""
        due = await self._store.inbox.due(self._now(), BATCH)
        slots = asyncio.Semaphore(AT_ONCE)
        outcomes = await asyncio.gather(*(self._one(row, slots) for row in due))
        return sum(outcomes)

    async def _one(self, row: InboxRow, slots: asyncio.Semaphore) -> bool:
        async with slots:
            try:
                await self._dispatch(row)
            except Exception as error:
                _log.exception("dispatch_failed", event_id=row.id, error=type(error).__name__)
                return False
            return True
