"""Invoices: drafted under our key, posted by approval, discarded while they have no number."""

from collections.abc import Sequence

from connectors.errors import Ambiguous
from connectors.http.transport import Answer
from connectors.netsuite import billing_mapping as mapping
from connectors.netsuite.billing_mapping import LineReferences
from connectors.netsuite.keyed import KeyedRecords, address_of
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import Invoice
from domain.billing_commands import DiscardInvoice, DraftInvoice, DraftLine, PostInvoice
from domain.commands import Record


async def line_references(
    settings: NetSuiteSettings, reference: ReferenceData, lines: Sequence[DraftLine]
) -> LineReferences:
    """Ids of items and tax codes that lines need. Raises `Rejected` for one the account does not have."""
    items: dict[str, str] = {line.kind: await reference.item(settings.items[line.kind]) for line in lines}
    codes = {line.tax_code for line in lines if line.tax_code}
    return LineReferences(
        items, {code: await reference.tax_code(settings.tax_codes.get(code, code)) for code in codes}
    )


class Invoices:
    """`DraftInvoice`, `PostInvoice` and `DiscardInvoice` for one account. `posting` writes as who posts."""

    def __init__(
        self,
        records: KeyedRecords,
        posting: KeyedRecords,
        settings: NetSuiteSettings,
        reference: ReferenceData,
    ) -> None:
        self._records = records
        self._posting = posting
        self._settings = settings
        self._reference = reference

    async def find(self, command: DraftInvoice, key: str) -> Record | None:
        """The invoice drafted under `key`, whatever became of it."""
        operation = f"look up invoice {command.invoice}"
        answer = await self._records.look_up_key("invoice", key, operation)
        return None if answer is None else await self._drafted(answer, operation)

    async def draft(self, command: DraftInvoice, key: str) -> Record:
        """Write the invoice as pending approval.

        Raises `Rejected` for a currency, terms, item or tax code the account does not have, and for an
        invoice of this key that has been posted.
        """
        operation = f"draft invoice {command.invoice}"
        terms = command.payment_terms
        body = mapping.draft_body(
            self._settings,
            command,
            key,
            await line_references(self._settings, self._reference, command.lines),
            currency=await self._reference.currency(command.currency),
            terms=await self._reference.terms(terms) if terms else "",
        )
        await self._records.upsert("invoice", key, body, operation)
        return await self._records.read_back(
            "invoice", address_of(key), operation, lambda answer: self._drafted(answer, operation)
        )

    async def find_posting(self, command: PostInvoice, key: str) -> Record | None:
        """The invoice, when it is posted, by whomever: posting is done once."""
        operation = f"look up posting of invoice {command.invoice_external_id}"
        answer = await self._posting.look_up("invoice", command.invoice_external_id, operation)
        if answer is None:
            return None
        invoice = self._invoice(answer, operation)
        return self._posted(invoice, answer) if invoice.posted else None

    async def post(self, command: PostInvoice, key: str) -> Record:
        """Approve the invoice, which posts it. Raises `PeriodClosed`, and `NotFound` for an unknown one."""
        operation = f"post invoice {command.invoice_external_id}"
        body = mapping.posting_body(self._settings, command, key)
        await self._posting.api.update("invoice", command.invoice_external_id, body, operation=operation)

        async def made(answer: Answer) -> Record:
            invoice = self._invoice(answer, operation)
            if not invoice.posted:
                words = "the approval was accepted, but the invoice does not show as posted (yet)"
                raise self._posting.error(Ambiguous, operation, words, field="invoice.status")
            return self._posted(invoice, answer)

        return await self._posting.read_back("invoice", command.invoice_external_id, operation, made)

    async def find_discarding(self, command: DiscardInvoice, key: str) -> Record | None:
        """Gone or rejected is discarded; a draft or posted invoice is not."""
        operation = f"look up removal of invoice {command.invoice_external_id}"
        answer = await self._records.api.get(
            "invoice", command.invoice_external_id, operation=operation, missing_ok=True
        )
        if answer.status != 404 and self._invoice(answer, operation).status.id != "E":
            return None
        return self._discarded(command, answer)

    async def discard(self, command: DiscardInvoice, key: str) -> Record:
        """Delete a draft without number, else reject it with the reason: numbers must stay gapless.

        Raises `Rejected` for an invoice that is posted: it is credited, never removed.
        """
        number = command.invoice_external_id
        operation = f"discard invoice {number}"
        answer = await self._records.api.get("invoice", number, operation=operation, missing_ok=True)
        invoice = None if answer.status == 404 else self._invoice(answer, operation)
        if invoice is not None and invoice.posted:
            words = f"invoice {invoice.tran_id} is posted; credit it instead"
            raise self._records.rejected(operation, words, field="invoice.status", rule="document.posted")
        if invoice is None or not invoice.tran_id:
            # Also where nothing was found: a missing record answers 404 again, one not visible yet goes.
            answer = await self._records.api.delete("invoice", number, operation=operation)
            return self._discarded(command, answer)
        body = mapping.rejection_body(self._settings, command.reason or "discarded", key)
        answer = await self._records.api.update("invoice", number, body, operation=operation)
        return self._discarded(command, answer)

    # ---- inside

    def _invoice(self, answer: Answer, operation: str) -> Invoice:
        return self._records.read(Invoice, answer, "invoice", operation)

    async def _drafted(self, answer: Answer, operation: str) -> Record:
        invoice = self._invoice(answer, operation)
        code = await self._reference.currency_code(invoice.currency.id)
        fields = mapping.draft_fields(invoice, code)
        return self._records.record("invoice", invoice.id, fields, answer, invoice.tran_id)

    def _posted(self, invoice: Invoice, answer: Answer) -> Record:
        fields = mapping.posting_fields(invoice)
        return self._posting.record("invoice", invoice.id, fields, answer, invoice.tran_id)

    def _discarded(self, command: DiscardInvoice, answer: Answer) -> Record:
        return self._records.record("invoice", command.invoice_external_id, {"discarded": "true"}, answer)
