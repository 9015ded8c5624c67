"""Approval: what changes its hash, when it is needed, and whether one given still holds."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.control import Approval
from domain.invoice_state import PricedLine
from domain.money import Money
from domain.rules.approval import ApprovalNeed, approval_findings, approval_need, lines_hash
from domain.rules.fx import NoRate, RateTable
from tests.unit.domain.rules.invoice_cases import LINES, line, tax
from tests.unit.domain.rules.test_rules_fx import DAY, eur, rate, usd

LIMITS = {"EUR": Decimal(100000), "USD": Decimal(100000)}
TABLE = RateTable([rate("EUR/USD", "1.25")])
HASH = lines_hash(LINES)
NEEDED = ApprovalNeed(needed=True, reason="above the limit")
APPROVAL = Approval(
    id="approval-1",
    target="invoice/acme/P-1/1",
    action="post",
    content_hash=HASH,
    prepared_by="anna@example.com",
    approved_by="ben@example.com",
    role="billing_lead",
    at=datetime(2026, 11, 23, tzinfo=UTC),
)


def test_the_hash_is_of_the_content_and_not_of_its_spelling() -> None:
    again = tuple(PricedLine.model_validate_json(each.model_dump_json()) for each in reversed(LINES))
    turned = [each.with_changes(shares=tuple(reversed(each.shares))) for each in again]
    assert lines_hash(turned) == HASH
    quantity = [each.with_changes(line=each.line.with_changes(quantity="8")) for each in LINES]
    longer = [each.with_changes(line=each.line.with_changes(quantity="8.00")) for each in LINES]
    assert lines_hash(quantity) == lines_hash(longer) != HASH


@pytest.mark.parametrize(
    "changed",
    [
        line("1", "6000.01", a=4000, b="2000.01"),
        line("1", 6000, a=4001, b=1999),
        line("1", 6000, a=4000, c=2000),
        line("1", 6000, code="DE-VAT-7", a=4000, b=2000),
        line("1", 6000, kind="expense", a=4000, b=2000),
    ],
)
def test_any_change_of_a_line_changes_the_hash(changed: PricedLine) -> None:
    assert lines_hash([changed, LINES[1]]) != HASH


def test_lines_left_out_and_taxes_count() -> None:
    assert lines_hash(LINES[:1]) != HASH
    assert lines_hash(LINES, [tax(10000, 1900)]) not in (HASH, lines_hash(LINES, [tax(10000, 1901)]))


def test_above_the_limit_a_second_person_is_needed() -> None:
    at, above = (approval_need(eur(amount), LIMITS, "EUR", TABLE, DAY) for amount in (100000, "100000.01"))
    assert (at.needed, above.needed) == (False, True)
    assert above.reason == "100,000.01 EUR is above the limit of 100,000.00 EUR"


def test_another_currency_is_compared_in_that_of_the_limit() -> None:
    need = approval_need(usd(125001), LIMITS, "EUR", TABLE, DAY)
    assert need.needed
    assert need.reason == "125,001.00 USD (100,000.80 EUR) is above the limit of 100,000.00 EUR"
    assert need.compared is not None
    assert need.compared.exchange.method == "inverse"
    assert not approval_need(usd(125000), LIMITS, "EUR", TABLE, DAY).needed
    with pytest.raises(NoRate):
        approval_need(Money.of(1, "GBP"), LIMITS, "EUR", TABLE, DAY)


def test_without_a_limit_every_invoice_is_approved() -> None:
    need = approval_need(Money.of(1, "INR"), LIMITS, "INR", TABLE, date(1990, 1, 1))
    assert need.needed
    assert "no limit is set in INR" in need.reason


def test_a_credit_counts_by_its_size() -> None:
    assert approval_need(eur(-100001), LIMITS, "EUR", TABLE, DAY).needed


def rules(approval: Approval | None, current: str = HASH, prepared_by: str = "anna@example.com") -> list[str]:
    return [finding.rule for finding in approval_findings(approval, NEEDED, current, prepared_by)]


def test_an_approval_holds_for_what_was_approved_by_another_person() -> None:
    assert rules(APPROVAL) == []
    assert rules(None) == ["approval.missing"]
    assert rules(APPROVAL, current=lines_hash(LINES[:1])) == ["approval.void"]
    assert rules(APPROVAL, prepared_by=" Ben@Example.com") == ["approval.same_person"]
    assert approval_findings(None, ApprovalNeed(needed=False, reason="within"), HASH, "anna") == ()


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9))
def test_needed_exactly_above_the_limit(cents: int, limit: int) -> None:
    amount, most = Decimal(cents).scaleb(-2), Decimal(limit).scaleb(-2)
    assert approval_need(eur(amount), {"EUR": most}, "EUR", TABLE, DAY).needed == (abs(amount) > most)


@given(st.permutations(list("abcdef")), st.lists(st.integers(1, 10**6), min_size=6, max_size=6))
def test_no_order_of_lines_changes_the_hash(order: list[str], cents: list[int]) -> None:
    lines = {
        ref: line(ref, Decimal(n).scaleb(-2), k=Decimal(n).scaleb(-2))
        for ref, n in zip("abcdef", cents, strict=True)
    }
    assert lines_hash([lines[ref] for ref in order]) == lines_hash(list(lines.values()))
