"""A credit note: what was billed wrongly is taken back, released by name, and billed again if asked.

    check -> approval by a second person, always -> post -> read back equal -> PSA and CRM told -> rebill

The reason decides the books; a price reduction releases nothing. Until it is posted, a cancel undoes
everything; after that it only goes forward.
"""

import asyncio
from datetime import date
from functools import partial

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.crediting import CreditPosted, CreditRequest, PreparedCredit
    from domain.attention import Decision
    from domain.billing_process import (
        CREDIT,
        INVOICE,
        CreditInput,
        CreditResult,
        CreditStageName,
        CreditView,
        InvoiceInput,
        invoice_id,
    )
    from domain.commands import Record
    from domain.policy import Role
    from workflows.credit_calls import CreditCalls
    from workflows.shared import search_attributes
    from workflows.shared.desk import refused
    from workflows.shared.ledger_document import LedgerDocument, Redated, unavailable
    from workflows.shared.opening import open_process
    from workflows.shared.process import Compensated
    from workflows.shared.search_attributes import initial_attributes

_STEPS: tuple[tuple[str, str, Role | None], ...] = (
    ("check", "Check what may be credited", None),
    ("approval", "Approval", None),
    ("erp.credit", "Post the credit note", "erp"),
    ("erp.read", "Read back equal, release by name", "erp"),
    ("psa.cancel", "Take back the billing record", "psa"),
    ("psa.billing", "Record what is left", "psa"),
    ("crm.billing", "Tell the CRM", "crm"),
    ("rebill", "Bill again", None),
)


@workflow.defn(name="InvoiceCredit")
class InvoiceCredit(LedgerDocument):
    """One credit note. Workflow id `credit/<firm>/<invoice and request>`; owned by finance systems."""

    @workflow.init
    def __init__(self, input: CreditInput) -> None:
        LedgerDocument.__init__(self, f"credit note to {input.invoice}", input.requested_by)
        self._input = input
        self._calls: CreditCalls | None = None
        self._known: CreditRequest | None = None
        self._prepared: PreparedCredit | None = None
        self._posted: CreditPosted | None = None
        self._stage: CreditStageName = "checking"
        self._rejected = ""
        self._rebilled_as = ""

    @workflow.run
    async def run(self, input: CreditInput) -> CreditResult:
        opened = await open_process(CREDIT, f"credit note to {input.invoice}", input.requested_by)
        if opened.state == "done":
            return CreditResult.model_validate_json(opened.result_json).with_changes(joined=True)
        self._calls = CreditCalls(input, opened)
        self.policies = opened.policies
        self.desk.use(opened.policies)
        stopped: BaseException | None = None
        try:
            result = await self._credit()
        except (Compensated, asyncio.CancelledError) as stop:
            if isinstance(stop, asyncio.CancelledError) and not self.cancelled_by_temporal():
                raise
            result = await self._stopped(stop)
            stopped = stop if result.state == "cancelled" else None
        await self.calls.close(result)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if isinstance(stopped, asyncio.CancelledError):
            raise stopped
        return result

    async def _credit(self) -> CreditResult:
        prepared = await self._check()
        if prepared.refused:
            self.checklist.set("check", "blocked", prepared.refused)
            self.saga.forget()
            self.enter("refused")
            return self._result("refused", prepared.refused)
        await self._allowed(prepared)
        return await self._conclude(await self._post())

    # -- until it is posted -----------------------------------------------------------------------

    async def _check(self) -> PreparedCredit:
        self._declare()
        self.enter("checking", shown=False)
        self._prepared = await self.step("check", self._prepare, undo=self.calls.discard)
        return self._prepared

    async def _prepare(self) -> PreparedCredit:
        self._known = known = await self.calls.look_up()
        self.calls.entity, self.calls.project = known.entity, known.project
        search_attributes.upsert(entity=known.entity, customer=known.customer, project=known.project)
        return await self.calls.prepare()

    def _declare(self) -> None:
        for step, label, role in _STEPS:
            system = self.calls.policies.route(role).system if role else ""
            self.checklist.declare(step, label, system)

    async def _allowed(self, prepared: PreparedCredit) -> None:
        """A second person approves every credit note; rejected, there is none."""
        gross = prepared.gross
        if gross is None:
            raise unavailable("amount")
        why = f"{gross} are taken back: {self._input.reason}, {self._input.reason_text}"
        if not await self.approved(gross, prepared.content_hash, why):
            raise Compensated(self._rejected)

    async def _post(self) -> Record:
        """Post it, on the day a person gave where its own day's period is closed."""
        self.enter("posting", shown=False)
        amount = str(self.prepared.gross)
        while True:
            try:
                return await self.post("erp.credit", self.calls.credit, self.calls.outcome, amount)
            except Redated as wish:
                await self.settle_item("erp.credit", f"dated {wish.dated} instead")
                await self.step("check", partial(self.calls.redate, wish.dated))

    # -- posted: only forward ---------------------------------------------------------------------

    async def _conclude(self, record: Record) -> CreditResult:
        self.calls.external_id = record.external_id
        self._posted = await self.read_back(self._read, str(self.prepared.gross))
        self.keep("erp.credit", "erp", "credit note", record, self._posted.number)
        await self._tell(self._posted)
        await self._rebill(self._posted)
        self.enter("posted")
        return self._result("posted")

    async def _read(self) -> CreditPosted:
        return await self.calls.posted(await self.calls.read())

    async def _tell(self, posted: CreditPosted) -> None:
        """What the PSA shows as billed is what is left; the CRM shows the sum."""
        self.enter("telling", shown=False)
        await self.told("psa.cancel", "psa", "billing record cancellation", self.calls.cancel_billing)
        await self.told("psa.billing", "psa", "billing record", self.calls.record_rest)
        await self.told(
            "crm.billing", "crm", "deal billing status", lambda: self.calls.mark_billing(posted.invoiced)
        )

    async def _rebill(self, posted: CreditPosted) -> None:
        if not (self._input.rebill and posted.released):
            self.checklist.set(
                "rebill", "skipped", "not asked for" if posted.released else "nothing released"
            )
            return
        again = await self.step("rebill", self.calls.rebill)
        if again.events:
            await self._start_invoice(
                InvoiceInput(
                    firm=self._input.firm,
                    project=self.calls.project,
                    events=again.events,
                    service_from=again.service_from,
                    service_to=again.service_to,
                    requested_by=self._input.requested_by,
                    correlation=self._input.correlation,
                    rebills=self._input.invoice,
                )
            )

    async def _start_invoice(self, input: InvoiceInput) -> None:
        """Only the start is awaited; an id that runs already counts, since the key is ours."""
        id = invoice_id(input.firm, input.events[0])
        correlation = input.correlation or id
        try:
            await workflow.start_child_workflow(
                "Invoice",
                input,
                id=id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                search_attributes=initial_attributes(INVOICE, correlation, project=input.project),
                static_summary=f"Rebill of {input.rebills}",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("rebilled before", extra={"process": id})
        self._rebilled_as = id
        self.checklist.set("rebill", "done", id)

    # -- ends -------------------------------------------------------------------------------------

    async def _stopped(self, stop: BaseException) -> CreditResult:
        """There was no credit note; or go on with what is posted."""
        reason = stop.reason if isinstance(stop, Compensated) else "cancelled by temporal"
        self.enter("discarding")
        record = await self.compensate_or_go_on()
        if record is not None:
            return await self._conclude(record)
        self.enter("cancelled")
        return self._result("cancelled", reason)

    # -- handlers ---------------------------------------------------------------------------------

    @workflow.query(name="status")
    def status(self) -> CreditView:
        prepared = self._prepared
        return CreditView(
            credit=workflow.info().workflow_id,
            invoice=self._input.invoice,
            project=self._known.project if self._known else "",
            stage=self._stage,
            net=prepared.net if prepared else None,
            tax=prepared.tax if prepared else None,
            gross=prepared.gross if prepared else None,
            number=self._posted.number if self._posted else "",
            approval=self._approver,
            steps=self.checklist.steps,
            attention=self.desk.open_items,
            records=tuple(self._records.values()),
            started_at=workflow.info().start_time,
            finished=self._stage in ("posted", "cancelled", "refused"),
        )

    def check_decision(self, decision: Decision) -> None:
        super().check_decision(decision)
        day = decision.payload.get("dated") if decision.action == "correct" else None
        first = self._known.dated if self._known else None
        if day and first and date.fromisoformat(day) < first:
            raise refused(f"{day} is before the invoice itself, of {first}: give a later day")

    async def handle(self, decision: Decision) -> str:
        if decision.action == "approve":
            return await self.take_approval(decision)
        if decision.action == "reject":
            self._rejected = f"rejected by {decision.actor}: {decision.reason}"
            self._changes += 1
            self.desk.wake()
            return f"{self._object} {self._rejected}"
        return await super().handle(decision)

    # -- small things -----------------------------------------------------------------------------

    @property
    def calls(self) -> CreditCalls:
        if self._calls is None:
            raise unavailable("opened process")
        return self._calls

    @property
    def document_calls(self) -> CreditCalls:
        return self.calls

    @property
    def prepared(self) -> PreparedCredit:
        if self._prepared is None:
            raise unavailable("checked credit")
        return self._prepared

    @property
    def shown_hash(self) -> str:
        return self.prepared.content_hash

    def _result(self, state: str, reason: str = "") -> CreditResult:
        posted, prepared = self._posted, self._prepared
        return CreditResult.model_validate(
            {
                "state": state,
                "credit": workflow.info().workflow_id,
                "invoice": self._input.invoice,
                "number": posted.number if posted else "",
                "net": prepared.net if prepared else None,
                "released": posted.released if posted else 0,
                "rebilled_as": self._rebilled_as,
                "reason": reason,
                "records": tuple(self._records.values()),
            }
        )
