"""Running a firm: `fairlead up`, `down`, `worker`, `serve`, `sandbox`, `doctor`, `ui`, `replay`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command, new_group
from cli.context import Foreground, Session
from cli.exit_codes import ExitCode, not_found, usage
from cli.keys import web_address
from cli.output import fields, plain, state, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from local.services import ServiceState

_PANEL = "Run a firm"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "up", example=["fairlead up", "fairlead up --detach"], panel=_PANEL)(up)
    command(app, "down", example=["fairlead down", "fairlead down worker"], panel=_PANEL)(down)
    command(app, "doctor", example="fairlead doctor", panel=_PANEL)(doctor)
    command(app, "ui", example=["fairlead ui", "fairlead ui --open"], panel=_PANEL)(ui)
    command(app, "worker", example=["fairlead worker", "fairlead worker --only netsuite"], panel=_PANEL)(
        worker
    )
    command(app, "serve", example="FAIRLEAD_GATEWAY_PORT=8401 fairlead serve", panel=_PANEL)(serve)
    command(app, "sandbox", example="fairlead sandbox --seed 7 --deals 500", panel=_PANEL)(sandbox)
    command(app, "replay", example="fairlead replay", panel=_PANEL)(replay)
    group = new_group("Search attributes of a Temporal namespace.")
    command(
        group, "register", example="fairlead search-attributes register --address temporal.acme.example:7233"
    )(register_attributes)
    app.add_typer(group, name="search-attributes", rich_help_panel=_PANEL)


async def up(
    session: Session,
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE]...", help="temporal, sandbox, worker, gateway; none means all."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="In the background, until `down`.")] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="The sandbox too, though no system uses it.")
    ] = False,
) -> None:
    """Start a whole firm on this machine: Temporal, sandbox, worker and gateway.

    In the foreground it runs until Ctrl-C, which stops what it started.
    """
    from local.services import up as start

    _require_known(services)
    if not detach:
        session.out.note("Starting; Ctrl-C stops everything. `--detach` leaves it in the background.")
    states = await start(session.settings, services, detach=detach, sandbox=sandbox, say=session.out.note)
    if detach or session.out.as_json:
        _show_states(session, states, hint=True)


async def down(
    session: Session,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE]...", help="Those to stop; none means all.")
    ] = None,
) -> None:
    """Stop the firm on this machine. Running steps finish first; nothing is lost."""
    from local.services import down as stop

    _require_known(services)
    stopped = await stop(session.settings, services, say=session.out.note)
    nothing = f"Nothing ran at {session.settings.home}."
    sentence = f"Stopped {', '.join(stopped)}." if stopped else nothing
    session.out.show({"stopped": stopped}, lambda console: console.print(plain(sentence)))


async def doctor(session: Session) -> int:
    """Check what a working firm needs: programs, Temporal, firm file, store, systems. Changes nothing."""
    from local.doctor import examine

    checks = await examine(session.settings)
    broken = [check for check in checks if not check.ok]
    document = {"ok": not broken, "checks": [asdict(check) for check in checks]}

    def draw(console: "Console") -> None:
        rows = table("", "Check", "Found", fold=("",))
        for check in checks:
            found = plain(check.detail if check.ok else f"{check.detail}\n→ {check.cure}")
            rows.add_row("[green]ok[/green]" if check.ok else "[bold red]no[/bold red]", check.name, found)
        console.print(rows)
        console.print("All is well." if not broken else f"{len(broken)} of {len(checks)} checks failed.")

    session.out.show(document, draw)
    return ExitCode.CHECK_FAILED if broken else ExitCode.OK


async def ui(
    session: Session,
    open: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Addresses of the Web UI and the other services; each with how it stands."""
    import asyncio
    import webbrowser

    from local.services import state as states

    address = web_address(session.settings)
    if not address:
        raise not_found("The Web UI of this Temporal server is not known.", "Ask whoever runs the server.")
    found = await states(session.settings)
    document = {"web_ui": address, "opened": False, "services": [asdict(one) for one in found]}
    if open:
        document["opened"] = await asyncio.to_thread(webbrowser.open, address)

    def draw(console: "Console") -> None:
        console.print(fields([("Web UI", plain(address))]))
        console.print(_states_table(found))
        if open and not document["opened"]:
            console.print("No browser could be opened here; copy the address.", style="yellow")

    session.out.show(document, draw)


async def worker(
    session: Session,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="SYSTEM", help="Only this system's queue. Repeatable."),
    ] = None,
) -> int:
    """Run a worker in the foreground until Ctrl-C or SIGTERM; running steps finish first."""
    from worker import main

    arguments = [part for name in only or [] for part in ("--only", name)]
    return await _in_foreground(session, lambda: main(arguments))


async def serve(session: Session) -> int:
    """Run the gateway in the foreground: webhooks in, events out, health."""
    from gateway.server import main

    return await _in_foreground(session, main)


async def sandbox(
    session: Session,
    seed: Annotated[int, typer.Option(help="Seed of the firm that is made.")] = 1,
    deals: Annotated[int, typer.Option(help="How many deals.", min=0)] = 60,
    latency_ms: Annotated[int, typer.Option(help="Delay of each answer, in milliseconds.", min=0)] = 0,
) -> int:
    """Run the sandbox in the foreground: emulators of the vendors' APIs with a believable firm."""
    import asyncio
    import os

    from local import secrets_setup
    from local.launch import Launch
    from local.process import module_command
    from sandbox.server import main

    settings = session.settings
    await asyncio.to_thread(secrets_setup.create, settings.home)
    further = ("--seed", str(seed), "--deals", str(deals), "--latency-ms", str(latency_ms))
    launch = Launch(settings, sandbox_arguments=further)
    os.environ.update(launch.environment("sandbox"))
    arguments = launch.command("sandbox")[len(module_command("sandbox")) :]
    return await _in_foreground(session, lambda: main(arguments))


async def replay(
    session: Session,
    query: Annotated[str, typer.Option(help="Temporal list filter; open processes when left out.")] = "",
) -> int:
    """Run the open histories of the namespace against this code: do it before every deploy.

    Ends with 7 when one no longer fits, naming it and why.
    """
    from runtime.replay import OPEN, replay_open
    from workflows.registry import WORKFLOWS

    client = await session.client()
    report = await replay_open(client, client.namespace, WORKFLOWS, query or OPEN)

    def draw(console: "Console") -> None:
        total = sum(report.replayed.values())
        console.print(f"{total} histories replayed, {len(report.failures)} no longer fit.")
        for failure in report.failures:
            console.print(plain(f"  {failure.workflow_id}: {failure.reason}"), style="bold red")
            console.print(plain(f"    {failure.cure}"))

    session.out.show(report.model_dump(mode="json") | {"ok": report.ok}, draw)
    return ExitCode.OK if report.ok else ExitCode.CHECK_FAILED


async def register_attributes(session: Session) -> None:
    """Register Fairlead's search attributes in the namespace; those that are there stay as they are."""
    from runtime.visibility import register as register_missing
    from workflows.shared.search_attributes import ATTRIBUTES

    client = await session.client()
    added = await register_missing(client, ATTRIBUTES)
    document: dict[str, Any] = {"namespace": client.namespace, "added": added, "wanted": ATTRIBUTES}
    sentence = f"Added {', '.join(added)}." if added else f"All {len(ATTRIBUTES)} were registered already."
    session.out.show(document, lambda console: console.print(plain(sentence)))


# -- inside -----------------------------------------------------------------------------------------


def _require_known(services: "Sequence[str] | None") -> None:
    from local.launch import SERVICES

    unknown = [name for name in services or () if name not in SERVICES]
    if unknown:
        raise usage(f"There is no service {unknown[0]!r}.", f"There are {', '.join(SERVICES)}.")


async def _in_foreground(session: Session, main: "Callable[[], int]") -> int:
    """Run a service's own `main`, which has a loop and signal handlers of its own, on the main thread."""
    session.export()
    raise Foreground(main, as_json=session.out.as_json)


def _show_states(session: Session, states: "Sequence[ServiceState]", *, hint: bool) -> None:
    document = {"home": session.settings.home, "services": [asdict(one) for one in states]}
    document["web_ui"] = web_address(session.settings)

    def draw(console: "Console") -> None:
        console.print(_states_table(states))
        if hint:
            console.print(
                fields([("Web UI", plain(str(document["web_ui"]))), ("Home", plain(str(document["home"])))])
            )
            console.print("\nNext: fairlead deals", style="dim")

    session.out.show(document, draw)


def _states_table(states: "Sequence[ServiceState]") -> Any:
    rows = table("Service", "State", "Address", "Process", fold=("Address",))
    for one in states:
        word = f"{one.condition}" + (f": {one.detail}" if one.detail else "")
        shown = state(one.condition) if not one.detail else plain(word)
        rows.add_row(one.name, shown, one.address, str(one.pid or ""))
    return rows
