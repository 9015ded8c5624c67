"""Late time: the work date is kept, the posting period is open."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Period
from domain.rules.late_time import NoOpenPeriod, posting_period

DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))
PERIODS = st.frozensets(st.builds(Period, year=st.integers(2025, 2028), month=st.integers(1, 12)), max_size=8)


def opened(*texts: str) -> list[Period]:
    return [Period.parse(text) for text in texts]


def test_time_of_february_after_its_close_is_posted_in_march() -> None:
    late = posting_period(date(2027, 2, 28), opened("2027-04", "2027-03"))
    assert late.work_date == date(2027, 2, 28)
    assert (str(late.period), str(late.original), late.prior_period) == ("2027-03", "2027-02", True)


def test_time_in_time_is_posted_in_its_own_period() -> None:
    own = posting_period(date(2027, 2, 28), opened("2027-03", "2027-02"))
    assert (str(own.period), own.original, own.prior_period) == ("2027-02", None, False)


@given(DAYS, PERIODS)
def test_the_first_open_period_that_is_not_before_the_work(
    work_date: date, periods: frozenset[Period]
) -> None:
    candidates = [period for period in periods if Period.of(work_date) <= period]
    if not candidates:
        with pytest.raises(NoOpenPeriod, match=str(work_date)):
            posting_period(work_date, periods)
        return
    posting = posting_period(work_date, periods)
    assert posting.period in periods
    assert all(posting.period <= period for period in candidates)
    assert posting.prior_period == (not posting.period.contains(work_date))


def test_no_open_period_names_those_there_are() -> None:
    with pytest.raises(
        NoOpenPeriod, match=r"entity\.open_periods: .*2027-02-28 \(open: 2027-01\): open 2027-02"
    ):
        posting_period(date(2027, 2, 28), opened("2027-01"))
    with pytest.raises(NoOpenPeriod, match=r"open: none"):
        posting_period(date(2027, 2, 28), [])
