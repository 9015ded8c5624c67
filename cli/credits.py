"""`fairlead invoice credit` and `rebill`: what was posted is taken back by a credit note, never deleted."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import people
from cli.billing_keys import IN_LEDGER, amount_of, find_contract, find_invoice, given, named, short
from cli.command import command
from cli.context import Session
from cli.exit_codes import refused, usage
from cli.keys import web_address
from cli.output import address, counted, fields, plain
from cli.project_billing import BILLERS

if TYPE_CHECKING:
    from rich.console import Console

    from domain.billing_process import CreditInput
    from domain.invoice_state import InvoiceRow
    from domain.rules.credited import Credit

KEY = Annotated[str, typer.Argument(metavar="INVOICE|NUMBER|PROJECT", show_default=False)]
REASON = Annotated[
    str,
    typer.Option(metavar="billing_error|concession", help="Decides the books.", show_default=False),
]
TEXT = Annotated[str, typer.Option(help="Why, in words; kept, and on the document.", show_default=False)]
ENTRIES = Annotated[
    str, typer.Option(metavar="KEY,KEY", help="Only these entries and events, by name.", show_default=False)
]
_REASONS = ("billing_error", "concession")
_LIVE = ("priced", "approved", "posted", "paid")
"""Stages in which a credit note uses what is left of its invoice."""


def register(group: typer.Typer) -> None:
    """Add the commands of this file to `fairlead invoice`."""
    command(
        group,
        "credit",
        example=[
            "fairlead invoice credit INV-1042 --reason concession --amount 500.00 --text 'late' --as EMAIL",
            "fairlead invoice credit INV-1042 --reason billing_error --entries kantata:time:1,kantata:time:2 "
            "--text 'wrong project' --as EMAIL",
        ],
    )(credit)
    command(
        group,
        "rebill",
        example="fairlead invoice rebill INV-1042 --text 'wrong purchase order' --as EMAIL",
    )(rebill)


async def credit(
    session: Session,
    key: KEY,
    reason: REASON,
    text: TEXT,
    entries: ENTRIES = "",
    amount: Annotated[
        str, typer.Option(help="A price reduction, net; releases no entry.", show_default=False)
    ] = "",
) -> None:
    """Credit a posted invoice: whole, of named entries, or by an amount. A second person approves it.

    A billing error releases what it names to be billed again; a concession lowers the price.
    """
    await _ask(session, key, reason, text, entries, amount, rebill=False)


async def rebill(
    session: Session,
    key: KEY,
    text: TEXT,
    entries: ENTRIES = "",
) -> None:
    """Credit a posted invoice as a billing error, and bill what is released again on a new one."""
    await _ask(session, key, "billing_error", text, entries, "", rebill=True)


async def _ask(
    session: Session, key: str, reason: str, text: str, entries: str, amount: str, *, rebill: bool
) -> None:
    from domain.billing_process import CreditInput, credit_id

    _known_reason(reason)
    why = given(text, "--text")
    named_entries = _entries(entries)
    if named_entries and amount:
        raise usage(
            "Give --entries or --amount, not both.", "An amount lowers the price and releases nothing."
        )
    row = await find_invoice(session, key)
    _in_ledger(row)
    actor = people.acting(session, BILLERS, "credit an invoice")
    contract = await find_contract(session, row.project)
    less = amount_of(amount, contract.currency, "--amount") if amount else None
    request = CreditInput(
        firm=session.firm.id,
        invoice=row.id,
        reason=reason,
        reason_text=why,
        requested_by=actor.email,
        entries=named_entries,
        amount=less,
        rebill=rebill,
        correlation=row.id,
    )
    own = credit_id(session.firm.id, request)
    made = await (await session.store()).billing.invoice(own)
    if made is not None and made.stage in IN_LEDGER:
        raise refused(
            f"This credit note is made already: {named(made)}.",
            f"See it: fairlead invoice show {short(made)}",
        )
    await _start(session, row, request, await _expected(session, row, request, own))


def _known_reason(reason: str) -> None:
    if reason == "uncollectible":
        raise refused(
            "What cannot be collected is no reason for a credit note: the claim stands.",
            "It is written off by an allowance in the books.",
        )
    if reason not in _REASONS:
        raise usage(f"There is no reason {reason!r}.", f"There are {' and '.join(_REASONS)}.")


def _entries(text: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in text.split(",")) if text.strip() else ()
    if any(not key for key in keys) or len(set(keys)) != len(keys):
        raise usage(f"--entries {text!r} names an entry twice, or none.", "Write keys with commas: K1,K2.")
    return keys


def _in_ledger(row: "InvoiceRow") -> None:
    """Raises `Stop` for what cannot be credited: a draft, a credit note, what is credited in full."""
    if row.credits:
        raise refused(f"{named(row)} is a credit note itself: it is not credited again.")
    if row.stage == "credited":
        raise refused(f"{named(row)} is credited in full already.", f"fairlead invoice show {short(row)}")
    if row.stage not in IN_LEDGER:
        raise refused(
            f"{named(row)} is {row.stage}, not posted: there is nothing to credit.",
            "Until it is posted its review can change it, or its exception compensate it.",
        )


async def _expected(session: "Session", row: "InvoiceRow", request: "CreditInput", own: str) -> "Credit":
    """What the credit comes to by rule 13, so that a wrong one is refused before anything starts.

    `own` is the id of this very credit note: asked for before, it does not stand in its own way.
    """
    from cli.billing_reads import today
    from domain.crediting import credit_of_request
    from domain.rules.credited import CreditRefused

    rows = await (await session.store()).billing.documents(row.project)
    notes = [note for note in rows if note.credits == row.id and note.stage in _LIVE and note.id != own]
    try:
        return credit_of_request(request, row, notes, max(today(), row.dated or today()))
    except CreditRefused as error:
        raise refused(f"{error}.", f"What is left: fairlead invoice show {short(row)}") from None


async def _start(session: Session, row: "InvoiceRow", request: "CreditInput", expected: "Credit") -> None:
    import asyncio

    from workflows.shared.start import start_credit

    client = await session.client()
    async with asyncio.timeout(30):
        started = await start_credit(client, session.settings, request, project=row.project)
    able = people.able(session.firm, people.APPROVERS, besides=request.requested_by)
    id = started.workflow_id.rpartition("/")[2]
    approval = f"fairlead invoice approve {id} --reason TEXT --as {able[0] if able else 'EMAIL'}"
    document = {
        "answer": "joined" if started.joined else "started",
        "credit": started.workflow_id,
        "invoice": row.id,
        "number": row.number,
        "reason": request.reason,
        "net": expected.net,
        "tax": expected.tax,
        "gross": expected.gross,
        "releases": list(expected.released),
        "rebill": request.rebill,
        "requested_by": request.requested_by,
        "needs_second_person": True,
        "second_person_may_be": able,
        "second_person_command": approval,
        "web_ui": web_address(session.settings, started.workflow_id),
    }
    session.out.show(document, lambda console: _draw(console, document))


def _draw(console: "Console", document: dict[str, Any]) -> None:
    asked = {"started": "is asked for", "joined": "was asked for already; this is the same one"}
    console.print(f"A credit note {asked[document['answer']]}.", style="green")
    releases = len(document["releases"])
    again = ", billed again on a new invoice" if document["rebill"] else ""
    console.print(
        fields(
            [
                ("Credits", plain(f"{document['number']}, {document['reason'].replace('_', ' ')}")),
                ("Net, tax, gross", f"{document['net']}, {document['tax']}, {document['gross']}"),
                (
                    "Releases",
                    f"{counted(releases, 'entry or event', 'entries and events')}{again}"
                    if releases
                    else "nothing",
                ),
                ("Process", plain(document["credit"])),
            ]
        )
    )
    address(console, "Web UI         ", document["web_ui"])
    console.print("\nIt is posted when a second person approves it:", style="yellow")
    console.print(plain(f"  {document['second_person_command']}"), soft_wrap=True)
    able = ", ".join(document["second_person_may_be"]) or "nobody in the firm file"
    console.print(plain(f"Able to: {able}"), style="dim")
