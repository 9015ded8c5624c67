"""`fairlead events`: what crosses the border: the catalogue, the inbox, replaying, sending, the outbox."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli import outbox, people
from cli.command import command, new_group
from cli.context import Session
from cli.exit_codes import ExitCode, Stop, not_found, refused, unreachable, usage
from cli.output import fields, local_time, plain, state, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from gateway.sending import SentEvent
    from store.ports import InboxRow

_STATES = ("received", "dispatched", "applied", "waiting", "poison")


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("Events from other systems, and those we tell them.")
    command(group, "catalog", example=["fairlead events catalog", "fairlead events catalog --asyncapi"])(
        catalog
    )
    command(group, "list", example="fairlead events list --state waiting --since 2h")(list_)
    command(group, "replay", example="fairlead events replay --type deal.signed --since 24h --dry-run")(
        replay
    )
    command(group, "send", example="fairlead events send deal.signed 006WX0000012AbCYAU")(send)
    outbox.register(group)
    app.add_typer(group, name="events", rich_help_panel="Systems and events")


async def catalog(
    session: Session,
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The catalogue as an AsyncAPI document.")
    ] = False,
) -> None:
    """Every type of event: meaning, owner, who sends it, who takes it in. JSON Schema with --json."""
    from cli.output import as_json_text
    from domain import event_schemas
    from domain.events import catalogue
    from domain.outbound_events import published

    if asyncapi:
        print(as_json_text(event_schemas.asyncapi(session.settings.gateway_url)))
        return

    def draw(console: "Console") -> None:
        rows = table("Type", "Meaning", "From and to", "Owner")
        rows.columns[0].no_wrap = True
        for kind in catalogue():
            sunset = f" (until {kind.sunset})" if kind.sunset else ""
            rows.add_row(
                f"{kind.name} v{kind.version}",
                kind.summary + sunset,
                f"{', '.join(kind.producers)} → {', '.join(kind.consumers)}",
                kind.owner.value.replace("_", " "),
            )
        for told in published():
            sunset = f" (until {told.sunset})" if told.sunset else ""
            rows.add_row(
                f"{told.name} v{told.version}",
                told.summary + sunset,
                f"fairlead → {', '.join(told.consumers)}",
                told.owner.value.replace("_", " "),
            )
        console.print(rows)
        console.print("Post yours to POST /hooks/<source> of the gateway, signed.", style="dim")
        ours = "Those of fairlead go to each [subscribers.<name>] with their type."
        console.print(plain(ours), style="dim")

    session.out.show(event_schemas.catalogue_document(), draw)


async def list_(
    session: Session,
    type: Annotated[str | None, typer.Option(help="Only this type, such as deal.signed.")] = None,
    state_: Annotated[str | None, typer.Option("--state", help=f"One of {', '.join(_STATES)}.")] = None,
    since: Annotated[str | None, typer.Option(help="A time with offset, or an age such as 2h or 3d.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
) -> None:
    """Events that were received, newest first, and what became of them."""
    if state_ is not None and state_ not in _STATES:
        raise usage(f"There is no state {state_!r}.", f"There are {', '.join(_STATES)}.")
    store = await session.store()
    found = await store.inbox.list(type=type, state=state_, since=moment(since), limit=limit)  # type: ignore[arg-type]
    document = {"count": len(found), "events": [row.model_dump(mode="json") for row in found]}
    session.out.show(document, lambda console: _draw_events(console, found))


async def replay(
    session: Session,
    type: Annotated[str | None, typer.Option(help="Only this type.")] = None,
    since: Annotated[str | None, typer.Option(help="A time with offset, or an age such as 2h or 3d.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Every event, of any type and age.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show which.")] = False,
) -> None:
    """Dispatch kept events again, like new ones. What worked stays one effect; poison is cured this way."""
    from domain.access import Function
    from gateway.replay import replay_events

    people.allowed(session, Function.DECIDE, "replay events")
    if type is None and since is None and not all:
        raise usage("Say which events.", "Give --type, --since or both; --all means every event there is.")
    try:
        done = await replay_events(await session.store(), type, moment(since), dry_run)
    except KeyError as error:
        raise not_found(_first_capital(str(error.args[0])) + ".") from None
    document = {
        "dry_run": dry_run,
        "replayed": done.replayed,
        "truncated": done.truncated,
        "events": [
            {"id": row.id, "type": row.type, "subject": row.subject, "state": row.state}
            for row in done.events
        ],
    }

    def draw(console: "Console") -> None:
        if done.events:
            _draw_events(console, done.events[-50:])
        count = f"{len(done.events)} events would be" if dry_run else f"{done.replayed} events will be"
        console.print(f"{count} dispatched again." if done.events else "No event fits.")
        if done.truncated:
            console.print("There may be more: replay again with a later --since.", style="yellow")

    session.out.show(document, draw)


async def send(
    session: Session,
    type: Annotated[str, typer.Argument(help="Such as deal.signed.", show_default=False)],
    subject: Annotated[str, typer.Argument(help="Id of the object, such as the deal.", show_default=False)],
    source: Annotated[str | None, typer.Option(help="A source of [webhooks.<source>].")] = None,
    set: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field of the event's data.")
    ] = None,
    id: Annotated[str | None, typer.Option(help="The event's id; the same id twice is one event.")] = None,
) -> int:
    """Post an event to the gateway, signed as a registered source signs it."""
    import httpx

    from cli.decisions import pairs
    from domain.access import Function
    from gateway.sending import CannotSend, send_event

    people.allowed(session, Function.DECIDE, "send events")
    session.require_credentials()
    try:
        sent = await send_event(
            session.settings,
            session.firm,
            type,
            subject,
            source=source,
            data=pairs(set or [], "--set"),
            event_id=id,
        )
    except KeyError as error:
        raise not_found(_first_capital(str(error.args[0])) + ".", "See `fairlead events catalog`.") from None
    except CannotSend as error:
        text = _first_capital(str(error)) + "."
        raise (unreachable if isinstance(error.__cause__, httpx.HTTPError) else refused)(text) from error
    return _show_sent(session, sent, subject)


def _show_sent(session: Session, sent: "SentEvent", subject: str) -> int:
    if not sent.accepted:
        detail = str(sent.answer.get("detail") or sent.answer)
        if sent.status >= 500:
            raise Stop(
                ExitCode.UNREACHABLE, f"The gateway answers {sent.status}: {detail}", "Send it again later."
            )
        raise refused(f"The gateway refuses the event with {sent.status}: {detail}")
    document = {"event": f"{sent.source}:{sent.event_id}", "status": sent.status, "answer": dict(sent.answer)}

    def draw(console: "Console") -> None:
        known = " It was known already." if sent.status in (200, 409) else ""
        console.print(f"The gateway kept the event.{known}", style="green")
        console.print(fields([("Event", plain(document["event"]))]))  # type: ignore[arg-type]
        console.print(f"\nWhat becomes of it: fairlead trace {subject}", style="dim")

    session.out.show(document, draw)
    return ExitCode.OK


def moment(text: str | None, now: datetime | None = None) -> datetime | None:
    """A point in time: ISO 8601 with an offset, or an age such as `90m`, `2h`, `3d`. Raises `Stop`."""
    if text is None:
        return None
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1:] in units and len(text) <= 6:
        return (now or datetime.now(UTC)) - timedelta(**{units[text[-1]]: int(text[:-1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise usage(
            f"--since {text!r} is no time.", "Write an age such as 2h or 3d, or 2026-11-23T06:00:00Z."
        )
    return found


def _draw_events(console: "Console", found: "Sequence[InboxRow]") -> None:
    from rich.text import Text

    if not found:
        console.print("No event fits.")
        return
    rows = table("Received", "State", "Event, its id and note", fold=("Event, its id and note",))
    rows.columns[0].no_wrap = True
    for row in found:
        told = Text.assemble((f"{row.type} {row.subject}", "cyan"), (f"\n{row.id}", "dim"))
        if row.note:
            told.append(f"\n{row.note}")
        rows.add_row(local_time(row.received_at), state(row.state), told)
    console.print(rows)


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]
