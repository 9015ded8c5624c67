"""The contract that is billed: what is due by its calendar, and its changes as the CRM has them signed."""

from datetime import timedelta

from temporalio import workflow

from activities.project_billing import CONTRACT
from domain.billing_steps import BillingSeen
from workflows.billing.account import BillingAccount
from workflows.billing.calls import BillingCalls
from workflows.billing.problems import BillingProblems
from workflows.billing.starts import InvoiceStarts


class BilledContract:
    """Looks what is due by the contract, and reads its changes."""

    def __init__(
        self, account: BillingAccount, calls: BillingCalls, problems: BillingProblems, starts: InvoiceStarts
    ) -> None:
        self._account = account
        self._calls = calls
        self._problems = problems
        self._starts = starts

    async def look(self) -> None:
        """See what has become due since, and bill it."""
        seen = await self._problems.attempt(
            CONTRACT, "Looking what is due", self._calls.look(self._account.state)
        )
        if seen is not None:
            await self.take_up(seen)

    async def take_up(self, seen: BillingSeen) -> None:
        """Bill what was seen to be due; keep how far was looked, and when to look again."""
        account = self._account
        account.wake_at = seen.wake_at or workflow.now() + timedelta(days=1)
        await self._problems.show(CONTRACT, seen.problem)
        await self._starts.bill(seen.due)
        if not seen.revision:
            if account.state.contract is None:
                await self.read(account.state.deal)
            return
        new_month = bool(account.state.period) and seen.period != account.state.period
        account.observe = account.observe or (seen.observes_erp and new_month)
        # A run is born in the month in which it first looks.
        account.born = account.born or seen.period
        account.keep(
            begun=True,
            contract=None,
            entity=seen.entity,
            customer=seen.customer or account.state.customer,
            revision=seen.revision,
            through=seen.through,
            period=seen.period,
        )

    async def read(self, deal: str) -> None:
        """Read a deal from the CRM: only what is signed there becomes a revision."""
        facts = {"deal": deal}
        read = await self._problems.attempt(
            f"contract.read.{deal}",
            f"Reading deal {deal}",
            self._calls.read_deal(self._account.state, deal),
            role="crm",
            facts=facts,
        )
        if read is None:
            return
        change = await self._calls.change_contract(self._account.state, read)
        await self._problems.show(change.step, change.problem, facts=facts)
        if change.revision:
            await self._starts.bill(change.due, again=True)
            self._account.look = True
