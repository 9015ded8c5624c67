"""`fairlead events outbox` and `resend`: what we tell others, who has it already, and sending again."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import people
from cli.command import command
from cli.context import Session
from cli.exit_codes import not_found, refused, usage
from cli.output import STATE_STYLES, counted, local_time, plain, table, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from domain.attention import AttentionItem
    from store.outbox_ports import OutboxRow

_STATES = ("waiting", "acknowledged", "paused", "poison")
_ID_WIDTH = 28
"""An id stays whole, so that it can be copied."""
SENDERS = ("operator", "admin")
"""Roles that may have events sent again."""


def register(group: typer.Typer) -> None:
    """Add the commands to the group `fairlead events`."""
    command(
        group,
        "outbox",
        example=["fairlead events outbox --since 2h", "fairlead events outbox --state poison --json"],
    )(outbox)
    command(
        group,
        "resend",
        example=[
            "fairlead events resend flksq62vfogm7j55mkevpqauf764 --as EMAIL",
            "fairlead events resend flksq62vfogm7j55mkevpqauf764 --to staffing --as EMAIL",
        ],
    )(resend)


async def outbox(
    session: Session,
    type: Annotated[str | None, typer.Option(help="Only this type, such as demand.published.")] = None,
    state_: Annotated[
        str | None, typer.Option("--state", help=f"Of a delivery: one of {', '.join(_STATES)}.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="A time with offset, or an age such as 2h or 3d.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
) -> None:
    """Events that Fairlead tells, newest first, and how far each subscriber has them."""
    from cli.events import moment

    if state_ is not None and state_ not in _STATES:
        raise usage(f"There is no state {state_!r}.", f"There are {', '.join(_STATES)}.")
    store = await session.store()
    found = await store.outbox.list(type=type, state=state_, since=moment(since), limit=limit)  # type: ignore[arg-type]
    document = {"count": len(found), "events": [row.model_dump(mode="json") for row in found]}
    session.out.show(document, lambda console: _draw(console, found))


async def resend(
    session: Session,
    event: Annotated[str, typer.Argument(help="Id of the event.", show_default=False)],
    to: Annotated[
        str | None, typer.Option(help="Only to this subscriber, who need not have had it before.")
    ] = None,
) -> None:
    """Send an event again under its own id: who has it already ignores it.

    A subscriber that had said it is gone is taken up again, with everything that waits for it.
    """
    if to is not None and to not in session.firm.subscribers:
        known = ", ".join(sorted(session.firm.subscribers)) or "none"
        raise not_found(f"There is no subscriber {to!r}.", f"The firm's file has {known}.")
    actor = people.acting(session, SENDERS, "send an event again")
    store = await session.store()
    if await store.outbox.get(event) is None:
        raise not_found(f"There is no event {event!r} in the outbox.", "See `fairlead events outbox`.")
    again = await store.outbox.resend(event, to=to, by=actor.email)
    if not again:
        raise refused(
            f"The event {event} was meant for nobody: no subscriber takes its type.",
            "Name who gets it with --to.",
        )
    document = {"event": event, "to": list(again)}
    sentence = f"The gateway sends it again to {', '.join(again)}."
    session.out.show(document, lambda console: console.print(plain(sentence), style="green"))


async def retry_deliveries(session: Session, item: "AttentionItem", action: str, actor: str) -> None:
    """Settle the exception of a subscriber: everything it has missed is sent again."""
    if action != "retry":
        raise refused(
            f"{item.id} is a subscriber without a process: it can only be tried again.",
            "Use --retry after the cure; it closes by itself when the subscriber takes its events.",
        )
    subscriber = item.facts["subscriber"]
    count = await (await session.store()).outbox.take_up(subscriber, by=actor)
    document = {"subscriber": subscriber, "events": count}
    sentence = f"{counted(count, 'event')} will be sent to {subscriber} again."
    session.out.show(document, lambda console: console.print(plain(sentence), style="green"))


def _draw(console: "Console", found: "Sequence[OutboxRow]") -> None:
    from rich.text import Text

    if not found:
        console.print("No event fits.")
        return
    rows = table("Told", "Event and its id", "Subscribers", fold=("Event and its id",))
    rows.columns[0].no_wrap = True
    rows.columns[1].min_width = _ID_WIDTH
    for row in found:
        what = Text.assemble((f"{row.type}\n{row.subject}", "cyan"), (f"\n{row.id}", "dim"))
        rows.add_row(local_time(row.at), what, _standing(row))
    console.print(rows)


def _standing(row: "OutboxRow") -> "RenderableType":
    """Who has it, and why somebody does not."""
    from rich.text import Text

    if not row.deliveries:
        return plain("nobody subscribes to it" if row.routed else "the gateway has not seen it yet")
    told = Text()
    for delivery in row.deliveries:
        told.append(("\n" if told else "") + f"{delivery.subscriber}: ")
        told.append(delivery.state, STATE_STYLES.get(delivery.state, ""))
        if delivery.note:
            told.append(f"\n{delivery.note}, after {counted(delivery.attempts, 'attempt')}")
        if delivery.state == "waiting" and delivery.attempts:
            told.append(f"\nagain {until(delivery.next_at)}")
    return told
