"""Subcontractor procurement: one per project, from the need to the purchase order the supplier has accepted.

    need -> requisition per supplier -> its approval followed -> order -> accepted
    ... and back: dropped by the contract or a person -> withdrawn, cancelled, or an owner who does it

What procurement holds is read, never guessed: an event only says that there is something to read, so their
order and number do not matter. Approvals come without event and are asked for at growing intervals; orders
are found by one poll for all projects (`workflows.tick`). Once nobody is waited for it costs nothing until
something changes.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain import procurement
    from domain.attention import AttentionItem, Decision, DecisionRef, EventRef
    from domain.procurement_events import ORDER_CHANGED
    from domain.procurement_problems import APPROVAL, ORDER, READING, REQUEST, SILENCE, WITHDRAWAL
    from domain.procurement_process import PROCUREMENT, ProcurementState, ProcurementView
    from workflows.procurement.account import ProcurementAccount
    from workflows.procurement.buying import DEAL, Buying
    from workflows.procurement.calls import ProcurementCalls
    from workflows.procurement.problems import ProcurementProblems
    from workflows.shared.desk import refused
    from workflows.shared.opening import open_process
    from workflows.shared.process import Process
    from workflows.shared.routing import is_cancelled

_POSSIBLE = ("retry", "correct", "skip", "hand_over", "second", "cancel")


@workflow.defn(name="SubcontractorProcurement")
class SubcontractorProcurement(Process):
    """One project. Workflow id `procurement/<firm>/<project>`; owned by finance systems."""

    @workflow.init
    def __init__(self, state: ProcurementState) -> None:
        Process.__init__(self, f"project {state.project}")
        self._account = ProcurementAccount(state, self.checklist, self._refresh)
        self._calls = ProcurementCalls()
        self._problems = ProcurementProblems(self.desk, self._object)
        self._buying = Buying(self._account, self._calls, self._problems)
        self._since = 0
        self.desk.reopen(state.attention, state.exception_numbers)

    @workflow.run
    async def run(self, state: ProcurementState) -> ProcurementState:
        if not state.system:
            return await self._park()
        await self._begin()
        cancelled = await self._live_through_cancel()
        if not self._is_ended():
            workflow.continue_as_new(self._kept())
        await self._close()
        if cancelled is not None:
            raise cancelled
        return self._kept()

    async def _live_through_cancel(self) -> BaseException | None:
        """Until this run is over; a cancel by Temporal takes everything back first, and is returned."""
        cancelled: BaseException | None = None
        while True:
            try:
                await self._live()
            except (asyncio.CancelledError, ActivityError) as stop:
                if not (isinstance(stop, asyncio.CancelledError) or is_cancelled(stop)):
                    raise
                if cancelled is not None or not self.cancelled_by_temporal():
                    raise
                cancelled = stop
                self._end("cancelled by temporal")
                continue
            if self._is_ended():
                await self._settle_open_items()
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._is_ended() or self.desk.idle:
                return cancelled

    async def _park(self) -> ProcurementState:
        """Without a system for procurement: as version 0.1.0 did, until it is closed."""
        await workflow.wait_condition(
            lambda: self._state.closed or workflow.info().is_continue_as_new_suggested(),
            timeout_summary=f"Suppliers of project {self._state.project}",
        )
        if not self._state.closed:
            workflow.continue_as_new(self._state)
        return self._state

    async def _begin(self) -> None:
        opened = await open_process(PROCUREMENT, self._object, self._state.correlation)
        self.policies = self._calls.policies = opened.policies
        self._calls.generation = opened.generation
        self._account.limits = opened.policies.procurement
        self._problems.system = self._state.system
        self.desk.use(opened.policies)

    async def _live(self) -> None:
        """Until it is closed, everything is taken back, or this run is full."""
        while not self._is_over():
            self._since = self.desk.wakes
            await self._buying.advance()
            if self._is_over():
                return
            if not self._account.look:
                await self._wait()

    async def _wait(self) -> None:
        at = self._account.next_at
        timeout = max(at - workflow.now(), timedelta(0)) if at is not None else None
        what = f"Suppliers of project {self._state.project}: {self._account.stage}"
        decision = await self.decided(what, timeout=timeout, since=self._since)
        if decision is not None:
            await self._decided_on(decision)

    # -- ends ---------------------------------------------------------------------------------------

    def _is_ended(self) -> bool:
        """Closed; or everything had to be taken back, and is."""
        taken_back = all(line.state == "withdrawn" for line in self._state.lines)
        return self._state.closed or (bool(self._state.ending) and taken_back)

    def _is_over(self) -> bool:
        full = workflow.info().is_continue_as_new_suggested() and self.desk.idle
        return self._is_ended() or (full and not self._account.look)

    async def _settle_open_items(self) -> None:
        for item in self.desk.open_items:
            await self.desk.resolve(item, "procurement of the project has ended")

    async def _close(self) -> None:
        if self._state.closed:
            await self._calls.close(self._state, "done", "procurement closed")
        else:
            await self._calls.close(self._state, "cancelled", f"taken back: {self._state.ending}")

    def _end(self, why: str) -> None:
        """Nothing is wanted any more; what a machine may not take back keeps it open."""
        self._account.keep(lines=procurement.dropped(self._state.lines, why), ending=why)
        self._account.look = True

    # -- decisions ----------------------------------------------------------------------------------

    async def _decided_on(self, decision: Decision) -> None:
        """Of an exception: try again what it was about, with what was corrected, or leave it."""
        item = self.item(decision.target)
        if item is None:
            return
        kind, _, ref = item.step.partition(".")
        if decision.action == "skip":
            self._skip(kind, ref, f"left by {decision.actor}: {decision.reason}")
            await self.desk.resolve(item, f"left by {decision.actor}: {decision.reason}")
        elif decision.action in ("retry", "correct"):
            if decision.payload:
                self._account.take(procurement.corrected(self._state.lines, decision.payload))
            await self._again(kind, ref, item, fresh=decision.action == "retry")

    async def _again(self, kind: str, ref: str, item: AttentionItem, *, fresh: bool) -> None:
        if kind == APPROVAL:
            if fresh:  # it may have been submitted again in procurement meanwhile
                await self._buying.look()
            if await self._buying.request_again(ref):
                await self._problems.heal(item.step, "requested anew")
        elif kind in (REQUEST, WITHDRAWAL):
            await self.desk.resolve(item, "tried again")
            if kind == WITHDRAWAL:
                await self._buying.look()
                await self._buying.request_again(ref)
        elif kind == DEAL:
            self._account.keep(reread=True)
        else:
            self._account.look = True

    def _skip(self, kind: str, ref: str, why: str) -> None:
        if kind in (APPROVAL, READING, REQUEST, WITHDRAWAL):
            self._buying.leave(ref, why)
        elif kind == ORDER:
            self._buying.agree(ref)
        elif kind == SILENCE:
            self._buying.wait_again(ref)

    def check_decision(self, decision: Decision) -> None:
        if decision.action not in _POSSIBLE:
            raise refused(
                f"{decision.action!r} is not possible for {self._object}; possible: {', '.join(_POSSIBLE)}"
            )
        if decision.action == "correct":
            if not decision.target:
                raise refused(f"name the exception of {self._object} that the correction is for")
            try:
                procurement.corrected(self._state.lines, decision.payload)
            except ValueError as error:
                raise refused(str(error)) from error

    async def _decide(self, ref: DecisionRef) -> str:
        if not self._state.system:
            raise refused(f"{self._object} has no system for procurement: nothing is decided here")
        return await super()._decide(ref)

    async def handle(self, decision: Decision) -> str:
        if decision.action != "cancel":
            return await super().handle(decision)
        self._end(f"{decision.reason or 'cancelled'} ({decision.actor})")
        self.desk.wake()
        return "everything that was requested is being taken back"

    # -- handlers -----------------------------------------------------------------------------------

    @workflow.signal(name="event_received")
    async def event_received(self, event: EventRef) -> None:
        """An order or the contract has changed. Both are read; the event is a hint."""
        if not self._state.system or self._account.knows(event):
            return
        if event.type == ORDER_CHANGED:
            self._account.keep(events=(*self._state.events, event))
            self._account.look = True
        else:  # of the contract: the project's billing applies it
            self._account.keep(reread=True)
        self.desk.wake()

    @workflow.signal(name="close")
    def close(self) -> None:
        """Every line is delivered or withdrawn."""
        self._account.keep(closed=True)
        self.desk.wake()

    @workflow.query(name="status")
    def status(self) -> ProcurementView:
        state = self._state
        return ProcurementView(
            project=state.project,
            system=state.system,
            entity=state.entity,
            stage=self._account.stage,
            lines=state.lines,
            next_at=None if state.closed or not state.system else self._account.next_at,
            attention=self.desk.open_items,
            closed=state.closed,
        )

    # -- small things -------------------------------------------------------------------------------

    @property
    def _state(self) -> ProcurementState:
        return self._account.state

    def details(self) -> str:
        told = [
            f"Line {line.ref} {line.name}: {line.state}"
            + (f", requisition {line.requisition_number}" if line.requisition_number else "")
            + (f", order {line.order_number}" if line.order_number else "")
            for line in self._state.lines
        ]
        return "\n\n".join([super().details(), *told])

    def _kept(self) -> ProcurementState:
        """What the next run goes on with."""
        return self._state.with_changes(attention=self.desk.open_items, exception_numbers=self.desk.numbers)
