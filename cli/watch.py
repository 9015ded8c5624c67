"""`fairlead watch`: one process, live, until it is finished or waits for a person."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import views
from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode
from cli.keys import Target, find, web_address
from cli.output import address, fields, plain, state, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from cli.process_view import Standing

_EVERY = 0.4
"""Seconds between two looks: a person does not see more, and a worker answers without notice."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(
        app,
        "watch",
        example=["fairlead watch 006WX0000012AbCYAU", "fairlead watch DE01-7K3QXW --once --json"],
        panel="Deals and projects",
    )(watch)


async def watch(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="DEAL|PROJECT|PROCESS", show_default=False)],
    once: Annotated[bool, typer.Option("--once", help="Look once instead of following it.")] = False,
) -> int:
    """Follow a process: gates, steps, exceptions and records as they come.

    On a terminal it stays while a person is waited for, and goes on when they have decided. Otherwise, and
    with --json, it ends as soon as a person is needed, with exit code 6.
    """
    return await follow(session, key, once=once)


async def follow(session: Session, key: str, *, once: bool) -> int:
    """Show the process until it has ended or, off a terminal, waits for a person; the exit code."""
    import asyncio

    if session.out.live and not once:
        return await _live(session, key)
    now = await _look(session, key)
    stage = ""
    while not once and now.open and not now.waits_for_person and now.other is None:
        if now.view is not None and now.view.stage != stage:
            stage = now.view.stage
            session.out.note(f"{stage} …")
        await asyncio.sleep(_EVERY)
        now = await _look(session, key)
    session.out.show(now.document(), lambda console: _draw(console, session, now))
    return ending(now)


def ending(now: "Standing") -> int:
    return ExitCode.WAITING if now.waits_for_person else ExitCode.OK


async def _look(session: Session, key: str) -> "Standing":
    """As it stands. Looked up anew each time: the end is in the store, whatever Temporal forgets."""
    from cli.process_view import standing

    target = await find(session, key)
    return await standing(session, target)


async def _live(session: Session, key: str) -> int:
    import asyncio

    from rich.live import Live

    now = await _look(session, key)
    with Live(_frame(now), auto_refresh=False, vertical_overflow="crop") as live:
        while now.open and now.other is None:
            await asyncio.sleep(_EVERY)
            now = await _look(session, key)
            live.update(_frame(now), refresh=True)
    address(session.out.console, "Web UI", web_address(session.settings, now.id))
    return ExitCode.OK


def _frame(now: "Standing") -> "RenderableType":
    """One picture of the moving view; the last one is the whole."""
    return views.moving(now.view) if now.view is not None and now.open else drawn(now)


def drawn(now: "Standing") -> "RenderableType":
    """The process, and what a person can do next."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if now.result is not None:
        parts.append(views.result(now.result, now.id, now.title))
    elif now.view is not None:
        parts.append(views.activation(now.view, now.id))
    elif now.other is not None:
        parts.append(_other(now))
    hints = [f"fairlead trace {Target(now.id, None).business_key}"]
    if now.view is not None and now.view.attention:
        hints.insert(0, f"fairlead exceptions show {views.short_id(now.view.attention[0])}")
    parts.append(Text("\nNext  " + "\n      ".join(hints), style="dim"))
    return Group(*parts)


def _draw(console: "Console", session: Session, now: "Standing") -> None:
    console.print(drawn(now))
    address(console, "Web UI", web_address(session.settings, now.id))


def _other(now: "Standing") -> "RenderableType":
    """What any process says of itself: its facts, its steps, and what waits for whom."""
    from rich.console import Group

    said = now.other or {}
    rows = [("Process", plain(now.id)), ("State", plain("open" if now.open else "ended"))]
    rows += [(name.replace("_", " ").capitalize(), plain(text)) for name, text in _facts(said)]
    parts: list[RenderableType] = [fields(rows)]
    steps = [step for step in said.get("steps", []) if isinstance(step, dict)]
    if steps:
        shown = table("Step", "System", "State", "Detail", fold=("Detail",))
        for step in steps:
            shown.add_row(
                plain(step.get("label", "")),
                plain(step.get("system", "")),
                state(step.get("state", "")),
                plain(step.get("detail", "")),
            )
        parts.append(shown)
    for item in said.get("attention", []):
        parts.append(plain(f"\nWaits for {item.get('person', '')}: {item.get('headline', '')}"))
    return Group(*parts)


def _facts(said: "dict[str, Any]") -> "Iterator[tuple[str, str]]":
    """What is said in one word or one sum; lists have a place of their own."""
    for name, value in said.items():
        if name == "schema_version" or value in ("", None, [], {}):
            continue
        if isinstance(value, dict) and {"amount", "currency"} <= set(value):
            yield name, f"{value['amount']} {value['currency']}"
        elif not isinstance(value, dict | list):
            yield name, str(value)
