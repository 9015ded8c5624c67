"""`fairlead prebill`: what is collected for an invoice, and what its project manager makes of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from cli import people, prebill_screens, prebill_sheet
from cli.billing_keys import (
    REVIEWABLE,
    amount_of,
    find_contract,
    find_entry,
    given,
    invoices_meant,
    named,
    only_one,
    open_invoice,
    short,
)
from cli.command import command, new_group
from cli.context import Session
from cli.decisions import decide
from cli.exit_codes import refused, usage
from cli.people import Actor
from cli.project_billing import BILLERS
from cli.seconding import show_decided

if TYPE_CHECKING:
    from domain.attention import DecisionAction
    from domain.billable import Billable
    from domain.invoice_state import InvoiceRow
    from domain.money import Money
    from domain.project_contract import ProjectContract

ENTRY = Annotated[str, typer.Argument(help="Key of the entry, as `show` prints it.", show_default=False)]
REASON = Annotated[str, typer.Option(help="Why; kept with the decision.", show_default=False)]
INVOICE = Annotated[
    str | None, typer.Option("--invoice", help="Of which pre-bill, where the project has several.")
]
CODE = Annotated[str, typer.Option(help="Reason code, one word such as quality.", show_default=False)]
AMOUNT = Annotated[
    str, typer.Argument(help="By how much, above zero, in the contract's currency.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("What is collected for an invoice, reviewed before it is priced.")
    command(group, "list", example=["fairlead prebill list", "fairlead prebill list --project DE01-7K3QXW"])(
        list_
    )
    command(group, "show", example="fairlead prebill show DE01-7K3QXW")(show)
    command(
        group,
        "hold",
        example="fairlead prebill hold kantata:time:1234 --reason 'rework, not billable yet' --as EMAIL",
    )(hold)
    command(group, "unhold", example="fairlead prebill unhold kantata:time:1234 --as EMAIL")(unhold)
    command(
        group,
        "write-down",
        example="fairlead prebill write-down kantata:time:1234 150.00 --code quality "
        "--reason 'agreed with the customer' --as EMAIL",
    )(write_down)
    command(
        group,
        "write-up",
        example="fairlead prebill write-up kantata:time:1234 40.00 --code rush --reason 'weekend' --as EMAIL",
    )(write_up)
    command(
        group,
        "transfer",
        example="fairlead prebill transfer kantata:time:1234 --to DE01-9M2ABC --line 1 "
        "--reason 'booked on the wrong project' --as EMAIL",
    )(transfer)
    command(
        group,
        "narrative",
        example="fairlead prebill narrative kantata:time:1234 'Data migration, second run' --as EMAIL",
    )(narrative)
    command(group, "release", example="fairlead prebill release DE01-7K3QXW --as EMAIL")(release)
    app.add_typer(group, name="prebill", rich_help_panel="Billing")


async def list_(
    session: Session,
    project: Annotated[str | None, typer.Option(help="Only this project.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
) -> None:
    """Pre-bills that wait for their project manager, the one due first at the top."""
    from cli.prebill_waiting import waiting

    found = await waiting(session, project=project)
    document = {"count": len(found[:limit]), "total": len(found), "prebills": found[:limit]}
    session.out.show(document, lambda console: prebill_screens.draw_list(console, found[:limit], len(found)))


async def show(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="PROJECT|INVOICE", show_default=False)],
) -> None:
    """A pre-bill with its entries by contract line: rate and value as far as rated, held, above a cap.

    Of a project without a bill on its way it shows what the next one would collect today.
    """
    fitting = [row for row in await invoices_meant(session, key) if not row.credits]
    row = only_one(key, fitting) if _means_invoice(key, fitting) else None
    contract = await find_contract(session, row.project if row else key)
    document = prebill_sheet.document(await prebill_sheet.sheet(session, contract, row))
    session.out.show(document, lambda console: prebill_screens.draw_sheet(console, document))


def _means_invoice(key: str, fitting: "list[InvoiceRow]") -> bool:
    """A project whose bills are all done is asked for its next one."""
    return any(row.stage in (*REVIEWABLE, "drafted") or row.project != key for row in fitting)


# -- entries ----------------------------------------------------------------------------------------


async def hold(session: Session, entry: ENTRY, reason: REASON, invoice: INVOICE = None) -> None:
    """Take an entry off the bill until it is unheld."""
    why = given(reason, "--reason")
    found = await find_entry(session, entry)
    if found.held:
        raise refused(
            f"Entry {found.key} is held already: {found.hold_reason or 'no reason kept'}.",
            f"Let it be billed with `fairlead prebill unhold {found.key}`.",
        )
    await _change(session, found, "hold_entry", reason=why, invoice=invoice)


async def unhold(
    session: Session,
    entry: ENTRY,
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    invoice: INVOICE = None,
) -> None:
    """Put a held entry back on the bill of its project."""
    found = await find_entry(session, entry)
    if not found.held:
        raise refused(
            f"Entry {found.key} is not held.",
            f"See `fairlead prebill show {found.project}` for those that are.",
        )
    await _change(session, found, "release_entry", reason=reason.strip(), invoice=invoice)


async def write_down(session: Session, entry: ENTRY, amount: AMOUNT, code: CODE, reason: REASON) -> None:
    """Bill an entry for less. Revenue changes, cost never; above a limit a second person agrees."""
    await _reprice(session, entry, "write_down", amount, code, reason)


async def write_up(session: Session, entry: ENTRY, amount: AMOUNT, code: CODE, reason: REASON) -> None:
    """Bill an entry for more. Revenue changes, cost never; above a limit a second person agrees."""
    await _reprice(session, entry, "write_up", amount, code, reason)


async def transfer(
    session: Session,
    entry: ENTRY,
    to: Annotated[str, typer.Option("--to", metavar="PROJECT", help="Where it belongs.", show_default=False)],
    line: Annotated[int, typer.Option(help="Contract line there.", min=1, show_default=False)],
    reason: REASON,
    invoice: INVOICE = None,
) -> None:
    """Move an entry to another project, where its next bill collects it."""
    why = given(reason, "--reason")
    found = await find_entry(session, entry)
    target = await find_contract(session, to)
    try:
        there = target.line(line)
    except KeyError as error:
        lines = ", ".join(f"{one.number} {one.name}" for one in target.lines) or "none"
        raise refused(f"{str(error.args[0]).capitalize()}.", f"It has: {lines}.") from None
    if (found.project, found.line) == (target.project, there.number):
        raise refused(f"Entry {found.key} is on line {there.number} of {target.project} already.")
    payload = {"project": target.project, "line": str(there.number)}
    await _change(session, found, "transfer", reason=why, payload=payload, invoice=invoice)


async def narrative(
    session: Session,
    entry: ENTRY,
    text: Annotated[str, typer.Argument(help="What the customer reads.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    invoice: INVOICE = None,
) -> None:
    """Say otherwise what was done, in the words the customer reads."""
    payload = {"narrative": given(text, "TEXT")}
    found = await find_entry(session, entry)
    await _change(session, found, "edit_narrative", reason=reason.strip(), payload=payload, invoice=invoice)


async def release(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="INVOICE|PROJECT", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
) -> None:
    """Let a pre-bill be priced and billed as it stands now."""
    row = await open_invoice(session, key)
    contract = await find_contract(session, row.project)
    actor = reviewer(session, contract, f"release the pre-bill of {row.project}")
    decision, answer = await decide(
        session, actor, "release_prebill", row.id, target=row.id, reason=reason.strip()
    )
    await show_decided(session, decision, answer, after=f"fairlead invoice show {short(row)}")


# -- deciding ---------------------------------------------------------------------------------------


async def _reprice(
    session: Session, key: str, action: "DecisionAction", amount: str, code: str, reason: str
) -> None:
    why, word = given(reason, "--reason"), _code(code)
    entry = await find_entry(session, key)
    contract = await find_contract(session, entry.project)
    change = amount_of(amount, contract.currency, "AMOUNT")
    if action == "write_down":
        _within_value(session, contract, entry, change)
    limit = contract.terms.write_down_limit
    above = limit is not None and (limit.currency != change.currency or limit < change)
    await _change(
        session,
        entry,
        action,
        reason=why,
        payload={"amount": str(change.amount), "reason_code": word},
        second=f"{change} is above the limit of {limit} for one person" if above else "",
    )


def _within_value(session: Session, contract: "ProjectContract", entry: "Billable", change: "Money") -> None:
    """Raises `Stop` for a write-down of more than the entry is worth."""
    from cli.billing_reads import valued

    value = valued(session, contract, [entry]).valued.values.get(entry.key)
    if value is not None and value < change:
        raise refused(
            f"Entry {entry.key} is worth {value}: it cannot be written down by {change}.",
            "Write down no more than its value, or hold it.",
        )


async def _change(
    session: Session,
    entry: "Billable",
    action: "DecisionAction",
    *,
    reason: str = "",
    payload: Mapping[str, str] | None = None,
    invoice: str | None = None,
    second: str = "",
) -> None:
    """One decision on one entry, sent to the invoice that has it or collects its project's work."""
    row = await _invoice_of(session, entry, invoice)
    contract = await find_contract(session, row.project)
    actor = reviewer(session, contract, f"review the pre-bill of {row.project}")
    decision, answer = await decide(
        session, actor, action, row.id, target=entry.key, reason=reason, payload=payload
    )
    await show_decided(session, decision, answer, second=second, after=f"fairlead prebill show {short(row)}")


async def _invoice_of(session: Session, entry: "Billable", invoice: str | None) -> "InvoiceRow":
    if entry.invoice:
        row = await open_invoice(session, entry.invoice)
        if invoice is not None and (await open_invoice(session, invoice)).id != row.id:
            raise usage(f"Entry {entry.key} is on {named(row)}, not on {invoice}.", "Leave --invoice out.")
        return row
    row = await open_invoice(session, invoice or entry.project)
    if row.project != entry.project:
        raise usage(f"{named(row)} is of {row.project}, entry {entry.key} of {entry.project}.")
    return row


def reviewer(session: Session, contract: "ProjectContract", what: str) -> Actor:
    """Who reviews: the contract's project manager, else somebody who may decide. Raises `Stop`."""
    from domain.access import Function

    email, manager = people.person(session), contract.terms.project_manager
    people.allowed(session, Function.DECIDE, what)
    if email and email.casefold() == manager.casefold():
        return Actor(manager, "project_manager")
    return people.acting(session, BILLERS, what)


def _code(text: str) -> str:
    word = text.strip()
    if not word or not word.replace("-", "").replace("_", "").isalnum():
        raise usage(f"--code {text!r} is no code.", "Write one word, such as quality, goodwill or rush.")
    return word
