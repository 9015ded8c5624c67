"""Invoices and credit notes as they stand, whoever made them."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.errors import NotFound
from connectors.http.transport import Answer
from connectors.netsuite import billing_mapping as mapping
from connectors.netsuite.billing_mapping import Names
from connectors.netsuite.keyed import KeyedRecords
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import CreditMemo, Invoice, Sale, TransactionRow
from domain.books import InvoiceFacts, InvoiceState
from domain.money import Money, MoneyError

RECORD_TYPES = {"CustInvc": "invoice", "CustCred": "creditMemo"}
OF_PROJECT = (
    "SELECT t.id AS id, t.type AS type FROM transaction t"
    " WHERE t.{project} = ? AND t.type IN ('CustInvc', 'CustCred') AND t.id > ? ORDER BY t.id"
)
CREDITS_OF = (
    "SELECT t.id AS id, t.type AS type, t.foreigntotal AS total FROM transaction t"
    " JOIN transactionline tl ON tl.transaction = t.id"
    " WHERE t.type = 'CustCred' AND tl.mainline = 'T' AND tl.createdfrom = ? AND t.id > ? ORDER BY t.id"
)


class Documents:
    """Reads `InvoiceFacts` of one account."""

    def __init__(self, records: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def facts(self, external_id: str) -> InvoiceFacts:
        """An invoice or credit memo. Raises `NotFound`, and `Rejected` for a state nobody has heard of."""
        operation = f"read invoice {external_id}"
        for record_type in RECORD_TYPES.values():
            found = await self._one(record_type, external_id, operation)
            if found is not None:
                return await self._with_credits(found, operation) if found.state == "paid" else found
        words = f"there is no invoice and no credit memo {external_id}"
        raise self._records.error(NotFound, operation, words, field="invoice")

    async def of_project(self, project_external_id: str) -> Sequence[InvoiceFacts]:
        """Every invoice and credit memo of a project, oldest first. A query may lag a write by seconds."""
        operation = f"read invoices of project {project_external_id}"
        query = OF_PROJECT.format(project=self._settings.invoice_project_column)
        rows = [
            self._row(row, operation)
            async for row in self._records.api.rows(query, [project_external_id], operation=operation)
        ]
        read = (self._one(RECORD_TYPES[row.type], row.id, operation) for row in rows)
        found = [facts for facts in await asyncio.gather(*read) if facts is not None]
        credited = _credited(found)
        settled = [_as_credited(facts, credited.get(facts.external_id, Decimal(0))) for facts in found]
        return sorted(settled, key=lambda facts: (facts.dated, int(facts.external_id)))

    # ---- inside

    async def _one(self, record_type: str, external_id: str, operation: str) -> InvoiceFacts | None:
        answer = await self._records.look_up(record_type, external_id, operation)
        if answer is None:
            return None
        try:
            if record_type == "creditMemo":
                return await self._credit(answer, operation)
            return await self._invoice(answer, operation)
        except MoneyError as problem:
            field, rule = f"{record_type}.total", "amount.not_money"
            raise self._records.rejected(operation, str(problem), field=field, rule=rule) from None

    async def _invoice(self, answer: Answer, operation: str) -> InvoiceFacts:
        invoice = self._records.read(Invoice, answer, "invoice", operation)
        self._check_state(invoice, mapping.INVOICE_STATES, "invoice", operation)
        return mapping.invoice_facts(self._settings, invoice, await self._names(invoice))

    async def _credit(self, answer: Answer, operation: str) -> InvoiceFacts:
        memo = self._records.read(CreditMemo, answer, "creditMemo", operation)
        self._check_state(memo, mapping.CREDIT_STATES, "creditMemo", operation)
        return mapping.credit_facts(self._settings, memo, await self._names(memo))

    def _check_state(
        self, sale: Sale, states: Mapping[str, InvoiceState], record_type: str, operation: str
    ) -> None:
        if sale.status.id not in states:
            words = (
                f"{record_type} {sale.id} has the state {sale.status.id!r} ({sale.status.ref_name}), which is"
                f" none of {', '.join(states)}"
            )
            field, rule = f"{record_type}.status", "schema.unknown_value"
            raise self._records.rejected(operation, words, field=field, rule=rule)

    async def _names(self, sale: Sale) -> Names:
        key = await self._reference.subsidiary_key(sale.subsidiary.id)
        return Names(
            currency=await self._reference.currency_code(sale.currency.id),
            entity=self._settings.entity_of(key),
            period=await self._reference.period(sale.period.id) if sale.period else "",
        )

    async def _with_credits(self, facts: InvoiceFacts, operation: str) -> InvoiceFacts:
        if facts.gross.amount <= 0:
            return facts
        rows = self._records.api.rows(CREDITS_OF, [facts.external_id], operation=operation)
        totals = [Decimal(row["total"]) async for row in rows]
        return _as_credited(facts, sum(totals, Decimal(0)))

    def _row(self, row: object, operation: str) -> TransactionRow:
        answer = Answer(200, {}, row)
        return self._records.read(TransactionRow, answer, "transaction", operation)


def _credited(found: Sequence[InvoiceFacts]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for facts in found:
        if facts.credits:
            totals[facts.credits] = totals.get(facts.credits, Decimal(0)) - facts.gross.amount
    return totals


def _as_credited(facts: InvoiceFacts, credited: Decimal) -> InvoiceFacts:
    """NetSuite calls an invoice paid in full also when nothing was paid and all of it was credited."""
    whole = facts.state == "paid" and Money.zero(facts.currency) < facts.gross <= Money.of(
        credited, facts.currency
    )
    return facts.with_changes(state="credited") if whole else facts
