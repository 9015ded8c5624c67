"""Invoices in the ERP: drafted, posted, read back, credited. The rows are in our store, by invoice id."""

from temporalio import activity

from activities.billing_rows import BillingRows
from activities.boundary import Boundary
from activities.effects import EffectRunner
from activities.steps import Step
from connectors.ports import ErpPort
from domain import invoice_commands
from domain.base import Canonical
from domain.billing_commands import DiscardInvoice
from domain.books import InvoiceFacts
from domain.commands import Record
from domain.invoice_state import InvoiceRow
from store.ports import Reference, Store


class InvoiceStep(Step):
    """A step of one invoice. Its effects carry the generation of the invoice's process."""

    invoice: str
    external_id: str = ""
    """Of the invoice in the ERP, once it is drafted."""
    revision: int = 1
    """Of the draft: one that is made anew, with another day, is another effect."""

    @property
    def draft_step(self) -> str:
        return "erp.draft" if self.revision == 1 else f"erp.draft.{self.revision}"

    @property
    def post_step(self) -> str:
        return "erp.post" if self.revision == 1 else f"erp.post.{self.revision}"


class CreditStep(Step):
    credit: str
    """Id of the credit note in our store."""
    text: str = ""


class InvoiceInErp(Canonical):
    external_id: str


class ErpInvoiceActivities:
    """Registered on the task queue of the ERP's account."""

    def __init__(self, port: ErpPort, effects: EffectRunner, store: Store, boundary: Boundary) -> None:
        self._port = port
        self._effects = effects
        self._rows = BillingRows(store)
        self._boundary = boundary

    @activity.defn(name="erp.draft_invoice")
    async def draft_invoice(self, input: InvoiceStep) -> Record:
        """The draft, with the lines that were approved. Undo: `erp.discard_invoice`."""
        row = await self._rows.approved(input.invoice)
        contract = await self._rows.contract(row.project, self._port.system)
        async with self._boundary():
            return await self._effects.write(
                invoice_commands.draft(row, contract),
                input.key(input.draft_step),
                input.context(input.draft_step),
                made=Reference(canonical_id=_document(row), object="invoice"),
            )

    @activity.defn(name="erp.discard_invoice")
    async def discard_invoice(self, input: InvoiceStep) -> Record | None:
        """Undo of `erp.draft_invoice`: deleted, or rejected where it has a legal number already."""
        row = await self._rows.invoice(input.invoice)
        contract = await self._rows.contract(row.project, self._port.system)
        async with self._boundary():
            return await self._effects.undo(
                invoice_commands.draft(row, contract),
                input.key(input.draft_step),
                lambda external_id: DiscardInvoice(invoice_external_id=external_id, reason=input.reason),
                input.context(input.draft_step),
            )

    @activity.defn(name="erp.post_invoice")
    async def post_invoice(self, input: InvoiceStep) -> Record:
        """Post the draft on the approval that is stored. There is no undo: a credit note follows."""
        row = await self._rows.approved(input.invoice)
        async with self._boundary():
            return await self._effects.write(
                invoice_commands.posting(row, input.external_id),
                input.key(input.post_step),
                input.context(input.post_step),
            )

    @activity.defn(name="erp.posting_outcome")
    async def posting_outcome(self, input: InvoiceStep) -> Record | None:
        """What became of a posting that a cancel ran into: None when the invoice is not posted."""
        row = await self._rows.invoice(input.invoice)
        async with self._boundary():
            return await self._effects.outcome(
                invoice_commands.posting(row, input.external_id), input.key(input.post_step)
            )

    @activity.defn(name="erp.read_invoice")
    async def read_invoice(self, input: InvoiceInErp) -> InvoiceFacts:
        """The invoice or credit note as it stands in the ERP."""
        async with self._boundary():
            return await self._port.invoice(input.external_id)

    @activity.defn(name="erp.credit_invoice")
    async def credit_invoice(self, input: CreditStep) -> Record:
        """The credit note, posted and set against its invoice."""
        row = await self._rows.approved(input.credit)
        credited = await self._rows.invoice(row.credits)
        contract = await self._rows.contract(row.project, self._port.system)
        async with self._boundary():
            return await self._effects.write(
                invoice_commands.credit_note(row, credited, contract, input.text),
                input.key("erp.credit"),
                input.context("erp.credit"),
                made=Reference(canonical_id=_document(row), object="credit note"),
            )

    @activity.defn(name="erp.credit_outcome")
    async def credit_outcome(self, input: CreditStep) -> Record | None:
        """What became of a credit note that a cancel ran into: None when there is none."""
        row = await self._rows.invoice(input.credit)
        credited = await self._rows.invoice(row.credits)
        contract = await self._rows.contract(row.project, self._port.system)
        async with self._boundary():
            return await self._effects.outcome(
                invoice_commands.credit_note(row, credited, contract, input.text), input.key("erp.credit")
            )


def _document(row: InvoiceRow) -> str:
    """Canonical id of the document: a draft that is made anew is another one."""
    return row.id if row.revision == 1 else f"{row.id}/{row.revision}"
