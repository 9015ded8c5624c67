"""Each value leaks by one cause, the first that applies."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.billable import Adjustment, Billable
from domain.invoice_state import BillingEventRow, InvoiceFinding, InvoiceRow, PricedInvoice
from domain.leakage_facts import EventFact, WorkFact, earned, event_items, work_items
from domain.money import Money
from domain.rules.leakage import leakage

WORKED, AS_OF, TARGET = date(2026, 9, 1), date(2026, 11, 1), 30
JANUARY, DECEMBER = date(2026, 1, 1), date(2026, 12, 31)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def entry(id: str = "1", **changes: Any) -> Billable:
    made = Billable(
        key=f"k:time:{id}", kind="time", source="k", external_id=id, content_hash=id, project="P1", line=1,
        entity="DE01", resource="ada", work_date=WORKED,
        approved_at=datetime(2026, 9, 3, tzinfo=UTC),
    )  # fmt: skip
    return made.with_changes(**changes)


def invoice(stage: str = "priced", *rules: str, dated: date = AS_OF) -> InvoiceRow:
    findings = tuple(InvoiceFinding(rule=rule, field="f", problem="p") for rule in rules)
    zero = eur("0")
    priced = PricedInvoice(
        currency="EUR", net=zero, tax=zero, gross=zero, retention=zero, advance_applied=zero, adjusted=zero,
        findings=findings, content_hash="h",
    )  # fmt: skip
    row = {"id": "invoice/acme/1", "project": "P1", "entity": "DE01", "customer": "c", "stage": stage}
    return InvoiceRow.model_validate(
        {**row, "service_from": WORKED, "service_to": WORKED, "priced": priced, "dated": dated}
    )


def event(kind: str = "milestone", **changes: Any) -> BillingEventRow:
    made = BillingEventRow(
        key="P1/1/M1/1", project="P1", line=1, kind="milestone", occasion="M1", amount=eur("1000"),
        due_on=WORKED, service_from=WORKED, service_to=WORKED,
    )  # fmt: skip
    return made.with_changes(kind=kind, **changes)


def cause_of(fact: WorkFact) -> str:
    (item,) = work_items([fact], "EUR", TARGET)
    return item.cause


@pytest.mark.parametrize(
    ("fact", "cause"),
    [
        (WorkFact(entry=entry(), value=None), "rate_missing"),
        (WorkFact(entry=entry(parked=True), value=eur("1")), "cap_reached"),
        (WorkFact(entry=entry(held=True), value=eur("1")), "held"),
        (WorkFact(entry=entry(), value=eur("1"), invoice=invoice("collected")), "unapproved"),
        (WorkFact(entry=entry(), value=eur("1"), invoice=invoice("priced", "rate.card")), "rate_missing"),
        (WorkFact(entry=entry(), value=eur("1"), invoice=invoice("priced", "cap.hard")), "cap_reached"),
        (
            WorkFact(entry=entry(), value=eur("1"), invoice=invoice("priced", "customer_po.number")),
            "gate_red",
        ),
        (WorkFact(entry=entry(), value=eur("1")), "lost_event"),
        (
            WorkFact(entry=entry(approved_at=datetime(2026, 10, 20, tzinfo=UTC)), value=eur("1")),
            "unapproved",
        ),
        (WorkFact(entry=entry(held=True), value=eur("1"), invoice=invoice("posted")), "lost_event"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cause_of_work(fact: WorkFact, cause: str) -> None:
    assert cause_of(fact) == cause


@pytest.mark.parametrize(
    ("fact", "cause"),
    [
        (EventFact(event=event()), "lost_event"),
        (EventFact(event=event("above_cap")), "cap_reached"),
        (EventFact(event=event(), invoice=invoice("priced", "customer_po.exhausted")), "gate_red"),
        (EventFact(event=event(), invoice=invoice("collected")), "unapproved"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cause_of_fixed_amounts(fact: EventFact, cause: str) -> None:
    (item,) = event_items([fact], AS_OF)
    assert item.cause == cause


@pytest.mark.parametrize(
    "missing",
    [event(void=True), event("advance"), event("retention_release"), event(due_on=AS_OF + timedelta(days=1))],
    ids=["void", "advance", "retention", "not due"],
)
def test_what_earns_nothing_yet_does_not_leak(missing: BillingEventRow) -> None:
    assert event_items([EventFact(event=missing)], AS_OF) == []


def test_a_write_down_is_a_value_of_its_own() -> None:
    down = Adjustment(amount=-eur("30"), reason_code="quality", by="mara@firm.example")
    items = work_items([WorkFact(entry=entry(adjustment=down), value=eur("100"))], "EUR", TARGET)
    assert [(item.cause, item.value) for item in items] == [
        ("write_down", eur("30")),
        ("lost_event", eur("70")),
    ]
    assert len({item.key for item in items}) == 2


def test_a_write_up_is_no_loss() -> None:
    up = Adjustment(amount=eur("30"), reason_code="rush", by="mara@firm.example")
    (item,) = work_items([WorkFact(entry=entry(adjustment=up), value=eur("100"))], "EUR", TARGET)
    assert item.value == eur("100")


def test_a_reversal_cancels_what_it_reverses() -> None:
    facts = [
        WorkFact(entry=entry("1"), value=eur("100")),
        WorkFact(entry=entry("2", reverses="k:time:1"), value=-eur("100")),
        WorkFact(entry=entry("3"), value=eur("50")),
    ]
    assert [item.key for item in work_items(facts, "EUR", TARGET)] == ["k:time:3"]
    assert earned(facts, [], JANUARY, DECEMBER, "EUR") == eur("50")


def test_earned_is_of_the_period_only() -> None:
    facts = [
        WorkFact(entry=entry("1"), value=eur("100")),
        WorkFact(entry=entry("2", work_date=date(2026, 10, 1)), value=eur("7")),
        WorkFact(entry=entry("3"), value=None),
    ]
    events = [EventFact(event=event()), EventFact(event=event(due_on=date(2026, 10, 1)))]
    assert earned(facts, events, WORKED, WORKED, "EUR") == eur("1100")


def test_late_bills_are_told_from_what_is_still_open() -> None:
    """100 billed two months after the work, 50 billed the next day, 25 never: 125 leaks of 175."""
    soon = WORKED + timedelta(days=1)
    facts = [
        WorkFact(entry=entry("1"), value=eur("100"), invoice=invoice("posted", dated=AS_OF)),
        WorkFact(entry=entry("2"), value=eur("50"), invoice=invoice("paid", dated=soon)),
        WorkFact(entry=entry("3"), value=eur("25")),
    ]
    items = work_items(facts, "EUR", TARGET)
    whole = earned(facts, [], WORKED, WORKED, "EUR")
    made = leakage(items, whole, WORKED, WORKED, AS_OF, TARGET)
    assert (made.total, made.rows[0].late, made.earned) == (eur("125"), eur("100"), eur("175"))
