"""Intake measured: approved time of very many projects becomes billables in one run, beside a bare script.

    python -m bench.intake                        # 100,000 entries on 1,000 projects, and a tenth of both
    python -m bench.intake --entries 10000        # a first look
    python -m bench.intake --json

A tenth of the size comes first: when the cost of an entry does not grow with their number, both say the same.
Compare ratios only: seconds and rates are those of this machine, now.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import intake_floor
from bench.intake_stand import PSA, IntakeStand, intake_stand
from domain.time_posting import TimePostingView
from store.sql.address import address
from workflows.shared.start import wake_time_posting

_LOOK_EVERY = 0.1
_PATIENCE = 300.0
"""Seconds without any progress after which the bench gives up."""
PER_PROJECT = 100


@dataclass(frozen=True)
class Histories:
    """Of all runs of the one process."""

    runs: int
    events: int
    """Of the longest."""
    size: int
    """Bytes of the largest."""
    payload: int
    """Bytes of the largest event, payload and all."""


@dataclass(frozen=True)
class Measured:
    """One size."""

    entries: int
    projects: int
    seconds: float
    processor: float
    """Seconds of the worker."""
    memory: int
    """Most resident bytes of the worker."""
    memory_before: int
    floor_seconds: float
    histories: Histories

    @property
    def rate(self) -> float:
        return self.entries / self.seconds

    @property
    def floor_rate(self) -> float:
        return self.entries / self.floor_seconds


async def measure(entries: int) -> Measured:
    """One size on a stand of its own. Raises `RuntimeError` when anything did not come in."""
    projects = max(1, entries // PER_PROJECT)
    _say(f"{entries:,} entries on {projects:,} projects: writing and approving them")
    async with intake_stand(entries, projects) as it:
        before = it.worker.memory_info().rss
        _say("taking them in")
        processor = _processor(it)
        peak = asyncio.create_task(_peak(it))
        began = time.perf_counter()
        id = await _drained(it, entries)
        seconds = time.perf_counter() - began
        processor = _processor(it) - processor
        peak.cancel()
        memory = max(before, await peak)
        histories = await _histories(it, id)
        _say(f"{entries / seconds:,.0f} entries/s; now the bare script")
        floor = await _floor(it, entries)
    return Measured(entries, projects, seconds, processor, memory, before, floor, histories)


async def _drained(it: IntakeStand, entries: int) -> str:
    """Wake time posting and wait until everything came in; its workflow id."""
    started = await wake_time_posting(it.client, it.settings, firm=it.firm, system=PSA, by="bench")
    handle = it.client.get_workflow_handle(started.workflow_id)
    last, still = -1, 0.0
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        view = await handle.query("status", result_type=TimePostingView)
        if view.drains and view.served >= view.wanted:
            break
        still = 0.0 if view.now.pages != last else still + _LOOK_EVERY
        last = view.now.pages
        if view.blocked or still > _PATIENCE:
            raise RuntimeError(f"intake stands still: {view.attention or view.now}")
    if view.total.new != entries or view.total.refused:
        raise RuntimeError(f"{view.total.new:,} of {entries:,} came in, {view.total.refused:,} were refused")
    return started.workflow_id


async def _peak(it: IntakeStand) -> int:
    """Most resident bytes of the worker until cancelled."""
    most = 0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, it.worker.memory_info().rss)
            await asyncio.sleep(_LOOK_EVERY)
    return most


async def _histories(it: IntakeStand, id: str) -> Histories:
    """Every run, from the newest back to the first."""
    runs, events, size, payload = 0, 0, 0, 0
    run_id: str | None = None
    while run_id != "":
        history = await it.client.get_workflow_handle(id, run_id=run_id).fetch_history()
        sizes = [event.ByteSize() for event in history.events]
        runs, events = runs + 1, max(events, len(sizes))
        size, payload = max(size, sum(sizes)), max(payload, *sizes)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return Histories(runs, events, size, payload)


async def _floor(it: IntakeStand, entries: int) -> float:
    path = address(it.settings.store_url).path
    if path is None:
        raise RuntimeError("the floor needs the store in a file")
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        seconds, inserted = await asyncio.to_thread(intake_floor.seconds, it.psa, path, Path(folder))
    if inserted != entries:
        raise RuntimeError(f"the bare script inserted {inserted:,} of {entries:,} rows")
    return seconds


def _processor(it: IntakeStand) -> float:
    times = it.worker.cpu_times()
    return times.user + times.system


def document(found: Sequence[Measured]) -> dict[str, object]:
    """All figures, as JSON."""
    small, large = found[0], found[-1]
    return {
        "cores": os.cpu_count(),
        "sizes": [
            asdict(one)
            | {
                "entries_per_second": round(one.rate, 1),
                "floor_entries_per_second": round(one.floor_rate, 1),
                "ratio_to_floor": round(one.rate / one.floor_rate, 3),
                "worker_ms_per_entry": round(one.processor / one.entries * 1000, 3),
            }
            for one in found
        ],
        "cost_per_entry_large_to_small": round(small.rate / large.rate, 3),
    }


def show(found: Sequence[Measured]) -> None:
    """The figures for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Intake: approved time becomes billables")
    table.add_column("")
    for one in found:
        table.add_column(f"{one.entries:,} entries", justify="right")
    rows = (
        ("projects", [f"{one.projects:,}" for one in found]),
        ("entries/s", [f"{one.rate:,.0f}" for one in found]),
        ("bare script, entries/s", [f"{one.floor_rate:,.0f}" for one in found]),
        ("ratio to the bare script", [f"{one.rate / one.floor_rate:.2f}" for one in found]),
        ("worker processor ms per entry", [f"{one.processor / one.entries * 1000:.2f}" for one in found]),
        ("worker memory MB, before", [f"{one.memory_before / 1e6:,.0f}" for one in found]),
        ("worker memory MB, most", [f"{one.memory / 1e6:,.0f}" for one in found]),
        ("runs of the process", [str(one.histories.runs) for one in found]),
        ("longest history, events", [f"{one.histories.events:,}" for one in found]),
        ("largest history, bytes", [f"{one.histories.size:,}" for one in found]),
        ("largest event, bytes", [f"{one.histories.payload:,}" for one in found]),
    )
    for label, values in rows:
        table.add_row(label, *values)
    Console(highlight=False).print(table)
    Console(highlight=False).print(
        f"An entry costs {found[0].rate / found[-1].rate:.2f} times as much at the larger size."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, whatever the figures are; 1 with one sentence when it could not be."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.intake", description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False
    )
    parser.add_argument("--entries", type=_many, default=100_000, help="at the larger size (default 100000)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    try:
        found = [asyncio.run(measure(size)) for size in (given.entries // 10, given.entries)]
    except RuntimeError as error:
        print(f"The bench cannot go on: {error}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(document(found), indent=2))
    else:
        show(found)
    return 0


def _many(text: str) -> int:
    value = int(text)
    if not 100 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"must be between 100 and 1,000,000, not {text}")
    return value


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
