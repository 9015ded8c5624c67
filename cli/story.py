"""`fairlead demo` and `fairlead drill`: a firm on a laptop, shown, and attacked."""

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode, Stop
from cli.output import Output, fields, plain, state, table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from domain.activation_process import ActivationView
    from drill.activation import Report
    from drill.demo import Line, Outcome

_FIND_BEFORE_CREATE = "find-before-create"


def register(app: typer.Typer) -> None:
    """Add both commands."""
    panel = "Try it"
    command(
        app, "demo", example=["fairlead demo", "fairlead demo --keep", "fairlead demo --json"], panel=panel
    )(demo)
    examples = [
        "fairlead drill activation --seed 7",
        "fairlead drill activation --quick --json",
        f"fairlead drill activation --break {_FIND_BEFORE_CREATE}",
    ]
    command(app, "drill", example=examples, panel=panel)(drill)


async def demo(
    session: Session,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up and say where.")] = False,
) -> int:
    """Play one story on real Temporal: a signed deal becomes a project in every system, through trouble."""
    from drill.demo import DemoFailed, run

    screen = _Screen(session.out)
    try:
        with screen:
            outcome = await run(tell=screen.tell, show=screen.show, say_service=screen.service, keep=keep)
    except DemoFailed as error:
        raise Stop(ExitCode.CHECK_FAILED, f"The demo did not reach its end: {error}") from None
    _print(session.out, outcome.as_json(), lambda console: _draw_demo(console, outcome, keep=keep))
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


class _Screen:
    """The story as it goes: lines that stay, and below them the live state of the process."""

    def __init__(self, out: Output) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=out.as_json, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True) if out.live else None

    def __enter__(self) -> "_Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self._live:
            self._live.stop()

    def tell(self, line: "Line") -> None:
        from rich.table import Table

        row = Table.grid(padding=(0, 1))
        row.add_column(width=6, justify="right", style="dim")
        row.add_column(width=11, style="bold cyan", no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(f"{line.at:.1f} s", line.who, plain(line.what))
        self._console.print(row)

    def service(self, line: str) -> None:
        self._console.print(plain(f"         {line}"), style="dim")

    def show(self, view: "ActivationView") -> None:
        if self._live:
            self._live.update(_picture(view))


def _picture(view: "ActivationView") -> "RenderableType":
    """Gates and steps of the process, as it stands."""
    from rich.columns import Columns
    from rich.panel import Panel

    gates = table("Gate", "State")
    for gate in view.gates:
        gates.add_row(gate.gate.label, state(gate.state))
    steps = table("Step", "System", "State")
    for step in view.steps:
        steps.add_row(plain(step.label), plain(step.system), state(step.state))
    return Panel(
        Columns([gates, steps]), title=f"{view.deal_name or view.deal}: {view.stage}", title_align="left"
    )


def _draw_demo(console: "Console", outcome: "Outcome", *, keep: bool) -> None:
    made = table(
        "System", "Object", "Write", "Record", "Id", "Landed", fold=("Record", "Id"), right=("Landed",)
    )
    for row in outcome.records:
        made.add_row(
            row["system"],
            row["object"],
            row["operation"],
            plain(row["record"]),
            plain(row["id"]),
            row["count"],
        )
    console.print()
    console.print(
        plain(f"Project {outcome.project}, from deal {outcome.deal} {outcome.deal_name}"), style="bold"
    )
    console.print(made)
    console.print(plain("Living on: " + ", ".join(outcome.handed_over)), style="dim")
    console.print(_proof(outcome), style="bold green" if outcome.passed else "bold red")
    console.print(f"{outcome.seconds:.1f} s", style="dim")
    if keep:
        console.print()
        console.print(
            fields([(name.replace("_", " "), plain(text)) for name, text in outcome.addresses.items()])
        )
        console.print(
            plain(f"Go on in this firm: source {outcome.addresses['home']}/env.sh; end it: fairlead down")
        )


def _proof(outcome: "Outcome") -> str:
    return (
        f"faults injected {outcome.faults_injected}, crash points hit {outcome.crash_points_hit}, "
        f"workers killed {outcome.worker_kills}, effects {outcome.effects}, "
        f"effects lost {outcome.effects_lost}, effects doubled {outcome.effects_doubled}"
    )


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
