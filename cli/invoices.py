"""`fairlead invoice`: bills on their way and in the ledger, approving them."""

from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from cli import credits, invoice_screens, people
from cli.billing_keys import find_contract, find_invoice, given, named, short
from cli.command import command, new_group
from cli.context import Session
from cli.decisions import decide
from cli.exit_codes import refused, usage
from cli.invoice_standing import approval, standings
from cli.keys import MOST
from cli.seconding import show_decided

if TYPE_CHECKING:
    from cli.people import Actor
    from domain.invoice_state import InvoiceRow, InvoiceStage
    from domain.project_contract import ProjectContract

KEY = Annotated[
    str,
    typer.Argument(
        metavar="INVOICE|NUMBER|PROJECT",
        help="Id or its last part, ERP number, or project.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("Bills on their way and in the ledger.")
    command(
        group,
        "list",
        example=["fairlead invoice list --stage posted", "fairlead invoice list --customer Nordwind"],
    )(list_)
    command(group, "show", example=["fairlead invoice show INV-1042", "fairlead invoice show DE01-7K3QXW"])(
        show
    )
    command(
        group,
        "approve",
        example="fairlead invoice approve DE01-7K3QXW --reason 'checked against the contract' "
        "--as controller@fairlead.example",
    )(approve)
    command(
        group,
        "reject",
        example="fairlead invoice reject DE01-7K3QXW --reason 'two days are of another project' --as EMAIL",
    )(reject)
    credits.register(group)
    app.add_typer(group, name="invoice", rich_help_panel="Billing")


async def list_(
    session: Session,
    project: Annotated[str | None, typer.Option(help="Only of this project.", show_default=False)] = None,
    stage: Annotated[str | None, typer.Option(help="Such as priced or posted.", show_default=False)] = None,
    customer: Annotated[
        str | None, typer.Option(help="Only of this customer: id, or part of the name.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
) -> None:
    """Invoices and credit notes, last changed first."""
    asked = _stage(stage)
    if project is not None:
        project = (await find_contract(session, project)).project
    billing = (await session.store()).billing
    rows = await billing.invoices(project=project, stage=asked, limit=MOST)
    names = {number: await billing.contract(number) for number in {row.project for row in rows}}
    chosen = [row for row in rows if _is_of(row, names[row.project], customer)]
    standing = await standings(session, chosen[:limit])
    lines = [_line(row, names[row.project], standing[row.id]) for row in chosen[:limit]]
    document = {"count": len(lines), "total": len(chosen), "invoices": lines}
    session.out.show(document, lambda console: invoice_screens.draw_list(console, lines, len(chosen)))


async def show(session: Session, key: KEY) -> None:
    """One invoice: lines, taxes, totals, findings, approval, and what the ERP made of it."""
    from cli.invoice_sheet import sheet

    row = await find_invoice(session, key)
    document = await sheet(session, row, await find_contract(session, row.project))
    session.out.show(document, lambda console: invoice_screens.draw_sheet(console, document))


async def approve(
    session: Session,
    key: KEY,
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.", show_default=False)],
    content: Annotated[
        str, typer.Option(metavar="HASH", help="Approve only what `show` printed as its content.")
    ] = "",
) -> None:
    """Approve exactly the lines as they are now; who made them does not approve them.

    A later change of any line voids it.
    """
    row, actor, approved = await _to_decide(session, key, reason, "approve an invoice")
    if actor.email.casefold() in approved["made_by"]:
        others = ", ".join(approved["may_approve"]) or "nobody else has the role"
        raise refused(
            f"{actor.email} made {named(row)}, or changed a line of it: another person approves it.",
            f"Ask one of: {others}.",
        )
    if not approved["content_hash"].startswith(content.strip()):
        raise refused(
            f"{named(row)} was changed since it was shown: its content is {approved['content_hash'][:12]}, "
            f"not {content.strip()}.",
            f"Look at it again: fairlead invoice show {short(row)}",
        )
    decision, answer = await decide(
        session,
        actor,
        "approve",
        row.id,
        target=row.id,
        reason=reason.strip(),
        payload={"content_hash": approved["content_hash"]},
    )
    await show_decided(session, decision, answer, after=f"fairlead invoice show {short(row)}")


async def reject(
    session: Session,
    key: KEY,
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.", show_default=False)],
) -> None:
    """Send an invoice back to its review instead of approving it."""
    row, actor, approved = await _to_decide(session, key, reason, "reject an invoice")
    decision, answer = await decide(
        session,
        actor,
        "reject",
        row.id,
        target=row.id,
        reason=reason.strip(),
        payload={"content_hash": approved["content_hash"]},
    )
    await show_decided(session, decision, answer, after=f"fairlead prebill show {short(row)}")


async def _to_decide(
    session: Session, key: str, reason: str, what: str
) -> "tuple[InvoiceRow, Actor, dict[str, Any]]":
    """The invoice that waits for an approval, who decides, and how its approval stands. Raises `Stop`."""
    given(reason, "--reason")
    row = await find_invoice(session, key)
    actor = people.acting(session, people.APPROVERS, what)
    standing = (await standings(session, [row]))[row.id]
    if row.priced is None or row.stage not in ("collected", "priced"):
        raise refused(
            f"{named(row)} is {standing} and waits for no approval.",
            f"See how it stands: fairlead invoice show {short(row)}",
        )
    contract = await find_contract(session, row.project)
    return row, actor, await approval(session, row, contract)


def _stage(stage: str | None) -> "InvoiceStage | None":
    from domain.invoice_state import InvoiceStage

    known = get_args(InvoiceStage)
    if stage is not None and stage not in known:
        raise usage(f"There is no stage {stage!r}.", f"There are {', '.join(known)}.")
    return stage  # type: ignore[return-value]


def _is_of(row: "InvoiceRow", contract: "ProjectContract | None", customer: str | None) -> bool:
    if customer is None or row.customer == customer:
        return True
    return contract is not None and customer.casefold() in contract.customer_name.casefold()


def _line(row: "InvoiceRow", contract: "ProjectContract | None", standing: str) -> dict[str, Any]:
    priced = row.priced
    return {
        "invoice": row.id,
        "number": row.number,
        "project": row.project,
        "entity": row.entity,
        "customer": row.customer,
        "customer_name": contract.customer_name if contract else "",
        "service_from": row.service_from,
        "service_to": row.service_to,
        "dated": row.dated,
        "due_on": row.due_on,
        "net": priced.net if priced else None,
        "gross": priced.gross if priced else None,
        "stage": row.stage,
        "standing": standing,
        "credits": row.credits,
        "updated_at": row.updated_at,
    }
