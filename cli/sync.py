"""`fairlead sync`: people, assignments and hours of HR and PSA are brought together now."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command, new_group
from cli.context import Session
from cli.exit_codes import ExitCode, refused, usage
from cli.output import address, counted, plain, table

if TYPE_CHECKING:
    from rich.console import Console

    from domain.resource_sync import ResourceSyncView


def register(app: typer.Typer) -> None:
    """Add the group and its command."""
    group = new_group("Bring systems together now; events and schedules do the same by themselves.")
    command(group, "resources", example=["fairlead sync resources", "fairlead sync resources --wait --json"])(
        resources
    )
    app.add_typer(group, name="sync", rich_help_panel="Deals and projects")


async def resources(
    session: Session,
    system: Annotated[
        str | None, typer.Option(help="Only this HR account of the firm's file.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until both sides are the same.")] = False,
) -> int:
    """Have people, skills and unavailable hours told to the PSA, assignments and hours to HR.

    Ends with 6 when a side cannot be read or written and a person is waited for. What HR and PSA do not agree
    on is on `fairlead worklist staffing`.
    """
    import asyncio

    from cli.deals import requested_by
    from workflows.shared.start import wake_resource_sync

    by = requested_by(session, "sync people")
    accounts = _accounts(session, system)
    client = await session.client()
    documents = []
    for name in accounts:
        async with asyncio.timeout(30):
            started = await wake_resource_sync(
                client,
                session.settings,
                firm=session.firm.id,
                hr=name,
                psa=session.firm.parts.roles.psa,
                by=by,
            )
        documents.append(await _document(session, name, started.workflow_id, wait=wait))
    session.out.show(
        {"requested_by": by, "systems": documents}, lambda console: _draw(console, documents, waited=wait)
    )
    return ExitCode.WAITING if any(document.get("blocked") for document in documents) else ExitCode.OK


def _accounts(session: Session, system: str | None) -> list[str]:
    """HR accounts of the firm's file. Raises `Stop` where there is none, and for a system that is none."""
    from firm.policies import snapshot

    known = sorted({route.system for route in snapshot(session.firm).routes if route.role == "hr"})
    if not known:
        raise refused(f"{session.firm.file.name} names no HR system.", "Add hr under [roles].")
    if system is not None and system not in known:
        raise usage(f"{system!r} is no HR of {session.firm.file.name}.", f"There is {', '.join(known)}.")
    return known if system is None else [system]


async def _document(session: Session, system: str, process: str, *, wait: bool) -> dict[str, Any]:
    from cli import woken
    from domain.resource_sync import ResourceSyncView

    def line(view: ResourceSyncView) -> str:
        read = sum(counts.read for counts in view.counts.values())
        return f"{view.hr} and {view.psa}: {read:,} read, {_told(view):,} told …"

    document = woken.started(session, system, process)
    if not wait:
        return document
    view = await woken.followed(session, process, ResourceSyncView, line)
    document |= woken.ended(view)
    if view.last is not None and not view.blocked:
        document["differences"] = view.last.open
    return document


def _told(view: "ResourceSyncView") -> int:
    return sum(counts.written for counts in view.counts.values())


def _draw(console: "Console", documents: list[dict[str, Any]], *, waited: bool) -> None:
    for document in documents:
        if not waited:
            console.print(f"The sync of {document['system']} was woken.", style="green")
            address(console, "Web UI", document["web_ui"])
        elif document["blocked"]:
            console.print("A side cannot be read or written; a person is waited for.", style="bold red")
            for id in document["attention"]:
                console.print(plain(f"  fairlead exceptions show {id}"))
        else:
            _draw_synced(console, document)
    if not waited:
        console.print("\nFollow it with  fairlead sync resources --wait", style="dim")


def _draw_synced(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['system']}: both sides are the same.", style="green")
    rows = table("Part", "Read", "New", "Changed", "Told", right=("Read", "New", "Changed", "Told"))
    for part, counts in document["counts"].items():
        figures = (counts.read, counts.new, counts.changed, counts.written)
        rows.add_row(part.replace("_", " "), *(f"{figure:,}" for figure in figures))
    console.print(rows)
    for found in document["differences"]:
        number = counted(found.count, "difference", "differences")
        console.print(f"{number} for {found.owner.value.replace('_', ' ')}:", style="yellow")
        for one in found.oldest:
            console.print(plain(f"  {one.person}: {one.problem}"))
