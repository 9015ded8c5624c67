"""The pre-bill: what a project manager makes of the work collected for an invoice, before it is priced."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.billing_rows import BillingRows
from domain.attention import Decision
from domain.base import Canonical
from domain.billable import Adjustment, Billable
from domain.money import Money
from store.billing_ports import Billing
from store.ports import Store, StoreError

REVIEW_REFUSED = "ReviewRefused"


class ReviewIt(Canonical):
    decision: str
    """Id of the decision row."""
    seconded_by: str = ""


class Reviewed(Canonical):
    """What a decision of the review did to one entry."""

    entry: str
    said: str


class PrebillActivities:
    """On our own queue: each decision changes one entry, once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._billing: Billing = store.billing
        self._rows = BillingRows(store)

    @activity.defn(name="invoicing.review")
    async def review(self, input: ReviewIt) -> Reviewed:
        """Apply one decision of the review, once. Fails with `ReviewRefused` and the reason."""
        decision = await self._store.decisions.get(input.decision)
        if decision is None:
            raise _refused(f"decision {input.decision} is not kept")
        entry = await self._billing.entry(decision.target)
        if entry is None:
            raise _refused(f"there is no entry {decision.target!r}; `fairlead prebill show` lists them")
        if entry.invoice not in ("", decision.process):
            raise _refused(f"entry {entry.key} is on invoice {entry.invoice}, not on this one")
        try:
            said = await self._change(entry, decision, input.seconded_by)
        except (StoreError, ValueError) as error:
            if isinstance(error, StoreError) and error.__cause__ is not None:
                raise  # out of reach: repeated
            raise _refused(str(error)) from error
        return Reviewed(entry=entry.key, said=said)

    async def _change(self, entry: Billable, decision: Decision, seconded_by: str) -> str:
        """Do what the decision says; in words, what became of the entry."""
        match decision.action:
            case "hold_entry":
                await self._take_off(entry, decision)
                await self._billing.adjust(
                    entry.key, decision=decision.id, held=True, hold_reason=decision.reason
                )
                return "held"
            case "release_entry":
                await self._billing.adjust(entry.key, decision=decision.id, held=False, hold_reason="")
                await self._billing.cover(decision.process, entries=[entry.key])
                return "released"
            case "transfer":
                return await self._transfer(entry, decision)
            case "edit_narrative":
                narrative = decision.payload.get("narrative", "")
                await self._billing.adjust(entry.key, decision=decision.id, narrative=narrative)
                return "narrative changed"
            case "write_down" | "write_up":
                return await self._reprice(entry, decision, seconded_by)
            case other:
                raise ValueError(f"{other!r} is no decision of a pre-bill review")

    async def _transfer(self, entry: Billable, decision: Decision) -> str:
        project, line = decision.payload.get("project", ""), decision.payload.get("line", "")
        contract = await self._billing.contract(project)
        if contract is None:
            raise ValueError(f"project {project!r} has no billing: name the number of an active project")
        if not line.isdecimal():
            raise ValueError("a transfer names the contract line there, such as line=1")
        try:
            contract.line(int(line))
        except KeyError as error:
            raise ValueError(str(error.args[0])) from error
        await self._take_off(entry, decision)
        await self._billing.adjust(entry.key, decision=decision.id, project=project, line=int(line))
        return f"transferred to line {line} of {project}"

    async def _reprice(self, entry: Billable, decision: Decision, seconded_by: str) -> str:
        contract = await self._rows.contract(entry.project)
        amount = Money.of(decision.payload.get("amount", ""), contract.currency)
        if amount.amount <= 0:
            raise ValueError(f"a {decision.action.replace('_', '-')} is given above zero, not as {amount}")
        change = -amount if decision.action == "write_down" else amount
        adjustment = Adjustment(
            amount=change,
            reason_code=decision.payload.get("reason_code", "other"),
            reason=decision.reason,
            by=decision.actor,
            seconded_by=seconded_by,
        )
        await self._billing.adjust(entry.key, decision=decision.id, adjustment=adjustment)
        return f"price changed by {change}"

    async def _take_off(self, entry: Billable, decision: Decision) -> None:
        if entry.invoice:
            await self._billing.release(decision.process, entries=[entry.key])


def _refused(text: str) -> ApplicationError:
    return ApplicationError(text, type=REVIEW_REFUSED, non_retryable=True)
