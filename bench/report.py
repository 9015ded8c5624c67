"""What a run of the bench says: medians, ratios to the floor, aims met or not; as a table and as JSON."""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bench.measure import Batch
from bench.stand import FAIRLEAD, FLOOR, ONE_QUEUE

if TYPE_CHECKING:
    from bench.activation import Results

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Aim:
    """What a ratio to the floor shall be: now, and as a budget."""

    measure: str
    words: str
    now: float
    budget: float
    at_least: bool = False

    def met(self, ratio: float, by: float) -> bool:
        return ratio >= by if self.at_least else ratio <= by


AIMS = (
    Aim("throughput", "throughput", 0.7, 0.9, at_least=True),
    Aim("idle_p50", "p50, one at a time", 1.4, 1.2),
    Aim("worker_cpu", "worker processor time", 1.8, 1.3),
)


_OF_BATCH: Mapping[str, Callable[[Batch], float]] = {
    "throughput": lambda batch: batch.rate,
    "worker_cpu": lambda batch: batch.worker / batch.activations,
    "server_cpu": lambda batch: batch.server / batch.activations,
    "sandbox_cpu": lambda batch: batch.emulators / batch.activations,
    "vendor_calls": lambda batch: batch.calls / batch.activations,
}


def ratios(results: "Results") -> dict[str, float]:
    """Fairlead's figures as ratios to the floor's.

    Medians of the ratios of each round where there are rounds: what else the machine does falls on both.
    """
    ours, floor = figures(results, FAIRLEAD), figures(results, FLOOR)
    found = {name: ours[name] / floor[name] for name in ours if floor.get(name)}
    busy = list(zip(results.busy[FAIRLEAD], results.busy[FLOOR], strict=True))
    found |= {name: statistics.median(of(a) / of(b) for a, b in busy) for name, of in _OF_BATCH.items()}
    idle = zip(results.idle[FAIRLEAD], results.idle[FLOOR], strict=True)
    halves = [statistics.median(a.latencies) / statistics.median(b.latencies) for a, b in idle]
    return found | {"idle_p50": statistics.median(halves)}


def figures(results: "Results", subject: str) -> dict[str, float]:
    """The figures of one subject: medians over rounds; seconds, bytes, counts per activation."""
    busy, idle = results.busy[subject], results.idle[subject]
    alone = [latency for batch in idle for latency in batch.latencies]
    crowded = [latency for batch in busy for latency in batch.latencies]
    history = results.histories[subject]
    found = {name: statistics.median(of(batch) for batch in busy) for name, of in _OF_BATCH.items()}
    found |= {
        "idle_p50": statistics.median(alone),
        "idle_p95": _p95(alone),
        "busy_p50": statistics.median(crowded),
        "busy_p95": _p95(crowded),
        "history_events": history.events,
        "history_bytes": history.size,
    }
    if subject in results.parked:
        parked = results.parked[subject]
        found["parked_worker_bytes"] = parked.worker / parked.activations
        found["parked_server_bytes"] = parked.server / parked.activations
    return found


def document(results: "Results") -> dict[str, object]:
    """Everything, as JSON."""
    subjects = {subject: figures(results, subject) for subject in results.busy}
    to_floor = ratios(results)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "load": results.load,
        "plan": {name: value for name, value in asdict(results.plan).items() if name != "profile"},
        "subjects": subjects,
        "ratios_to_floor": to_floor,
        "aims": [
            {
                "measure": aim.measure,
                "ratio": to_floor[aim.measure],
                "aim": aim.now,
                "met": aim.met(to_floor[aim.measure], aim.now),
                "budget": aim.budget,
                "budget_met": aim.met(to_floor[aim.measure], aim.budget),
            }
            for aim in AIMS
        ],
        "rounds": {
            subject: [round(batch.rate, 3) for batch in batches] for subject, batches in results.busy.items()
        },
    }


_ROWS: Sequence[tuple[str, str, Callable[[float], str]]] = (
    ("throughput", "activations/s", lambda value: f"{value:.2f}"),
    ("idle_p50", "one at a time: p50 ms", lambda value: f"{value * 1000:.0f}"),
    ("idle_p95", "one at a time: p95 ms", lambda value: f"{value * 1000:.0f}"),
    ("busy_p50", "many at a time: p50 ms", lambda value: f"{value * 1000:.0f}"),
    ("busy_p95", "many at a time: p95 ms", lambda value: f"{value * 1000:.0f}"),
    ("worker_cpu", "worker processor ms", lambda value: f"{value * 1000:.0f}"),
    ("server_cpu", "server processor ms", lambda value: f"{value * 1000:.0f}"),
    ("sandbox_cpu", "sandbox processor ms", lambda value: f"{value * 1000:.0f}"),
    ("vendor_calls", "vendor calls", lambda value: f"{value:.1f}"),
    ("history_events", "history events", lambda value: f"{value:.0f}"),
    ("history_bytes", "history bytes", lambda value: f"{value:,.0f}"),
    ("parked_worker_bytes", "parked: worker KB each", lambda value: f"{value / 1000:.0f}"),
    ("parked_server_bytes", "parked: server KB each", lambda value: f"{value / 1000:.0f}"),
)


def show(results: "Results", console: Console | None = None) -> None:
    """The tables, for people."""
    console = console or Console(highlight=False)
    found = {subject: figures(results, subject) for subject in results.busy}
    to_floor = ratios(results)
    plan = results.plan
    table = Table(
        title=f"One activation: medians of {plan.rounds} rounds, {plan.activations} activations "
        f"{plan.concurrency} at a time, {plan.idle} one at a time"
    )
    table.add_column("per activation")
    for heading in ("Fairlead", "floor", "one-queue floor", "ratio to floor"):
        table.add_column(heading, justify="right")
    for name, words, spoken in _ROWS:
        shown = [spoken(found[s][name]) if name in found[s] else "" for s in (FAIRLEAD, FLOOR, ONE_QUEUE)]
        if any(shown):
            table.add_row(words, *shown, f"{to_floor[name]:.2f}" if name in to_floor else "")
    console.print(table)
    console.print(_aims(to_floor))
    cores, system = _machine()["cores"], _machine()["system"]
    before, after = results.load
    console.print(f"{system}, {cores} cores, load {before:.1f} before and {after:.1f} after", style="dim")


def _aims(to_floor: Mapping[str, float]) -> Table:
    table = Table(title="Aims, as ratios to the floor")
    for heading in ("", "now", "aim", "", "budget", ""):
        table.add_column(heading)
    for aim in AIMS:
        ratio = to_floor[aim.measure]
        sign = "≥" if aim.at_least else "≤"
        table.add_row(
            aim.words,
            f"{ratio:.2f}",
            f"{sign} {aim.now}",
            _judged(aim.met(ratio, aim.now)),
            f"{sign} {aim.budget}",
            _judged(aim.met(ratio, aim.budget)),
        )
    return table


def _judged(met: bool) -> str:
    return "[green]met[/]" if met else "[red]not met[/]"


def _p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


def _machine() -> dict[str, object]:
    return {
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "cores": os.cpu_count() or 0,
    }
