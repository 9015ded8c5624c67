"""Credit notes: the whole of an open invoice by Tryton's own wizard, anything else by lines of its own.

The wizard credits, posts, cancels the invoice and settles both in one transaction, but takes no key: the
credit note is known by the invoice it cancelled, and gets its key right after. A credit note with lines of
its own is drafted under the key, posted, and counted as payment of the invoice: each step is found again.
"""

from typing import Any

from connectors.errors import Ambiguous, Conflict, Rejected
from connectors.http.landed import landed
from connectors.tryton import notes
from connectors.tryton.drafts import Drafts
from connectors.tryton.invoices import MODEL, Invoices
from connectors.tryton.models import Invoice
from connectors.tryton.posting import Posting
from domain.billing_commands import CreditInvoice, DraftLine
from domain.commands import Record

WIZARD = "account.invoice.credit"


class Credits:
    """`CreditInvoice` for one database."""

    def __init__(self, invoices: Invoices, drafts: Drafts, posting: Posting) -> None:
        self._invoices = invoices
        self._records = invoices.records
        self._drafts = drafts
        self._posting = posting

    async def find(self, command: CreditInvoice, key: str) -> Record | None:
        """The credit note, when nothing is left to be done for it."""
        operation = f"look up credit note {command.credit}"
        credit = await self._standing(command, key, operation)
        if credit is None or not credit.posted:
            return None
        invoice = await self._invoices.need(command.invoice_external_id, operation)
        if credit.reference != key or self._is_to_apply(invoice, credit):
            return None
        return self._record(credit, operation)

    async def create(self, command: CreditInvoice, key: str) -> Record:
        """Go on from what stands under `key`; a draft that was never posted is made anew, as its content
        may have been corrected since. Raises `Rejected` for more than is left to credit.
        """
        operation = f"credit invoice {command.invoice_external_id}"
        invoice = await self._invoices.need(command.invoice_external_id, operation)
        credit = await self._standing(command, key, operation)
        if credit is not None and not credit.posted:
            await self._records.api.delete(MODEL, [credit.id], operation=operation)
            credit = None
        if credit is None:
            await self._check(command, invoice, operation)
            whole = command.full and invoice.state == "posted" and not invoice.payment_lines
            made = await (self._by_wizard if whole else self._by_lines)(command, key, invoice, operation)
            credit = await self._read_back(made, operation)
        if not credit.posted:
            await self._posting.press(credit, operation)
            credit = await self._read_back(credit.id, operation)
        if credit.reference != key:
            await self._mark(command, key, credit, operation)
        elif self._is_to_apply(invoice, credit):
            await self._apply(invoice, credit, operation)
        return self._record(await self._read_back(credit.id, operation), operation)

    # ---- steps

    async def _by_wizard(self, command: CreditInvoice, key: str, invoice: Invoice, operation: str) -> int:
        start = {"with_refund": True, "with_refund_allowed": True, "invoice_date": command.dated}
        record = (MODEL, invoice.id)
        await self._records.api.wizard(WIZARD, "credit", {"start": start}, record, operation=operation)
        with landed(f"{self._records.system}: {operation}"):
            cancelled = await self._invoices.need(str(invoice.id), operation)
            if not cancelled.credit_note:
                words = "accepted, but the invoice does not show its credit note (yet)"
                raise self._records.error(Ambiguous, operation, words)
            return cancelled.credit_note

    async def _by_lines(self, command: CreditInvoice, key: str, invoice: Invoice, operation: str) -> int:
        values = await self._drafts.header(command, key, operation)
        lines = await self._drafts.lines(command, command.lines, sign=-1)
        for values_of, line in zip(lines, command.lines, strict=True):
            values_of["origin"] = f"account.invoice.line,{_credited_line(invoice, line)}"
        values |= {
            "account": invoice.account,
            "invoice_address": invoice.address or values["invoice_address"],
            "description": invoice.description,
            "comment": _reason(command),
            "lines": [["create", lines]],
        }
        context = {"company": values["company"]}
        (made,) = await self._records.api.create(MODEL, [values], operation=operation, context=context)
        return made

    async def _mark(self, command: CreditInvoice, key: str, credit: Invoice, operation: str) -> None:
        """The key, and why: both may be changed on a posted document."""
        comment = notes.noted({"Credited because": _reason(command)}, credit.comment or "")
        values: dict[str, Any] = {"reference": key, "comment": comment}
        with landed(f"{self._records.system}: {operation}"):
            await self._records.api.write(MODEL, [credit.id], values, operation=operation)

    async def _apply(self, invoice: Invoice, credit: Invoice, operation: str) -> None:
        """Count the credit as payment of the invoice: Tryton settles both when the rest is paid."""
        lines = [line.id for line in credit.to_pay if not line.invoice_payment]
        with landed(f"{self._records.system}: {operation}"):
            values = {"payment_lines": [["add", lines]]}
            await self._records.api.write(MODEL, [invoice.id], values, operation=operation)

    # ---- what stands

    async def _standing(self, command: CreditInvoice, key: str, operation: str) -> Invoice | None:
        """The credit note under `key`, or the one that the wizard made and nobody has marked yet."""
        found = await self._invoices.under(key, operation)
        if found is not None or not command.full:
            return found
        invoice = await self._invoices.need(command.invoice_external_id, operation)
        if not invoice.credit_note:
            return None
        credit = await self._invoices.need(str(invoice.credit_note), operation)
        if credit.reference:
            words = f"the invoice is cancelled already by {credit.number} under the key {credit.reference}"
            raise self._records.error(Conflict, operation, words, rule="credit.taken")
        return credit

    async def _check(self, command: CreditInvoice, invoice: Invoice, operation: str) -> None:
        """An invoice in the ledger, of which so much is left to credit. Tryton itself does not count."""
        if invoice.state not in ("posted", "paid"):
            words = (
                f"invoice {invoice.number or invoice.id} is {invoice.state}; only a posted one is credited"
            )
            raise self._records.error(Rejected, operation, words, field="state", rule="record.state")
        domain = [["type", "=", "out"], ["origin_invoices", "=", invoice.id], ["state", "!=", "cancelled"]]
        others = await self._records.search(Invoice, MODEL, domain, operation)
        net = self._invoices.net
        left = net(invoice, operation)
        for credit in others:
            left = left + net(credit, operation)
        if command.net.currency != left.currency or left < command.net:
            words = f"{command.net} is to be credited, but only {left} of invoice {invoice.number} is left"
            raise self._records.error(Rejected, operation, words, field="lines", rule="credit.too_high")

    def _is_to_apply(self, invoice: Invoice, credit: Invoice) -> bool:
        return (
            invoice.state == "posted"
            and credit.state == "posted"
            and any(not line.invoice_payment for line in credit.to_pay)
        )

    async def _read_back(self, invoice_id: int, operation: str) -> Invoice:
        with landed(f"{self._records.system}: {operation}"):
            return await self._invoices.need(str(invoice_id), operation)

    def _record(self, credit: Invoice, operation: str) -> Record:
        return self._invoices.record(credit, {"net": -self._invoices.net(credit, operation)})


def _credited_line(invoice: Invoice, line: DraftLine) -> int:
    """The line of the invoice with the same reference, else its first: each credit names what it credits."""
    same = [each.id for each in invoice.lines if each.note == line.ref]
    return same[0] if same else invoice.lines[0].id


def _reason(command: CreditInvoice) -> str:
    words = command.reason.replace("_", " ")
    return f"{words}: {command.reason_text}" if command.reason_text else words
