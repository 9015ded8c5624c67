"""`fairlead post-time`: approved time and expenses come in now, and what was refused is said by owner."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode, usage
from cli.output import address, counted, plain, table

if TYPE_CHECKING:
    from rich.console import Console

    from domain.time_posting import Counts


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(
        app,
        "post-time",
        example=["fairlead post-time", "fairlead post-time --wait --json"],
        panel="Deals and projects",
    )(post_time)


async def post_time(
    session: Session,
    system: Annotated[
        str | None, typer.Option(help="Only this PSA of the firm's file.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until all that is approved came in.")] = False,
) -> int:
    """Have approved time and expenses taken in now, and everything refused looked at again.

    Events and a schedule do the same by themselves. Whoever waits is told what came in and what was refused.
    """
    import asyncio

    from cli.deals import requested_by
    from workflows.shared.start import wake_time_posting

    by = requested_by(session, "post time")
    psas = _psas(session, system)
    client = await session.client()
    woken: list[tuple[str, str]] = []
    for name in psas:
        async with asyncio.timeout(30):
            started = await wake_time_posting(
                client, session.settings, firm=session.firm.id, system=name, by=by, again=True
            )
        woken.append((name, started.workflow_id))
    documents = [await _document(session, name, id, wait=wait) for name, id in woken]
    session.out.show(
        {"requested_by": by, "systems": documents}, lambda console: _draw(console, documents, waited=wait)
    )
    return ExitCode.WAITING if any(document.get("blocked") for document in documents) else ExitCode.OK


def _psas(session: Session, system: str | None) -> list[str]:
    """PSAs of the firm's file. Raises `Stop` for a system that is none."""
    from firm.policies import snapshot

    known = sorted({route.system for route in snapshot(session.firm).routes if route.role == "psa"})
    if system is not None and system not in known:
        raise usage(f"{system!r} is no PSA of {session.firm.file.name}.", f"There is {', '.join(known)}.")
    return known if system is None else [system]


async def _document(session: Session, system: str, process: str, *, wait: bool) -> dict[str, Any]:
    from cli import woken
    from domain.time_posting import TimePostingView

    def line(view: TimePostingView) -> str:
        return f"{view.system}: {view.now.pages:,} pages, {_came(view.now)} …"

    document = woken.started(session, system, process)
    if not wait:
        return document
    view = await woken.followed(session, process, TimePostingView, line)
    document |= woken.ended(view)
    if view.last is not None and not view.blocked:
        document["refused"] = view.last.refused
    return document


def _came(counts: "Counts") -> str:
    return f"{counts.came_in:,} came in, {counts.refused:,} refused"


def _draw(console: "Console", documents: list[dict[str, Any]], *, waited: bool) -> None:
    for document in documents:
        if not waited:
            console.print(f"Time posting of {document['system']} was woken.", style="green")
            address(console, "Web UI", document["web_ui"])
        elif document["blocked"]:
            console.print(f"{document['system']} cannot be read; a person is waited for.", style="bold red")
            for id in document["attention"]:
                console.print(plain(f"  fairlead exceptions show {id}"))
        else:
            _draw_drained(console, document)
    if not waited:
        console.print("\nFollow it with  fairlead post-time --wait", style="dim")


def _draw_drained(console: "Console", document: dict[str, Any]) -> None:
    counts: Counts = document["counts"]
    came = counted(counts.came_in, "entry", "entries")
    console.print(f"{document['system']}: {came} came in, {counts.same:,} known already.", style="green")
    if counts.unpriced:
        console.print(f"{counted(counts.unpriced, 'entry', 'entries')} without a rate yet.", style="yellow")
    if not document["refused"]:
        console.print("Nothing is refused.", style="dim")
        return
    rows = table("Owner", "Refused", "Worth", "Oldest", right=("Refused",))
    for found in document["refused"]:
        oldest = found.oldest[0]
        rows.add_row(
            found.owner.value.replace("_", " "),
            f"{found.count:,}{'+' if found.more else ''}",
            plain(found.amounts),
            plain(f"{oldest.external_id} of project {oldest.project or 'unknown'}: {oldest.problem}"),
        )
    console.print(rows)
