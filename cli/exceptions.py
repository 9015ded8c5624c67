"""`fairlead exceptions`: what waits for a person, everything needed to decide it, and deciding it."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import outbox, people, views
from cli.command import command, new_group
from cli.context import Session
from cli.decisions import decide, document, pairs, second_roles
from cli.exit_codes import not_found, refused, usage
from cli.keys import MOST
from cli.output import fields, local_time, plain, table

if TYPE_CHECKING:
    from rich.console import Console

    from domain.attention import AttentionItem, Decision, DecisionAction
    from store.ports import AuditEntry

_DOCUMENTS = ("invoice", "credit")
"""Processes of which only the day of the document is corrected."""
_HAVE_TO_SAY_WHY = ("correct", "skip", "compensate", "hand_over")


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("What waits for a person, and deciding it.")
    command(
        group,
        "list",
        example=["fairlead exceptions list", "fairlead exceptions list --owner finance_systems"],
    )(list_)
    command(group, "show", example="fairlead exceptions show 006WX0000012AbCYAU/gate.legal_entity/1")(show)
    command(
        group,
        "resolve",
        example=[
            "fairlead exceptions resolve 006WX0000012AbCYAU --retry",
            "fairlead exceptions resolve 006WX0000012AbCYAU/gate.legal_entity/1 "
            "--correct contract.billing_entity=DE01 --reason 'signed by DE01, see contract'",
            "fairlead exceptions resolve 006WX0000012AbCYAU --hand-over finance_systems --reason tax",
        ],
    )(resolve)
    app.add_typer(group, name="exceptions", rich_help_panel="People decide")


async def list_(
    session: Session,
    owner: Annotated[str | None, typer.Option(help="Only those of this owner group.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
) -> None:
    """Open exceptions, the one due first at the top."""
    from cli.board import owner_group

    store = await session.store()
    found = await store.attention.list(state=None if all else "open", owner=owner_group(owner), limit=limit)
    shown = {"count": len(found), "exceptions": [item.model_dump(mode="json") for item in found]}

    def draw(console: "Console") -> None:
        if not found:
            console.print("Nothing waits for a person." if not all else "There was no exception yet.")
            return
        for item in found:
            console.print(views.item(item))
        console.print("Everything about one: fairlead exceptions show ID", style="dim")

    session.out.show(shown, draw)


async def show(
    session: Session,
    id: Annotated[str, typer.Argument(metavar="ID|DEAL", show_default=False)],
) -> None:
    """One exception: what failed, on what, its evidence, its story, and the commands that settle it."""
    item = await _item(session, id)
    entries = [
        entry for entry in await (await session.store()).audit.list(item.process) if item.id in entry.key
    ]
    shown = {
        "exception": item.model_dump(mode="json"),
        "story": [entry.model_dump(mode="json") for entry in entries],
        "commands": _commands(item),
    }
    session.out.show(shown, lambda console: _draw_item(console, item, entries))


async def resolve(
    session: Session,
    id: Annotated[str, typer.Argument(metavar="ID|DEAL", show_default=False)],
    retry: Annotated[bool, typer.Option("--retry", help="Try again now.")] = False,
    correct: Annotated[
        list[str] | None,
        typer.Option("--correct", metavar="PATH=VALUE", help="Set a field right and try again. Repeatable."),
    ] = None,
    skip: Annotated[bool, typer.Option("--skip", help="Go on without it.")] = False,
    compensate: Annotated[
        bool, typer.Option("--compensate", help="Undo everything, in every system.")
    ] = False,
    hand_over: Annotated[
        str | None, typer.Option("--hand-over", metavar="GROUP", help="Another group owns it from now on.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; needed for all but --retry.")] = "",
) -> None:
    """Decide about an exception; the process goes on where it stood.

    Skips, and corrections of money, take effect when a second person has approved them.
    """
    action, payload = _wanted(retry, correct or [], skip, compensate, hand_over)
    if action in _HAVE_TO_SAY_WHY and not reason.strip():
        raise usage("--reason is missing.", "Say why in a few words; it is kept with the decision.")
    item = await _item(session, id)
    if item.state == "resolved":
        raise refused(
            f"{item.id} is resolved: {item.resolution}.", "`fairlead exceptions list` shows the open ones."
        )
    allowed = [one.value for one in item.actions]
    if action not in allowed:
        raise refused(
            f"{views.spoken(action)} is not possible for {item.id}.",
            f"Possible: {', '.join(views.spoken(one) for one in allowed)}.",
        )
    if action == "correct":
        _check_correction(item, payload)
    roles = (*([item.skip_role] if action == "skip" and item.skip_role else []), *people.DECIDERS)
    actor = people.acting(session, roles, f"{views.spoken(action)} an exception")
    if item.error_class == "PoisonEvent":
        await _retry_event(session, item, action)
        return
    if item.error_class == "UndeliveredEvents":
        await outbox.retry_deliveries(session, item, action, actor.email)
        return
    decision, answer = await decide(
        session, actor, action, item.process, target=item.id, reason=reason.strip(), payload=payload
    )
    await _show_decided(session, item, decision, answer)


# -- finding ----------------------------------------------------------------------------------------


async def _item(session: Session, id: str) -> "AttentionItem":
    """By its id, by the part of it after the firm, or by a deal that has just one open exception."""
    store = await session.store()
    item = await store.attention.get(id)
    if item is not None:
        return item
    fitting = [one for one in await store.attention.list(limit=MOST) if _means(one, id)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(views.short_id(one) for one in fitting)
        raise usage(f"{id} has {len(fitting)} open exceptions.", f"Name one of: {ids}.")
    ended = [one for one in await store.attention.list(state=None, limit=MOST) if views.short_id(one) == id]
    if ended:
        return ended[-1]
    raise not_found(f"There is no open exception {id!r}.", "`fairlead exceptions list` shows them.")


def _means(item: "AttentionItem", text: str) -> bool:
    deal = item.process.rpartition("/")[2]
    return text in (views.short_id(item), item.process, deal, f"{deal}/{item.step}")


# -- deciding ---------------------------------------------------------------------------------------


def _wanted(
    retry: bool, correct: list[str], skip: bool, compensate: bool, hand_over: str | None
) -> "tuple[DecisionAction, dict[str, str]]":
    """The one action that was chosen, with its payload checked. Raises `Stop`."""
    chosen: list[DecisionAction] = []
    chosen += ["retry"] if retry else []
    chosen += ["correct"] if correct else []
    chosen += ["skip"] if skip else []
    chosen += ["compensate"] if compensate else []
    chosen += ["hand_over"] if hand_over is not None else []
    if len(chosen) != 1:
        raise usage(
            "Choose what to do." if not chosen else f"Choose one of {', '.join(map(views.spoken, chosen))}.",
            "One of --retry, --correct PATH=VALUE, --skip, --compensate, --hand-over GROUP.",
        )
    if correct:
        return "correct", pairs(correct, "--correct")
    if hand_over is not None:
        from cli.board import owner_group

        return "hand_over", {"owner": owner_group(hand_over) or ""}
    return chosen[0], {}


def _check_correction(item: "AttentionItem", payload: dict[str, str]) -> None:
    """Raises `Stop` for a path or value that the process does not take; nothing is written for it."""
    from domain import corrections

    check = _check_day if item.process.partition("/")[0] in _DOCUMENTS else corrections.check
    for path, value in payload.items():
        try:
            check(path, value)
        except ValueError as error:
            raise refused(f"{error}. Nothing was decided.") from None


def _check_day(path: str, value: str) -> None:
    """A bill is corrected by its entries and its contract; of its own it has only its day."""
    if path != "dated":
        raise ValueError(f"{path} of a bill cannot be corrected: change its entries or contract, or dated")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"dated = {value!r} is no day: write it like 2026-12-01") from None


async def _retry_event(session: Session, item: "AttentionItem", action: str) -> None:
    """An event that nobody could apply has no process: it is dispatched again like a new one."""
    if action != "retry":
        raise refused(
            f"{item.id} is an event without a process: it can only be tried again.",
            "Use --retry after the cure; it closes by itself when the event goes through.",
        )
    count = await (await session.store()).inbox.replay([item.process])
    if not count:
        raise not_found(f"The event {item.process} is no longer in the inbox.", "Its source sends it again.")
    shown = {"event": item.process, "replayed": count}
    session.out.show(
        shown, lambda console: console.print(f"Event {item.process} will be dispatched again.", style="green")
    )


async def _show_decided(session: Session, item: "AttentionItem", decision: "Decision", answer: str) -> None:
    now = await (await session.store()).attention.get(item.id)
    waits = now is not None and now.state == "awaiting_second_person" and decision.id in now.resolution
    roles = second_roles(item.skip_role if decision.action == "skip" else None)
    if decision.action == "skip" and item.skip_role and decision.role != item.skip_role:
        roles = (item.skip_role,)
    who = people.able(session.firm, roles, besides=decision.actor) if waits else []
    approval = f"fairlead approve {decision.id} --as {who[0] if who else 'EMAIL'}"
    shown = document(decision, answer) | {"needs_second_person": waits}
    if waits:
        shown |= {"second_person_may_be": who, "second_person_command": approval}

    def draw(console: "Console") -> None:
        console.print(plain(f"{answer[:1].upper()}{answer[1:]}."), style="green")
        if waits:
            console.print(plain("It takes effect when a second person agrees:"), style="yellow")
            console.print(plain(f"  {approval}"), soft_wrap=True)
            console.print(plain(f"Able to: {', '.join(who) or 'nobody in the firm file'}"), style="dim")
        else:
            console.print(plain(f"See how it goes on: fairlead watch {_key(item)}"), style="dim")

    session.out.show(shown, draw)


# -- drawing ----------------------------------------------------------------------------------------


def _key(item: "AttentionItem") -> str:
    return item.process.rpartition("/")[2]


def _commands(item: "AttentionItem") -> list[str]:
    """What settles the exception, ready to be completed."""
    field = next((f.field for f in item.findings), "PATH")
    forms = {
        "retry": "--retry",
        "correct": f"--correct {field}=VALUE --reason TEXT",
        "skip": "--skip --reason TEXT",
        "compensate": "--compensate --reason TEXT",
        "hand_over": "--hand-over GROUP --reason TEXT",
    }
    if item.state == "resolved":
        return []
    return [views.resolve_command(item, forms[action.value]) for action in item.actions]


def _draw_item(console: "Console", item: "AttentionItem", entries: "list[AuditEntry]") -> None:
    console.print(views.item(item))
    facts: list[tuple[str, Any]] = [("Process", plain(item.process)), ("Step", plain(item.step))]
    facts += [("Class", item.error_class), ("Systems", ", ".join(item.systems))]
    facts += [("Raised", local_time(item.raised_at)), ("Skip by", (item.skip_role or "").replace("_", " "))]
    facts += [(name.capitalize(), plain(value)) for name, value in item.facts.items()]
    console.print(fields(facts))
    if entries:
        console.print(views.title("Story"))
        rows = table("When", "What", "Why")
        for entry in entries:
            rows.add_row(local_time(entry.at), plain(entry.what), plain(entry.why))
        console.print(rows)
    commands = _commands(item)
    if commands:
        console.print(views.title("What you can do"))
        for line in commands:
            console.print(plain(f"  {line}"), soft_wrap=True)
