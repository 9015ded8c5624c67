"""Measuring: time, processor time per process, memory, history; always of a batch of activations."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

from bench.deals import BenchDeal
from bench.stand import Stand
from bench.subjects import FairleadSubject

_PATIENCE = 90.0
"""Seconds without which a batch counts as stuck."""


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
        async with asyncio.timeout(_PATIENCE):
            ids = await asyncio.gather(*(one(deal) for deal in deals))
    except TimeoutError:
        raise RuntimeError(
            f"{subject}: {len(latencies)} of {len(deals)} activations ended within {_PATIENCE:.0f} s"
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
    await _until_calls(stand, calls + expected)
    if isinstance(stand.subjects[subject], FairleadSubject):
        await _until_waiting(stand, len(deals))
    after = _memory(stand, subject)
    return Parked(subject, len(deals), after["worker"] - before["worker"], after["server"] - before["server"])


async def _until_calls(stand: Stand, expected: int) -> None:
    """Wait until the sandbox has answered `expected` calls; raises when it gets no further."""
    last, still = -1, 0.0
    while (now := await stand.calls()) < expected:
        still = 0.0 if now > last else still + 0.5
        if still > _PATIENCE:
            raise RuntimeError(f"only {now} of {expected} vendor calls were made, and no more come")
        last = now
        await asyncio.sleep(0.5)


async def _until_waiting(stand: Stand, count: int) -> None:
    query = "FairleadStage = 'awaiting staffing' AND ExecutionStatus = 'Running'"
    async with asyncio.timeout(_PATIENCE):
        while (await stand.client.count_workflows(query)).count < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.5)


def _processor(process: psutil.Process) -> float:
    """Processor seconds used so far."""
    times = process.cpu_times()
    return times.user + times.system


def _memory(stand: Stand, subject: str) -> Mapping[str, int]:
    """Resident bytes."""
    return {"worker": stand.workers[subject].memory_info().rss, "server": stand.server.memory_info().rss}
