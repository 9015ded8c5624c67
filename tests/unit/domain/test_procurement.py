"""Purchases planned from a deal, and compared with what procurement holds."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import procurement, procurement_problems
from domain.buying import OrderState, PurchaseLine, PurchaseOrder, PurchaseRequisition, RequisitionState
from domain.money import Money
from domain.policy import ProcurementLimits
from domain.procurement_process import ProcurementFacts, ProcurementLine, PurchaseNeed, Requested
from domain.purchase_plan import NeedRefused, planned, request_step
from domain.selling import RateCard, RateCardRole

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
LIMITS = ProcurementLimits()
CARD = RateCard(
    code="RC", version="1", currency="EUR", valid_from=date(2026, 1, 1), valid_to=date(2027, 12, 31),
    roles=(
        RateCardRole(role="Tester", grade="Senior", price=Decimal(150), cost_rate=Decimal(90)),
        RateCardRole(role="Tester", grade="Junior", price=Decimal(100), cost_rate=Decimal(60)),
    ),
)  # fmt: skip


def need(**changes: Any) -> PurchaseNeed:
    facts = {
        "ref": "3", "name": "Test", "supplier": "S-1", "role": "Tester", "grade": "Senior",
        "hours": Decimal("10.5"), "price": Decimal(150), "currency": "EUR", "card": "RC",
        "starts_on": date(2027, 1, 1), "ends_on": date(2027, 3, 31),
    }  # fmt: skip
    return PurchaseNeed.model_validate(facts | changes)


def line(**changes: Any) -> ProcurementLine:
    facts = {
        "ref": "3", "name": "Test", "need": need(), "sold": need(), "state": "requested", "since": NOW,
        "key": "k/procurement.request.3/1", "requisition": "10", "requisition_number": "10",
        "supplier_id": "S-1", "rate": Decimal(90), "amount": Money.of("945.00", "EUR"),
    }  # fmt: skip
    return ProcurementLine.model_validate(facts | changes)


def purchase_line(amount: str = "945.00") -> PurchaseLine:
    money = Money.of(amount, "EUR")
    return PurchaseLine(ref="3", description="Test", quantity=Decimal(1), rate=money.amount, amount=money)


def requisition(state: RequisitionState = "pending", minutes: int = 0, note: str = "") -> PurchaseRequisition:
    return PurchaseRequisition(
        id="10", project="P", entity="DE01", currency="EUR", needed_on=date(2027, 1, 1),
        lines=(purchase_line(),), state=state, note=note, version=NOW + timedelta(minutes=minutes),
    )  # fmt: skip


def order(state: OrderState = "issued", minutes: int = 1, **changes: Any) -> PurchaseOrder:
    facts = {
        "number": "PO-1", "supplier": "S-1", "project": "P", "entity": "DE01", "currency": "EUR",
        "state": state, "lines": (purchase_line(),), "external_id": "900", "requisition": "10",
        "version": NOW + timedelta(minutes=minutes),
    }  # fmt: skip
    return PurchaseOrder.model_validate(facts | changes)


def read(known: ProcurementLine, *orders: PurchaseOrder, **state: Any) -> ProcurementLine:
    facts = ProcurementFacts(requisitions=(requisition(**state),), orders=orders)
    (found,) = procurement.updated(procurement.Purchase([known]), facts, NOW)
    return found


# -- the plan -----------------------------------------------------------------------------------------


def test_a_need_is_planned_at_the_standard_cost_rounded_once() -> None:
    found = planned(need(hours=Decimal("10.333")), CARD)
    assert (found.rate, found.amount) == (Decimal(90), Money.of("929.97", "EUR"))
    assert planned(need(rate=Decimal(200)), CARD).rate == Decimal(200), "what a person stated counts"
    assert planned(need(grade="Lead"), CARD).rate == Decimal(90), "an unknown grade costs the most it may"


@pytest.mark.parametrize(
    ("changes", "card", "rule", "field"),
    [
        ({"hours": Decimal(0)}, CARD, "purchase.hours", "lines[3].quantity"),
        ({"ends_on": date(2026, 12, 31)}, CARD, "purchase.dates", "lines[3].ends_on"),
        ({}, None, "purchase.rate_card", "lines[3].cost_rate"),
        ({"currency": "USD"}, CARD, "purchase.currency", "lines[3].cost_rate"),
        ({"role": "Diver"}, CARD, "purchase.no_cost", "lines[3].cost_rate"),
        ({"price": Decimal(89)}, CARD, "purchase.above_price", "lines[3].cost_rate"),
    ],
)
def test_what_does_not_hold_names_field_and_cure(
    changes: dict[str, Any], card: RateCard | None, rule: str, field: str
) -> None:
    with pytest.raises(NeedRefused) as refused:
        planned(need(**changes), card)
    assert (refused.value.rule, refused.value.field) == (rule, field)
    assert ":" in str(refused.value)


def test_each_round_is_an_effect_of_its_own() -> None:
    assert [request_step("3", round) for round in (1, 2)] == [
        "procurement.request.3",
        "procurement.request.3.2",
    ]


# -- what procurement holds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "orders", "becomes"),
    [
        ("pending", (), "requested"),
        ("approved", (), "approved"),
        ("ordered", (), "approved"),
        ("rejected", (), "rejected"),
        ("withdrawn", (), "rejected"),
        ("draft", (), "rejected"),
        ("ordered", (order("draft"),), "ordered"),
        ("ordered", (order("held"),), "ordered"),
        ("ordered", (order("accepted"),), "accepted"),
        ("ordered", (order("closed"),), "accepted"),
        ("ordered", (order("cancelled"),), "rejected"),
        ("ordered", (order("accepted"), order("issued", number="PO-2", external_id="901")), "ordered"),
        ("ordered", (order("cancelled"), order("accepted", number="PO-2", external_id="901")), "accepted"),
    ],
)
def test_the_state_of_a_line_follows_from_requisition_and_orders(
    state: RequisitionState, orders: tuple[PurchaseOrder, ...], becomes: str
) -> None:
    assert read(line(), *orders, state=state).state == becomes


def test_an_older_read_changes_nothing() -> None:
    accepted = read(line(), order("accepted", minutes=9), state="ordered")
    assert read(accepted, order("issued", minutes=5), state="ordered") == accepted
    assert read(accepted, state="ordered") == accepted, "a list that lags shows no order at all"


def test_since_changes_with_the_state_only() -> None:
    early = line(since=NOW - timedelta(days=1))
    assert read(early).since == NOW - timedelta(days=1)
    assert read(early, state="approved").since == NOW


def test_a_line_that_is_dropped_ends_where_procurement_took_it_back() -> None:
    assert read(line(dropped="deal lost"), state="withdrawn").state == "withdrawn"
    assert read(line(), state="withdrawn").state == "rejected"


# -- problems -----------------------------------------------------------------------------------------


def problems(known: ProcurementLine, *orders: PurchaseOrder, at: datetime = NOW) -> dict[str, str]:
    facts = ProcurementFacts(requisitions=(requisition(),), orders=orders)
    return {p.step: p.detail for p in procurement_problems.judged([known], facts, LIMITS, at)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"supplier": "S-2"}, "its supplier is S-2, requested was S-1"),
        ({"lines": (purchase_line("946.00"),)}, "it is over 946.00 EUR, wanted is 945.00 EUR"),
        ({"state": "failed"}, "could not be sent"),
    ],
)
def test_an_order_other_than_requested_is_told(changes: dict[str, Any], said: str) -> None:
    assert said in problems(line(state="ordered"), order(**changes))["order.3"]


def test_an_order_in_another_currency_is_told() -> None:
    dollars = Money.of("945.00", "USD")
    other = PurchaseLine(
        ref="3", description="Test", quantity=Decimal(1), rate=dollars.amount, amount=dollars
    )
    assert "it is in USD" in problems(line(state="ordered"), order(currency="USD", lines=(other,)))["order.3"]


def test_an_order_as_requested_or_agreed_to_is_no_problem() -> None:
    assert problems(line(state="ordered"), order()) == {}
    dearer = order(lines=(purchase_line("946.00"),))
    assert problems(line(state="ordered", agreed=Money.of("946.00", "EUR")), dearer) == {}


@pytest.mark.parametrize(("state", "hours"), [("requested", 72), ("approved", 72), ("ordered", 120)])
def test_silence_is_told_at_the_limit_and_not_before(state: str, hours: int) -> None:
    known = line(state=state)
    orders = (order(),) if state == "ordered" else ()
    limit = NOW + timedelta(hours=hours)
    assert "silence.3" not in problems(known, *orders, at=limit - timedelta(seconds=1))
    assert "silence.3" in problems(known, *orders, at=limit)


def test_a_requisition_that_is_gone_is_told() -> None:
    facts = ProcurementFacts(missing=("10",))
    (problem,) = procurement_problems.judged([line()], facts, LIMITS, NOW)
    assert problem.step == "read.3"


# -- changes ------------------------------------------------------------------------------------------


def test_corrections_name_what_is_possible() -> None:
    (found,) = procurement.corrected([line()], {"lines[3].quantity": "4", "lines[3].supplier": "S-2"})
    assert found.need is not None
    assert (found.need.hours, found.need.supplier) == (Decimal(4), "S-2")
    for payload in ({"lines[9].supplier": "S-1"}, {"deal.region": "DE"}, {"lines[3].quantity": "many"}):
        with pytest.raises(ValueError, match=r"lines|number"):
            procurement.corrected([line()], payload)


def test_of_a_purchase_partly_dropped_the_rest_is_needed_again() -> None:
    both = procurement.Purchase([line(dropped="deal D names it no longer"), line(ref="4")])
    assert both.takes_back
    gone, needed = procurement.taken_back(both, NOW)
    assert (gone.state, needed.state, needed.round, needed.key) == ("withdrawn", "need", 2, "")


def test_what_the_supplier_has_accepted_no_machine_takes_back() -> None:
    accepted = line(state="accepted", dropped="deal lost", order_number="PO-1")
    assert not procurement.Purchase([accepted]).takes_back
    (problem,) = procurement_problems.accepted_and_dropped([accepted], "coupa")
    assert "cancels it in coupa" in problem.detail


def test_the_stage_is_that_of_the_line_least_far() -> None:
    assert procurement.stage([line(state="accepted"), line(ref="4", state="approved")]) == "awaiting order"
    assert procurement.stage([line(state="accepted"), line(ref="4", state="withdrawn")]) == "accepted"
    assert procurement.stage([line(state="withdrawn")]) == "withdrawn"


def test_a_request_is_taken_in_for_its_lines_only() -> None:
    one = Requested(
        key="k", requisition="77", supplier_id="S-9", rates={"3": Decimal(1)},
        amounts={"3": Money.of("1.00", "EUR")},
    )  # fmt: skip
    first, second = procurement.with_request([line(), line(ref="4")], one, NOW)
    assert (first.requisition, first.supplier_id, second.requisition) == ("77", "S-9", "10")
