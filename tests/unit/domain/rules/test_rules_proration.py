"""Proration by days: inclusive ends, kept anchors, the entity's day, and credits that never lose a cent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.rules.proration import (
    BilledPeriod,
    ProrationError,
    Span,
    UnusedCredit,
    change_plan,
    containing_period,
    credit_unused,
    local_day,
    prorate,
)
from tests.unit.domain.rules.priced_work import cents, eur

JANUARY = Span(first=date(2027, 1, 1), last=date(2027, 1, 31))
YEAR = Span(first=date(2027, 1, 1), last=date(2027, 12, 31))
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
PRICE = st.integers(-10_000_000, 10_000_000).map(cents)


def span(first: date, days: int) -> Span:
    return Span(first=first, last=first + timedelta(days=days - 1))


def test_ten_days_of_a_month_of_31() -> None:
    assert prorate(eur(3100), span(date(2027, 1, 22), 10), JANUARY) == eur(1000)
    assert prorate(eur(3100), JANUARY, JANUARY) == eur(3100)
    assert prorate(eur("100.03"), span(date(2027, 4, 1), 15), span(date(2027, 4, 1), 30)) == eur("50.02")
    assert prorate(eur(3100), span(date(2027, 1, 31), 1), JANUARY) == eur(100)


def test_the_month_anchor_is_kept() -> None:
    anchor = date(2027, 1, 31)
    starts = [containing_period(anchor, 1, date(2027, month, 28)).first for month in (2, 3, 4, 5)]
    assert starts == [date(2027, 2, 28), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]
    assert containing_period(anchor, 1, date(2027, 3, 31)).first == date(2027, 3, 31)
    assert containing_period(anchor, 3, date(2026, 12, 1)) == Span(
        first=date(2026, 10, 31), last=date(2027, 1, 30)
    )


@given(DAYS, DAYS, st.sampled_from([1, 3, 12]))
def test_every_day_is_in_its_period_and_neighbours_touch(anchor: date, day: date, months: int) -> None:
    period = containing_period(anchor, months, day)
    assert period.first <= day <= period.last
    following = containing_period(anchor, months, period.last + timedelta(days=1))
    assert following.first == period.last + timedelta(days=1)


def test_the_entitys_zone_decides_the_day() -> None:
    instant = datetime(2027, 1, 31, 20, 30, tzinfo=UTC)
    zones = ("America/New_York", "Europe/Berlin", "Asia/Kolkata")
    assert [local_day(instant, zone).isoformat() for zone in zones] == [
        "2027-01-31",
        "2027-01-31",
        "2027-02-01",
    ]
    with pytest.raises(ProrationError, match="has no offset"):
        local_day(datetime(2027, 1, 31), "UTC")  # noqa: DTZ001  a naive one is what is refused
    for zone in ("Europe/Atlantis", "../etc", ""):
        with pytest.raises(ProrationError, match=r"entity\.time_zone: .* is unknown"):
            local_day(instant, zone)


@given(PRICE, DAYS, st.integers(1, 92), st.data())
def test_parts_are_within_a_cent_of_the_exact_and_mirror(
    price: Money, first: date, days: int, data: st.DataObject
) -> None:
    period = span(first, days)
    used = span(first, data.draw(st.integers(1, days)))
    part = prorate(price, used, period)
    assert abs(part.amount - price.amount * used.days / days) <= Decimal("0.005")
    assert prorate(-price, used, period) == -part


def test_an_upgrade_and_a_downgrade_within_the_period() -> None:
    up = change_plan(eur(310), eur(620), date(2027, 1, 22), JANUARY)
    assert (up.credit, up.charge, up.due) == (eur(100), eur(200), eur(100))
    down = change_plan(eur(620), eur(310), date(2027, 1, 22), JANUARY)
    assert down.due == eur(-100)
    assert change_plan(eur(310), eur(620), date(2027, 1, 1), JANUARY).due == eur(310)


def test_the_last_partial_credit_takes_what_remains() -> None:
    billed = BilledPeriod(span=YEAR, net=Money.of(15380, "JPY"), tax=Money.of(1538, "JPY"), tax_code="JP10")
    first = credit_unused(billed, Span(first=date(2027, 1, 21), last=date(2027, 12, 31)))
    assert (first.net, first.tax, first.tax_code) == (Money.of(14537, "JPY"), Money.of(1454, "JPY"), "JP10")
    last = credit_unused(billed, span(date(2027, 1, 1), 20), [first])
    assert (last.net, last.tax) == (Money.of(843, "JPY"), Money.of(84, "JPY"))


def test_a_cent_that_does_not_divide_goes_to_the_last() -> None:
    billed = BilledPeriod(span=span(date(2027, 4, 1), 30), net=eur(100), tax=eur(19))
    credits: list[UnusedCredit] = []
    for start in (1, 11, 21):
        credits.append(credit_unused(billed, span(date(2027, 4, start), 10), credits))
    assert [credit.net for credit in credits] == [eur("33.33"), eur("33.33"), eur("33.34")]
    assert [credit.tax for credit in credits] == [eur("6.33"), eur("6.33"), eur("6.34")]


def test_rounded_up_parts_never_credit_more_than_was_billed() -> None:
    """Two cents over four days: each day rounds up to a cent, and the third finds nothing left."""
    billed = BilledPeriod(span=span(date(2027, 4, 1), 4), net=eur("0.02"), tax=eur(0))
    credits: list[UnusedCredit] = []
    for day in range(1, 5):
        credits.append(credit_unused(billed, span(date(2027, 4, day), 1), credits))
    assert [credit.net for credit in credits] == [eur("0.01"), eur("0.01"), eur(0), eur(0)]


@given(PRICE, PRICE, DAYS, st.integers(1, 40), st.data())
def test_credits_of_all_days_sum_to_the_bill_and_none_passes_it(
    net: Money, tax: Money, first: date, days: int, data: st.DataObject
) -> None:
    billed = BilledPeriod(span=span(first, days), net=net, tax=tax)
    cuts = sorted(data.draw(st.sets(st.integers(1, days - 1), max_size=6))) if days > 1 else []
    pieces = [span(first + timedelta(days=a), b - a) for a, b in zip([0, *cuts], [*cuts, days], strict=True)]
    credits: list[UnusedCredit] = []
    for piece in data.draw(st.permutations(pieces)):
        credits.append(credit_unused(billed, piece, credits))
        assert abs(total([credit.net for credit in credits], "EUR").amount) <= abs(net.amount)
        assert credits[-1].net.amount * net.amount >= 0
    assert total([credit.net for credit in credits], "EUR") == net
    assert total([credit.tax for credit in credits], "EUR") == tax


def test_days_that_are_not_to_be_prorated() -> None:
    billed = BilledPeriod(span=JANUARY, net=eur(310), tax=eur(0))
    with pytest.raises(
        ProrationError, match=r"used: 2027-01-31 to 2027-02-01 is not within .* \[5\.00 EUR\]"
    ):
        prorate(eur(5), span(date(2027, 1, 31), 2), JANUARY)
    with pytest.raises(ProrationError, match="is not within"):
        prorate(eur(5), span(date(2027, 1, 5), 0), JANUARY)
    before = credit_unused(billed, span(date(2027, 1, 1), 10))
    with pytest.raises(ProrationError, match="which is credited already"):
        credit_unused(billed, span(date(2027, 1, 10), 5), [before])
    with pytest.raises(ProrationError, match=r"is more than the 310\.00 EUR billed"):
        credit_unused(billed, span(date(2027, 1, 20), 1), [before.with_changes(net=eur(311))])
    with pytest.raises(ProrationError, match=r"holds 1\.00 USD"):
        credit_unused(billed, span(date(2027, 1, 20), 1), [before.with_changes(net=Money.of(1, "USD"))])
