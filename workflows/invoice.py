"""An invoice: what has become billable is reviewed, priced, approved, posted in the ERP, and told.

    collect -> pre-bill review -> price -> approval above the limit -> draft -> post -> read back equal
    -> PSA and CRM told

Until it is posted, a cancel undoes everything and frees what it covered; after that there are only
credit notes. Whatever changes a line voids the approval, which is bound to the hash of the lines.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.invoicing import Collected, Posted
    from activities.pricing import PricedSummary
    from domain.attention import Action, Decision, DecisionRef
    from domain.billing_process import (
        INVOICE,
        InvoiceInput,
        InvoiceResult,
        InvoiceStageName,
        InvoiceState,
        InvoiceView,
    )
    from domain.commands import Record
    from domain.invoice_state import InvoiceFinding
    from domain.money import Money
    from domain.policy import Role
    from domain.readiness import OwnerGroup
    from workflows.invoice_calls import InvoiceCalls
    from workflows.shared import search_attributes
    from workflows.shared.desk import refused
    from workflows.shared.ledger_document import LedgerDocument, Redated, unavailable
    from workflows.shared.opening import open_process
    from workflows.shared.process import Compensated
    from workflows.shared.routing import failure_of

_STEPS: tuple[tuple[str, str, Role | None], ...] = (
    ("collect", "Collect what is to be billed", None),
    ("prebill", "Review by the project manager", None),
    ("price", "Price, cap, tax and check", None),
    ("approval", "Approval", None),
    ("erp.draft", "Draft", "erp"),
    ("erp.post", "Post", "erp"),
    ("erp.read", "Read back equal", "erp"),
    ("psa.billing", "Mark entries billed", "psa"),
    ("crm.billing", "Tell the CRM", "crm"),
)
_REVIEW = ("hold_entry", "release_entry", "write_down", "write_up", "transfer", "edit_narrative")
_REVIEWABLE = ("pre-bill review", "pricing", "awaiting approval")


@workflow.defn(name="Invoice")
class Invoice(LedgerDocument):
    """One invoice. Workflow id `invoice/<firm>/<billing event>`; owned by finance systems."""

    @workflow.init
    def __init__(self, input: InvoiceInput) -> None:
        LedgerDocument.__init__(self, f"invoice of {input.project}", input.requested_by)
        self._input = input
        self._calls: InvoiceCalls | None = None
        self._collected: Collected | None = None
        self._priced: PricedSummary | None = None
        self._drafted: Record | None = None
        self._posted: Posted | None = None
        self._stage: InvoiceStageName = "collecting"
        self._review_due: datetime | None = None
        self._released_by = ""
        self._priced_at = 0
        self._reviewing = 0
        self._touched_by: set[str] = set()
        self._without_rate = False
        self._reason = ""

    @workflow.run
    async def run(self, input: InvoiceInput) -> InvoiceResult:
        opened = await open_process(INVOICE, f"invoice of {input.project}", input.requested_by)
        if opened.state == "done":
            return InvoiceResult.model_validate_json(opened.result_json).with_changes(joined=True)
        self._calls = InvoiceCalls(input, opened)
        self.policies = opened.policies
        self.desk.use(opened.policies)
        stopped: BaseException | None = None
        try:
            result = await self._bill()
        except (Compensated, asyncio.CancelledError) as stop:
            if isinstance(stop, asyncio.CancelledError) and not self.cancelled_by_temporal():
                raise
            result = await self._stopped(stop)
            stopped = stop if result.state == "discarded" else None
        await self.calls.close(result)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if isinstance(stopped, asyncio.CancelledError):
            raise stopped
        return result

    async def _bill(self) -> InvoiceResult:
        await self._collect()
        while True:
            await self._review()
            priced = await self._price()
            if not priced.lines:
                return await self._nothing_to_bill()
            if not await self._allowed(priced) or self._touched:
                continue
            try:
                return await self._conclude(await self._write())
            except Redated as wish:
                await self._redate(wish)

    # -- collecting and pricing -------------------------------------------------------------------

    async def _collect(self) -> None:
        self._declare()
        self.enter("collecting", shown=False)
        self._collected = collected = await self.step("collect", self._collect_all, undo=self._free)
        search_attributes.upsert(
            customer=collected.customer, entity=collected.entity, project=self._input.project
        )

    async def _collect_all(self) -> Collected:
        """What is in our store, and the PSA's own document where that has priced."""
        collected = await self.calls.collect()
        self.calls.entity, self.calls.revision = collected.entity, collected.revision
        if collected.psa_invoice:
            await self.calls.take_document(collected.psa_invoice)
        return collected

    async def _free(self) -> int:
        """What it covered is open again, for the next invoice."""
        return await self.calls.discard(empty=False, reason=self._reason)

    def _declare(self) -> None:
        for step, label, role in _STEPS:
            system = self.calls.policies.route(role).system if role else ""
            self.checklist.declare(step, label, system)

    async def _review(self) -> None:
        """Wait for the project manager, who holds, releases and reprices; silence escalates."""
        if self._released_by:
            return
        collected = self.collected
        if not collected.prebill or not (collected.entries or collected.held):
            self.checklist.set("prebill", "skipped", "nothing that needs a review")
            return
        self.enter("pre-bill review")
        self.checklist.set("prebill", "running", f"{collected.entries} entries, {collected.held} held")
        self._review_due = workflow.now() + timedelta(hours=collected.prebill_hours)
        while not self._released_by:
            reminded = self.desk.item("prebill") is not None
            left = max(self._review_due - workflow.now(), timedelta(0))
            what = f"Waiting for the project manager's review of {self._input.project}"
            await self.decided(what, timeout=None if reminded else left)
            if not (self._released_by or reminded) and workflow.now() >= self._review_due:
                await self._remind()
        await self.settle_item("prebill", f"released by {self._released_by}")
        self.checklist.set("prebill", "done", f"released by {self._released_by}")

    async def _remind(self) -> None:
        collected = self.collected
        await self.desk.raise_item(
            "prebill",
            f"The pre-bill of {self._input.project} waits for its project manager",
            owner=OwnerGroup.DELIVERY_OPERATIONS,
            detail=f"{collected.entries} entries are to be reviewed; `fairlead prebill show` lists them, "
            "`fairlead prebill release` lets them be billed",
            object=self._object,
            actions=(Action.COMPENSATE, Action.HAND_OVER),
        )

    async def _price(self) -> PricedSummary:
        """Price until nothing blocks: each round on what changed since."""
        self.enter("pricing", shown=False)
        while True:
            await workflow.wait_condition(lambda: not self._reviewing)
            self._priced_at = self._changes
            priced = await self.step("price", lambda: self.calls.price(without_rate=self._without_rate))
            self._priced = priced
            if self._touched:
                continue
            if not priced.blocking:
                await self.settle_item("findings", "priced without findings that block")
                return priced
            await self._attend_findings(priced)

    @property
    def _touched(self) -> bool:
        """Whether the review has changed something, or is about to, since the price was made."""
        return self._reviewing > 0 or self._changes != self._priced_at

    async def _attend_findings(self, priced: PricedSummary) -> None:
        blocking = [finding for finding in priced.findings if finding.blocking]
        self.checklist.set("price", "blocked", f"{priced.blocking} findings")
        first, unrated = blocking[0], _only_unrated(blocking, priced.blocking)
        actions = (Action.RETRY, *((Action.SKIP,) if unrated else ()), Action.COMPENSATE, Action.HAND_OVER)
        known = self.desk.item("findings")
        if known is not None and known.actions != actions:
            await self.desk.resolve(known, "something else blocks by now")
        item = await self.desk.raise_item(
            "findings",
            f"The invoice of {self._input.project} cannot be billed as it is",
            owner=OwnerGroup(first.owner),
            detail="; ".join(f"{finding.field}: {finding.problem}" for finding in blocking[:5]),
            object=self._object,
            amount=str(first.amount or priced.gross),
            error_class=first.rule,
            actions=actions,
            facts={"findings": str(priced.blocking)},
        )
        while not self._touched:
            decision = await self.decided(f"Waiting for {item.owner.value}: {item.headline}"[:200], item=item)
            if decision is not None and decision.action == "skip":
                # What has no rate stays out and open; the rest is billed.
                self._without_rate = True
            if decision is not None and decision.action in ("retry", "skip", "correct"):
                return

    async def _allowed(self, priced: PricedSummary) -> bool:
        """Whether these very lines may be posted; False when they changed and are priced again."""
        if not priced.approval:
            self.checklist.set("approval", "skipped", "below the limit")
            return True
        return await self.approved(priced.gross, priced.content_hash, priced.approval)

    # -- writing ----------------------------------------------------------------------------------

    async def _write(self) -> Record:
        """Draft and post. Raises `Redated` when a person gave it another day."""
        self.enter("drafting", shown=False)
        amount = str(self.priced.gross)
        self._drafted = await self.step(
            "erp.draft", self._draft, role="erp", amount=amount, undo=self.calls.discard_draft
        )
        self.calls.external_id = self._drafted.external_id
        self.enter("posting", shown=False)
        return await self.post("erp.post", self.calls.post, self.calls.posting_outcome, amount)

    async def _draft(self) -> Record:
        self.raise_if_redated()
        return await self.calls.draft()

    async def _redate(self, wish: Redated) -> None:
        """The draft of the old day goes; prices and taxes are those of the new one."""
        for step in ("erp.draft", "erp.post"):
            await self.settle_item(step, f"dated {wish.dated} instead")
        await self.step("erp.draft", self.calls.discard_draft, role="erp")
        self.calls.revision = await self.step("price", lambda: self.calls.redate(wish.dated))
        self.checklist.set("erp.post", "waiting", f"dated {wish.dated}")

    async def _conclude(self, record: Record) -> InvoiceResult:
        """It is posted: from here on it only goes forward."""
        posted = await self.read_back(self._read, str(self.priced.gross))
        self._posted = posted
        known = self._drafted or record
        first = known.with_changes(external_id=self.calls.external_id, url=record.url or known.url)
        self.keep("erp.post", "erp", "invoice", first, posted.number)
        await self._tell(posted)
        self.enter("posted")
        return self._result("posted")

    async def _read(self) -> Posted:
        return await self.calls.posted(await self.calls.read())

    async def _tell(self, posted: Posted) -> None:
        """PSA and CRM show what is billed."""
        self.enter("telling", shown=False)
        if self.collected.psa_invoice or not self.priced.entries:
            self.checklist.set("psa.billing", "skipped", "no entries of the PSA, or billed there first")
        else:
            await self.told("psa.billing", "psa", "billing record", self.calls.record_billing)
        await self.told(
            "crm.billing", "crm", "deal billing status", lambda: self.calls.mark_billing(posted.invoiced)
        )

    # -- ends -------------------------------------------------------------------------------------

    async def _nothing_to_bill(self) -> InvoiceResult:
        await self.step("collect", lambda: self.calls.discard(empty=True, reason="nothing to bill"))
        self.saga.forget()
        for step, _, _ in _STEPS[3:]:
            self.checklist.set(step, "skipped", "nothing to bill")
        self.enter("nothing to bill")
        return self._result("empty", "nothing to bill")

    async def _stopped(self, stop: BaseException) -> InvoiceResult:
        """Undo the draft and free what was covered, for the next invoice; or go on with what is posted."""
        self._reason = stop.reason if isinstance(stop, Compensated) else "cancelled by temporal"
        self.enter("discarding")
        record = await self.compensate_or_go_on()
        if record is not None:
            return await self._conclude(record)
        self.enter("discarded")
        return self._result("discarded", self._reason)

    # -- handlers ---------------------------------------------------------------------------------

    @workflow.update(name="prebill")
    async def prebill(self, ref: DecisionRef) -> str:
        """Hold, release, reprice, transfer or re-word an entry, or release the whole pre-bill."""
        return await self._decide(ref)

    @workflow.query(name="status")
    def status(self) -> InvoiceView:
        collected, priced = self._collected, self._priced
        return InvoiceView(
            invoice=workflow.info().workflow_id,
            project=self._input.project,
            customer=collected.customer if collected else "",
            entity=collected.entity if collected else "",
            stage=self._stage,
            entries=priced.entries if priced else collected.entries if collected else 0,
            net=priced.net if priced else None,
            tax=priced.tax if priced else None,
            gross=priced.gross if priced else None,
            number=self._posted.number if self._posted else "",
            approval=self._approver,
            prebill_due=self._review_due,
            steps=self.checklist.steps,
            attention=self.desk.open_items,
            records=tuple(self._records.values()),
            started_at=workflow.info().start_time,
            finished=self._stage in ("posted", "discarded", "nothing to bill"),
        )

    def check_decision(self, decision: Decision) -> None:
        if decision.action in (*_REVIEW, "release_prebill") and self._stage not in _REVIEWABLE:
            raise refused(f"{self._object} is {self._stage}: its lines can no longer be changed")
        super().check_decision(decision)

    @property
    def makers(self) -> set[str]:
        """Who asked for it, released it, or changed a line."""
        return {self._requested_by, self._released_by, *self._touched_by} - {""}

    def needs_second(self, decision: Decision) -> bool:
        if decision.action in ("write_down", "write_up"):
            return self._above_limit(decision)
        return super().needs_second(decision)

    def _above_limit(self, decision: Decision) -> bool:
        """Without a limit anybody may; with one in another currency nobody alone."""
        collected = self.collected
        try:
            amount = Money.of(decision.payload.get("amount", ""), collected.currency)
        except ValueError as error:
            raise refused(f"amount: {error}") from error
        limit = collected.write_down_limit
        return limit is not None and (limit.currency != amount.currency or limit < amount)

    async def handle(self, decision: Decision) -> str:
        if decision.action == "second":
            first = self.desk.waiting(decision.target)
            if first is not None and first.action in _REVIEW:
                self.check_decision(first)
                self.desk.agree(decision)
                return await self._change_entry(first, seconded_by=decision.actor)
        if decision.action in _REVIEW and not self.needs_second(decision):
            return await self._change_entry(decision)
        if decision.action == "release_prebill":
            self._released_by = decision.actor
            self.desk.wake()
            return f"pre-bill released by {decision.actor}"
        if decision.action == "approve":
            return await self.take_approval(decision)
        if decision.action == "reject":
            return self._send_back(decision)
        return await super().handle(decision)

    async def _change_entry(self, decision: Decision, seconded_by: str = "") -> str:
        """Do what the review decided; prices and approvals made before are void."""
        self._reviewing += 1
        try:
            reviewed = await self.calls.review(decision.id, seconded_by)
            self._touched_by |= {decision.actor, seconded_by}
            self._changes += 1
        except ActivityError as error:
            raise refused(failure_of(error).message) from error
        finally:
            self._reviewing -= 1
            self.desk.wake()
        return f"entry {reviewed.entry}: {reviewed.said}"

    def _send_back(self, decision: Decision) -> str:
        """A rejected invoice is reviewed again."""
        self._released_by = ""
        self._changes += 1
        self.checklist.set("approval", "blocked", f"rejected by {decision.actor}: {decision.reason}")
        self.desk.wake()
        return f"{self._object} rejected by {decision.actor}: it goes back to the review"

    # -- small things -----------------------------------------------------------------------------

    @property
    def calls(self) -> InvoiceCalls:
        if self._calls is None:
            raise unavailable("opened process")
        return self._calls

    @property
    def document_calls(self) -> InvoiceCalls:
        return self.calls

    @property
    def shown_hash(self) -> str:
        return self.priced.content_hash

    @property
    def collected(self) -> Collected:
        if self._collected is None:
            raise unavailable("collected work")
        return self._collected

    @property
    def priced(self) -> PricedSummary:
        if self._priced is None:
            raise unavailable("price")
        return self._priced

    def _result(self, state: InvoiceState, reason: str = "") -> InvoiceResult:
        return InvoiceResult(
            state=state,
            invoice=workflow.info().workflow_id,
            number=self._posted.number if self._posted else "",
            net=self._priced.net if self._priced else None,
            gross=self._priced.gross if self._priced else None,
            records=tuple(self._records.values()),
            reason=reason,
        )


def _only_unrated(shown: list[InvoiceFinding], blocking: int) -> bool:
    """Whether all that blocks is work without a rate, which two persons may leave out."""
    return len(shown) == blocking and all(finding.rule.startswith("rate.") for finding in shown)
