"""The activation measured beside a bare Temporal workflow that makes the same vendor calls.

    python -m bench                # the whole: about ten minutes on two cores
    python -m bench --quick        # a first look, about two
    python -m bench --json         # the same figures as one JSON document

Both run on one server in one run, each in a worker process of its own, round after round in turn; what is
printed are medians of the rounds. Compare ratios only: seconds and rates are those of this machine, now.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import measure, report
from bench.deals import BenchDeal, TooFewDeals, deals_needed
from bench.measure import Batch, History, Parked
from bench.profiling import profiled
from bench.stand import FAIRLEAD, FLOOR, ONE_QUEUE, Say, Stand, stand

SUBJECTS = (FAIRLEAD, FLOOR, ONE_QUEUE)
_RECORDED_AND_WARM = 60
"""Deals that are not measured: one for each customer and kind, and the workers' first ones."""
_FIRST = 16
"""Activations of each subject before anything is measured: what is read once and kept is kept by then."""
_HISTORIES = 6


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    activations: int
    """Per subject and round, `concurrency` at a time."""
    concurrency: int
    idle: int
    """Per subject and round, one at a time."""
    parked: int
    deals: int
    """Deals the sandbox is seeded with."""
    profile: Path | None


@dataclass(frozen=True)
class Results:
    """All figures of a run."""

    plan: Plan
    busy: dict[str, list[Batch]]
    idle: dict[str, list[Batch]]
    histories: dict[str, History]
    parked: dict[str, Parked]
    load: tuple[float, float]
    """Load average of a minute, before and after."""


async def run(plan: Plan, say: Say) -> Results:
    """Set up, measure, and remove everything again."""
    load = os.getloadavg()[0]
    async with stand(deals=plan.deals, say=say) as it:
        first = it.pool.take(_FIRST)
        for subject in SUBJECTS:
            await measure.batch(it, subject, first, plan.concurrency)
        busy: dict[str, list[Batch]] = {subject: [] for subject in SUBJECTS}
        idle: dict[str, list[Batch]] = {subject: [] for subject in SUBJECTS}
        async with profiled(it.workers[FAIRLEAD], plan.profile):
            for number in range(plan.rounds):
                say(f"round {number + 1} of {plan.rounds}")
                deals, single = it.pool.take(plan.activations), it.pool.take(plan.idle)
                for subject in _turned(number):
                    busy[subject].append(await measure.batch(it, subject, deals, plan.concurrency))
                for subject in _turned(number):
                    idle[subject].append(await measure.batch(it, subject, single, 1))
        histories = {
            subject: await measure.history(it, _ids(idle[subject])[:_HISTORIES]) for subject in SUBJECTS
        }
        parked = await _park(it, plan, say)
        return Results(plan, busy, idle, histories, parked, (load, os.getloadavg()[0]))


def _ids(batches: Sequence[Batch]) -> list[str]:
    return [id for found in batches for id in found.ids]


def _turned(number: int) -> Sequence[str]:
    """Each round begins with another subject."""
    start = number % len(SUBJECTS)
    return SUBJECTS[start:] + SUBJECTS[:start]


async def _park(it: Stand, plan: Plan, say: Say) -> dict[str, Parked]:
    if not plan.parked:
        return {}
    say(f"parking {plan.parked} activations at staffing, twice")
    deals: list[BenchDeal] = it.pool.take(plan.parked, staffed=True)
    return {
        subject: await measure.parked(it, subject, deals, plan.concurrency) for subject in (FLOOR, FAIRLEAD)
    }


def plan_of(arguments: Sequence[str] | None) -> tuple[Plan, bool]:
    """The plan of the options, and whether JSON is wanted."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False
    )
    add = parser.add_argument
    add("--rounds", type=_positive, default=3, help="interleaved rounds (default 3)")
    add("--activations", type=_positive, help="per subject and round, many at a time (default 40; quick 16)")
    add("--concurrency", type=_positive, default=20, help="at a time (default 20)")
    add("--idle", type=_positive, help="per subject and round, one at a time (default 10; quick 4)")
    add("--parked", type=_count, help="left waiting for staffing, 0 for none (default 1000; quick 50)")
    add("--deals", type=_positive, help="deals of the sandbox (default: as many as are needed)")
    add("--quick", action="store_true", help="smaller defaults")
    add("--profile", type=Path, help="sample Fairlead's worker with py-spy: .svg, .json or .txt")
    add("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    activations = given.activations or (16 if given.quick else 40)
    idle = given.idle or (4 if given.quick else 10)
    parked = given.parked if given.parked is not None else (50 if given.quick else 1000)
    plain = _RECORDED_AND_WARM + given.rounds * (activations + idle)
    deals = given.deals or deals_needed(plain, parked)
    plan = Plan(given.rounds, activations, given.concurrency, idle, parked, deals, given.profile)
    return plan, given.json


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, whatever the figures are; 1 with one sentence when it could not be."""
    plan, as_json = plan_of(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        with compiled():
            results = asyncio.run(run(plan, say))
    except (TooFewDeals, RuntimeError) as error:
        print(f"The bench cannot go on: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(report.document(results), indent=2))
    else:
        report.show(results)
    return 0


@contextmanager
def compiled() -> Iterator[None]:
    """Workers load their workflow files anew for each run, so those must be compiled as they usually are.

    Where Python has been told to write no compiled files, they go to a folder that is removed afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
            os.environ["PYTHONPYCACHEPREFIX"] = folder
        yield


def _positive(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not {text}")
    return value
