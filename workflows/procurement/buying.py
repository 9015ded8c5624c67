"""One round of a project's procurement: what the contract wants, what is asked, what has become of it."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.procurement_rows import PurchaseNote
from domain import procurement, procurement_problems
from domain.procurement import Purchase
from domain.procurement_problems import JUDGED, REQUEST, WITHDRAWAL
from domain.procurement_process import ProcurementLine, ProcurementProblem
from workflows.procurement.account import ProcurementAccount
from workflows.procurement.calls import ProcurementCalls
from workflows.procurement.problems import Failed, ProcurementProblems

DEAL, LOOK = "deal", "look"
"""Steps of exceptions of the project as a whole."""


class Buying:
    """Brings every line forward as far as it goes without a person."""

    def __init__(
        self, account: ProcurementAccount, calls: ProcurementCalls, problems: ProcurementProblems
    ) -> None:
        self._account = account
        self._calls = calls
        self._problems = problems
        self._recorded: tuple[ProcurementLine, ...] = ()

    async def advance(self) -> None:
        """In a fixed order: the contract, what procurement says, what is taken back, what is requested."""
        if self._account.state.reread:
            await self._read_contract()
        if self._account.is_due_to_look:
            await self.look()
        await self._take_back()
        await self._request()
        self._account.show()
        await self._record()

    async def _record(self) -> None:
        """What has changed since it was recorded last, for the timeline and the work lists."""
        state = self._account.state
        before = {line.ref: procurement.told(line) for line in self._recorded}
        changed = [line for line in state.lines if before.get(line.ref) != procurement.told(line)]
        if not changed:
            return
        notes = [
            PurchaseNote(
                key=f"line {line.ref}, round {line.round}, {line.order_number or line.requisition_number}",
                what=f"line {line.ref} {line.name}: {procurement.told(line)}",
                outcome=line.state,
            )
            for line in changed
        ]
        title = f"project {state.project}: {procurement.summary(state.lines)}"
        self._recorded = state.lines
        await self._calls.record(state, self._account.stage, title, notes)

    # -- the contract -------------------------------------------------------------------------------

    async def _read_contract(self) -> None:
        account = self._account
        account.keep(reread=False)
        deal = await self._problems.attempt(
            DEAL, f"Reading deal {account.state.deal}", self._calls.read_deal(account.state), role="crm"
        )
        if isinstance(deal, Failed):
            return
        try:
            lines = procurement.with_deal(account.state.lines, deal, workflow.now())
        except ValueError as error:
            await self._problems.report(
                ProcurementProblem(
                    step=DEAL,
                    headline=f"Deal {deal.external_id} cannot be bought for",
                    detail=f"{str(error).splitlines()[0]}: correct it in the CRM, then retry",
                )
            )
            return
        if lines != account.state.lines:
            account.look = True
            account.take(lines)

    # -- what procurement says ----------------------------------------------------------------------

    async def look(self) -> None:
        """Read every purchase of the project; events that told of a change are applied by that."""
        account, events = self._account, self._account.state.events
        account.look = False
        found = procurement.purchases(account.state.lines)
        if found and not await self._read(found):
            return
        for event in events:
            with suppress(ApplicationError):  # its row is gone (a restored backup); it will be sent again
                await self._calls.apply_event(event)
        account.keep(events=tuple(event for event in account.state.events if event not in events))

    async def _read(self, found: list[Purchase]) -> bool:
        """Whether procurement could be read; what it says is taken in, what is wrong goes to its owner."""
        account, now = self._account, workflow.now()
        asked = [purchase.first.requisition for purchase in found]
        account.looked_at = now
        facts = await self._problems.attempt(
            LOOK, "Reading procurement", self._calls.read(account.state, asked)
        )
        if isinstance(facts, Failed):
            return False
        before = lines = account.state.lines
        for purchase in procurement.purchases(before):
            lines = procurement.replaced(lines, procurement.updated(purchase, facts, now))
        account.keep(polls=account.state.polls + 1 if lines == before else 0)
        account.take(lines)
        wrong = procurement_problems.judged(lines, facts, account.limits, now)
        await self._problems.settle(wrong, JUDGED)
        return True

    # -- taking back --------------------------------------------------------------------------------

    async def _take_back(self) -> None:
        """What is not wanted any more; what the supplier has accepted goes to a person at once."""
        account = self._account
        for purchase in procurement.purchases(account.state.lines):
            if purchase.takes_back and not self._problems.stand(_withdrawal(purchase)):
                await self._withdraw(purchase)
        for problem in procurement_problems.accepted_and_dropped(account.state.lines, account.state.system):
            if not self._problems.stand(problem.step):
                await self._problems.report(problem)
        held = {
            _withdrawal(purchase)
            for purchase in procurement.purchases(account.state.lines)
            if purchase.state == "rejected" or any(line.dropped or line.redo for line in purchase.lines)
        }
        for step in self._problems.steps(WITHDRAWAL):
            if step not in held:
                await self._problems.heal(step)

    async def _withdraw(self, purchase: Purchase) -> bool:
        """Whether it is taken back; its lines that are still wanted are needed again."""
        what = f"Taking back requisition {purchase.first.requisition_number}"
        call = self._calls.withdraw(self._account.state, purchase)
        if isinstance(await self._problems.attempt(_withdrawal(purchase), what, call), Failed):
            self._account.look = True  # what stands in the way is to be shown as it is
            return False
        changed = procurement.taken_back(purchase, workflow.now())
        self._account.take(procurement.replaced(self._account.state.lines, changed))
        return True

    async def request_again(self, ref: str) -> bool:
        """A refused purchase is taken back, and its lines are needed again. False where it cannot be."""
        for purchase in procurement.purchases(self._account.state.lines):
            if purchase.ref == ref and purchase.state == "rejected":
                return await self._withdraw(purchase)
        return False

    # -- requesting ---------------------------------------------------------------------------------

    async def _request(self) -> None:
        """What is needed and not asked for yet, the lines of one supplier together."""
        account = self._account
        groups = {f"{REQUEST}.{lines[0].ref}": lines for lines in self._needed()}
        for step in self._problems.steps(REQUEST):
            if step not in groups:
                await self._problems.heal(step, "not wanted any more")
        for step, lines in groups.items():
            if self._problems.stand(step):
                continue
            needs = [line.need for line in lines if line.need is not None]
            made = await self._problems.attempt(
                step, "Requesting a supplier", self._calls.request(account.state, needs, lines[0].round)
            )
            if isinstance(made, Failed):
                continue
            for one in made:
                account.take(procurement.with_request(account.state.lines, one, workflow.now()))
            account.looked_at = workflow.now()

    def _needed(self) -> Iterator[list[ProcurementLine]]:
        groups: dict[tuple[int, str], list[ProcurementLine]] = {}
        for line in self._account.state.lines:
            if line.state == "need" and line.need is not None and not line.dropped:
                groups.setdefault((line.round, line.need.supplier), []).append(line)
        yield from groups.values()

    # -- settled by hand ----------------------------------------------------------------------------

    def leave(self, ref: str, why: str) -> None:
        """The lines of a purchase, or of a request, are settled by a person."""
        lines = self._account.state.lines
        groups = [*(purchase.lines for purchase in procurement.purchases(lines)), *self._needed()]
        left = next((group for group in groups if group[0].ref == ref), ())
        now = workflow.now()
        changed = [line.with_changes(state="withdrawn", dropped=why, since=now) for line in left]
        self._account.take(procurement.replaced(lines, changed))

    def agree(self, ref: str) -> None:
        """The order of a purchase is accepted as it is."""
        self._change(ref, lambda line: line.with_changes(agreed=line.ordered))

    def wait_again(self, ref: str) -> None:
        """The silence about a purchase is borne as long once more."""
        now = workflow.now()
        self._change(ref, lambda line: line.with_changes(since=now))

    def _change(self, ref: str, change: Callable[[ProcurementLine], ProcurementLine]) -> None:
        lines = self._account.state.lines
        for purchase in procurement.purchases(lines):
            if purchase.ref == ref:
                changed = [change(line) for line in purchase.lines]
                self._account.take(procurement.replaced(lines, changed))


def _withdrawal(purchase: Purchase) -> str:
    return f"{WITHDRAWAL}.{purchase.ref}"
