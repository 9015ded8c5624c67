"""Between the commands of billing and NetSuite's transactions. Pure: ids arrive resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.netsuite.mapping import total_text
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import CreditMemo, Invoice, ItemLine, Sale
from domain.billing_commands import (
    CreditInvoice,
    DraftInvoice,
    DraftLine,
    PostInvoice,
    PostJournal,
    ReceivePayment,
)
from domain.books import InvoiceFactLine, InvoiceFacts, InvoiceState
from domain.commands import canonical_text
from domain.identity import content_hash, short_key
from domain.money import Money

Body = dict[str, Any]
PENDING, APPROVED, REJECTED = ({"id": code} for code in "123")
INVOICE_STATES: Mapping[str, InvoiceState] = {
    "A": "open",
    "B": "paid",
    "D": "draft",
    "E": "rejected",
    "V": "void",
}
CREDIT_STATES: Mapping[str, InvoiceState] = {"A": "open", "B": "paid", "V": "void"}
"""A credit memo is paid when all of it is applied."""


@dataclass(frozen=True, slots=True)
class LineReferences:
    """Internal ids that lines need: items by kind of line, tax codes by our code."""

    items: Mapping[str, str]
    taxes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """What internal ids of a transaction stand for."""

    currency: str
    entity: str
    period: str = ""


def draft_body(
    settings: NetSuiteSettings,
    command: DraftInvoice,
    key: str,
    lines: LineReferences,
    *,
    currency: str,
    terms: str,
) -> Body:
    """An invoice that waits for approval: no number that counts, no impact."""
    body: Body = {
        "entity": {"id": command.customer_external_id},
        "job": {"id": command.project_external_id},
        "subsidiary": {"externalId": settings.subsidiary_of(command.entity)},
        "currency": {"id": currency},
        "tranDate": command.dated,
        "startDate": command.service_from,
        "endDate": command.service_to,
        "approvalStatus": PENDING,
        "item": line_items(settings, command.lines, lines),
        settings.transaction_key_field: key,
    }
    if terms:
        body["terms"] = {"id": terms}
    if command.customer_po:
        body["otherRefNum"] = command.customer_po
    if command.note:
        body["memo"] = command.note
    return body


def line_items(settings: NetSuiteSettings, lines: Sequence[DraftLine], refs: LineReferences) -> Body:
    """The item sublist; quantity and price are shown where both are known, the amount is what counts."""
    return {"items": [_line_item(settings, line, refs) for line in lines]}


def _line_item(settings: NetSuiteSettings, line: DraftLine, refs: LineReferences) -> Body:
    item: Body = {"item": {"id": refs.items[line.kind]}}
    if line.quantity is not None and line.unit_price is not None:
        item |= {"quantity": line.quantity, "rate": line.unit_price}
    item |= {"amount": line.net.amount, "description": line.description, settings.line_ref_field: line.ref}
    if line.tax_code:
        item[settings.tax_code_field] = {"id": refs.taxes[line.tax_code]}
    return item


def posting_body(settings: NetSuiteSettings, command: PostInvoice, key: str) -> Body:
    """Approval with who gave it: it posts the invoice and gives it its number."""
    body: Body = {"approvalStatus": APPROVED, settings.post_key_field: key}
    if command.approval:
        body[settings.approval_field] = command.approval
    if command.approved_by:
        body[settings.approver_field] = command.approved_by
    return body


def rejection_body(settings: NetSuiteSettings, reason: str, key: str) -> Body:
    return {"approvalStatus": REJECTED, settings.post_key_field: key, settings.reason_field: reason}


def credit_body(settings: NetSuiteSettings, command: CreditInvoice, key: str, lines: LineReferences) -> Body:
    """Credit memo of an invoice: the whole one as it is, or lines of our own, with the invoice's rate."""
    reason = f"{command.reason.replace('_', ' ')}: {command.reason_text}".removesuffix(": ")
    body: Body = {
        "tranDate": command.dated,
        "memo": reason,
        settings.reason_field: reason,
        settings.transaction_key_field: key,
    }
    return body if command.full else body | {"item": line_items(settings, command.lines, lines)}


def payment_body(settings: NetSuiteSettings, command: ReceivePayment, key: str, account: str) -> Body:
    body: Body = {
        "payment": command.amount.amount,
        "tranDate": command.received_on,
        settings.transaction_key_field: key,
    }
    if command.reference:
        body["memo"] = command.reference
    return body | ({"account": {"id": account}} if account else {})


def journal_body(
    settings: NetSuiteSettings, command: PostJournal, key: str, currency: str, accounts: Mapping[str, str]
) -> Body:
    """Journal entry, approved: `accounts` are ids by role."""
    body: Body = {
        "subsidiary": {"externalId": settings.subsidiary_of(command.entity)},
        "currency": {"id": currency},
        "tranDate": command.posted_on,
        "memo": command.text,
        "approvalStatus": APPROVED,
        settings.transaction_key_field: key,
        "line": {"items": [_journal_line(line, accounts) for line in command.lines]},
    }
    if command.reverse_on:
        body |= {"reversalDate": command.reverse_on, "reversalDefer": False}
    return body


def _journal_line(line: Any, accounts: Mapping[str, str]) -> Body:
    shown: Body = {"account": {"id": accounts[line.account]}}
    for side in ("debit", "credit"):
        amount = getattr(line, side)
        if amount is not None:
            shown[side] = amount.amount
    if line.memo:
        shown["memo"] = line.memo
    if line.project_external_id:
        shown["entity"] = {"id": line.project_external_id}
    return shown


# ---- what NetSuite shows


def draft_fields(invoice: Invoice, currency: str) -> dict[str, str]:
    return {"net": total_text(invoice.net, currency), "line_count": str(len(invoice.item.items))}


def posting_fields(invoice: Invoice) -> dict[str, str]:
    return {"posted": canonical_text(invoice.posted)}


def credit_fields(memo: CreditMemo, currency: str) -> dict[str, str]:
    return {"net": total_text(memo.net, currency)}


def invoice_facts(settings: NetSuiteSettings, invoice: Invoice, names: Names) -> InvoiceFacts:
    """An invoice as it stands. `credited` is not among its states: that takes its credit memos."""
    posted = invoice.posted
    open_amount = Money.of(invoice.remaining if posted else 0, names.currency)
    return _facts(settings, invoice, names, INVOICE_STATES[invoice.status.id], 1).with_changes(
        open_amount=open_amount,
        due_on=invoice.due_on,
        schedule_external_id=invoice.schedule.id if invoice.schedule else "",
    )


def credit_facts(settings: NetSuiteSettings, memo: CreditMemo, names: Names) -> InvoiceFacts:
    """A credit memo as it stands: NetSuite's positive amounts are negative here."""
    return _facts(settings, memo, names, CREDIT_STATES[memo.status.id], -1).with_changes(
        open_amount=Money.of(-memo.unapplied, names.currency),
        credits=memo.created_from.id if memo.created_from else "",
    )


def _facts(
    settings: NetSuiteSettings, sale: Sale, names: Names, state: InvoiceState, sign: int
) -> InvoiceFacts:
    def money(amount: Decimal) -> Money:
        return Money.of(sign * amount, names.currency)

    def line(each: ItemLine) -> InvoiceFactLine:
        ref = each.custom(settings.line_ref_field)
        return InvoiceFactLine(ref=ref, description=each.description, net=money(each.amount))

    return InvoiceFacts(
        external_id=sale.id,
        number=sale.tran_id,
        state=state,
        entity=names.entity,
        customer_external_id=sale.entity.id,
        project_external_id=sale.job.id if sale.job else "",
        currency=names.currency,
        net=money(sale.net),
        tax=money(sale.tax),
        gross=money(sale.gross),
        open_amount=Money.zero(names.currency),
        dated=sale.dated,
        period=names.period,
        lines=tuple(line(each) for each in sale.item.items),
        key=effect_key_of(settings, sale),
        version=content_hash(sale.model_dump_json())[:16],
    )


def effect_key_of(settings: NetSuiteSettings, sale: Sale) -> str:
    """Our effect key, if the external id is the short form of the one in the key field."""
    key = sale.custom(settings.transaction_key_field)
    return key if key and short_key(key) == sale.external_id else ""
