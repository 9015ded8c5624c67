"""`fairlead worklist`: what people open each morning, by what they do in the firm."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import people, staffing_screens, worklist_screens
from cli.command import command
from cli.context import Session
from cli.exit_codes import usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    _Gather = Callable[[Session, str | None], Awaitable[dict[str, Any]]]

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(
        app,
        "worklist",
        example=[
            "fairlead worklist project-manager --for mara.weiss@fairlead.example",
            "fairlead worklist billing",
            "fairlead worklist staffing --json",
        ],
        panel="Billing",
    )(worklist)


async def worklist(
    session: Session,
    role: Annotated[
        str, typer.Argument(metavar="ROLE", help="project-manager, billing or staffing.", show_default=False)
    ],
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="EMAIL", help="Whose; else who acts, else everybody's.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many of each kind.", min=1)] = _SHOWN,
) -> None:
    """What waits for you: of a project manager pre-bills, held and refused work, burn; of billing what is
    ready, held or blocked and why, approvals, exceptions, purchase orders, intake problems; of staffing
    unanswered demand with who could take it, the bench of four weeks, what HR and PSA do not agree on.
    """
    name = role.strip().lower().replace("_", "-").replace(" ", "-")
    if name not in _LISTS:
        raise usage(
            f"There is no work list {role!r}.",
            f"There are {', '.join(list(_LISTS)[:-1])} and {list(_LISTS)[-1]}.",
        )
    gather, draw = _LISTS[name]
    person = (for_ or people.person(session)).strip() or None
    document = {"worklist": name, "for": person, **await gather(session, person)}
    cut = _cut(document, limit)
    session.out.show(cut, lambda console: draw(console, cut))


async def _project_manager(session: Session, person: str | None) -> dict[str, Any]:
    from cli.worklist_manager import gather

    return await gather(session, person)


async def _billing(session: Session, person: str | None) -> dict[str, Any]:
    from cli.worklist_billing import gather

    return await gather(session)


async def _staffing(session: Session, person: str | None) -> dict[str, Any]:
    from cli.worklist_staffing import gather

    return await gather(session)


_LISTS: "dict[str, tuple[_Gather, Callable[..., None]]]" = {
    "project-manager": (_project_manager, worklist_screens.draw_manager),
    "billing": (_billing, worklist_screens.draw_billing),
    "staffing": (_staffing, staffing_screens.draw_staffing),
}


def _cut(document: dict[str, Any], limit: int) -> dict[str, Any]:
    """Each list cut to `limit`, with how many there are in `totals`."""
    totals = {name: len(value) for name, value in document.items() if isinstance(value, list)}
    return {name: value[:limit] if isinstance(value, list) else value for name, value in document.items()} | {
        "totals": totals
    }
