"""What every process of ours is made of: steps with undo, exceptions that are resolved in place, cancel.

A process subclasses `Process`, keeps its business sequence in one method that fits on a screen, and
states per step: how to act, how to undo, and what a person may do when it fails.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from activities.decisions import DecisionActivities
from activities.process import AppliedEvent, ProcessActivities
from domain import corrections
from domain.attention import Action, AttentionItem, Decision, DecisionRef, EventRef
from domain.policy import PolicySnapshot, Role
from workflows.shared import options
from workflows.shared.checklist import Checklist
from workflows.shared.desk import Desk, refused
from workflows.shared.routing import failure_of, is_cancelled
from workflows.shared.saga import Saga, UndoneStep

T = TypeVar("T")

SETTLED_ACTIONS = (Action.RETRY, Action.SKIP, Action.HAND_OVER)
"""After the point of no return nothing is undone: a step is tried again, or settled by hand."""

STEP_ACTIONS = (Action.RETRY, Action.CORRECT, Action.COMPENSATE, Action.HAND_OVER)
"""A step whose effect the rest depends on can be retried, corrected or compensated, never skipped."""

UNDO_ACTIONS = (Action.RETRY, Action.SKIP, Action.HAND_OVER)
"""An undo that fails is tried again, or skipped because a person has done it by hand."""


class Compensated(Exception):
    """The process shall undo what it did; who decided so, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SettledByHand(Exception):
    """A step that failed after the point of no return was done by a person, outside of here."""


class Process:
    """State and handlers common to all processes. Subclasses call `Process.__init__` from `workflow.init`."""

    step_actions: tuple[Action, ...] = STEP_ACTIONS
    """What a person may do about a failed step."""

    def __init__(self, object: str) -> None:
        self._object = object
        self.checklist = Checklist()
        self.desk = Desk(workflow.info().workflow_id, self._refresh)
        self.saga = Saga(self._undo_failed)
        self.corrections: dict[str, str] = {}
        self.policies: PolicySnapshot | None = None
        self._cancel: Decision | None = None
        self._temporal_cancel_seen = False
        self._inflight: list[asyncio.Future[Any]] = []
        self._roles: dict[str, Role | None] = {}
        self._undoing = False
        self._final = False
        self._stale = False

    # -- what a subclass uses ---------------------------------------------------------------------

    @property
    def known_policies(self) -> PolicySnapshot:
        if self.policies is None:
            raise RuntimeError("the policies are used before the process is opened")
        return self.policies

    async def step(
        self,
        step: str,
        act: Callable[[], Awaitable[T]],
        *,
        role: Role | None = None,
        undo: Callable[[], Awaitable[object]] | None = None,
        amount: str = "",
    ) -> T:
        """Do one step until it is done; a failure that repeating does not cure waits for its owner.

        The undo is registered before the act. Raises `Compensated` when the process is to be undone,
        `SettledByHand` after the point of no return.
        """
        if undo is not None:
            self._roles[step] = role
            self.saga.undo_with(step, undo)
        while True:
            self._raise_if_cancelled()
            self.checklist.set(step, "running")
            self._refresh()
            try:
                result = await self._interruptible(_begun(act))
            except (ActivityError, ApplicationError) as error:
                self._raise_if_cancelled()
                await self._attend_failure(step, error, role, amount)
                continue
            self._raise_if_cancelled()
            await self._step_done(step)
            return result

    async def decided(
        self,
        what: str,
        *,
        item: AttentionItem | None = None,
        timeout: timedelta | None = None,
        since: int | None = None,
    ) -> Decision | None:
        """Wait for a decision (on `item`, if given); None means look again. Raises `Compensated`.

        `since` is `desk.wakes` as it was before what is judged was read.
        """
        decision = await self.desk.next(
            what, item=item, interrupted=lambda: self._cancel is not None, timeout=timeout, since=since
        )
        self._raise_if_cancelled()
        if decision is None:
            return None
        if decision.action == "compensate":
            raise Compensated(f"{decision.reason} ({decision.actor})")
        if decision.action == "correct":
            self.corrections.update(decision.payload)
            self.corrected(decision.payload)
        target = self.item(decision.target)
        if decision.action == "hand_over" and target is not None:
            await self.desk.hand_over(target, decision)
        return decision

    def item(self, id: str) -> AttentionItem | None:
        """The open exception called `id`."""
        return next((item for item in self.desk.open_items if item.id == id), None)

    async def compensate(self) -> list[UndoneStep]:
        """Undo everything, newest first. A second cancel, of either kind, changes nothing."""
        self._undoing = True
        for item in self.desk.open_items:
            await self.desk.resolve(item, "the process is being undone")
        undoing = asyncio.ensure_future(self.saga.compensate())
        while True:
            try:
                outcomes = await asyncio.shield(undoing)
            except asyncio.CancelledError:
                if self._temporal_cancel_seen or workflow.cancellation_reason() is None:
                    raise  # eviction, not a cancel
                self._temporal_cancel_seen = True
                continue
            for outcome in outcomes:
                self.checklist.set(outcome.step, "undone", outcome.outcome)
            self._refresh()
            return outcomes

    def cancelled_by_temporal(self) -> bool:
        """Whether a CancelledError is a cancel request (and not the eviction of this run from the cache)."""
        if workflow.cancellation_reason() is None:
            return False
        self._temporal_cancel_seen = True
        return True

    def point_of_no_return(self) -> None:
        """From here on a cancel is refused: what exists is ended by the processes that own it."""
        self._final = True
        self.saga.forget()

    # -- what a subclass provides -----------------------------------------------------------------

    def details(self) -> str:
        """The live checklist as Markdown."""
        return self.checklist.markdown(self.desk.open_items)

    def corrected(self, payload: dict[str, str]) -> None:
        """A correction was taken in; it is in `self.corrections` already."""

    def check_decision(self, decision: Decision) -> None:
        """Raise `ApplicationError` for a decision that is impossible now; called before it is taken in."""

    def take(self, decision: Decision) -> bool:
        """Take `decision` in at once, whatever the process waits for. False: it goes to the desk."""
        return False

    async def handle(self, decision: Decision) -> str:
        """Act on a decision that was claimed and checked; the answer is for who decided."""
        if decision.action == "cancel":
            self._request_cancel(decision)
        elif not self.take(decision):
            await self.desk.deliver(decision, needs_second=self.needs_second(decision))
        return f"{decision.action.replace('_', ' ')} by {decision.actor} taken in"

    # -- handlers ---------------------------------------------------------------------------------

    @workflow.signal(name="event_received")
    async def event_received(self, event: EventRef) -> None:
        """An event from outside concerns this process: mark it applied and look again."""
        await workflow.wait_condition(lambda: self.policies is not None)
        try:
            applied: AppliedEvent = await workflow.execute_activity_method(
                ProcessActivities.apply_event, event, **options.own(f"Apply event {event.type}")
            )
        except ActivityError:
            return  # the row is gone; the sweeper or the source sends the event again
        if applied.known:
            self.desk.wake()

    @workflow.update(name="resolve")
    async def resolve(self, ref: DecisionRef) -> str:
        """Decide on an exception: retry, correct, skip, compensate or hand over."""
        return await self._decide(ref)

    @workflow.update(name="correct")
    async def correct(self, ref: DecisionRef) -> str:
        """Correct a field in place, whether or not an exception is open for it."""
        return await self._decide(ref)

    @workflow.update(name="second")
    async def second(self, ref: DecisionRef) -> str:
        """Agree, as a second person, to a decision that needs two."""
        return await self._decide(ref)

    @workflow.update(name="cancel")
    async def request_cancel(self, ref: DecisionRef) -> str:
        """Stop and undo everything this process did."""
        return await self._decide(ref)

    async def _decide(self, ref: DecisionRef) -> str:
        await workflow.wait_condition(lambda: self.policies is not None)
        try:
            decision = await workflow.execute_local_activity_method(
                DecisionActivities.claim, ref, **options.bookkeeping("Read the decision")
            )
        except (ActivityError, ApplicationError) as error:
            failure = failure_of(error)
            raise ApplicationError(failure.message, type=failure.kind, non_retryable=True) from error
        undoes = decision.action in ("cancel", "compensate")
        if self._final and (undoes or not self.desk.open_items):
            raise refused(f"{self._object} can no longer be decided on here: it is {self.checklist.stage}")
        self.check_decision(decision)
        if decision.action == "cancel" and self._undoing:
            return f"{self._object} is being undone already"
        return await self.handle(decision)

    def needs_second(self, decision: Decision) -> bool:
        """Skips, and corrections of money or of what the firm listed, take effect when seconded."""
        if decision.action == "skip":
            return True
        fields = self.known_policies.second_person_fields
        return decision.action == "correct" and any(
            corrections.is_money(path) or corrections.needs_second_person(path, fields)
            for path in decision.payload
        )

    # -- inside -----------------------------------------------------------------------------------

    def _request_cancel(self, decision: Decision) -> None:
        self._cancel = decision
        for call in self._inflight:
            call.cancel()

    async def _interruptible(self, call: Awaitable[T]) -> T:
        """Await `call` so that a cancel decision reaches it while it waits to be repeated."""
        running = asyncio.ensure_future(call)
        self._inflight.append(running)
        try:
            return await running
        except (asyncio.CancelledError, CancelledError):
            self._raise_if_cancelled()
            raise
        finally:
            self._inflight.remove(running)

    def _raise_if_cancelled(self) -> None:
        """A write that was waited for swallows the cancel, so this is asked after every await."""
        if self._undoing or self._final:
            return
        if self._cancel is not None:
            raise Compensated(f"{self._cancel.reason or 'cancelled'} ({self._cancel.actor})")
        if workflow.cancellation_reason() is not None and not self._temporal_cancel_seen:
            raise asyncio.CancelledError

    async def _attend_failure(self, step: str, error: BaseException, role: Role | None, amount: str) -> None:
        """Hand a failed step to its owner and come back when it is to be tried again."""
        if is_cancelled(error):
            raise error
        failure = failure_of(error)
        self.checklist.set(step, "blocked", failure.message)
        item = await self.desk.raise_item(
            step,
            f"{self.checklist.label(step)} failed",
            owner=failure.owner(role),
            detail=failure.message,
            object=self._object,
            amount=amount,
            systems=self.checklist.systems(step),
            error_class=failure.kind,
            actions=SETTLED_ACTIONS if self._final else self.step_actions,
            facts=failure.facts,
        )
        while True:
            decision = await self.decided(f"Waiting for {item.owner.value}: {item.headline}"[:200], item=item)
            if decision is not None and decision.action in ("retry", "correct"):
                return
            if decision is not None and decision.action == "skip":
                self.checklist.set(step, "skipped", f"settled by hand: {decision.reason}")
                await self.desk.resolve(item, f"settled by hand: {decision.reason}")
                raise SettledByHand(step)

    async def _step_done(self, step: str) -> None:
        self.checklist.set(step, "done")
        item = self.desk.item(step)
        if item is not None:
            await self.desk.resolve(item, "done")

    async def _undo_failed(self, step: str, error: BaseException) -> bool:
        """An undo failed: its owner says try again (True), or has settled it by hand (False)."""
        failure = failure_of(error)
        item = await self.desk.raise_item(
            f"undo {step}",
            f"Undo of {self.checklist.label(step)} failed",
            owner=failure.owner(self._roles.get(step)),
            detail=failure.message,
            object=self._object,
            systems=self.checklist.systems(step),
            error_class=failure.kind,
            actions=UNDO_ACTIONS,
            facts=failure.facts,
        )
        while True:
            decision = await self.desk.next(
                f"Waiting for {item.owner.value}: {item.headline}"[:200],
                item=item,
                interrupted=lambda: False,
            )
            if decision is None:
                continue
            if decision.action == "hand_over":
                await self.desk.hand_over(item, decision)
                continue
            await self.desk.resolve(item, f"{decision.action} by {decision.actor}: {decision.reason}")
            return decision.action == "retry"

    def _refresh(self) -> None:
        """Render the live checklist, once after all that happens in this workflow task."""
        if not self._stale:
            self._stale = True
            asyncio.get_running_loop().call_soon(self._render)

    def _render(self) -> None:
        self._stale = False
        workflow.set_current_details(self.details())


def _begun(act: Callable[[], Awaitable[T]]) -> Awaitable[T]:
    """`act` begun; what it cannot even be built from is a defect with an owner, not a stuck workflow."""
    try:
        return act()
    except ValueError as error:
        raise ApplicationError(str(error), type="Defect", non_retryable=True) from error
