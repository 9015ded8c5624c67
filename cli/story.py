"""`fairlead demo` and `fairlead drill`: a firm on a laptop, shown, and attacked."""

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode, Stop
from cli.output import Output, fields, plain

if TYPE_CHECKING:
    from rich.console import Console

    from drill.activation import Report

_FIND_BEFORE_CREATE = "find-before-create"
ERPS = ("netsuite", "tryton")
PREPARE = "Prepare it once: make tryton, or python -m local.tryton_server prepare"


def register(app: typer.Typer) -> None:
    """Add both commands."""
    panel = "Try it"
    command(
        app,
        "demo",
        example=["fairlead demo", "fairlead demo --erp tryton", "fairlead demo --keep"],
        panel=panel,
    )(demo)
    examples = [
        "fairlead drill activation --seed 7",
        "fairlead drill activation --quick --json",
        f"fairlead drill activation --break {_FIND_BEFORE_CREATE}",
    ]
    command(app, "drill", example=examples, panel=panel)(drill)


async def demo(
    session: Session,
    erp: Annotated[
        str, typer.Option("--erp", metavar="SYSTEM", help=f"Which ERP plays: {' or '.join(ERPS)}.")
    ] = ERPS[0],
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up and say where.")] = False,
) -> int:
    """Play one story on real Temporal: a signed deal becomes a project, its work invoices, through trouble.

    NetSuite is the sandbox's; Tryton is a real ERP, prepared once with `make tryton`.
    """
    from cli.demo_screen import Screen, draw
    from drill.demo import DemoFailed, run
    from local.tryton_environment import NoTryton

    if erp not in ERPS:
        raise Stop(ExitCode.USAGE, f"There is no ERP {erp!r} to play with.", f"Use one of: {', '.join(ERPS)}")
    screen = Screen(session.out)
    try:
        with screen:
            outcome = await run(
                tell=screen.tell, show=screen.show, say_service=screen.service, erp=erp, keep=keep
            )
    except DemoFailed as error:
        raise Stop(ExitCode.CHECK_FAILED, f"The demo did not reach its end: {error}") from None
    except NoTryton as error:
        raise Stop(ExitCode.UNREACHABLE, f"Tryton cannot be started: {error}", PREPARE) from None
    _print(session.out, outcome.as_json(), lambda console: draw(console, outcome, keep=keep))
    return ExitCode.OK if outcome.passed else ExitCode.CHECK_FAILED


async def drill(
    session: Session,
    process: Annotated[str, typer.Argument(metavar="PROCESS", help="What is drilled: activation.")],
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
            help=f"Switch a guard off: {_FIND_BEFORE_CREATE}. The drill must fail.",
        ),
    ] = "",
) -> int:
    """Kill workers around every write, break systems, refuse writes; then count what the systems hold."""
    from drill.activation import Plan, run

    if process != "activation":
        raise Stop(ExitCode.USAGE, f"There is no drill of {process!r}.", "Drill one of: activation")
    if planted_bug not in ("", _FIND_BEFORE_CREATE):
        raise Stop(
            ExitCode.USAGE, f"There is no guard {planted_bug!r}.", f"Use --break {_FIND_BEFORE_CREATE}"
        )
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f}  {line}", file=sys.stderr, flush=True)

    report = await run(Plan(seed=seed, lanes=lanes, quick=quick, planted_bug=planted_bug, say=say))
    seconds = time.monotonic() - began
    document = report.as_json() | {"seconds": round(seconds, 1), "planted_bug": planted_bug}
    _print(session.out, document, lambda console: _draw_drill(console, report, seconds))
    return ExitCode.OK if report.passed else ExitCode.CHECK_FAILED


def _print(out: Output, document: dict[str, object], draw: Any) -> None:
    """The result as one JSON object on the last line, or drawn."""
    if out.as_json:
        print(json.dumps(document, ensure_ascii=False), flush=True)
    else:
        draw(out.console)


def _draw_drill(console: "Console", report: "Report", seconds: float) -> None:
    console.print(
        fields(
            [
                ("seed", str(report.seed)),
                ("crash points hit", f"{report.crash_points_hit} of {report.crash_points}"),
                ("workers killed", str(report.worker_kills)),
                ("faults injected", _kinds(report)),
                ("writes refused for good", str(report.refusals)),
                ("decisions by people", str(report.decisions)),
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
        for line in lines:
            console.print(plain(f"  {what}: {line}"), style="red")
    if report.passed:
        console.print("Passed: nothing lost, nothing doubled, nothing left behind.", style="bold green")
    else:
        console.print("Failed.", style="bold red")


def _kinds(report: "Report") -> str:
    total = sum(report.faults_injected.values())
    return f"{total} of {len([kind for kind, count in report.faults_injected.items() if count])} kinds"
