"""`fairlead status`: the board of processes, by stage, owner, attention and due time."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.context import Session
from cli.exit_codes import usage
from cli.keys import MOST
from cli.output import counted, plain, state, table, until

if TYPE_CHECKING:
    from rich.console import Console
    from temporalio.client import Client, WorkflowExecution

    from store.ports import ProcessRow


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(
        app,
        "status",
        example=["fairlead status", "fairlead status --attention --owner finance_systems"],
        panel="Deals and projects",
    )(status)


@dataclass(frozen=True, slots=True)
class Filters:
    attention: bool
    owner: str | None
    kind: str | None
    stage: str | None
    all: bool


@dataclass(slots=True)
class Line:
    """One process on the board."""

    process: str
    kind: str
    state: str
    stage: str = ""
    owner: str = ""
    attention: bool = False
    due: datetime | None = None
    title: str = ""
    project: str = ""
    entity: str = ""
    started: datetime | None = None


async def status(
    session: Session,
    key: Annotated[str | None, typer.Argument(metavar="[DEAL|PROJECT|PROCESS]", show_default=False)] = None,
    attention: Annotated[bool, typer.Option("--attention", help="Only what waits for a person.")] = False,
    owner: Annotated[str | None, typer.Option(help="Only what this owner group has to settle.")] = None,
    kind: Annotated[str | None, typer.Option(help="activation, billing, procurement or time.")] = None,
    stage: Annotated[str | None, typer.Option(help="Such as 'awaiting staffing'.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
) -> int:
    """The board of processes; with a deal, project or process, how that one stands.

    Read from Temporal where it answers, else from Fairlead's own store.
    """
    if key is not None:
        from cli.watch import follow

        return await follow(session, key, once=True)
    filters = Filters(attention, owner_group(owner), kind, stage, all)
    lines, source = await _lines(session, filters)
    lines.sort(key=lambda line: (not line.attention, line.due.timestamp() if line.due else 0, line.process))
    document = {"source": source, "count": len(lines[:limit]), "total": len(lines)}
    document["processes"] = [_document(line) for line in lines[:limit]]
    session.out.show(document, lambda console: _draw(console, lines[:limit], len(lines), source, filters))
    return 0


def owner_group(owner: str | None) -> str | None:
    """The owner group as the domain writes it. Raises `Stop` naming those there are."""
    from domain.readiness import OwnerGroup

    if owner is None:
        return None
    known = [group.value for group in OwnerGroup]
    name = owner.replace(" ", "_").replace("-", "_").lower()
    if name not in known:
        raise usage(f"There is no owner group {owner!r}.", f"There are {', '.join(known)}.")
    return name


async def _lines(session: Session, filters: Filters) -> tuple[list[Line], str]:
    from runtime.connect import NoTemporal

    rows = {row.key: row for row in await (await session.store()).processes.list(limit=MOST)}
    try:
        client = await session.client()
    except NoTemporal as error:
        session.out.note(f"{error} Shown from the store.")
        return await _from_store(session, rows, filters), "store"
    lines = [_line(found, rows) async for found in client.list_workflows(_query(filters))]
    return lines, f"Temporal at {_where(client)}"


def _where(client: "Client") -> str:
    return f"{client.service_client.config.target_host}, namespace {client.namespace}"


def _query(filters: Filters) -> str:
    """The filters in Temporal's list filter language. A quote in a value is doubled."""
    parts = ["FairleadProcess IS NOT NULL"]
    if not filters.all:
        parts.append("ExecutionStatus = 'Running'")
    if filters.attention:
        parts.append("FairleadAttention = true")
    for attribute, value in (
        ("FairleadOwner", filters.owner),
        ("FairleadProcess", filters.kind),
        ("FairleadStage", filters.stage),
    ):
        if value is not None:
            parts.append(f"{attribute} = '{value.replace(chr(39), chr(39) * 2)}'")
    return " AND ".join(parts)


def _line(found: "WorkflowExecution", rows: "dict[str, ProcessRow]") -> Line:
    from workflows.shared import search_attributes as names

    said = found.typed_search_attributes
    row = rows.get(found.id)
    attention = bool(said.get(names.ATTENTION, False))
    closed = found.close_time is not None
    return Line(
        process=found.id,
        kind=said.get(names.PROCESS, ""),
        state=(row.state if row and closed else "") or (found.status.name.lower() if found.status else ""),
        stage=said.get(names.STAGE, ""),
        owner=said.get(names.OWNER, ""),
        attention=attention and not closed,
        due=said.get(names.DUE, None) if attention else None,
        title=row.title if row else "",
        project=said.get(names.PROJECT, "") or (row.project if row else ""),
        entity=said.get(names.ENTITY, ""),
        started=found.start_time,
    )


async def _from_store(session: Session, rows: "dict[str, ProcessRow]", filters: Filters) -> list[Line]:
    items = await (await session.store()).attention.list(limit=MOST)
    first = {item.process: item for item in reversed(items)}
    lines = []
    for row in rows.values():
        item = first.get(row.key)
        line = Line(
            process=row.key,
            kind=row.kind,
            state=row.state,
            stage=row.stage if row.state == "running" else row.state,
            owner=item.owner.value if item else "",
            attention=item is not None,
            due=item.due_at if item else None,
            title=row.title,
            project=row.project,
            entity=row.entity,
            started=row.started_at,
        )
        if _fits(line, filters):
            lines.append(line)
    return lines


def _fits(line: Line, filters: Filters) -> bool:
    return (
        (filters.all or line.state == "running")
        and (line.attention or not filters.attention)
        and filters.owner in (None, line.owner)
        and filters.kind in (None, line.kind)
        and filters.stage in (None, line.stage)
    )


def _document(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Line.__dataclass_fields__}


def _draw(console: "Console", lines: list[Line], total: int, source: str, filters: Filters) -> None:
    if not lines:
        wanted = filters.attention or filters.owner or filters.kind or filters.stage
        console.print("No process fits these filters." if wanted else "No process is running.")
        return
    rows = table("Kind", "Key", "Title", "Stage", "Owner", "Due", fold=("Key",))
    rows.columns[1].no_wrap = True
    for line in lines:
        rows.add_row(
            line.kind,
            line.process.rpartition("/")[2],
            plain(line.title if line.title else line.project),
            state("needs attention") if line.attention else state(line.stage or line.state),
            plain(line.owner.replace("_", " ")),
            plain(until(line.due)) if line.due else "",
        )
    console.print(rows)
    waiting = sum(line.attention for line in lines)
    shown = counted(total, "process", "processes")
    first = f"first {len(lines)} of " if len(lines) < total else ""
    console.print(f"{first}{shown}, {waiting} waiting for attention · from {source}", style="dim")
    if waiting:
        console.print("What is wrong: fairlead exceptions list", style="dim")
