"""Expenses: the four flags, then per diem, cap and markup in that order."""

import random
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billable import Billable
from domain.delivery import Expense
from domain.money import Money, total
from domain.project_contract import PerDiem
from domain.rules.expense_lines import ExpenseLines, expense_lines
from domain.rules.expenses import ExpenseError, rebilled, treatment
from domain.rules.per_diem import within_per_diem
from tests.unit.domain.rules.priced_work import DAY, cents, contract, entry, eur, expense

LIMIT = PerDiem(category="Meals", per_day=eur(50))
FLAT = PerDiem(category="Meals", per_day=eur(50), kind="flat")


def spent(**changes: Any) -> Expense:
    given: dict[str, Any] = {
        "source": "kantata",
        "report": "R1",
        "line": 1,
        "project": "P1",
        "resource": "ada",
        "spent_on": DAY,
        "gross": eur(119),
        "recoverable_tax": eur(19),
        "reimbursable": True,
        "billable": True,
        "paid_by": "employee",
    }
    return Expense(**{**given, **changes})


def lines(*entries: Billable, before: object = 0, **terms: Any) -> ExpenseLines:
    return expense_lines(entries, contract(**terms), eur(before))


def amounts(result: ExpenseLines) -> dict[str, Money]:
    return {share.key: share.net for line in result.lines for share in line.shares}


@pytest.mark.parametrize(
    ("reimbursable", "paid_by", "billable"),
    list(product([True, False], ["employee", "firm_card"], [True, False])),
)
def test_the_flags_do_not_touch_each_other(reimbursable: bool, paid_by: str, billable: bool) -> None:
    if reimbursable and paid_by == "firm_card":
        with pytest.raises(ValueError, match="nothing is owed to the employee"):
            spent(reimbursable=reimbursable, paid_by=paid_by)
        return
    result = treatment(spent(reimbursable=reimbursable, paid_by=paid_by, billable=billable))
    borne = reimbursable or paid_by == "firm_card"
    assert result.project_cost == eur(100 if borne else 0)
    assert result.input_tax == eur(19 if borne else 0)
    assert result.owed_to_employee == eur(119 if reimbursable else 0)
    assert result.owed_to_card == eur(119 if paid_by == "firm_card" else 0)
    assert result.rebillable == eur(100 if billable else 0)


@given(st.integers(-(10**7), 10**7), st.integers(0, 40), st.booleans(), st.booleans())
def test_cost_and_tax_are_what_is_owed(gross: int, tax: int, card: bool, reimbursed: bool) -> None:
    amount = cents(gross)
    result = treatment(
        spent(
            gross=amount,
            recoverable_tax=amount.times(Decimal(tax) / 100),
            paid_by="firm_card" if card else "employee",
            reimbursable=reimbursed and not card,
        )
    )
    assert result.project_cost + result.input_tax == result.owed_to_employee + result.owed_to_card


def test_markup_is_on_the_net() -> None:
    result = lines(expense("x1", 100, narrative="Client dinner"), expense_markup_percent=Decimal("7.5"))
    (line,) = result.lines
    assert (line.line.kind, line.line.net) == ("expense", eur("107.50"))
    assert line.line.description == "Architecture, Meals, 2027-01-04, Client dinner"
    assert result.net_rebilled == eur(100)


@given(st.integers(-(10**7), 10**7), st.decimals(-100, 100, places=2))
def test_a_refund_mirrors_its_expense(units: int, markup: Decimal) -> None:
    assert rebilled(cents(-units), markup) == -rebilled(cents(units), markup)
    assert rebilled(cents(units), Decimal(0)) == cents(units)


def test_a_markup_that_would_turn_the_sign_is_refused() -> None:
    with pytest.raises(ExpenseError, match=r"terms\.expense_markup_percent: is below -100.*\[-101\]"):
        rebilled(eur(1), Decimal(-101))


def test_neither_time_nor_unbillable_nor_zero_makes_a_line() -> None:
    result = lines(entry("t1"), expense("x1", 5, billable=False), expense("x2", 0), expense("x3", -7))
    assert amounts(result) == {"x3": eur(-7)}
    assert not result.findings


def test_a_limit_pays_the_lower_of_actual_and_per_diem() -> None:
    assert amounts(lines(expense("x1", 40), per_diems=(LIMIT,))) == {"x1": eur(40)}
    over = lines(expense("x1", 80), per_diems=(LIMIT,))
    assert amounts(over) == {"x1": eur(50)}
    (finding,) = over.findings
    assert (finding.rule, finding.amount, finding.blocking) == ("expense.per_diem", eur(30), False)


def test_a_limit_is_of_the_day_of_one_person_and_category() -> None:
    claims = [
        expense("x1", 30),
        expense("x2", 30),
        expense("x3", 30, resource="bob"),
        expense("x4", 30, category="Taxi"),
        expense("x5", 30, work_date=DAY + timedelta(days=1)),
    ]
    assert [within_per_diem(claims, [LIMIT])[f"x{n}"] for n in range(1, 6)] == [
        eur(30),
        eur(20),
        eur(30),
        eur(30),
        eur(30),
    ]


def test_a_flat_rate_is_paid_once_a_day_whatever_was_spent() -> None:
    assert within_per_diem([expense("x1", 12), expense("x2", 90)], [FLAT]) == {"x1": eur(50), "x2": eur(0)}
    assert within_per_diem([expense("x1", -12)], [FLAT]) == {"x1": eur(-50)}


def test_a_claim_and_its_reversal_cancel_under_either_rule() -> None:
    pair = [expense("x1", 80), expense("x1-reversed", -80)]
    for rule in (LIMIT, FLAT):
        assert sum(amount.amount for amount in within_per_diem(pair, [rule]).values()) == 0
    again = [*pair, expense("x2", 70)]
    assert sum(amount.amount for amount in within_per_diem(again, [LIMIT]).values()) == 50
    assert within_per_diem([expense("x1", -80)], [LIMIT]) == {"x1": eur(-50)}


@given(
    st.lists(st.integers(-10_000, 10_000), max_size=8), st.integers(0, 9_000), st.sampled_from([LIMIT, FLAT])
)
def test_a_day_never_passes_its_per_diem_and_mirrors(units: list[int], per_day: int, rule: PerDiem) -> None:
    ruled = rule.with_changes(per_day=cents(per_day))
    claims = [expense(f"x{n}", cents(unit).amount) for n, unit in enumerate(units)]
    refunds = [expense(f"x{n}", cents(-unit).amount) for n, unit in enumerate(units)]
    paid, back = within_per_diem(claims, [ruled]), within_per_diem(refunds, [ruled])
    assert {key: -amount for key, amount in back.items()} == paid
    day, allowed = sum(units), total(list(paid.values()), "EUR")
    if rule is LIMIT:
        assert abs(allowed.amount) == min(abs(cents(day).amount), cents(per_day).amount)
    else:
        assert abs(allowed.amount) == (cents(per_day).amount if day else 0)


def test_per_diem_then_cap_then_markup() -> None:
    result = lines(
        expense("x1", 80),
        expense("x2", 80, work_date=DAY + timedelta(days=1)),
        before=920,
        per_diems=(LIMIT,),
        expense_cap=eur(1000),
        expense_markup_percent=Decimal(10),
    )
    assert amounts(result) == {"x1": eur(55), "x2": eur(33)}
    assert [(share.key, share.net) for share in result.above_cap] == [("x2", eur(20))]
    assert result.net_rebilled == eur(80)
    assert [finding.rule for finding in result.findings] == ["expense.per_diem"] * 2 + ["cap.hard"]


@given(
    st.lists(st.tuples(st.integers(-9_000, 90_000), st.integers(1, 9)), max_size=10),
    st.integers(0, 300_000).map(cents),
    st.randoms(use_true_random=False),
)
def test_the_expense_cap_holds_in_any_order(
    rows: list[tuple[int, int]], cap: Money, chance: random.Random
) -> None:
    claims = [
        expense(f"x{n}", cents(net).amount, work_date=date(2027, 1, day)) for n, (net, day) in enumerate(rows)
    ]
    result = lines(*claims, expense_cap=cap)
    assert result.net_rebilled <= cap
    waiting = total([share.net for share in result.above_cap], "EUR")
    assert result.net_rebilled + waiting == total([c.amount for c in claims if c.amount], "EUR")
    chance.shuffle(claims)
    assert lines(*claims, expense_cap=cap) == result


@pytest.mark.parametrize(
    ("claims", "per_diems", "words"),
    [
        ([expense("x1", 1).with_changes(amount=None)], (), r"x1\.amount: is missing"),
        ([expense("x1", 1), expense("x1", 1)], (), "expense x1 occurs twice"),
        (
            [expense("x1", 1).with_changes(amount=Money.of(1, "USD"))],
            (),
            r"contract C-1, x1: is in EUR, but holds 1\.00 USD",
        ),
        ([expense("x1", 1)], (LIMIT, FLAT), r"has 'Meals' twice.*\[50\.00 EUR\]"),
        ([expense("x1", 1)], (LIMIT.with_changes(per_day=eur(-1)),), r"below zero \[-1\.00 EUR\]"),
        ([expense("x1", 1)], (LIMIT.with_changes(per_day=Money.of(1, "USD")),), "not in the per diem's USD"),
    ],
)
def test_what_cannot_be_rebilled(claims: list[Billable], per_diems: tuple[PerDiem, ...], words: str) -> None:
    with pytest.raises(ExpenseError, match=words):
        lines(*claims, per_diems=per_diems)
