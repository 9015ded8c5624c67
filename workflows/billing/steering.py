"""The steering by people: hold, release, bill now, close. Who decided is answered with what was done."""

from datetime import date

from temporalio import workflow

from domain.attention import Decision
from workflows.billing.account import BillingAccount
from workflows.billing.calls import BillingCalls
from workflows.billing.starts import RECENT, InvoiceStarts, spoken
from workflows.shared.desk import Desk, refused

STEERING = ("hold", "release", "bill_now", "close")


class Steering:
    """Decisions on the project as a whole: they wait here until the main loop acts on them, in order."""

    def __init__(
        self, account: BillingAccount, calls: BillingCalls, starts: InvoiceStarts, desk: Desk
    ) -> None:
        self._account = account
        self._calls = calls
        self._starts = starts
        self._desk = desk
        self._waiting: list[Decision] = []
        self._answers: dict[str, str] = {}

    @property
    def waits(self) -> bool:
        """Whether somebody still waits for an answer."""
        return bool(self._waiting)

    def check(self, decision: Decision) -> None:
        """Raise `ApplicationError` for what is impossible as the project stands."""
        state, project = self._account.state, f"project {self._account.state.project}"
        if decision.action == "release" and not state.on_hold:
            raise refused(f"{project} is not on hold")
        if decision.action == "bill_now":
            if state.on_hold:
                raise refused(f"{project} is on hold: {state.hold_reason}; release it first")
            _until(decision)

    async def answer(self, decision: Decision) -> str:
        """Hand `decision` to the main loop; what was done."""
        if decision.id in self._account.state.decisions:
            return f"{decision.action.replace('_', ' ')} by {decision.actor} was taken in before"
        self._waiting.append(decision)
        self._desk.wake()
        await workflow.wait_condition(lambda: decision.id in self._answers)
        return self._answers[decision.id]

    async def act_all(self) -> None:
        while self._waiting:
            decision = self._waiting.pop(0)
            self._answers[decision.id] = await self._act(decision)
            decisions = (*self._account.state.decisions, decision.id)[-RECENT:]
            self._account.keep(decisions=decisions)

    def hold(self, reason: str) -> str:
        self._account.enter(on_hold=True, hold_reason=reason)
        return f"project {self._account.state.project} is on hold: {reason}"

    async def release(self, by: str) -> str:
        account = self._account
        waiting = account.state.pending
        account.enter(on_hold=False, hold_reason="")
        started = await self._starts.bill(waiting)
        account.keep(pending=())
        account.look = True
        return f"project {account.state.project} released by {by}; {spoken(started)}"

    async def _act(self, decision: Decision) -> str:
        project, by = self._account.state.project, decision.actor
        if self._account.state.closed:
            return f"project {project} has its final account"
        if decision.action == "hold":
            return self.hold(f"{decision.reason} ({by})")
        if decision.action == "release":
            return await self.release(by)
        if decision.action == "bill_now":
            return await self._bill_now(decision)
        self._account.enter(closing=True, closed_by=by)
        return f"final account of project {project} begun by {by}"

    async def _bill_now(self, decision: Decision) -> str:
        state = self._account.state
        if state.on_hold:
            return f"project {state.project} is on hold; nothing was started"
        result = await self._calls.bill_now(state, _until(decision))
        if result.refused:
            return f"nothing was started: {result.refused}"
        return spoken(await self._starts.bill(result.due, decision=decision.id, again=True))


def _until(decision: Decision) -> date | None:
    text = decision.payload.get("until", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise refused(f"until {text!r} is no day: write it as YYYY-MM-DD") from error
