"""Entries grouped into lines: summed exactly, priced once, shared to the cent, in one order."""

import random
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invoice_state import PricedLine
from domain.money import total
from domain.rules.grouping import Grouping, GroupingError, grouped, sum_of, time_lines
from domain.rules.pricing import Rate, RatedEntry, price
from tests.unit.domain.rules.priced_work import contract, entry, eur, rated

ROWS = st.lists(
    st.tuples(
        st.integers(-600, 600),
        st.sampled_from(["150", "175", "99.9999"]),
        st.sampled_from(["ada", "bob"]),
        st.sampled_from(["Architect", "Tester"]),
        st.sampled_from(["1", "1.1"]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=25,
)
GROUPINGS: list[Grouping] = ["entry", "person", "role", "task"]


def entries(rows: list[tuple[int, str, str, str, str, int]]) -> list[RatedEntry]:
    return [
        rated(f"e{n:02}", m, p, resource=who, role=role, task_ref=task, work_date=date(2027, 1, day))
        for n, (m, p, who, role, task, day) in enumerate(rows)
    ]


def lines(given_entries: list[RatedEntry], grouping: str = "role", **terms: object) -> tuple[PricedLine, ...]:
    return time_lines(given_entries, contract(grouping=grouping, **terms))


def test_three_times_twenty_minutes_are_an_hour() -> None:
    (line,) = lines([rated(f"e{n}", 20) for n in range(3)])
    assert line.line.net == eur(150)
    assert (line.line.quantity, line.line.unit, line.line.unit_price) == (1, "hours", 150)
    assert [share.net for share in line.shares] == [eur(50)] * 3


def test_fifty_minutes_at_175() -> None:
    (line,) = lines([rated("e1", 50, 175)])
    assert line.line.net == eur("145.83")
    assert line.line.quantity == Decimal("0.8333")


def test_shares_take_the_cents_of_the_line() -> None:
    (line,) = lines([rated(f"e{n}", 20, "100.01") for n in range(3)])
    assert line.line.net == eur("100.01")
    assert [share.net for share in line.shares] == [eur("33.34"), eur("33.34"), eur("33.33")]


def test_what_becomes_a_line_is_contract_data() -> None:
    work = [
        rated("e1", resource="bob", task_ref="1"),
        rated("e2", resource="ada", role="Tester", task_ref="1"),
        rated("e3", resource="ada", task_ref="1.1"),
    ]
    keys = {g: [[r.entry.key for r in group] for group in grouped(work, g)] for g in GROUPINGS}
    assert keys == {
        "entry": [["e1"], ["e2"], ["e3"]],
        "person": [["e1"], ["e2", "e3"]],
        "role": [["e1", "e3"], ["e2"]],
        "task": [["e1", "e2"], ["e3"]],
    }


def test_lines_say_what_they_bill() -> None:
    note = rated("e1", task_ref="1.1", narrative="Workshop")
    said = {g: lines([note], g)[0].line.description for g in GROUPINGS}
    assert said == {
        "entry": "Architecture, 2027-01-04, Architect Senior, Workshop",
        "person": "Architecture, ada, Architect Senior",
        "role": "Architecture, Architect Senior",
        "task": "Architecture, 1.1",
    }


def test_another_rate_is_another_line_and_carries_the_tax_code() -> None:
    work = [rated("e1", 60, 150), rated("e2", 60, 175, work_date=date(2027, 2, 1))]
    two = time_lines(work, contract(), {1: "DE19"}, first_ref=4)
    assert [(line.line.ref, line.line.net, line.line.tax_code) for line in two] == [
        ("4", eur(150), "DE19"),
        ("5", eur(175), "DE19"),
    ]


def test_hours_at_a_day_rate_are_shown_in_days() -> None:
    rate = Rate(price=Decimal(1200), per="day", currency="EUR", source="override of Architect")
    (line,) = lines([RatedEntry(entry=entry("e1", 240), rate=rate)], hours_per_day=Decimal(8))
    assert (line.line.net, line.line.quantity, line.line.unit) == (eur(600), Decimal("0.5"), "days")


def test_minutes_and_hours_are_added_exactly_and_days_apart() -> None:
    mixed = [rated("e1", 20), rated("e2", "0.5", unit="hours"), rated("e3", 1, unit="days")]
    amounts = [
        [str(sum_of([r.entry.quantity for r in g if r.entry.quantity]))] for g in grouped(mixed, "role")
    ]
    assert amounts == [["50.0 minutes"], ["1 days"]]


@given(ROWS, st.sampled_from(GROUPINGS), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_lines(
    rows: list[tuple[int, str, str, str, str, int]], grouping: Grouping, chance: random.Random
) -> None:
    work = entries(rows)
    shuffled = work[:]
    chance.shuffle(shuffled)
    assert lines(work, grouping) == lines(shuffled, grouping)


@given(ROWS, st.sampled_from(GROUPINGS))
def test_each_entry_is_on_one_line_and_shares_sum_to_it(
    rows: list[tuple[int, str, str, str, str, int]], grouping: Grouping
) -> None:
    work = entries(rows)
    result = lines(work, grouping)
    assert sorted(s.key for line in result for s in line.shares) == [r.entry.key for r in work]
    own = {r.entry.key: price(r.entry.quantity, r.rate) for r in work if r.entry.quantity}
    for line in result:
        assert total([share.net for share in line.shares], "EUR") == line.line.net
        assert all(abs((share.net - own[share.key]).amount) <= Decimal("0.01") for share in line.shares)


@given(ROWS, st.sampled_from(["person", "role", "task"]))
def test_reversed_entries_mirror(rows: list[tuple[int, str, str, str, str, int]], grouping: Grouping) -> None:
    mirrored = lines(entries([(-row[0], *row[1:]) for row in rows]), grouping)
    assert [-line.line.net for line in mirrored] == [line.line.net for line in lines(entries(rows), grouping)]


def test_what_cannot_stand_on_one_invoice() -> None:
    with pytest.raises(GroupingError, match="e1 occurs twice"):
        lines([rated("e1"), rated("e1")])
    with pytest.raises(GroupingError, match=r"e1\.quantity: is missing"):
        lines([RatedEntry(entry=entry("e1", quantity=None), rate=rated("x").rate)])
    foreign = Rate(price=Decimal(150), currency="USD", source="line 1")
    with pytest.raises(GroupingError, match=r"is in USD, the contract bills in EUR \[150\]"):
        lines([RatedEntry(entry=entry("e1"), rate=foreign)])
