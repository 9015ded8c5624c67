"""Caps: none is passed, no cent is lost, and the order of the input is of no matter."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.project_contract import CapTerm
from domain.rules.caps import CapError, CapItem, CappedItem, apply_caps, caps_of
from tests.unit.domain.rules.priced_work import DAY, cents, contract, eur, time_line

CONTRACT = CapTerm(ref="contract", limit=eur(50000))


def item(key: str, net: object, **changes: object) -> CapItem:
    given: dict[str, object] = {"work_date": DAY, "line": 1, "net": eur(net)}
    return CapItem(key=key, **{**given, **changes})  # type: ignore[arg-type]


ITEMS = st.lists(
    st.tuples(st.integers(-50_000, 500_000), st.integers(0, 60), st.integers(1, 2), st.sampled_from("ab")),
    max_size=20,
).map(
    lambda rows: [
        CapItem(
            key=f"e{n:02}",
            work_date=DAY + timedelta(days=day),
            line=line,
            task_ref=f"{line}.{person}",
            resource=person,
            net=cents(net),
        )
        for n, (net, day, line, person) in enumerate(rows)
    ]
)
LIMITS = st.integers(0, 1_500_000).map(cents)
CAPS = st.tuples(LIMITS, LIMITS, LIMITS, LIMITS, LIMITS, st.sampled_from(["hard", "soft"])).map(
    lambda limits: [
        CapTerm(ref="contract", limit=limits[0]),
        CapTerm(ref="line:1", scope="line", of="1", limit=limits[1]),
        CapTerm(ref="task", scope="task", of="1.a", limit=limits[2], kind=limits[5]),
        CapTerm(ref="ada", scope="resource", of="a", limit=limits[3]),
        CapTerm(ref="january", limit=limits[4], first=DAY, last=date(2027, 1, 31)),
    ]
)


def test_fifty_thousand_of_which_48_are_billed() -> None:
    result = apply_caps([item("e1", 5000)], [CONTRACT], {"contract": eur(48000)})
    assert result.items == (CappedItem(key="e1", bill=eur(2000), above=eur(3000), caps=("contract",)),)
    (use,) = result.uses
    assert use.after == eur(50000)
    assert use.choices == ("raise_cap", "write_off", "park")
    (finding,) = result.findings
    assert (finding.rule, finding.amount, finding.blocking, finding.keys) == (
        "cap.hard",
        eur(3000),
        False,
        ("e1",),
    )
    assert "raise the cap, write it off, or park it" in finding.problem


def test_an_item_is_split_at_the_limit() -> None:
    """1,000 of 6,940 is what is left."""
    (outcome,) = apply_caps([item("e1", 6940)], [CapTerm(ref="c", limit=eur(1000))]).items
    assert (outcome.bill, outcome.above) == (eur(1000), eur(5940))


def test_the_earlier_work_is_billed_first_and_then_the_lower_key() -> None:
    late, early = item("e1", 600), item("e9", 600, work_date=DAY - timedelta(days=1))
    result = apply_caps([late, item("e0", 600), early], [CapTerm(ref="c", limit=eur(1000))])
    assert [(outcome.key, outcome.bill) for outcome in result.items] == [
        ("e9", eur(600)),
        ("e0", eur(400)),
        ("e1", eur(0)),
    ]


def test_a_soft_cap_warns_and_bills() -> None:
    soft = CapTerm(ref="c", limit=eur(1000), kind="soft")
    result = apply_caps([item("e1", 900), item("e2", 300)], [soft])
    assert [outcome.above for outcome in result.items] == [eur(0), eur(0)]
    (use,), (finding,) = result.uses, result.findings
    assert (use.above, use.keys, use.choices) == (eur(200), ("e2",), ())
    assert (finding.rule, finding.blocking) == ("cap.soft", False)


def test_a_soft_cap_within_its_limit_is_silent() -> None:
    assert not apply_caps([item("e1", 1000)], [CapTerm(ref="c", limit=eur(1000), kind="soft")]).findings


def test_a_reversal_gives_room_back_before_anything_is_billed() -> None:
    work = [item("a", 700), item("b-reversal", -500)]
    result = apply_caps(work, [CapTerm(ref="c", limit=eur(1000))], {"c": eur(800)})
    assert [outcome.bill for outcome in result.items] == [eur(700), eur(-500)]


def test_a_cap_lowered_below_what_is_billed_bills_nothing_more() -> None:
    (outcome,) = apply_caps([item("e1", 100)], [CapTerm(ref="c", limit=eur(10))], {"c": eur(20)}).items
    assert (outcome.bill, outcome.above) == (eur(0), eur(100))


def test_the_tightest_cap_binds_and_is_named() -> None:
    line = CapTerm(ref="line:1", scope="line", of="1", limit=eur(300))
    month = CapTerm(ref="jan", limit=eur(200), first=date(2027, 1, 1), last=date(2027, 1, 31))
    result = apply_caps([item("e1", 500), item("e2", 500, work_date=date(2027, 2, 1))], [line, month])
    assert [(outcome.bill, outcome.caps) for outcome in result.items] == [
        (eur(200), ("jan",)),
        (eur(100), ("line:1",)),
    ]


@pytest.mark.parametrize(
    ("scope", "of"), [("line", "2"), ("task", "2.1"), ("resource", "bob"), ("contract", "")]
)
def test_a_cap_counts_its_own_subject_only(scope: str, of: str) -> None:
    cap = CapTerm(ref="c", scope=scope, of=of, limit=eur(100))  # type: ignore[arg-type]
    work = [item("a", 500), item("b", 500, line=2, task_ref="2.1", resource="bob")]
    bills = [outcome.bill for outcome in apply_caps(work, [cap]).items]
    assert bills == ([eur(100), eur(0)] if scope == "contract" else [eur(500), eur(100)])


@given(ITEMS, CAPS, st.integers(0, 400_000).map(cents))
def test_no_hard_cap_is_passed_and_no_cent_lost(
    items: list[CapItem], caps: list[CapTerm], before: Money
) -> None:
    used = {cap.ref: before for cap in caps}
    result = apply_caps(items, caps, used)
    by_key = {outcome.key: outcome for outcome in result.items}
    for each in items:
        outcome = by_key[each.key]
        assert outcome.bill + outcome.above == each.net
        assert outcome.above.amount >= 0
        assert outcome.bill.amount >= min(each.net.amount, 0)
        assert bool(outcome.caps) == bool(outcome.above.amount)
    for use in result.uses:
        if use.cap.kind == "hard":
            assert use.after <= max(use.cap.limit, before)


@given(ITEMS, LIMITS)
def test_one_cap_bills_all_that_fits(items: list[CapItem], limit: Money) -> None:
    """What stays out is exactly what is above the limit: the cap is used up before anything waits."""
    result = apply_caps(items, [CapTerm(ref="c", limit=limit)])
    wanted = sum((each.net.amount for each in items), Decimal(0))
    above = total([outcome.above for outcome in result.items], "EUR")
    assert above.amount == max(wanted - limit.amount, 0)


@given(ITEMS, CAPS, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_result(
    items: list[CapItem], caps: list[CapTerm], chance: random.Random
) -> None:
    shuffled = items[:]
    chance.shuffle(shuffled)
    assert apply_caps(shuffled, caps) == apply_caps(items, caps)


def test_caps_of_a_contract() -> None:
    task = CapTerm(ref="t", scope="task", of="1.1", limit=eur(5))
    agreed = contract(time_line(cap=eur(18000)), cap=eur(50000), cap_kind="soft", caps=(task,))
    assert caps_of(agreed) == (
        CapTerm(ref="contract", limit=eur(50000), kind="soft"),
        CapTerm(ref="line:1", scope="line", of="1", limit=eur(18000), kind="soft"),
        task,
    )


@pytest.mark.parametrize(
    ("items", "caps", "words"),
    [
        ([], [CapTerm(ref="c", limit=eur(-1))], r"caps\.c: is below zero.*\[-1\.00 EUR\] \(rule 7 caps\)"),
        ([], [CONTRACT, CONTRACT], "cap contract occurs twice"),
        ([item("e1", 1), item("e1", 1)], [], "entry e1 occurs twice"),
        ([item("e1", 1)], [CapTerm(ref="c", limit=Money.of(1, "USD"))], "is in USD, but holds 1.00 EUR"),
    ],
)
def test_what_cannot_be_judged(items: list[CapItem], caps: list[CapTerm], words: str) -> None:
    with pytest.raises(CapError, match=words):
        apply_caps(items, caps)
