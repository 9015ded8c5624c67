"""What approved work is worth: shares of the lines an invoice of it would have, to the cent."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.billable import Adjustment, Billable
from domain.money import Money
from domain.project_contract import BillingTerms, ProjectContract
from domain.quantity import Quantity
from domain.rules.errors import RuleError
from domain.selling import ContractLine
from domain.work_value import by_line, value_work

DAY = date(2026, 10, 5)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def contract(**terms: Any) -> ProjectContract:
    return ProjectContract(
        project="P1", deal="006A", number="C-1", title="Rollout", entity="DE01", region="DE", currency="EUR",
        signed_on=DAY, starts_on=DAY, ends_on=DAY, customer="001A", customer_name="Nordwind AG",
        lines=(
            ContractLine(id="1", number=1, name="Work", unit_price=Decimal(175)),
            ContractLine(id="2", number=2, name="Other"),
        ),
        terms=BillingTerms(**terms),
    )  # fmt: skip


def worked(id: str, minutes: int = 50, **changes: Any) -> Billable:
    made = Billable(
        key=f"k:time:{id}", kind="time", source="k", external_id=id, content_hash=id, project="P1", line=1,
        entity="DE01", resource="ada", work_date=DAY,
        quantity=Quantity(amount=Decimal(minutes), unit="minutes"),
    )  # fmt: skip
    return made.with_changes(**changes)


def spent(id: str, amount: str, **changes: Any) -> Billable:
    return worked(id, kind="expense", quantity=None, amount=eur(amount), **changes)


def test_values_of_a_group_sum_to_its_line() -> None:
    """Three times 20 minutes at 175: 175.00 in all, although each alone is 58.33."""
    entries = [worked(id, 20) for id in "abc"]
    valued = value_work(entries, contract(), [])
    assert sorted(value.amount for value in valued.values.values()) == [
        Decimal("58.33"),
        Decimal("58.33"),
        Decimal("58.34"),
    ]
    assert valued.sum_of(entries, "EUR") == eur("175.00")
    assert {rate.price for rate in valued.rates.values()} == {Decimal(175)}


def test_fifty_minutes_at_175() -> None:
    assert value_work([worked("a")], contract(), []).worth(worked("a")) == eur("145.83")


def test_what_has_no_rate_has_no_value_and_a_finding() -> None:
    entries = [worked("a"), worked("b", line=2)]
    valued = value_work(entries, contract(), [])
    assert valued.without_value(entries) == ["k:time:b"]
    assert valued.worth(entries[1]) is None
    assert valued.sum_of(entries, "EUR") == eur("145.83")
    assert [finding.rule for finding in valued.findings] == ["rate.card"]


def test_worth_is_after_write_downs_and_value_before() -> None:
    down = Adjustment(amount=-eur("45.83"), reason_code="quality", by="mara@firm.example")
    entry = worked("a", adjustment=down)
    valued = value_work([entry], contract(), [])
    assert (valued.values[entry.key], valued.worth(entry)) == (eur("145.83"), eur("100.00"))


def test_expenses_have_their_markup_and_their_cap() -> None:
    entries = [spent("a", "100.00"), spent("b", "100.00"), spent("c", "10.00")]
    valued = value_work(
        entries, contract(expense_markup_percent=Decimal(5), expense_cap=eur("150")), [], eur("20")
    )
    # 130.00 are left of the cap: 100.00 and 30.00, each with 5%; nothing is left for the third.
    assert [valued.values[entry.key] for entry in entries] == [eur("105.00"), eur("31.50"), eur("0.00")]


def test_another_currency_has_no_right_answer() -> None:
    with pytest.raises(RuleError, match="contract C-1"):
        value_work([spent("a", "1").with_changes(amount=Money.of(1, "USD"))], contract(), [])


def test_lines_come_in_order_of_number_day_and_key() -> None:
    entries = [worked("b", line=2), worked("z"), worked("a", work_date=date(2026, 10, 6)), worked("c")]
    assert {number: [entry.external_id for entry in found] for number, found in by_line(entries).items()} == {
        1: ["c", "z", "a"],
        2: ["b"],
    }
