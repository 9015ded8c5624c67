"""`fairlead bill` and `fairlead billing`: bill a project now, see its billing, hold, release and close it."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import people
from cli.command import command, new_group
from cli.context import Session
from cli.decisions import decide, document, require_running
from cli.exit_codes import ExitCode, usage
from cli.output import fields, local_time, plain, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from domain.attention import Decision, DecisionAction
    from domain.project_processes import ProjectBillingView, StartedInvoice

_PANEL = "Deals and projects"
BILLERS = ("billing_lead", *people.DECIDERS)
"""Roles that may steer the billing of a project."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    examples = ["fairlead bill DE01-7K3QXW --as EMAIL", "fairlead bill DE01-7K3QXW --until 2027-01-15 --json"]
    command(app, "bill", example=examples, panel=_PANEL)(bill)
    group = new_group("The billing of a project: see, hold, release, close.")
    command(group, "show", example="fairlead billing show DE01-7K3QXW")(show)
    said = "--reason 'disputed milestone' --as EMAIL"
    command(group, "hold", example=f"fairlead billing hold DE01-7K3QXW {said}")(hold)
    command(group, "release", example="fairlead billing release DE01-7K3QXW --as EMAIL")(release)
    command(group, "close", example="fairlead billing close DE01-7K3QXW --reason delivered --as EMAIL")(close)
    app.add_typer(group, name="billing", rich_help_panel=_PANEL)


Project = Annotated[str, typer.Argument(metavar="PROJECT", help="Number of the project.", show_default=False)]
Why = Annotated[str, typer.Option(help="Why; kept with the decision.", show_default=False)]


async def bill(
    session: Session,
    project: Project,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Bill work up to this day; today without it.", show_default=False),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
) -> int:
    """Bill a project now: what is due, what was left over, and approved work of the month that runs.

    Nothing is billed twice: what is on an invoice stays there, whoever asks and however often.
    """
    payload = {"until": _day(until).isoformat()} if until else {}
    decision, answer = await _steer(session, project, "bill_now", "bill a project", reason, payload)
    view = await _view(session, project)
    started = [one for one in view.recent if one.decision == decision.id]
    found = {**document(decision, answer), "started": [one.model_dump(mode="json") for one in started]}
    session.out.show(found, lambda console: _draw_started(console, started, answer))
    return ExitCode.REFUSED if answer.startswith("nothing was started") else ExitCode.OK


async def show(session: Session, project: Project) -> None:
    """Where the billing of a project stands: stage, what waits, what was started last, what is wrong."""
    view = await _view(session, project)
    session.out.show(view.model_dump(mode="json"), lambda console: _draw(console, view))


async def hold(session: Session, project: Project, reason: Why) -> None:
    """Hold the billing: nothing starts until it is released; what falls due waits in its order."""
    await _say(session, project, "hold", "hold the billing of a project", _given(reason))


async def release(
    session: Session,
    project: Project,
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
) -> None:
    """Release a hold: what fell due meanwhile is billed in its order."""
    await _say(session, project, "release", "release the billing of a project", reason)


async def close(session: Session, project: Project, reason: Why) -> None:
    """Begin the final account: last bills, then what was held back, then the rest of an advance."""
    await _say(session, project, "close", "close the billing of a project", _given(reason))


# -- inside -------------------------------------------------------------------------------------------


def billing_id(session: Session, project: str) -> str:
    """Workflow id of the billing of `project`. Raises `Stop` for text that is no project number."""
    from domain.identity import process_key
    from domain.project_processes import BILLING

    number = project.rpartition("/")[2]
    try:
        return process_key(BILLING, session.firm.id, number)
    except ValueError:
        raise usage(
            f"{project!r} is no project number: letters, digits, '.', '_', ':' and '-' only.",
            "`fairlead status --all` lists the projects.",
        ) from None


async def _steer(
    session: Session,
    project: str,
    action: "DecisionAction",
    what: str,
    reason: str,
    payload: dict[str, str] | None = None,
) -> "tuple[Decision, str]":
    actor = people.acting(session, BILLERS, what)
    return await decide(session, actor, action, billing_id(session, project), reason=reason, payload=payload)


async def _say(session: Session, project: str, action: "DecisionAction", what: str, reason: str) -> None:
    decision, answer = await _steer(session, project, action, what, reason)

    def draw(console: "Console") -> None:
        console.print(plain(f"{answer[:1].upper()}{answer[1:]}."), style="green")

    session.out.show(document(decision, answer), draw)


async def _view(session: Session, project: str) -> "ProjectBillingView":
    from domain.project_processes import ProjectBillingView

    id = billing_id(session, project)
    await require_running(session, id)
    client = await session.client()
    view: ProjectBillingView = await client.get_workflow_handle(id).query(
        "status", result_type=ProjectBillingView
    )
    return view


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise usage(f"--until {text!r} is no day.", "Write it as YYYY-MM-DD, such as 2027-01-15.") from None


def _given(reason: str) -> str:
    if not reason.strip():
        raise usage("--reason is empty.", "Say why in a few words; it is kept with the decision.")
    return reason.strip()


def _draw_started(console: "Console", started: "list[StartedInvoice]", answer: str) -> None:
    if not started:
        console.print(plain(f"{answer[:1].upper()}{answer[1:]}."))
        return
    console.print(_invoices(started))
    console.print("Each goes through its review on its own: fairlead worklist billing", style="dim")


def _invoices(started: "list[StartedInvoice]") -> Any:
    rows = table("Invoice", "For", "Amount", "Started", right=("Amount",))
    for one in started:
        amount = str(one.amount) if one.amount else "when priced"
        kind = one.kind.replace("_", " ")
        rows.add_row(plain(one.invoice), plain(f"{kind} {one.event}"), amount, local_time(one.at))
    return rows


def _draw(console: "Console", view: "ProjectBillingView") -> None:
    console.print(
        fields(
            [
                ("Project", plain(f"{view.project} of {view.entity}")),
                ("Stage", state(view.stage)),
                ("On hold", plain(view.hold_reason or "yes") if view.on_hold else "no"),
                ("Contract", plain(f"revision {view.revision}")),
                ("Due until", plain(str(view.through or "not looked yet"))),
                ("Looks again", local_time(view.next_at) if view.next_at else "no more"),
            ]
        )
    )
    if view.pending:
        rows = table("Waits for the release", "Due", "Amount", right=("Amount",))
        for one in view.pending:
            rows.add_row(plain(one.key), str(one.due_on), str(one.amount or "when priced"))
        console.print(rows)
    if view.recent:
        console.print(_invoices(list(view.recent)))
    for item in view.attention:
        console.print(plain(f"! {item.headline}: {item.detail}"), style="red")
