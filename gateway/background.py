"""Dispatching after the answer: bounded, never in the way of a request, and never the only chance."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from store.ports import InboxRow

AT_ONCE = 8
QUEUED = 1_000
"""More than this is left to the sweeper: the rows are in the inbox, nothing is lost."""

_log = structlog.get_logger("fairlead.gateway")


class Background:
    """Runs `handle` for rows handed in, up to `AT_ONCE` together."""

    def __init__(self, handle: Callable[[InboxRow], Awaitable[None]]) -> None:
        self._handle = handle
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, rows: Iterable[InboxRow]) -> None:
        for row in rows:
            if len(self._tasks) >= QUEUED:
                _log.warning("dispatch_left_to_sweeper", event_id=row.id, queued=len(self._tasks))
                continue
            task = asyncio.create_task(self._run(row), name=f"dispatch {row.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Returns when everything handed in so far has been handled."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Stop. What was not handled stays `received` and is swept after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, row: InboxRow) -> None:
        async with self._slots:
            try:
                await self._handle(row)
            except Exception as error:
                _log.exception("dispatch_failed", event_id=row.id, error=type(error).__name__)
