"""Telling PSA and CRM what was billed. Our store is the guard; these make what they show true."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.billing_rows import BillingRows, store_refusals
from activities.boundary import Boundary
from activities.effects import EffectRunner
from activities.erp_invoices import CreditStep, InvoiceStep
from connectors.ports import CrmPort, PsaPort
from domain import invoice_commands
from domain.billable import Billable
from domain.billing_commands import CancelBillingRecord
from domain.commands import Record
from domain.intake import PsaInvoice
from domain.invoice_state import InvoiceRow
from domain.money import Money
from store.ports import EffectRow, Store

_NEWEST = 1
_POSTED = ("posted", "paid", "credited")
_RECORDED = "psa.billing"
_MOST_RELEASED = 10_000
_WRITTEN_AHEAD = timedelta(days=92)
"""How long before its own day a document of the PSA may be written."""


class MarkStep(InvoiceStep):
    invoiced: Money
    """Net of the deal's live invoices when this document was posted."""


class PsaDocument(InvoiceStep):
    """An invoice of the PSA that an invoice of ours becomes."""

    psa_invoice: str
    """Its id there."""


class PsaBillingActivities:
    """Registered on the task queue of the PSA's account."""

    def __init__(self, port: PsaPort, effects: EffectRunner, store: Store, boundary: Boundary) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._rows = BillingRows(store)
        self._boundary = boundary

    @activity.defn(name="psa.take_document")
    async def take_document(self, input: PsaDocument) -> Money:
        """Keep the PSA's own document with the invoice, and cover the entries it bills. Returns its net.

        Fails with `Rejected` when the PSA does not show it as released.
        """
        row = await self._rows.invoice(input.invoice)
        async with self._boundary():
            found = await self._port.released_invoices(await self._since(row, input), _MOST_RELEASED)
        named = [one for one in found if one.external_id == input.psa_invoice and not one.ours]
        document = max(named, key=lambda one: one.version, default=None)
        if document is None or document.state not in ("released", "paid"):
            shown = document.state if document else "not there"
            raise ApplicationError(
                f"invoice {input.psa_invoice} is {shown} in the PSA: release it there, or void its event",
                type="Rejected",
                non_retryable=True,
            )
        with store_refusals():
            await self._store.billing.put_invoice(row.with_changes(psa_invoice=document))
            await self._store.billing.cover(row.id, entries=await self._entries_billed(document))
        return document.net

    @activity.defn(name="psa.record_billing")
    async def record_billing(self, input: InvoiceStep) -> Record:
        """Mark what the invoice covers as billed. Undone by a credit note: `psa.cancel_billing`."""
        row = await self._rows.invoice(input.invoice)
        contract = await self._rows.contract(row.project)
        async with self._boundary():
            return await self._effects.write(
                invoice_commands.billing_record(row, await self._entries_of(row), contract),
                input.key(_RECORDED),
                input.context(_RECORDED),
            )

    @activity.defn(name="psa.cancel_billing")
    async def cancel_billing(self, input: CreditStep) -> Record | None:
        """What shows the credited invoice as billed is cancelled; None where nothing does."""
        row = await self._rows.invoice(input.credit)
        recorded = await self._recorded(row)
        if recorded is None:
            return None
        async with self._boundary():
            return await self._effects.reverse(
                recorded,
                lambda external_id: CancelBillingRecord(record_external_id=external_id),
                input.context(_RECORDED).with_changes(process=recorded.process),
            )

    @activity.defn(name="psa.record_rest")
    async def record_rest(self, input: CreditStep) -> Record | None:
        """What is left of the credited invoice is recorded anew; None where no entry is left on it."""
        credit = await self._rows.invoice(input.credit)
        row = await self._rows.invoice(credit.credits)
        contract = await self._rows.contract(row.project)
        entries = await self._entries_of(row)
        if not entries:
            return None
        command = invoice_commands.billing_record(row, entries, contract, await self._credits(row))
        async with self._boundary():
            return await self._effects.write(command, input.key(_RECORDED), input.context(_RECORDED))

    # -- inside -----------------------------------------------------------------------------------

    async def _since(self, row: InvoiceRow, input: PsaDocument) -> datetime | None:
        """A document changes no earlier than some time before its own day."""
        events = await self._store.billing.events(row.project)
        dated = [event.due_on for event in events if event.evidence == input.psa_invoice]
        return datetime.combine(min(dated), time.min, UTC) - _WRITTEN_AHEAD if dated else None

    async def _entries_of(self, row: InvoiceRow) -> list[Billable]:
        """Those on the invoice that this PSA knows."""
        entries = await self._store.billing.entries_of(row.id)
        return [entry for entry in entries if entry.source == self._port.system]

    async def _entries_billed(self, document: PsaInvoice) -> list[str]:
        """Keys of the open entries that the PSA's document bills."""
        kinds = ("time", "expense")
        keys = [
            f"{self._port.system}:{kind}:{id}"
            for line in document.lines
            for id in line.entry_ids
            for kind in kinds
            if line.kind == kind or line.kind not in kinds
        ]
        found = [await self._store.billing.entry(key) for key in dict.fromkeys(keys)]
        return [entry.key for entry in found if entry and entry.billable and not entry.invoice]

    async def _credits(self, row: InvoiceRow) -> list[InvoiceRow]:
        rows = await self._store.billing.documents(row.project, credits=row.id)
        return [one for one in rows if one.stage in _POSTED]

    async def _recorded(self, credit: InvoiceRow) -> EffectRow | None:
        """The record that stands now: made by the invoice, or by an earlier credit note to it."""
        credited = await self._rows.invoice(credit.credits)
        makers = [credited.id, *(one.id for one in await self._credits(credited) if one.id != credit.id)]
        for process in makers:
            for row in _standing(await self._store.effects.list(process)):
                return row
        return None


def _standing(rows: Sequence[EffectRow]) -> list[EffectRow]:
    return [row for row in rows if row.step == _RECORDED and row.state == "confirmed" and _is_record(row)]


def _is_record(row: EffectRow) -> bool:
    return not row.key.endswith("/undo")


class CrmBillingActivities:
    """Registered on the task queue of the CRM's account."""

    def __init__(self, port: CrmPort, effects: EffectRunner, store: Store, boundary: Boundary) -> None:
        self._effects = effects
        self._store = store
        self._rows = BillingRows(store)
        self._boundary = boundary

    @activity.defn(name="crm.mark_billing")
    async def mark_billing(self, input: MarkStep) -> Record | None:
        """What the deal's invoices come to with this document; a newer one tells its own, newer figure."""
        row = await self._rows.invoice(input.invoice)
        newest = await self._store.billing.invoices(project=row.project, stage="posted", limit=_NEWEST)
        if newest and newest[0].id != row.id:
            return None
        contract = await self._rows.contract(row.project)
        async with self._boundary():
            return await self._effects.write(
                invoice_commands.deal_billing(contract, row, input.invoiced),
                input.key("crm.billing"),
                input.context("crm.billing"),
            )
