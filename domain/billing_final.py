"""The final account of a project, part by part: last bills, retention, the rest of an advance. Pure.

Each part waits until the bills before it are settled, because they change what the next one is worth.
Source: rule 8 (release is an invoice of its own; the rest of an advance is refunded at the project's end).
"""

from domain.base import Value
from domain.billing_steps import FinalStand
from domain.billing_triggers import BillingProblem
from domain.invoice_state import BillingEventRow, InvoiceRow, InvoiceStage
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.project_processes import DueEvent

FINAL = "final account"
REFUND = "final account.advance"
"""Steps of the exceptions."""
_ON_THE_WAY = ("collected", "priced", "approved", "drafted")
_SHOWN = 5


class FinalTotals(Value):
    """Of the project's totals, what the end settles."""

    retained: Money
    advance_left: Money


class FinalFacts(Value):
    events: tuple[BillingEventRow, ...]
    """Open ones: neither void nor on a live invoice."""
    invoices: tuple[InvoiceRow, ...]
    held: int = 0
    """Entries that wait for a person: held, or above a cap."""
    totals: FinalTotals
    refund_settled: bool = False


def final_stand(contract: ProjectContract, facts: FinalFacts) -> tuple[FinalStand, Money | None]:
    """Where the final account stands, and the retention to release now."""
    empty = _events_of(facts, "empty")
    due = [event for event in facts.events if event.key not in empty]
    thrown = [event.key for event in due if event.key in _events_of(facts, "discarded")]
    if thrown:
        return FinalStand(problem=_discarded(contract, thrown)), None
    if due:
        return FinalStand(due=tuple(DueEvent.of(event) for event in due)), None
    waiting = [row for row in facts.invoices if row.stage in _ON_THE_WAY]
    if waiting:
        return FinalStand(waits_for=tuple(f"{row.id} is {row.stage}" for row in waiting[:_SHOWN])), None
    if facts.held:
        return FinalStand(problem=_held(contract, facts.held)), None
    if facts.totals.retained.amount > 0:
        return FinalStand(), facts.totals.retained
    if facts.totals.advance_left.amount > 0 and not facts.refund_settled:
        return FinalStand(problem=_refund(contract, facts)), None
    return FinalStand(finished=True), None


def _events_of(facts: FinalFacts, stage: InvoiceStage) -> set[str]:
    return {key for row in facts.invoices if row.stage == stage for key in row.events}


def _discarded(contract: ProjectContract, keys: list[str]) -> BillingProblem:
    return BillingProblem(
        step=FINAL,
        headline=f"The final account of project {contract.project} has bills that were discarded",
        detail=f"{', '.join(keys[:_SHOWN])}: bill them with `fairlead bill {contract.project}`, then retry",
    )


def _held(contract: ProjectContract, entries: int) -> BillingProblem:
    return BillingProblem(
        step=FINAL,
        headline=f"Project {contract.project} has work that is held or above a cap",
        detail=f"{entries} entries are approved and not billed: release them, write them off, or have the "
        "cap raised by a signed change; then retry",
    )


def _refund(contract: ProjectContract, facts: FinalFacts) -> BillingProblem:
    left = facts.totals.advance_left
    billed = [
        row.number or row.id for row in facts.invoices if f"{contract.project}/0/advance/1" in row.events
    ]
    return BillingProblem(
        step=REFUND,
        headline=f"{left} of the advance of project {contract.project} is left",
        detail=f"the work is billed, and {left} of invoice {', '.join(billed) or 'unknown'} was not used: "
        "refund it to the customer by a credit note, then retry; or skip, if it is settled otherwise",
        amount=str(left),
    )
