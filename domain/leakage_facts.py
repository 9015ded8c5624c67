"""What of a project's work and events leaks, and by which cause: the items of the leakage report. Pure.

Source: rule 11. Every value has one cause, the first that applies: a write-down is lost at once; a cap, a
hold, a missing rate and a red gate stop a bill; approval that came late is the cause of a late bill; what
nothing stops and nobody billed lost the event that should have billed it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from domain.base import Value
from domain.billable import Billable
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.money import Money, total
from domain.rules.leakage import Cause, LeakageItem

IN_LEDGER = ("posted", "paid", "credited")
_NO_VALUE_EARNED = ("advance", "retention_release", "time")
"""Events that earn nothing themselves: a liability, what was billed before, and the cycle of time entries."""


class WorkFact(Value):
    """One entry, what it is worth at the contract's price, and the live invoice that has it."""

    entry: Billable
    value: Money | None
    """Before write-downs; none without a rate."""
    invoice: InvoiceRow | None = None


class EventFact(Value):
    event: BillingEventRow
    invoice: InvoiceRow | None = None


def work_items(facts: Sequence[WorkFact], currency: str, target_days: int) -> list[LeakageItem]:
    """Time and expenses that may leak. A reversal and what it reverses are no loss: they cancel out."""
    reversed_keys = {fact.entry.reverses for fact in facts if fact.entry.reverses}
    items: list[LeakageItem] = []
    for fact in facts:
        if fact.entry.reverses or fact.entry.key in reversed_keys:
            continue
        items += _of_entry(fact, currency, target_days)
    return items


def event_items(facts: Iterable[EventFact], as_of: date) -> list[LeakageItem]:
    """Fixed amounts that were due on `as_of`: milestones, periods, what a cap kept back."""
    return [
        LeakageItem(
            key=fact.event.key,
            cause=_cause_of_event(fact),
            value=fact.event.amount,
            earned_on=fact.event.due_on,
            invoiced_on=_invoiced_on(fact.invoice),
        )
        for fact in facts
        if _earns(fact.event, as_of) and fact.event.amount is not None
    ]


def earned(
    work: Iterable[WorkFact], events: Iterable[EventFact], first: date, last: date, currency: str
) -> Money:
    """Billable value of the period at the contract's price, work by its date, events by their due day."""
    values = [fact.value for fact in work if fact.value and first <= fact.entry.work_date <= last]
    values += [
        fact.event.amount
        for fact in events
        if fact.event.amount and first <= fact.event.due_on and _earns(fact.event, last)
    ]
    return total(values, currency)


def _of_entry(fact: WorkFact, currency: str, target_days: int) -> list[LeakageItem]:
    entry, value = fact.entry, fact.value or Money.zero(currency)
    items: list[LeakageItem] = []
    down = entry.adjustment.amount if entry.adjustment else Money.zero(currency)
    if down.amount < 0:
        items.append(
            LeakageItem(
                key=f"{entry.key}/write-down", cause="write_down", value=-down, earned_on=entry.work_date
            )
        )
        value = value + down
    if value.amount >= 0:
        items.append(
            LeakageItem(
                key=entry.key,
                cause=_cause_of_entry(fact, target_days),
                value=value,
                earned_on=entry.work_date,
                invoiced_on=_invoiced_on(fact.invoice),
            )
        )
    return items


def _cause_of_entry(fact: WorkFact, target_days: int) -> Cause:
    entry = fact.entry
    if fact.value is None:
        return "rate_missing"
    if _invoiced_on(fact.invoice) is None:
        if entry.parked:
            return "cap_reached"
        if entry.held:
            return "held"
        if fact.invoice is not None:
            return _stopped(fact.invoice)
    target = entry.work_date + timedelta(days=target_days)
    late = entry.approved_at is not None and entry.approved_at.date() > target
    return "unapproved" if late else "lost_event"


def _cause_of_event(fact: EventFact) -> Cause:
    if fact.event.kind == "above_cap":
        return "cap_reached"
    if fact.invoice is not None and _invoiced_on(fact.invoice) is None:
        return _stopped(fact.invoice)
    return "lost_event"


def _stopped(invoice: InvoiceRow) -> Cause:
    """Why an invoice on its way is not in the ledger: what blocks it, else a person has not agreed yet."""
    rules = (
        [finding.rule for finding in invoice.priced.findings if finding.blocking] if invoice.priced else []
    )
    if any(rule.startswith("rate.") for rule in rules):
        return "rate_missing"
    if any(rule.startswith("cap.") for rule in rules):
        return "cap_reached"
    return "gate_red" if rules else "unapproved"


def _earns(event: BillingEventRow, as_of: date) -> bool:
    return not event.void and event.kind not in _NO_VALUE_EARNED and event.due_on <= as_of


def _invoiced_on(invoice: InvoiceRow | None) -> date | None:
    return invoice.dated if invoice is not None and invoice.stage in IN_LEDGER else None
