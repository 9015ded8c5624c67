"""What an invoice and a credit note have in common: an approval bound to lines, and a posting for good.

    approval by another person -> posted in the ERP -> read back equal -> told

Until it is posted a cancel undoes everything; a cancel that meets the posting itself waits for its outcome,
and what is posted goes on.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.billing_rows import APPROVAL_VOID
from activities.invoicing import CHANGED_SINCE, Posted
from domain.activation_process import SystemRecord
from domain.attention import Action, AttentionItem, Decision, DecisionRef
from domain.commands import Record
from domain.money import Money
from domain.policy import Role, Route
from domain.readiness import OwnerGroup
from workflows.shared import search_attributes
from workflows.shared.desk import refused
from workflows.shared.process import Process, SettledByHand
from workflows.shared.routing import failure_of

P = TypeVar("P", bound=Posted)
Act = Callable[[], Awaitable[Record]]
AWAITING_APPROVAL = "awaiting approval"


class Redated(Exception):
    """A person gave the document another day: it is made anew with it."""

    def __init__(self, dated: date) -> None:
        super().__init__(dated.isoformat())
        self.dated = dated


class PostedMeanwhile(Exception):
    """The document was posted while it was cancelled: there is nothing to undo any more."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.external_id)
        self.record = record


class DocumentCalls(Protocol):
    """The calls that every document needs."""

    def route(self, role: Role) -> Route: ...

    def approve(self, decision: str, approver: str, content_hash: str) -> Awaitable[None]: ...


class LedgerDocument(Process):
    """An invoice or credit note on its way into the ledger.

    Args:
        object: in business words.
        requested_by: who may not approve it.
    """

    def __init__(self, object: str, requested_by: str) -> None:
        Process.__init__(self, object)
        self._requested_by = requested_by
        self._stage: str = ""
        self._approved_hash = ""
        self._approver = ""
        self._changes = 0
        self._new_day: date | None = None
        self._records: dict[str, SystemRecord] = {}

    # -- what a subclass provides -----------------------------------------------------------------

    @property
    def document_calls(self) -> DocumentCalls:
        raise NotImplementedError

    @property
    def shown_hash(self) -> str:
        """Hash of the lines as they are shown now."""
        raise NotImplementedError

    @property
    def makers(self) -> set[str]:
        """Who made it, and may not approve it."""
        return {self._requested_by} - {""}

    # -- approval ---------------------------------------------------------------------------------

    async def approved(self, gross: Money, content_hash: str, why: str) -> bool:
        """Wait for another person's approval of exactly these lines; False when they changed meanwhile."""
        if self._approved_hash == content_hash:
            return True
        self.enter(AWAITING_APPROVAL)
        item = await self._ask_approval(gross, content_hash, why)
        seen = self._changes
        while self._approved_hash != content_hash:
            await self.decided(f"Waiting for approval of {gross}")
            if self._changes != seen:
                await self.desk.resolve(item, "changed meanwhile: it is judged anew")
                self.checklist.set("approval", "waiting", "void: the lines changed, or it was rejected")
                return False
        await self.desk.resolve(item, f"approved by {self._approver}")
        self.checklist.set("approval", "done", f"approved by {self._approver}")
        return True

    async def _ask_approval(self, gross: Money, content_hash: str, why: str) -> AttentionItem:
        return await self.desk.raise_item(
            "approval",
            f"The {self._object} needs a second person's approval",
            owner=OwnerGroup.FINANCE_SYSTEMS,
            detail=f"{why}; `fairlead invoice show` has the lines, `fairlead invoice approve` or `reject` "
            "decides",
            object=self._object,
            amount=str(gross),
            actions=(Action.COMPENSATE, Action.HAND_OVER),
            facts={"content_hash": content_hash},
        )

    async def take_approval(self, decision: Decision) -> str:
        shown = decision.payload.get("content_hash") or self.shown_hash
        try:
            await self.document_calls.approve(decision.id, decision.actor, shown)
        except ActivityError as error:
            if failure_of(error).kind in (CHANGED_SINCE, APPROVAL_VOID):
                raise refused(failure_of(error).message) from error
            raise
        self._approved_hash, self._approver = shown, decision.actor
        self.desk.wake()
        return f"{self._object} approved by {decision.actor}"

    # -- posting ----------------------------------------------------------------------------------

    async def post(
        self, step: str, act: Act, outcome: Callable[[], Awaitable[Record | None]], amount: str
    ) -> Record:
        """Do the step that posts. Raises `Redated` when its day is to change, and undoes nothing then."""
        self.saga.undo_with(step, lambda: self._undo_posting(outcome))
        return await self.step(step, lambda: self._irrevocably(act), role="erp", amount=amount)

    async def _irrevocably(self, act: Act) -> Record:
        """No cancel gets between the posting and the knowledge that it is posted."""
        self.raise_if_redated()
        record = await act()
        self.point_of_no_return()
        return record

    async def _undo_posting(self, outcome: Callable[[], Awaitable[Record | None]]) -> None:
        record = await outcome()
        if record is not None:
            raise PostedMeanwhile(record)

    def raise_if_redated(self) -> None:
        if self._new_day is not None:
            dated, self._new_day = self._new_day, None
            raise Redated(dated)

    async def compensate_or_go_on(self) -> Record | None:
        """Undo everything; the document, when it turns out to be posted: then it goes on."""
        try:
            await self.compensate()
        except PostedMeanwhile as posted:
            self._undoing = False
            self.point_of_no_return()
            return posted.record
        return None

    async def read_back(self, read: Callable[[], Awaitable[P]], amount: str) -> P:
        """The document as the ledger has it; a difference goes to its owner, not into the books."""
        while True:
            posted = await self.step("erp.read", read, role="erp")
            if not posted.differences or await self._accepted(posted, amount):
                return posted

    async def _accepted(self, posted: Posted, amount: str) -> bool:
        """Whether two persons accept the document as it is; else it is read again."""
        self.checklist.set("erp.read", "blocked", "; ".join(posted.differences))
        item = await self.desk.raise_item(
            "erp.read",
            f"Document {posted.number} is not what was priced",
            owner=OwnerGroup.FINANCE_SYSTEMS,
            detail="; ".join(posted.differences) + "; the ERP's document stands: credit it, or accept it",
            object=self._object,
            amount=amount,
            systems=self.checklist.systems("erp.read"),
            actions=(Action.RETRY, Action.SKIP, Action.HAND_OVER),
        )
        while True:
            decision = await self.decided(f"Waiting for {item.owner.value}: {item.headline}", item=item)
            if decision is not None and decision.action == "skip":
                self.checklist.set("erp.read", "skipped", f"accepted: {decision.reason}")
                await self.desk.resolve(item, f"accepted: {decision.reason}")
                return True
            if decision is not None and decision.action == "retry":
                return False

    async def told(
        self, step: str, role: Role, noun: str, act: Callable[[], Awaitable[Record | None]]
    ) -> None:
        """Tell another system. Our store is the guard, so a person may settle this by hand."""
        try:
            record = await self.step(step, act, role=role)
        except SettledByHand:
            return
        if record is not None:
            self.keep(step, role, noun, record)

    # -- handlers ---------------------------------------------------------------------------------

    @workflow.update(name="approve")
    async def approve(self, ref: DecisionRef) -> str:
        """Approve exactly these lines; never by somebody who made them."""
        return await self._decide(ref)

    @workflow.update(name="reject")
    async def reject(self, ref: DecisionRef) -> str:
        """Refuse the approval, with the reason."""
        return await self._decide(ref)

    def check_decision(self, decision: Decision) -> None:
        if decision.action in ("approve", "reject") and self._stage != AWAITING_APPROVAL:
            raise refused(f"{self._object} is {self._stage} and waits for no approval")
        if decision.action == "approve" and decision.actor.casefold() in {m.casefold() for m in self.makers}:
            raise refused(f"{decision.actor} made this document; another person approves it")
        if decision.action == "correct":
            check_date(decision)

    def corrected(self, payload: dict[str, str]) -> None:
        if "dated" in payload:
            self._new_day = date.fromisoformat(payload["dated"])

    # -- small things -----------------------------------------------------------------------------

    async def settle_item(self, step: str, resolution: str) -> None:
        item = self.desk.item(step)
        if item is not None:
            await self.desk.resolve(item, resolution)

    def enter(self, stage: str, *, shown: bool = True) -> None:
        """`shown`: in visibility too. Each time costs an event, so a stage that passes at once is not."""
        self._stage = stage
        self.checklist.stage = stage
        if shown:
            search_attributes.upsert(stage=stage)
        self._refresh()

    def keep(self, step: str, role: Role, noun: str, record: Record, number: str = "") -> None:
        """Show what `step` made in the system of `role`."""
        self._records[step] = SystemRecord(
            system=self.document_calls.route(role).system,
            noun=noun,
            external_id=record.external_id,
            number=number or record.number,
            url=record.url,
        )
        self.checklist.set(step, "done", number or record.number or record.external_id)


def check_date(decision: Decision) -> None:
    """A document is corrected by its entries and its contract; of its own it has only its day."""
    for path, value in decision.payload.items():
        if path != "dated":
            raise refused(f"{path!r} cannot be corrected here: change the entries or the contract")
        try:
            date.fromisoformat(value)
        except ValueError as error:
            raise refused(f"dated: {value!r} is not a day, write it like 2026-12-01") from error


def unavailable(what: str) -> ApplicationError:
    """Something is asked of the process before it has it."""
    return ApplicationError(f"there is no {what} yet", non_retryable=True)
