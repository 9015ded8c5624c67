"""From what a person types (id, number, project, entry) to the invoice, contract or entry that is meant."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.exit_codes import not_found, refused, usage
from cli.keys import MOST

if TYPE_CHECKING:
    from cli.context import Session
    from domain.billable import Billable
    from domain.invoice_state import InvoiceRow
    from domain.money import Money
    from domain.project_contract import ProjectContract

OPEN = ("collected", "priced", "approved", "drafted")
"""Stages of an invoice on its way."""
REVIEWABLE = ("collected", "priced", "approved")
"""Stages in which its lines can still change."""
IN_LEDGER = ("posted", "paid", "credited")


async def find_contract(session: "Session", project: str) -> "ProjectContract":
    """The contract a project is billed by. Raises `Stop`."""
    billing = (await session.store()).billing
    contract = await billing.contract(project) or await billing.contract(project.upper())
    if contract is None:
        raise not_found(
            f"Project {project!r} has no contract here: it is not activated, or its billing has not begun.",
            "`fairlead report burn` names the projects that have one; `fairlead status` shows what runs.",
        )
    return contract


async def find_entry(session: "Session", key: str) -> "Billable":
    """The entry called `key`. Raises `Stop`."""
    entry = await (await session.store()).billing.entry(key)
    if entry is None:
        raise not_found(
            f"There is no entry {key!r}.",
            "`fairlead prebill show PROJECT` lists them; a key looks like kantata:time:1234.",
        )
    return entry


async def find_invoice(session: "Session", key: str) -> "InvoiceRow":
    """The invoice or credit note meant by a process id, its last part, the ERP's number, or a project.

    Raises `Stop`: unknown, or several fit, with all of them named.
    """
    fitting = await invoices_meant(session, key)
    if not fitting:
        raise not_found(
            f"There is no invoice {key!r}: neither a process id, its last part, an ERP number nor a project.",
            "`fairlead invoice list` shows them.",
        )
    return only_one(key, fitting)


async def invoices_meant(session: "Session", key: str) -> "Sequence[InvoiceRow]":
    """All that `key` may mean; of a project those on their way, else all of it."""
    billing = (await session.store()).billing
    for id in _ids(session, key):
        row = await billing.invoice(id)
        if row is not None:
            return [row]
    of_project = await billing.invoices(project=key, limit=MOST)
    if of_project:
        return [row for row in of_project if row.stage in OPEN] or of_project
    known = await billing.invoices(limit=MOST)
    return [row for row in known if key.casefold() in (short(row).casefold(), row.number.casefold())]


async def open_invoice(session: "Session", key: str) -> "InvoiceRow":
    """The invoice meant, whose lines can still change. Raises `Stop`."""
    fitting = await invoices_meant(session, key)
    waiting = [row for row in fitting if row.stage in REVIEWABLE and not row.credits]
    if not waiting and all(row.project == key and row.stage in IN_LEDGER for row in fitting):
        contract = await find_contract(session, key)
        raise refused(
            f"No pre-bill of {contract.project} waits: nothing of it is being billed now.",
            f"`fairlead prebill show {contract.project}` has what the next bill will collect.",
        )
    if not waiting:
        row = fitting[0]
        raise refused(
            f"{named(row)} is {row.stage}: its lines can no longer be changed.",
            f"What was posted is corrected by `fairlead invoice credit {short(row)}`."
            if row.stage in IN_LEDGER
            else "`fairlead prebill list` shows what waits.",
        )
    return only_one(key, waiting)


def only_one(key: str, fitting: "Sequence[InvoiceRow]") -> "InvoiceRow":
    """Raises `Stop` that names all candidates."""
    if len(fitting) > 1:
        lines = "; ".join(f"{short(row)} ({row.number or row.stage}, {row.service_to})" for row in fitting)
        raise usage(f"{key} may mean {len(fitting)} invoices.", f"Name one of: {lines}.")
    return fitting[0]


def short(row: "InvoiceRow") -> str:
    """The last part of its id, which every command takes."""
    return row.id.rpartition("/")[2]


def named(row: "InvoiceRow") -> str:
    """How it is spoken of."""
    kind = "Credit note" if row.credits else "Invoice"
    return f"{kind} {row.number or short(row)}"


def amount_of(text: str, currency: str, option: str) -> "Money":
    """An amount above zero in `currency`. Raises `Stop` for other text, sign or decimals."""
    from domain.money import Money, MoneyError

    try:
        amount = Money.of(text, currency)
    except MoneyError as error:
        raise usage(f"{option} {text!r}: {error}.", f"Write it like 1250.00; it is in {currency}.") from None
    if amount.amount <= 0:
        raise usage(f"{option} is given above zero, not as {amount}.", "The command says which way it goes.")
    return amount


def given(text: str, option: str) -> str:
    """`text` without blanks at its ends. Raises `Stop` when nothing is left."""
    if not text.strip():
        raise usage(f"{option} is empty.", "Say it in a few words; it is kept with the decision.")
    return text.strip()


def _ids(session: "Session", key: str) -> list[str]:
    from domain.billing_process import CREDIT, INVOICE, invoice_id

    if key.startswith((f"{INVOICE}/", f"{CREDIT}/")):
        return [key]
    try:
        return [invoice_id(session.firm.id, key), f"{CREDIT}/{session.firm.id}/{key}"]
    except ValueError:
        return []
