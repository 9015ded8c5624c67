"""`fairlead procurement`: what suppliers were asked for on a project, and how far each line is."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import command
from cli.context import Session
from cli.decisions import require_running
from cli.exit_codes import usage
from cli.output import fields, local_time, plain, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from domain.procurement_process import ProcurementLine, ProcurementView


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    examples = ["fairlead procurement DE01-7K3QXW", "fairlead procurement DE01-7K3QXW --json"]
    command(app, "procurement", example=examples, panel="Deals and projects")(procurement)


async def procurement(
    session: Session,
    project: Annotated[
        str, typer.Argument(metavar="PROJECT", help="Number of the project.", show_default=False)
    ],
) -> None:
    """The purchases of a project: each line of a supplier with requisition, order, amount, state, since when.

    What a person has to decide is shown below; decide with `fairlead exceptions resolve`. Take everything
    back with `fairlead cancel procurement/FIRM/PROJECT`.
    """
    from cli.process_view import ask
    from domain.procurement_process import ProcurementView

    id = _process(session, project)
    await require_running(session, id)
    view: ProcurementView = await ask(session, id, ProcurementView)
    session.out.show(view.model_dump(mode="json"), lambda console: _draw(console, view))


def _process(session: Session, project: str) -> str:
    """Its workflow id. Raises `Stop` for text that is no project number."""
    from domain.identity import process_key
    from domain.procurement_process import PROCUREMENT

    try:
        return process_key(PROCUREMENT, session.firm.id, project.rpartition("/")[2])
    except ValueError:
        raise usage(
            f"{project!r} is no project number: letters, digits, '.', '_', ':' and '-' only.",
            "`fairlead status --all` lists the projects.",
        ) from None


def _draw(console: "Console", view: "ProcurementView") -> None:
    console.print(
        fields(
            [
                ("Project", plain(f"{view.project} of {view.entity}" if view.entity else view.project)),
                ("System", plain(view.system or "none: requisitions are made by hand")),
                ("Stage", state(view.stage)),
                ("Looks again", local_time(view.next_at) if view.next_at else "when something changes"),
            ]
        )
    )
    drawn = table("Line", "Supplier", "Requisition", "Order", "Amount", "State", "Since", right=("Amount",))
    for line in view.lines:
        drawn.add_row(
            plain(f"{line.ref} {line.name}"),
            plain(line.supplier_id or line.supplier),
            plain(line.requisition_number),
            plain(line.order_number),
            _amount(line),
            state(line.state),
            local_time(line.since) if line.since else "",
        )
    console.print(drawn)
    for line in view.lines:
        if line.dropped:
            console.print(plain(f"Line {line.ref} is not wanted any more: {line.dropped}"), style="dim")
    for item in view.attention:
        console.print(plain(f"! {item.headline}: {item.detail}"), style="red")
        console.print(plain(f"  {item.id}"), style="dim")


def _amount(line: "ProcurementLine") -> str:
    return str(line.amount) if line.amount else ""
