"""Posting: the button that gives an invoice its number and puts it into the ledger."""

from connectors.errors import Ambiguous, Rejected
from connectors.http.landed import landed
from connectors.tryton.invoices import MODEL, Invoices
from connectors.tryton.models import Invoice, Note
from connectors.tryton.records import Records
from domain.billing_commands import PostInvoice
from domain.commands import Record

NOTE = "ir.note"


class Posting:
    """`PostInvoice` for one database. A document that is posted already counts as done."""

    def __init__(self, invoices: Invoices) -> None:
        self._invoices = invoices
        self._records: Records = invoices.records

    async def find(self, command: PostInvoice, key: str) -> Record | None:
        """The invoice, when it is in the ledger."""
        operation = f"look up posting of invoice {command.invoice_external_id}"
        invoice = await self._invoices.get(command.invoice_external_id, operation)
        return self._record(invoice) if invoice is not None and invoice.posted else None

    async def post(self, command: PostInvoice, key: str) -> Record:
        """Note the approval on the draft, then post it.

        Raises `PeriodClosed`, and `Rejected` for a date before the last number or a warning of Tryton's.
        """
        operation = f"post invoice {command.invoice_external_id}"
        invoice = await self._invoices.need(command.invoice_external_id, operation)
        if not invoice.posted:
            if command.approval:
                await self._note(command, key, invoice, operation)
            await self.press(invoice, operation)
        with landed(f"{self._records.system}: {operation}"):
            posted = await self._invoices.need(command.invoice_external_id, operation)
            if not posted.posted:
                words = f"accepted, but the invoice is still {posted.state}"
                raise self._records.error(Ambiguous, operation, words)
            return self._record(posted)

    async def press(self, invoice: Invoice, operation: str) -> None:
        """Press the button. Tryton writes the document after the posting is committed, in the same call:
        whatever fails then, a document that is in the ledger is posted.
        """
        try:
            await self._records.api.press(MODEL, "post", [invoice.id], operation=operation)
        except Rejected:
            if not await self._is_posted(invoice, operation):
                raise

    async def _is_posted(self, invoice: Invoice, operation: str) -> bool:
        with landed(f"{self._records.system}: {operation}"):
            now = await self._invoices.get(str(invoice.id), operation)
        return now is not None and now.posted

    async def _note(self, command: PostInvoice, key: str, invoice: Invoice, operation: str) -> None:
        """An internal note with approval and approver; not twice."""
        words = f"Approval {command.approval} by {command.approved_by} ({key})"
        resource = f"{MODEL},{invoice.id}"
        domain = [["resource", "=", resource]]
        standing = await self._records.search(Note, NOTE, domain, operation, fields=("message",))
        if not any(note.message == words for note in standing):
            note = {"resource": resource, "message": words}
            await self._records.api.create(NOTE, [note], operation=operation)

    def _record(self, invoice: Invoice) -> Record:
        return self._invoices.record(invoice, {"posted": True})
