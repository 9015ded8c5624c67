"""Measuring: time, processor time per process, memory, history; always of a batch of activations."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from bench.deals import BenchDeal
from bench.stand import Stand
from bench.subjects import FairleadSubject

_PATIENCE = 90.0
"""Seconds after which what makes no progress counts as stuck."""
_SLOWEST = 5.0
"""Seconds that an activation may add to a batch, however busy the machine is."""
_LOOK_EVERY = 0.5


@dataclass(frozen=True)
class Batch:
    """One batch of one subject."""

    subject: str
    activations: int
    seconds: float
    latencies: tuple[float, ...]
    """Seconds from start to active."""
    worker: float
    server: float
    emulators: float
    """Processor seconds of the processes during the batch."""
    calls: int
    """Vendor calls."""
    ids: tuple[str, ...]

    @property
    def rate(self) -> float:
        return self.activations / self.seconds


@dataclass(frozen=True)
class Parked:
    """Memory held by activations that wait for staffing, in bytes."""

    subject: str
    activations: int
    worker: int
    server: int


@dataclass(frozen=True)
class History:
    """What one activation leaves in Temporal (its own run; not what lives on after it)."""

    events: float
    size: float


async def batch(stand: Stand, subject: str, deals: Sequence[BenchDeal], concurrency: int) -> Batch:
    """Activate `deals`, `concurrency` at a time."""
    gate = asyncio.Semaphore(concurrency)
    latencies: list[float] = []

    async def one(deal: BenchDeal) -> str:
        async with gate:
            began = time.perf_counter()
            id = await stand.subjects[subject].activate(deal)
            latencies.append(time.perf_counter() - began)
            return id

    processes = (stand.workers[subject], stand.server, stand.emulators)
    calls, before = await stand.calls(), [_processor(each) for each in processes]
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE + _SLOWEST * len(deals)):
            ids = await asyncio.gather(*(one(deal) for deal in deals))
    except TimeoutError:
        raise RuntimeError(
            f"{subject}: {len(latencies)} of {len(deals)} activations ended, the others are stuck"
        ) from None
    seconds = time.perf_counter() - began
    worker, server, emulators = (
        _processor(each) - start for each, start in zip(processes, before, strict=True)
    )
    return Batch(
        subject=subject,
        activations=len(deals),
        seconds=seconds,
        latencies=tuple(latencies),
        worker=worker,
        server=server,
        emulators=emulators,
        calls=await stand.calls() - calls,
        ids=tuple(ids),
    )


async def history(stand: Stand, ids: Sequence[str]) -> History:
    """Means over the histories of `ids`."""
    events, sizes = [], []
    for id in ids:
        found = await stand.client.get_workflow_handle(id).fetch_history()
        events.append(len(found.events))
        sizes.append(sum(event.ByteSize() for event in found.events))
    return History(statistics.fmean(events), statistics.fmean(sizes))


async def parked(stand: Stand, subject: str, deals: Sequence[BenchDeal], concurrency: int) -> Parked:
    """Start `deals`, leave them waiting for staffing, and see how much larger the processes are."""
    gate = asyncio.Semaphore(concurrency)
    before = _memory(stand, subject)
    expected = sum(stand.scripts[deal.signature].parked_calls for deal in deals)
    calls = await stand.calls()

    async def one(deal: BenchDeal) -> None:
        async with gate:
            await stand.subjects[subject].park(deal)

    await asyncio.gather(*(one(deal) for deal in deals))
    if isinstance(stand.subjects[subject], FairleadSubject):
        await _until(partial(_waiting, stand), len(deals), "activations wait for staffing")
    else:
        await _until(stand.calls, calls + expected, "vendor calls were made")
    after = _memory(stand, subject)
    return Parked(subject, len(deals), after["worker"] - before["worker"], after["server"] - before["server"])


async def _until(reached: Callable[[], Awaitable[int]], expected: int, what: str) -> None:
    """Wait until `reached` says `expected`. Raises `RuntimeError` when it gets no further."""
    last, still = -1, 0.0
    while (now := await reached()) < expected:
        still = 0.0 if now > last else still + _LOOK_EVERY
        if still > _PATIENCE:
            raise RuntimeError(f"only {now} of {expected} {what}, and no more come")
        last = now
        await asyncio.sleep(_LOOK_EVERY)


async def _waiting(stand: Stand) -> int:
    """Activations of Fairlead that wait for staffing."""
    query = "FairleadStage = 'awaiting staffing' AND ExecutionStatus = 'Running'"
    return (await stand.client.count_workflows(query)).count


def _processor(process: psutil.Process) -> float:
    """Processor seconds used so far."""
    times = process.cpu_times()
    return times.user + times.system


def _memory(stand: Stand, subject: str) -> Mapping[str, int]:
    """Resident bytes."""
    return {"worker": stand.workers[subject].memory_info().rss, "server": stand.server.memory_info().rss}
