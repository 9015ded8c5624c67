"""`fairlead trace`: one timeline of a deal across all systems, from one correlation id."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.context import Session
from cli.exit_codes import not_found
from cli.keys import MOST, Target, find, stored_result, web_address
from cli.output import address, counted, fields, plain, state, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from store.ports import AuditEntry, EffectRow, InboxRow, Store


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(
        app,
        "trace",
        example=["fairlead trace 006WX0000012AbCYAU", "fairlead trace DE01-7K3QXW --json"],
        panel="Deals and projects",
    )(trace)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    kind: str
    """event, process, gates, exception, decision, effect."""
    what: str
    who: str = ""
    why: str = ""
    detail: str = ""
    """What was set: the corrected fields of a decision."""
    outcome: str = ""
    system: str = ""
    object: str = ""
    external_id: str = ""
    number: str = ""
    url: str = ""
    key: str = ""
    process: str = ""


async def trace(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="DEAL|PROJECT|PROCESS", show_default=False)],
) -> None:
    """Everything that happened to a deal, in order: events, gates, decisions, invoices, and each write with
    its id in each system. From Fairlead's own store alone: it never needs Temporal's history.
    """
    target = await _target(session, key)
    moments = await _moments(session, target)
    document = {
        "correlation": target.id,
        "deal": target.business_key,
        "project": _project(target),
        "title": target.row.title if target.row else "",
        "state": target.row.state if target.row else "",
        "generation": target.row.generation if target.row else 1,
        "web_ui": web_address(session.settings, target.id),
        "timeline": [asdict(moment) for moment in moments],
    }
    session.out.show(document, lambda console: _draw(console, document, moments))


async def _target(session: Session, key: str) -> Target:
    """The process, or a deal of which only events are known yet. Needs Temporal for neither."""
    from runtime.connect import NoTemporal

    try:
        return await find(session, key)
    except NoTemporal as error:
        raise not_found(
            f"Fairlead's store knows nothing of {key!r}, and Temporal could not be asked.", str(error)
        ) from error


async def _moments(session: Session, target: Target) -> list[Moment]:
    store = await session.store()
    ids = [target.id, *_handed_over(target), *await _billed(store, _project(target))]
    found = [
        _event(row)
        for row in await store.inbox.list(limit=MOST)
        if row.process in ids or row.subject == target.business_key
    ]
    for process in ids:
        effects = {effect.key: effect for effect in await store.effects.list(process)}
        found += [_entry(entry, effects) for entry in await store.audit.list(process)]
    # An event and what it started may bear the same second: the event came first.
    return sorted(found, key=lambda moment: (moment.at, moment.kind != "event"))


async def _billed(store: "Store", project: str) -> list[str]:
    """The project's own chain (contract, entries, events), and its invoices and credit notes."""
    if not project:
        return []
    documents = await store.billing.documents(project)
    return [f"project:{project}", *(row.id for row in documents)]


def _project(target: Target) -> str:
    ended = stored_result(target)
    return (target.row.project if target.row else "") or (ended.project if ended else "")


def _handed_over(target: Target) -> "Sequence[str]":
    ended = stored_result(target)
    return ended.handed_over if ended else ()


def _event(row: "InboxRow") -> Moment:
    outcome = row.state if not row.note else f"{row.state}: {row.note}"
    return Moment(
        at=row.received_at,
        kind="event",
        what=f"{row.type} {row.subject}",
        who=row.source,
        outcome=outcome,
        key=row.id,
        process=row.process,
    )


def _entry(entry: "AuditEntry", effects: "dict[str, EffectRow]") -> Moment:
    effect = effects.get(entry.key)
    return Moment(
        at=entry.at,
        kind=_kind(entry, effect),
        what=entry.what,
        who=entry.actor,
        why=entry.why if entry.why != entry.actor else "",
        detail=entry.after if entry.key.startswith("decision/") else "",
        outcome=entry.outcome,
        system=entry.system,
        object=entry.object,
        external_id=entry.external_id,
        number=effect.number if effect and entry.external_id else "",
        url=effect.url if effect and entry.external_id else "",
        key=entry.key,
        process=entry.process,
    )


def _kind(entry: "AuditEntry", effect: "EffectRow | None") -> str:
    if effect is not None:
        return "effect"
    prefix = entry.key.partition("/")[0]
    return {"gates": "gates", "attention": "exception", "decision": "decision"}.get(prefix, "process")


_STATES = {"done": "active"}


def _draw(console: "Console", document: dict[str, Any], moments: list[Moment]) -> None:
    console.print(
        fields(
            [
                ("Deal", plain(f"{document['deal']} {document['title']}")),
                ("Project", document["project"]),
                ("State", state(_STATES.get(document["state"], document["state"]))),
                ("Correlation", plain(document["correlation"])),
            ]
        )
    )
    address(console, "Web UI     ", document["web_ui"])
    rows = table("Time", "What happened", "System", "Id", fold=("Id",))
    day = None
    for moment in _shown(moments):
        local = moment.at.astimezone()
        if local.date() != day:
            day = local.date()
            rows.add_row(f"[bold]{day:%d %b}[/bold]", "", "", "")
        rows.add_row(f"{local:%H:%M:%S}", _told(moment), moment.system, _linked(moment))
    console.print(rows)
    effects = {moment.key for moment in moments if moment.kind == "effect" and moment.outcome == "confirmed"}
    entries = counted(len(moments), "entry", "entries")
    console.print(
        f"{entries}, {counted(len(effects), 'effect')} confirmed. With their keys: --json", style="dim"
    )


def _shown(moments: list[Moment]) -> list[Moment]:
    """Without the intents of effects that were settled: their outcome says the same, with the id."""
    settled = {moment.key for moment in moments if moment.kind == "effect" and moment.outcome != "intent"}
    return [m for m in moments if not (m.kind == "effect" and m.outcome == "intent" and m.key in settled)]


_OUTCOMES_TOLD = ("claimed", "started", "open", "resolved", "green", "confirmed", "")
"""Outcomes that the words of the entry, or its mark, say already."""


def _told(moment: Moment) -> "RenderableType":
    from rich.text import Text

    style = {"decision": "bold", "exception": "yellow", "event": "cyan"}.get(moment.kind, "")
    mark = "✓ " if moment.kind == "effect" and moment.outcome == "confirmed" else ""
    told = Text(f"{mark}{moment.what.replace(f'{moment.process}/', '')}", style=style)
    if moment.kind == "effect" and moment.number:
        told.append(f" {moment.number}")
    if moment.outcome not in _OUTCOMES_TOLD and moment.kind != "exception":
        told.append(" · ")
        told.append_text(Text(moment.outcome, style=_outcome_style(moment.outcome)))
    if moment.detail:
        told.append(f"\n{moment.detail}")
    if moment.kind in ("decision", "exception", "gates") and moment.why:
        told.append(f"\n{moment.why}", style="dim")
    if moment.kind in ("decision", "event") or (moment.kind == "process" and moment.who != "fairlead"):
        told.append(f"\nby {moment.who}" if moment.kind != "event" else f"\nfrom {moment.who}", style="dim")
    return told


def _outcome_style(outcome: str) -> str:
    from cli.output import STATE_STYLES

    return STATE_STYLES.get(outcome, "dim")


def _linked(moment: Moment) -> "RenderableType":
    from rich.style import Style
    from rich.text import Text

    return Text(moment.external_id, style=Style(link=moment.url) if moment.url else Style())
