"""Invoicing measured: very many projects billed at once, beside a bare workflow with the same vendor calls.

    python -m bench.invoicing                        # 1,000 projects, 30,000 entries, and a tenth of both
    python -m bench.invoicing --projects 100         # a first look
    python -m bench.invoicing --json

A tenth of the size comes first: when the cost of an invoice does not grow with their number, both say the
same. Compare ratios only: seconds and rates are those of this machine, now.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil

from bench.activation import compiled
from bench.histories import Histories, histories
from bench.invoicing_projects import ERP, PER_PROJECT, PSA, BenchProject, records, value_of
from bench.invoicing_stand import InvoicingStand, invoicing_stand
from bench.profiling import NoProfiler, profiled
from bench.stand import FAIRLEAD, FLOOR
from domain.identity import process_key
from domain.project_processes import BILLING

_LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Billed:
    """All invoices of one subject."""

    seconds: float
    """From the first decision until the last invoice was told."""
    worker: float
    server: float
    emulators: float
    """Processor seconds."""
    calls: int
    memory_before: int
    memory: int
    """Resident bytes of the worker: before, and most."""
    histories: Histories


@dataclass(frozen=True)
class Measured:
    """One size."""

    invoices: int
    fairlead: Billed
    billing: Histories
    """Of ProjectBilling, which starts the invoices."""
    floor: Billed

    @property
    def ratio(self) -> float:
        """Throughput to the floor's."""
        return self.floor.seconds / self.fairlead.seconds


async def measure(projects: int, profile: Path | None) -> Measured:
    """One size on a stand of its own. Raises `RuntimeError` when anything is not billed as it should be."""
    _say(f"{projects:,} projects: selling, approving, recording")
    async with invoicing_stand(projects, _say) as it:
        _say(f"billing {projects:,} projects")
        async with profiled(it.workers[FAIRLEAD], profile):
            fairlead = await _billed(it, FAIRLEAD)
        await check(it, it.projects[FAIRLEAD])
        ids = [process_key(BILLING, it.firm.id, one.contract.project) for one in it.projects[FAIRLEAD]]
        billing = await histories(it.client, ids)
        _say(f"{projects / fairlead.seconds:.1f} invoices/s; now the floor")
        floor = await _billed(it, FLOOR)
    return Measured(projects, fairlead, billing, floor)


async def _billed(it: InvoicingStand, subject: str) -> Billed:
    worker, processes = it.workers[subject], (it.workers[subject], it.server, it.emulators)
    before, calls = worker.memory_info().rss, await it.calls()
    used = [_processor(each) for each in processes]
    peak = asyncio.create_task(_peak(worker))
    began = time.time()
    ids = await it.bill(subject, it.projects[subject])
    spent = [_processor(each) - start for each, start in zip(processes, used, strict=True)]
    peak.cancel()
    left = await histories(it.client, ids)
    return Billed(
        seconds=left.ended - began,
        worker=spent[0],
        server=spent[1],
        emulators=spent[2],
        calls=await it.calls() - calls,
        memory_before=before,
        memory=max(before, await peak),
        histories=left,
    )


async def _peak(worker: psutil.Process) -> int:
    """Most resident bytes of the worker until cancelled."""
    most = 0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, worker.memory_info().rss)
            await asyncio.sleep(_LOOK_EVERY)
    return most


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def check(it: InvoicingStand, projects: Sequence[BenchProject]) -> None:
    """One posted invoice for each project, over all its work, told to PSA and CRM. Raises `RuntimeError`."""
    jobs = {project.contract.erp_project for project in projects}
    invoices = [row for row in await records(it.sandbox, ERP, "invoice") if str(row.get("job")) in jobs]
    posted = [row for row in invoices if row["posted"]]
    if not len(invoices) == len(posted) == len(projects):
        raise RuntimeError(f"{len(projects)} invoices were due, {len(posted)} of {len(invoices)} are posted")
    net = sum((Decimal(str(row["subtotal"])) for row in posted), Decimal(0))
    value = value_of(projects)
    if net != value.amount:
        raise RuntimeError(f"the work is worth {value}, the posted invoices come to {net} net")
    worked = {entry for project in projects for entry in project.entries}
    entries = [row for row in await records(it.sandbox, PSA, "time_entries") if str(row["id"]) in worked]
    told = sum(1 for row in entries if row["is_invoiced"])
    if told != len(worked):
        raise RuntimeError(f"the PSA shows {told:,} of {len(worked):,} entries as billed")
    numbers = {row["tranId"] for row in posted}
    deals = {project.contract.deal for project in projects}
    marked = {
        row.get("Fairlead_Invoice__c")
        for row in await records(it.sandbox, "salesforce", "Opportunity")
        if row["Id"] in deals
    }
    if marked != numbers or len(numbers) != len(projects):
        raise RuntimeError(f"{len(marked & numbers):,} of {len(projects):,} deals show their invoice")


def document(found: Sequence[Measured]) -> dict[str, object]:
    """All figures, as JSON."""
    small, large = found[0], found[-1]
    return {
        "cores": os.cpu_count(),
        "sizes": [
            asdict(one)
            | {
                "entries": one.invoices * PER_PROJECT,
                "invoices_per_second": round(one.invoices / one.fairlead.seconds, 2),
                "floor_invoices_per_second": round(one.invoices / one.floor.seconds, 2),
                "ratio_to_floor": round(one.ratio, 3),
                "worker_ms_per_invoice": _each(one, one.fairlead.worker),
                "floor_worker_ms_per_invoice": _each(one, one.floor.worker),
                "server_ms_per_invoice": _each(one, one.fairlead.server),
                "floor_server_ms_per_invoice": _each(one, one.floor.server),
            }
            for one in found
        ],
        "worker_ms_per_invoice_large_to_small": round(_growth(small, large), 3),
    }


def _each(one: Measured, seconds: float) -> float:
    return round(seconds / one.invoices * 1000, 1)


def _growth(small: Measured, large: Measured) -> float:
    return (large.fairlead.worker / large.invoices) / (small.fairlead.worker / small.invoices)


def show(found: Sequence[Measured]) -> None:
    """The figures for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(title="Invoicing: all projects billed at once")
    table.add_column("")
    for one in found:
        table.add_column(f"{one.invoices:,} invoices", justify="right")
        table.add_column("floor", justify="right")
    for label, cell in _ROWS:
        table.add_row(
            label, *(text for one in found for text in (cell(one, one.fairlead), cell(one, one.floor)))
        )
    console.print(table)
    for one in found:
        billing = one.billing
        console.print(
            f"{one.invoices:,}: {one.ratio:.2f} of the floor's throughput; ProjectBilling's longest history "
            f"{billing.events} events, {billing.size:,} bytes, largest event {billing.payload:,}"
        )
    console.print(
        f"An invoice costs the worker {_growth(found[0], found[-1]):.2f} times as much at the larger size."
    )
    console.print(_where(found[-1]))


_ROWS: Sequence[tuple[str, Any]] = (
    ("invoices/s", lambda one, billed: f"{one.invoices / billed.seconds:.1f}"),
    ("entries/s", lambda one, billed: f"{one.invoices * PER_PROJECT / billed.seconds:,.0f}"),
    ("worker processor ms per invoice", lambda one, billed: f"{_each(one, billed.worker):.0f}"),
    ("server processor ms per invoice", lambda one, billed: f"{_each(one, billed.server):.0f}"),
    ("emulators' processor ms per invoice", lambda one, billed: f"{_each(one, billed.emulators):.0f}"),
    ("vendor calls per invoice", lambda one, billed: f"{billed.calls / one.invoices:.2f}"),
    ("worker memory MB, before", lambda one, billed: f"{billed.memory_before / 1e6:,.0f}"),
    ("worker memory MB, most", lambda one, billed: f"{billed.memory / 1e6:,.0f}"),
    ("longest history, events", lambda one, billed: f"{billed.histories.events:,}"),
    ("largest history, bytes", lambda one, billed: f"{billed.histories.size:,}"),
    ("largest event, bytes", lambda one, billed: f"{billed.histories.payload:,}"),
    ("workflow tasks done again", lambda one, billed: f"{sum(billed.histories.repeated.values()):,}"),
)


def _where(one: Measured) -> Any:
    """Where the time of an invoice goes, by activity."""
    from rich.table import Table

    table = Table(title=f"Mean ms of an activity, {one.invoices:,} at once")
    for column in ("", "waited", "ran"):
        table.add_column(column, justify="right" if column else "left")
    for subject, billed in ((FAIRLEAD, one.fairlead), (FLOOR, one.floor)):
        for spent in billed.histories.activities:
            table.add_row(f"{subject} {spent.name}", f"{spent.waited * 1e3:,.0f}", f"{spent.ran * 1e3:.0f}")
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, whatever the figures are; 1 with one sentence when it could not be."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.invoicing", description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False
    )
    parser.add_argument("--projects", type=_many, default=1_000, help="at the larger size (default 1000)")
    parser.add_argument("--profile", type=Path, help="sample Fairlead's worker with py-spy")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    sizes = ((given.projects // 10, None), (given.projects, given.profile))
    try:
        with compiled():
            found = [asyncio.run(measure(size, profile)) for size, profile in sizes]
    except (NoProfiler, RuntimeError) as error:
        print(f"The bench cannot go on: {error}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(document(found), indent=2))
    else:
        show(found)
    return 0


def _many(text: str) -> int:
    value = int(text)
    if not 10 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"must be between 10 and 10,000, not {text}")
    return value


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
