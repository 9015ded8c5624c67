"""`fairlead demo` and `fairlead drill`: a firm on a laptop, shown, and attacked."""

import json
from typing import Annotated, Any

import typer

from cli.command import command
from cli.context import Session
from cli.drill import EXAMPLES, drill
from cli.exit_codes import ExitCode, Stop
from cli.output import Output

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
    command(app, "drill", example=list(EXAMPLES), panel=panel)(drill)


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


def _print(out: Output, document: dict[str, object], draw: Any) -> None:
    """The result as one JSON object on the last line, or drawn."""
    if out.as_json:
        print(json.dumps(document, ensure_ascii=False), flush=True)
    else:
        draw(out.console)
