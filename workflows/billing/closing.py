"""The final account: last bills, then what was held back, then the rest of an advance."""

from datetime import timedelta

from temporalio import workflow

from domain.billing_final import FINAL, REFUND
from workflows.billing.account import BillingAccount
from workflows.billing.calls import BillingCalls
from workflows.billing.problems import BillingProblems
from workflows.billing.starts import InvoiceStarts

_FIRST_POLL, _LONGEST_POLL = timedelta(minutes=15), timedelta(hours=6)
"""Between two looks whether the last invoices are posted."""


class ProjectClosing:
    """Brings the final account forward; each of its parts waits for the one before."""

    def __init__(
        self, account: BillingAccount, calls: BillingCalls, problems: BillingProblems, starts: InvoiceStarts
    ) -> None:
        self._account = account
        self._calls = calls
        self._problems = problems
        self._starts = starts

    async def advance(self) -> None:
        """Bill what can be billed now and say when to look again, or close the project."""
        account = self._account
        stand = await self._problems.attempt(
            f"{FINAL}.look", "Making the final account", self._calls.final_account(account.state)
        )
        if stand is None:
            return
        for step in (FINAL, REFUND):
            problem = stand.problem if stand.problem and stand.problem.step == step else None
            await self._problems.show(step, problem)
        if stand.finished:
            account.enter(closed=True)
            return
        await self._starts.bill(stand.due, again=True)
        doubled: timedelta = _FIRST_POLL * (1 << min(account.state.final_polls, 10))
        account.poll_at = workflow.now() + min(doubled, _LONGEST_POLL)
        account.keep(final_polls=0 if stand.due else account.state.final_polls + 1)
