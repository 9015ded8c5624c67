"""`fairlead audit`: who did what and why, and the proof that nobody changed it afterwards."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command, new_group
from cli.context import Session
from cli.exit_codes import ExitCode
from cli.keys import find
from cli.output import counted, local_time, plain, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from store.ports import AuditEntry

ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("Who did what and why, tamper-evident.")
    command(group, "show", example="fairlead audit show 006WX0000012AbCYAU")(show)
    command(group, "verify", example=["fairlead audit verify all", "fairlead audit verify DE01-7K3QXW"])(
        verify
    )
    app.add_typer(group, name="audit", rich_help_panel="Evidence")


async def show(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="DEAL|PROJECT|PROCESS", show_default=False)],
) -> None:
    """The audit entries of one process, in the order of their chain."""
    target = await find(session, key)
    entries = await (await session.store()).audit.list(target.id)
    document = {"process": target.id, "entries": [entry.model_dump(mode="json") for entry in entries]}
    session.out.show(document, lambda console: _draw(console, entries))


async def verify(
    session: Session,
    key: Annotated[
        str, typer.Argument(metavar="DEAL|PROJECT|PROCESS|all", help="One process, or all of them.")
    ] = ALL,
) -> int:
    """Check the chain of entries: names the first edit, removal or swap. Ends with 7 when there is one."""
    process = None if key == ALL else (await find(session, key)).id
    checked, faults = await (await session.store()).audit.verify(process)
    document: dict[str, Any] = {
        "verified": process or ALL,
        "ok": not faults,
        "entries": checked,
        "faults": [fault.model_dump(mode="json", exclude={"schema_version"}) for fault in faults],
    }

    def draw(console: "Console") -> None:
        if not faults:
            console.print(
                f"{counted(checked, 'entry', 'entries')} checked, every chain is whole.", style="green"
            )
            return
        console.print(f"{checked} entries checked, {len(faults)} chains are broken:", style="bold red")
        for fault in faults:
            console.print(plain(f"  {fault.process}, entry {fault.number}: {fault.problem}"))

    session.out.show(document, draw)
    return ExitCode.CHECK_FAILED if faults else ExitCode.OK


def _draw(console: "Console", entries: "Sequence[AuditEntry]") -> None:
    rows = table("No", "When and who", "What and why", right=("No",))
    for entry in entries:
        what = f"{entry.what} · {entry.outcome.replace('_', ' ')}" if entry.outcome else entry.what
        what = "\n".join(part for part in (what, entry.why, entry.after) if part)
        rows.add_row(
            str(entry.number),
            plain(f"{local_time(entry.at, seconds=True)}\n{entry.actor}"),
            plain(what.replace(f"{entry.process}/", "")),
        )
    console.print(rows)
    console.print(f"{counted(len(entries), 'entry', 'entries')}. Proof: fairlead audit verify", style="dim")
