"""Fourth act: two entries of a posted invoice are credited by name, and billed again on a new one."""

from domain.billing_process import CreditInput, CreditResult, CreditView, InvoiceResult, InvoiceView
from domain.project_contract import ProjectContract
from drill.demo_billing import MANAGER_ROLE, Billing
from drill.demo_outcome import DemoFailed
from drill.demo_scenes import OPERATOR, SECOND, SECOND_ROLE
from workflows.shared.start import start_credit

NAMED = 2
ANSWER = "Integration workshop, as ordered"


class Crediting(Billing):
    """What was billed wrongly is never deleted: a credit note takes it back."""

    async def play(
        self, invoice: InvoiceResult, contract: ProjectContract
    ) -> tuple[CreditResult, InvoiceResult]:
        """All scenes. Raises `DemoFailed`."""
        entries = await self._chosen(invoice)
        request = CreditInput(
            firm=self.stage.firm,
            invoice=invoice.invoice,
            reason="billing_error",
            reason_text="the customer's order asks for other words on two days",
            requested_by=OPERATOR,
            entries=entries,
            rebill=True,
            correlation=invoice.invoice,
        )
        credit = await self._credit(request, contract)
        self.say(
            "Credit note", f"{credit.number}: {credit.net} net; {credit.released} entries are free again"
        )
        return credit, await self._rebill(credit.rebilled_as, entries, contract)

    async def _chosen(self, invoice: InvoiceResult) -> tuple[str, ...]:
        """Two entries that are billed in full."""
        row = await self.stage.store.billing.invoice(invoice.invoice)
        if row is None or row.priced is None:
            raise DemoFailed(f"{invoice.invoice} is not kept")
        untouched = {e.key for e in await self.stage.store.billing.entries_of(row.id) if not e.adjustment}
        part = {share.key for share in row.priced.above}
        return tuple(sorted(untouched - part)[:NAMED])

    async def _credit(self, request: CreditInput, contract: ProjectContract) -> CreditResult:
        stage = self.stage
        started = await start_credit(stage.client, stage.settings, request, project=contract.project)
        process = started.workflow_id
        self.say("Operator", f"{OPERATOR} has {len(request.entries)} entries credited, to be billed again")
        view = await self.until(
            process, CreditView, lambda view: view.stage == "awaiting approval" or view.finished
        )
        await self.decide(process, "approve", SECOND, SECOND_ROLE, reason="agreed with the customer")
        self.say("Controller", f"{SECOND} approves the credit note of {view.gross} gross")
        result = await self.result(process, CreditResult)
        if result.state != "posted":
            raise DemoFailed(f"{process} ended {result.state}: {result.reason}")
        return result

    async def _rebill(
        self, process: str, entries: tuple[str, ...], contract: ProjectContract
    ) -> InvoiceResult:
        """The new invoice is reviewed like any other; its entries carry the words that were asked for."""
        manager = contract.terms.project_manager
        await self.until(process, InvoiceView, lambda view: view.stage == "pre-bill review")
        for entry in entries:
            await self.decide(
                process, "edit_narrative", manager, MANAGER_ROLE, target=entry, payload={"narrative": ANSWER}
            )
        await self.decide(process, "release_prebill", manager, MANAGER_ROLE, target=process)
        result = await self._posted(process)
        self.say("Invoice", f"{result.number} bills them again: {await self._spoken(result)}")
        return result
