"""Billing: `RecordBilling`, `CancelBillingRecord`, and the invoices the account released by itself.

The account has no mark "billed" to set: an entry is invoiced when an invoice of the account covers it. So
what the ERP billed is recorded as such an invoice, under the ERP's number, never sent to anybody. It tells
what was billed; the legal document is the ERP's. What no entry carries is an additional item, which is
written in whole units of the currency: it is rounded half up, with the exact amount in its note.

Source: Kantata OX API, invoices (create, cancel; order `updated_at`).
"""

from collections.abc import Sequence
from datetime import datetime

from connectors.errors import Rejected
from connectors.kantata import mapping, work_mapping
from connectors.kantata.account import Account
from connectors.kantata.feed import change_bound, taken
from connectors.kantata.keyed import Keyed
from connectors.kantata.work_models import InvoiceRow
from domain.billing_commands import CancelBillingRecord, RecordBilling
from domain.commands import Record
from domain.intake import PsaInvoice

COVERED = "external_references,time_entries,expenses"
WHOLE = f"{COVERED},workspaces,additional_items,fixed_fee_items,billing_milestones"
CANCELLED = "cancelled"


class Billing:
    """Records of billing, and invoices."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._keyed = Keyed(account)
        self._settings = account.settings

    async def find_record(self, command: RecordBilling, key: str) -> Record | None:
        operation = "find billing record"
        found = await self._keyed.one(InvoiceRow, "invoices", command, key, {"include": COVERED}, operation)
        return None if found is None else self._record(found)

    async def record(self, command: RecordBilling, key: str) -> Record:
        operation = "record billing"
        body = mapping.billing_record(
            command,
            self._settings,
            key,
            workspace_id=self._account.record_id(command.project_external_id, "a project", operation),
            time_entry_ids=self._ids(command.time_entry_ids, "a time entry", operation),
            expense_ids=self._ids(command.expense_ids, "an expense", operation),
        )
        if not (command.entry_count or "additional_items" in body):
            words = f"invoice {command.number} covers no entry and has no other amount: nothing to record"
            raise self._account.error(Rejected, operation, words, field="other", rule="billing.empty")
        invoices, request_id = await self._account.write(
            InvoiceRow,
            "POST",
            "/invoices",
            {"invoice": body},
            key=key,
            include=COVERED,
            operation=operation,
        )
        return self._record(invoices[0], request_id)

    async def find_cancellation(self, command: CancelBillingRecord, key: str) -> Record | None:
        invoice = await self._show(command, "find billing record cancellation")
        return self._cancelled(invoice) if invoice.status == CANCELLED else None

    async def cancel(self, command: CancelBillingRecord, key: str) -> Record:
        operation = "cancel billing record"
        number = self._account.record_id(command.record_external_id, "an invoice", operation)
        try:
            invoices, request_id = await self._account.write(
                InvoiceRow, "PUT", f"/invoices/{number}/cancel", {}, key=key, operation=operation
            )
        except Rejected:
            # Refused because a person has cancelled it meanwhile: what was wanted is so.
            invoice = await self._show(command, operation)
            if invoice.status == CANCELLED:
                return self._cancelled(invoice)
            raise
        return self._cancelled(invoices[0], request_id)

    async def released(self, since: datetime | None, limit: int) -> Sequence[PsaInvoice]:
        """Invoices released, cancelled or paid since, oldest change first; drafts are left out.

        As in the change feed, a second is given whole once begun, and `limit` counts what is later than the
        second of `since`.
        """
        operation = "read released invoices"
        params: dict[str, str | int] = {
            "without_drafts": "true",
            "include": WHOLE,
            "order": "updated_at:asc",
        }
        if since is not None:
            params["updated_after"] = change_bound(since, self._settings)
        rows = self._account.iterate(InvoiceRow, "invoices", params, operation=operation)
        found = await taken(rows, lambda row: row.updated_at, since, limit)
        return [self._invoice(row, operation) for row in found]

    def _invoice(self, row: InvoiceRow, operation: str) -> PsaInvoice:
        held = self._account.reference(row, self._settings.service_name, operation)
        ours = held is not None and held.service_model == RecordBilling.__name__
        try:
            return work_mapping.invoice(row, self._settings, ours=ours)
        except work_mapping.Refused as refused:
            words = f"invoice {row.id} cannot be read: {refused.problem}"
            raise self._account.error(
                Rejected, operation, words, field=refused.field, rule="invoice.unreadable"
            ) from None

    async def _show(self, command: CancelBillingRecord, operation: str) -> InvoiceRow:
        return await self._account.show(
            InvoiceRow, "invoices", command.record_external_id, operation=operation
        )

    def _ids(self, ids: Sequence[str], thing: str, operation: str) -> list[int]:
        return [self._account.record_id(id, thing, operation) for id in ids]

    def _record(self, row: InvoiceRow, request_id: str = "") -> Record:
        covered = len(row.time_entry_ids or ()) + len(row.expense_ids or ())
        app = self._settings.app_url.rstrip("/")
        return Record(
            external_id=row.id,
            number=row.user_invoice_title or "",
            fields={"entry_count": str(covered)},
            request_id=request_id,
            url=f"{app}/invoices/{row.id}" if app else "",
        )

    def _cancelled(self, row: InvoiceRow, request_id: str = "") -> Record:
        cancelled = "true" if row.status == CANCELLED else "false"
        return Record(external_id=row.id, fields={"cancelled": cancelled}, request_id=request_id)
