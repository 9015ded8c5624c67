"""`fairlead drill`: workers killed and systems broken around every write of a process; what came of it."""

import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import Session
from cli.exit_codes import ExitCode, Stop
from cli.output import fields, plain

if TYPE_CHECKING:
    from rich.console import Console

    from drill.report import Plan, Report

_FIND_BEFORE_CREATE, _COVERAGE = "find-before-create", "coverage"
_PROCESSES = ("activation", "billing")
_GUARDS = {"activation": (_FIND_BEFORE_CREATE,), "billing": (_FIND_BEFORE_CREATE, _COVERAGE)}
"""What can be switched off in the drill of each process."""
_SHOWN = 20
"""Lines of each kind that are shown; `--json` has them all."""

EXAMPLES = (
    "fairlead drill all --quick",
    "fairlead drill activation --seed 7",
    "fairlead drill billing --quick --json",
    f"fairlead drill activation --break {_FIND_BEFORE_CREATE}",
    f"fairlead drill billing --break {_COVERAGE}",
)


async def drill(
    session: Session,
    process: Annotated[
        str, typer.Argument(metavar="PROCESS", help="What is drilled: activation, billing or all.")
    ],
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same drill.")] = 1,
    lanes: Annotated[int, typer.Option("--lanes", min=1, max=16, help="Firms attacked at once.")] = 4,
    quick: Annotated[
        bool, typer.Option("--quick", help="A seeded part of it: every point, fewer writes.")
    ] = False,
    planted_bug: Annotated[
        str,
        typer.Option(
            "--break",
            metavar="GUARD",
            help=f"Switch a guard off: {_FIND_BEFORE_CREATE} or (billing) {_COVERAGE}. The drill must fail.",
        ),
    ] = "",
) -> int:
    """Kill workers around every write, break systems, refuse writes; then count what the systems hold."""
    from drill.report import Plan

    wanted = _wanted(process, planted_bug)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f}  {line}", file=sys.stderr, flush=True)

    plan = Plan(seed=seed, lanes=lanes, quick=quick, planted_bug=planted_bug, say=say)
    reports: list[tuple[Report, float]] = []
    for name in wanted:
        started = time.monotonic()
        report = await _drill_of(name)(plan)
        reports.append((report, time.monotonic() - started))
    document = _document(reports, planted_bug)
    if session.out.as_json:
        print(json.dumps(document, ensure_ascii=False), flush=True)
    else:
        for report, seconds in reports:
            _draw(session.out.console, report, seconds)
    return ExitCode.OK if document["passed"] else ExitCode.CHECK_FAILED


def _wanted(process: str, guard: str) -> tuple[str, ...]:
    """The processes to drill, in order. Raises `Stop` for what there is not."""
    if process not in (*_PROCESSES, "all"):
        known = ", ".join((*_PROCESSES, "all"))
        raise Stop(ExitCode.USAGE, f"There is no drill of {process!r}.", f"Drill one of: {known}")
    wanted = _PROCESSES if process == "all" else (process,)
    for name in wanted:
        if guard and guard not in _GUARDS[name]:
            raise Stop(
                ExitCode.USAGE,
                f"There is no guard {guard!r} in the drill of {name}.",
                f"Use --break {' or '.join(_GUARDS[name])}",
            )
    return wanted


def _drill_of(process: str) -> "Callable[[Plan], Awaitable[Report]]":
    from drill import activation, billing

    return {"activation": activation.run, "billing": billing.run}[process]


def _document(reports: "Sequence[tuple[Report, float]]", guard: str) -> dict[str, Any]:
    """One report, or the sum of several with each of them under `drills`."""
    documents: list[dict[str, Any]] = [
        report.as_json() | {"seconds": round(seconds, 1), "planted_bug": guard} for report, seconds in reports
    ]
    if len(documents) == 1:
        return documents[0]
    summed = ("crash_points", "crash_points_hit", "worker_kills", "faults_injected", "refusals", "decisions")
    counted = ("effects", "effects_lost", "effects_doubled", "seconds")
    sums = {name: sum(document[name] for document in documents) for name in (*summed, *counted)}
    return {
        "process": "all",
        "seed": documents[0]["seed"],
        "planted_bug": guard,
        **sums,
        "seconds": round(sums["seconds"], 1),
        "passed": all(report.passed for report, _ in reports),
        "drills": documents,
    }


def _draw(console: "Console", report: "Report", seconds: float) -> None:
    console.print(
        fields(
            [
                ("process", report.process),
                ("seed", str(report.seed)),
                ("crash points hit", f"{report.crash_points_hit} of {report.crash_points}"),
                ("workers killed", str(report.worker_kills)),
                ("faults injected", _kinds(report)),
                ("writes refused for good", str(report.refusals)),
                ("decisions by people", str(report.decisions)),
                *([("documents checked", str(report.documents))] if report.documents else []),
                ("effects", str(report.effects)),
                ("effects lost", str(len(report.lost))),
                ("effects doubled", str(len(report.doubled))),
                ("other differences", str(len(report.differences))),
                ("time", f"{seconds:.0f} s"),
            ]
        )
    )
    for what, lines in (
        ("lost", report.lost),
        ("doubled", report.doubled),
        ("different", report.differences),
    ):
        for line in lines[:_SHOWN]:
            console.print(plain(f"  {what}: {line}"), style="red")
        if len(lines) > _SHOWN:
            console.print(f"  and {len(lines) - _SHOWN} more: --json has them all", style="red")
    if report.passed:
        console.print("Passed: nothing lost, nothing doubled, nothing left behind.", style="bold green")
    else:
        console.print("Failed.", style="bold red")


def _kinds(report: "Report") -> str:
    total = sum(report.faults_injected.values())
    return f"{total} of {len([kind for kind, count in report.faults_injected.items() if count])} kinds"
