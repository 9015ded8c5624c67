"""What an ERP bills by its own authority: read, kept as observed, and compared with the contract."""

from temporalio import activity

from activities.billing_rows import BillingRows
from activities.boundary import Boundary
from activities.effects import EffectRunner
from connectors.ports import ErpPort
from domain.billing_steps import ErpObserved, ObserveErp
from domain.billing_triggers import BillingProblem
from domain.erp_billing import compare, observed_row
from domain.outbound_notes import invoice_posted
from store.ports import Store

OBSERVED_STEP = "erp.billing"
"""Step of the exception."""
_SHOWN = 5
_IN_LEDGER = ("posted", "paid")


class ErpBillingActivities:
    """Registered on the task queue of the ERP's account."""

    def __init__(self, port: ErpPort, effects: EffectRunner, store: Store, boundary: Boundary) -> None:
        self._port = port
        self._billing = store.billing
        self._rows = BillingRows(store)
        self._boundary = boundary

    @activity.defn(name="erp.observe_invoices")
    async def observe_invoices(self, input: ObserveErp) -> ErpObserved:
        """Keep the project's invoices that others made, and say where they differ from what was signed."""
        contract = await self._rows.contract(input.project, self._port.system)
        async with self._boundary():
            found = await self._port.project_invoices(contract.erp_project)
            theirs = [facts for facts in found if not facts.key]
            for facts in theirs:
                row = observed_row(contract, input.firm, self._port.system, facts)
                told = invoice_posted(row) if row.stage in _IN_LEDGER else ()
                await self._billing.put_invoice(row, tells=told)
        billed = compare(contract, found, input.as_of)
        problem = None
        if billed.differences:
            more = len(billed.differences) - _SHOWN
            problem = BillingProblem(
                step=OBSERVED_STEP,
                headline=f"{self._port.system} bills project {input.project} differently from its contract",
                detail="; ".join(billed.differences[:_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
                amount=str(billed.billed),
            )
        return ErpObserved(invoices=len(theirs), problem=problem)
