"""Lines that another system bills by its own authority: read from there, checked, differences told."""

from temporalio import workflow

from activities.erp_billing import OBSERVED_STEP
from domain.billing_steps import EventTaken
from workflows.billing.account import BillingAccount
from workflows.billing.calls import BillingCalls
from workflows.billing.problems import BillingProblems


class BillingAuthorities:
    """What the PSA releases, and what the ERP bills."""

    def __init__(self, account: BillingAccount, calls: BillingCalls, problems: BillingProblems) -> None:
        self._account = account
        self._calls = calls
        self._problems = problems

    async def released_in_psa(self, told: EventTaken, facts: dict[str, str]) -> EventTaken | None:
        """What the invoice that the PSA told of means; None when it cannot be read."""
        return await self._problems.attempt(
            f"psa.{told.psa_invoice}",
            f"Reading invoice {told.psa_invoice} of the PSA",
            self._calls.take_released(self._account.state, told),
            role="psa",
            facts=facts,
        )

    async def observe_erp(self) -> None:
        """Compare the ERP's own bills with the contract."""
        self._account.observe = False
        as_of = self._account.state.through or workflow.now().date()
        seen = await self._problems.attempt(
            f"{OBSERVED_STEP}.read",
            "Reading what the ERP bills",
            self._calls.observe_erp(self._account.state, as_of),
            role="erp",
        )
        if seen is not None:
            await self._problems.show(OBSERVED_STEP, seen.problem)
