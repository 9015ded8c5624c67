"""`fairlead systems`: the systems of the firm, and whether they answer with our credentials."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command, new_group
from cli.context import Session
from cli.exit_codes import ExitCode, not_found
from cli.output import plain, state, table

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("The firm's systems.")
    command(group, "list", example="fairlead systems list")(list_)
    command(group, "check", example=["fairlead systems check", "fairlead systems check netsuite"])(check)
    app.add_typer(group, name="systems", rich_help_panel="Systems and events")


async def list_(session: Session) -> None:
    """Systems of the firm's file: vendor, roles, address, task queue and limits."""
    from composition import roles_of

    firm = session.firm
    systems: list[dict[str, Any]] = [
        {
            "system": name,
            "vendor": section.vendor,
            "roles": roles_of(firm, name),
            "address": section.base_url,
            "task_queue": session.settings.queue(firm.task_queue(name)),
            "max_in_flight": section.max_in_flight,
            "commit_limit_seconds": section.commit_limit.total_seconds(),
        }
        for name, section in firm.systems.items()
    ]

    def draw(console: "Console") -> None:
        rows = table(
            "System", "Roles", "Address", "Task queue", "In flight", fold=("Address",), right=("In flight",)
        )
        for one in systems:
            limit = str(one["max_in_flight"] or "")
            rows.add_row(one["system"], ", ".join(one["roles"]), one["address"], one["task_queue"], limit)
        console.print(rows)
        console.print(plain(f"From {firm.file}"), style="dim")

    session.out.show({"firm": firm.id, "file": firm.file, "systems": systems}, draw)


async def check(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", show_default=False)] = None,
) -> int:
    """Ask each system, with our credentials, for everything a process will need. Writes nothing.

    Ends with 7 when an ability is missing.
    """
    import asyncio

    known = session.firm.systems
    if name is not None and name not in known:
        raise not_found(
            f"There is no system {name!r} in {session.firm.file}.", f"There are {', '.join(known)}."
        )
    names = [name] if name is not None else list(known)
    results = await asyncio.gather(*(_checked(session, one) for one in names))
    lines = [line for result in results for line in result]
    ok = all(line["ok"] for line in lines)

    def draw(console: "Console") -> None:
        rows = table("System", "", "Ability", "Detail", fold=("",))
        for line in lines:
            mark = state("ok") if line["ok"] else state("failed")
            rows.add_row(line["system"], mark, plain(line["name"]), plain(line["detail"]))
        console.print(rows)
        missing = sum(not line["ok"] for line in lines)
        console.print("All abilities are there." if ok else f"{missing} of {len(lines)} checks failed.")

    session.out.show({"ok": ok, "checks": lines}, draw)
    return ExitCode.OK if ok else ExitCode.CHECK_FAILED


async def _checked(session: Session, name: str) -> list[dict[str, Any]]:
    """One line per ability; a system that cannot be asked at all is one failed line."""
    from connectors.errors import ConnectorError

    try:
        found = await (await session.system(name)).check()
    except ConnectorError as error:
        where = session.firm.systems[name].base_url
        detail = f"{error.message} ({error.kind}, {where})"
        return [{"system": name, "name": "answers", "ok": False, "detail": detail}]
    return [{"system": name, "name": one.name, "ok": one.ok, "detail": one.detail} for one in found]
