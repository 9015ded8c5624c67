"""Commands that wake a process of an account and may stay until it has answered: what they share."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from cli.context import Session
from cli.keys import web_address
from cli.process_view import ask
from domain.attention import AttentionItem

_EVERY = 0.4
"""Seconds between two looks."""


class Woken(Protocol):
    """What the view of such a process says."""

    @property
    def wanted(self) -> int: ...
    @property
    def served(self) -> int: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def attention(self) -> tuple[AttentionItem, ...]: ...
    @property
    def last(self) -> Any:
        """The work that was finished last, with `started_at`, `ended_at` and `counts`."""


V = TypeVar("V", bound=Woken)


def started(session: Session, system: str, process: str) -> dict[str, Any]:
    """What there is to say without staying."""
    return {"system": system, "process": process, "web_ui": web_address(session.settings, process)}


async def followed(session: Session, process: str, kind: type[V], line: Callable[[V], str]) -> V:
    """The process when it has answered every wake so far, or waits for a person; `line` tells meanwhile."""
    view: V = await ask(session, process, kind)
    wanted, told = view.wanted, ""
    while view.served < wanted and not view.blocked:
        if line(view) != told:
            told = line(view)
            session.out.note(told)
        await asyncio.sleep(_EVERY)
        view = await ask(session, process, kind)
    return view


def ended(view: Woken) -> dict[str, Any]:
    """How it stands after staying, and the work it finished unless a person is waited for."""
    said: dict[str, Any] = {"blocked": view.blocked, "attention": [item.id for item in view.attention]}
    if view.last is not None and not view.blocked:
        last = view.last
        said |= {"started_at": last.started_at, "ended_at": last.ended_at, "counts": last.counts}
    return said
