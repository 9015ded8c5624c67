"""Leakage by cause: what counts, what is only late, and that causes sum to the whole."""

from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.rules.errors import RuleError
from domain.rules.leakage import Cause, Leakage, LeakageItem, leakage

FIRST, LAST, AS_OF = date(2026, 1, 1), date(2026, 3, 31), date(2026, 6, 30)


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def item(
    key: str, cause: Cause, value: object, earned: date = FIRST, invoiced: date | None = None
) -> LeakageItem:
    return LeakageItem(key=key, cause=cause, value=eur(value), earned_on=earned, invoiced_on=invoiced)


def report(*items: LeakageItem, as_of: date = AS_OF) -> Leakage:
    return leakage(items, eur(100000), FIRST, LAST, as_of, target_days=30)


def test_causes_with_their_value_and_share() -> None:
    found = report(
        item("a", "unapproved", 1000), item("b", "cap_reached", 3000), item("c", "unapproved", 449)
    )
    assert [(row.cause, row.value, row.count) for row in found.rows] == [
        ("cap_reached", eur(3000), 1),
        ("unapproved", eur(1449), 2),
    ]
    assert (found.total, found.percent) == (eur(4449), Decimal("4.4"))
    assert "not invoiced within 30 days" in found.formula
    assert "2026-01-01 to 2026-03-31" in found.formula


def test_what_was_invoiced_in_time_is_no_leakage_and_what_was_late_is_shown() -> None:
    on_time = item("a", "gate_red", 100, invoiced=FIRST + timedelta(days=30))
    late = item("b", "gate_red", 200, invoiced=FIRST + timedelta(days=31))
    found = report(on_time, late)
    assert [(row.value, row.late) for row in found.rows] == [(eur(200), eur(200))]


def test_the_target_must_have_passed() -> None:
    waiting = item("a", "lost_event", 100, earned=LAST)
    assert report(waiting, as_of=LAST + timedelta(days=30)).rows == ()
    assert report(waiting, as_of=LAST + timedelta(days=31)).total == eur(100)


def test_an_invoice_of_the_future_is_not_known_yet() -> None:
    later = item("a", "rate_missing", 100, invoiced=AS_OF + timedelta(days=1))
    (row,) = report(later).rows
    assert (row.value, row.late) == (eur(100), eur(0))


@pytest.mark.parametrize("cause", ["write_down", "not_recorded", "under_contract_rate"])
def test_some_value_is_lost_at_once_though_invoiced(cause: Cause) -> None:
    found = report(item("a", cause, 100, earned=LAST, invoiced=LAST), as_of=LAST)
    assert [(row.value, row.late) for row in found.rows] == [(eur(100), eur(0))]


def test_only_what_was_earned_in_the_period() -> None:
    assert report(item("a", "unapproved", 1, earned=FIRST - timedelta(days=1))).rows == ()


def test_what_is_refused() -> None:
    with pytest.raises(RuleError, match="counted twice"):
        report(item("a", "unapproved", 1), item("a", "gate_red", 1))
    with pytest.raises(RuleError, match="not negative"):
        report(item("a", "unapproved", -1))
    with pytest.raises(RuleError, match="nothing was earned"):
        leakage([], eur(0), FIRST, LAST, AS_OF, 30)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(get_args(Cause)),
            st.integers(0, 10**8),
            st.integers(-40, 130),
            st.none() | st.integers(0, 200),
        ),
        max_size=30,
    )
)
def test_causes_sum_to_the_whole_and_never_exceed_the_items(
    drawn: list[tuple[Cause, int, int, int | None]],
) -> None:
    items = [
        item(
            str(n),
            cause,
            Decimal(cents).scaleb(-2),
            FIRST + timedelta(days=day),
            None if after is None else FIRST + timedelta(days=day + after),
        )
        for n, (cause, cents, day, after) in enumerate(drawn)
    ]
    found = leakage(items, eur(10**8), FIRST, LAST, AS_OF, 30)
    assert total([row.value for row in found.rows], "EUR") == found.total
    assert found.total <= total([each.value for each in items], "EUR")
    assert all(eur(0) <= row.late and row.late <= row.value for row in found.rows)
    timely = [
        each for each in items if each.invoiced_on and each.invoiced_on <= each.earned_on + timedelta(days=30)
    ]
    lost = sum(row.count for row in found.rows)
    lasting = [
        each for each in timely if each.cause not in ("write_down", "not_recorded", "under_contract_rate")
    ]
    assert lost <= len(items) - len(lasting)
