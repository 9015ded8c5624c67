"""Events from outside: each is looked at once, in its order, and means something due or a problem."""

from domain.attention import EventRef
from domain.billing_steps import EventTaken
from workflows.billing.account import BillingAccount
from workflows.billing.authorities import BillingAuthorities
from workflows.billing.calls import BillingCalls
from workflows.billing.contract import BilledContract
from workflows.billing.problems import BillingProblems
from workflows.billing.starts import InvoiceStarts


class BillingEvents:
    """Takes in the events that have come for one project; the inbox holds what they say."""

    def __init__(
        self,
        account: BillingAccount,
        calls: BillingCalls,
        problems: BillingProblems,
        starts: InvoiceStarts,
        contract: BilledContract,
        authorities: BillingAuthorities,
    ) -> None:
        self._account = account
        self._calls = calls
        self._problems = problems
        self._starts = starts
        self._contract = contract
        self._authorities = authorities

    async def take_all(self) -> None:
        account = self._account
        while account.state.events:
            event = account.state.events[0]
            taken = await self._problems.attempt(
                f"event.{event.id}",
                f"Taking in {event.type}",
                self._calls.take_event(account.state, event),
                facts=_facts(event),
            )
            if taken is not None:
                await self._act_on(event, taken)
            account.keep(events=account.state.events[1:])

    async def _act_on(self, event: EventRef, taken: EventTaken) -> None:
        if taken.contract_changed:
            await self._contract.read(taken.deal or self._account.state.deal)
        elif taken.psa_invoice:
            read = await self._authorities.released_in_psa(taken, _facts(event))
            if read is not None:
                await self._settle(event, read)
        else:
            await self._settle(event, taken)

    async def _settle(self, event: EventRef, taken: EventTaken) -> None:
        if taken.problem is not None:
            await self._problems.report(taken.problem, facts=_facts(event))
        elif taken.heals:
            await self._problems.heal(taken.heals)
        if taken.due is not None:
            await self._starts.bill([taken.due])


def _facts(event: EventRef) -> dict[str, str]:
    return {"event": event.id, "type": event.type}
