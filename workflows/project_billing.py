"""Project billing: lives as long as its project, and starts one invoice for each thing that may be billed.

    begin (contract, terms) -> wait for the calendar, an event or a decision -> what is due becomes a
    billing event, once -> one Invoice each, in order -> ... -> final account

What may be billed, and whether it was, is in the store; an invoice lives on by itself. Each month is a run
of its own. While on hold nothing starts, and what falls due waits in its order.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.erp_billing import OBSERVED_STEP
    from domain.attention import AttentionItem, Decision, DecisionRef, EventRef
    from domain.billing_final import REFUND
    from domain.project_processes import (
        HoldRequest,
        ProjectBillingState,
        ProjectBillingView,
        ReleaseRequest,
    )
    from workflows.billing.account import BillingAccount
    from workflows.billing.authorities import BillingAuthorities
    from workflows.billing.calls import BillingCalls
    from workflows.billing.closing import ProjectClosing
    from workflows.billing.contract import BilledContract
    from workflows.billing.events import BillingEvents
    from workflows.billing.outside_requests import NOBODY, OutsideRequests
    from workflows.billing.parked import ParkedBilling
    from workflows.billing.problems import BillingProblems
    from workflows.billing.starts import InvoiceStarts
    from workflows.billing.steering import STEERING, Steering
    from workflows.shared.desk import refused
    from workflows.shared.process import Process


@workflow.defn(name="ProjectBilling")
class ProjectBilling(Process):
    """One project. Workflow id `billing/<firm>/<project>`; owned by finance systems.

    It has nothing to undo: an invoice undoes itself until it is posted, and is credited after that.
    """

    @workflow.init
    def __init__(self, state: ProjectBillingState) -> None:
        Process.__init__(self, f"project {state.project}")
        account = BillingAccount(state, self.checklist, self._refresh)
        calls = BillingCalls()
        problems = BillingProblems(self.desk, self._object)
        starts = InvoiceStarts(account)
        self._account, self._calls = account, calls
        self._authorities = BillingAuthorities(account, calls, problems)
        self._contract = BilledContract(account, calls, problems, starts)
        self._events = BillingEvents(account, calls, problems, starts, self._contract, self._authorities)
        self._steering = Steering(account, calls, starts, self.desk)
        self._outside = OutsideRequests(account, self._steering, problems, self.desk)
        self._closing = ProjectClosing(account, calls, problems, starts)
        self._parked = None if state.begun or state.contract is not None else ParkedBilling(account)
        self._since = 0
        self.desk.reopen(state.attention, state.exception_numbers)

    @workflow.run
    async def run(self, state: ProjectBillingState) -> ProjectBillingState:
        if self._parked is not None:
            return await self._parked.run()
        try:
            if not await self._begin():
                return self._kept()
            await self._live()
        except asyncio.CancelledError:
            if self.cancelled_by_temporal():
                await self._calls.close(self._state, "cancelled", "billing cancelled by temporal")
            raise
        if not self._state.closed:
            workflow.continue_as_new(self._kept())
        await self._calls.close(self._state, "done", f"final account, closed by {self._state.closed_by}")
        return self._kept()

    async def _live(self) -> None:
        """Until the final account, or the end of this run."""
        while True:
            if not self._run_is_over():
                # What was read while it began is looked at before anything is waited for.
                decision = None if self._account.look else await self._wait()
                await self._work(decision)
                continue
            # Whoever decided meanwhile is answered first; events travel along.
            await workflow.wait_condition(lambda: workflow.all_handlers_finished() or self._steering.waits)
            if not self._steering.waits:
                return
            await self._steering.act_all()

    async def _work(self, decision: Decision | None) -> None:
        """Everything that has come up, in a fixed order: events, decisions, calendar, final account."""
        self._since = self.desk.wakes
        if decision is not None:
            await self._decided_on(decision)
        await self._outside.act_all()
        await self._events.take_all()
        await self._steering.act_all()
        if self._account.is_due_to_look:
            await self._look()
        if self._account.observe:
            await self._authorities.observe_erp()
        if self._state.closing and not self._state.on_hold:
            await self._closing.advance()

    # -- beginning, waiting, looking ----------------------------------------------------------------

    async def _begin(self) -> bool:
        """Take up the contract and what is due; False when the project has its final account already."""
        begun = await self._calls.begin(self._state)
        self._calls.policies = self.policies = begun.policies
        self._calls.generation = begun.generation
        self.desk.use(begun.policies)
        if begun.ended:
            self._account.keep(closed=True)
            return False
        await self._contract.take_up(begun.seen)
        return True

    async def _wait(self) -> Decision | None:
        at = self._account.next_at
        timeout = max(at - workflow.now(), timedelta(0)) if at is not None else None
        return await self.decided(self._waits_for(), timeout=timeout, since=self._since)

    async def _look(self) -> None:
        self._account.look = False
        if self._state.contract is None:
            await self._contract.look()
        else:
            await self._begin()  # the contract could not be kept before

    def _run_is_over(self) -> bool:
        """At each month, and when the history grows long; a decision that waits for a second keeps it."""
        if self._state.closed:
            return True
        full = self._account.month_is_over or workflow.info().is_continue_as_new_suggested()
        return full and self.desk.idle and not self._steering.waits and not self._outside.waits

    # -- decisions on exceptions --------------------------------------------------------------------

    async def _decided_on(self, decision: Decision) -> None:
        """Of an exception: try again what it was about, or leave it."""
        item = self.item(decision.target)
        if item is None:
            return
        if decision.action == "skip":
            if item.step == REFUND:
                self._account.keep(refund_settled=True)
            await self.desk.resolve(item, f"left by {decision.actor}: {decision.reason}")
        elif decision.action == "retry":
            await self._retry(item)

    async def _retry(self, item: AttentionItem) -> None:
        event, deal = item.facts.get("event"), item.facts.get("deal")
        if event:
            again = EventRef(id=event, type=item.facts.get("type", ""))
            self._account.keep(events=(*self._state.events, again))
        elif deal:
            await self._contract.read(deal)
        else:
            self._account.look = True
            self._account.observe = item.step.startswith(OBSERVED_STEP)

    # -- handlers -----------------------------------------------------------------------------------

    @workflow.signal(name="event_received")
    async def event_received(self, event: EventRef) -> None:
        """An event from outside concerns this project; the inbox holds what it says."""
        if self._account.knows(event):
            return
        events = (*self._state.events, event)
        if self._parked is not None:
            self._parked.touch(events=events)
        else:
            self._account.keep(events=events)
            self.desk.wake()

    @workflow.update(name="steer")
    async def steer(self, ref: DecisionRef) -> str:
        """Hold, release, bill now or close; the answer says what was done."""
        if self._parked is not None:
            self._parked.wake()
            raise refused(f"{self._object} is just being taken over by this version; decide again")
        return await self._decide(ref)

    @workflow.signal(name="hold")
    def hold(self, request: HoldRequest) -> None:
        """From outside systems: nothing is billed until a release."""
        if self._parked is not None:
            self._parked.touch(on_hold=True, hold_reason=request.reason)
        else:
            self._outside.take("hold", request)

    @workflow.signal(name="release")
    def release(self, request: ReleaseRequest = NOBODY) -> None:
        """From outside systems, with the actor they have authenticated."""
        if self._parked is not None:
            self._parked.touch(on_hold=False, hold_reason="")
        else:
            self._outside.take("release", request)

    @workflow.signal(name="close")
    def close(self) -> None:
        """As version 0.1.0 was closed. A final account takes a decision: `steer`."""
        if self._parked is not None:
            self._parked.touch(closed=True)
        else:
            self._outside.take("close")

    @workflow.query(name="status")
    def status(self) -> ProjectBillingView:
        state = self._state
        known = {
            name: value for name, value in dict(state).items() if name in ProjectBillingView.model_fields
        }
        shown = {
            "stage": self._account.stage,
            "next_at": None if state.closed else self._account.wake_at,
            "attention": self.desk.open_items,
        }
        return ProjectBillingView(**{**known, **shown})

    def check_decision(self, decision: Decision) -> None:
        possible = (*STEERING, "retry", "skip", "hand_over", "second")
        if decision.action not in possible:
            raise refused(
                f"{decision.action!r} is not possible for {self._object}; possible: {', '.join(possible)}"
            )
        self._steering.check(decision)

    async def handle(self, decision: Decision) -> str:
        if decision.action in STEERING:
            return await self._steering.answer(decision)
        return await super().handle(decision)

    # -- small things -------------------------------------------------------------------------------

    @property
    def _state(self) -> ProjectBillingState:
        return self._account.state

    def details(self) -> str:
        state = self._state
        told = [f"On hold: {state.hold_reason}"] if state.on_hold else []
        told += [f"{len(state.pending)} billing events wait for the release"] if state.pending else []
        told += [f"Started {one.at:%Y-%m-%d}: `{one.invoice}`" for one in reversed(state.recent[-5:])]
        return "\n\n".join([super().details(), *told])

    def _kept(self) -> ProjectBillingState:
        """What the next run goes on with."""
        return self._state.with_changes(attention=self.desk.open_items, exception_numbers=self.desk.numbers)

    def _waits_for(self) -> str:
        if self._state.closing:
            return f"Final account of project {self._state.project}: waiting for its last invoices"
        return f"Project {self._state.project} is billed"
