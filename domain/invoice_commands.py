"""From an invoice in our store to the commands that make it one in every system. Pure."""

import re
from collections.abc import Collection, Sequence

from domain.billable import Billable
from domain.billing_commands import (
    CreditInvoice,
    DraftInvoice,
    DraftLine,
    MarkBilling,
    PostInvoice,
    RecordBilling,
)
from domain.invoice_state import InvoiceRow, PricedInvoice
from domain.money import Money, total
from domain.project_contract import ProjectContract

_DAYS = re.compile(r"[0-9]+")
_LIVE = ("posted", "paid")


def draft(row: InvoiceRow, contract: ProjectContract) -> DraftInvoice:
    """The draft of a priced invoice. Raises `ValueError` for one that is not priced or not dated."""
    priced = priced_of(row)
    if row.dated is None:
        raise ValueError(f"invoice {row.id} has no date")
    return DraftInvoice(
        invoice=row.id,
        entity=row.entity,
        customer_external_id=contract.erp_customer,
        project_external_id=contract.erp_project,
        project_key=contract.erp_project_key,
        currency=priced.currency,
        dated=row.dated,
        payment_terms=contract.terms.payment_terms,
        customer_po=contract.customer_po.number if contract.customer_po else "",
        service_from=row.service_from,
        service_to=row.service_to,
        lines=tuple(line.line for line in priced.lines),
        note="; ".join(dict.fromkeys(tax.words for tax in priced.taxes if tax.words)),
    )


def posting(row: InvoiceRow, external_id: str) -> PostInvoice:
    """The posting, with the approval that stands for exactly these lines."""
    return PostInvoice(
        invoice_external_id=external_id,
        entity=row.entity,
        approval=row.approval,
        approved_by=row.approved_by,
    )


def billing_record(
    row: InvoiceRow,
    entries: Sequence[Billable],
    contract: ProjectContract,
    credits: Sequence[InvoiceRow] = (),
) -> RecordBilling:
    """What the PSA is told of a posted invoice: entries by their ids there, the rest as one amount.

    With posted `credits` to it, what is left of it.
    """
    priced = priced_of(row)
    if row.dated is None:
        raise ValueError(f"invoice {row.id} has no date")
    keys = {entry.key for entry in entries}
    net = priced.net - total([priced_of(credit).net for credit in credits], priced.currency)
    back = [carried_by(priced_of(credit), keys) for credit in credits]
    other = net - (carried_by(priced, keys) - total(back, priced.currency))
    return RecordBilling(
        invoice=row.id,
        project_external_id=contract.psa_project,
        currency=priced.currency,
        number=row.number,
        erp_external_id=row.external_id,
        dated=row.dated,
        payment_days=payment_days(contract.terms.payment_terms),
        net=net,
        time_entry_ids=tuple(entry.external_id for entry in entries if entry.kind == "time"),
        expense_ids=tuple(entry.external_id for entry in entries if entry.kind == "expense"),
        other=other if other.amount else None,
        other_text=", ".join(
            dict.fromkeys(line.line.description for line in priced.lines if line.line.kind != "time")
        )[:200],
    )


def carried_by(priced: PricedInvoice, keys: Collection[str]) -> Money:
    """What entries and events carry of an invoice or credit note."""
    shares = [share.net for line in priced.lines for share in line.shares if share.key in keys]
    return total(shares, priced.currency)


def deal_billing(contract: ProjectContract, newest: InvoiceRow, invoiced: Money) -> MarkBilling:
    """What the CRM is told: net of all live invoices of the deal, and the newest document."""
    if newest.dated is None:
        raise ValueError(f"invoice {newest.id} has no date")
    return MarkBilling(
        deal_external_id=contract.deal,
        last_invoice=newest.number,
        invoiced=invoiced,
        invoiced_on=newest.dated,
    )


def invoiced(rows: Sequence[InvoiceRow], currency: str) -> Money:
    """Net of posted invoices less posted credit notes; one that is credited whole no longer counts."""
    gone = {row.id for row in rows if row.stage == "credited"}
    nets = [
        -row.priced.net if row.credits else row.priced.net
        for row in rows
        if row.priced is not None and row.stage in _LIVE and row.credits not in gone
    ]
    return total(nets, currency)


def credit_note(row: InvoiceRow, credited: InvoiceRow, contract: ProjectContract, text: str) -> CreditInvoice:
    """The credit note `row` to the posted invoice `credited`. Amounts have the invoice's sign."""
    priced = priced_of(row)
    if row.dated is None or row.credit_reason is None:
        raise ValueError(f"credit note {row.id} has no date or no reason")
    lines: tuple[DraftLine, ...] = tuple(line.line for line in priced.lines)
    return CreditInvoice(
        credit=row.id,
        invoice_external_id=credited.external_id,
        entity=row.entity,
        customer_external_id=contract.erp_customer,
        project_external_id=contract.erp_project,
        currency=priced.currency,
        dated=row.dated,
        reason=row.credit_reason,
        reason_text=text,
        full=priced.net == priced_of(credited).net,
        lines=lines,
    )


def priced_of(row: InvoiceRow) -> PricedInvoice:
    if row.priced is None:
        raise ValueError(f"invoice {row.id} is not priced")
    return row.priced


def payment_days(terms: str) -> int:
    """`Net 30` is 30 days; terms without a number are due at once."""
    found = _DAYS.search(terms)
    return int(found.group()) if found else 0
