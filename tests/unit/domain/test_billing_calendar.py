"""What falls due by the calendar, and when to look again: cycles, periods, advance, retention, time zones."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.billing_calendar import (
    Overbilled,
    due_events,
    final_events,
    instant_of,
    interim_event,
    next_due,
    retention_due,
    retention_release,
)
from domain.invoice_state import BillingEventRow
from domain.money import total
from domain.project_contract import BillingTerms, RetentionTerms, RetentionTier
from domain.rules.errors import RuleError
from domain.rules.proration import local_day
from tests.support.project_billing_firm import a_contract, eur, milestone_line, service_line, time_line

FAR = date(2030, 1, 1)
IN_ADVANCE = BillingTerms(in_arrears=False)


def told(rows: list[BillingEventRow]) -> list[tuple[int, str, str, str]]:
    return [(row.line, row.occasion, str(row.due_on), str(row.amount or "")) for row in rows]


def only(*lines: Any, **changes: Any) -> Any:
    return a_contract(lines=lines, **changes)


# -- cycles of time ---------------------------------------------------------------------------------


def test_one_event_per_month_bills_all_lines_by_time() -> None:
    contract = only(time_line(), time_line(number=4, ends_on=date(2027, 3, 15)))
    rows = due_events(contract, None, FAR)
    assert told(rows) == [
        (0, "2026-12", "2027-01-01", ""),
        (0, "2027-01", "2027-02-01", ""),
        (0, "2027-02", "2027-03-01", ""),
        (0, "2027-03", "2027-03-16", ""),
    ]
    assert [(row.service_from, row.service_to) for row in rows][::3] == [
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2027, 3, 1), date(2027, 3, 15)),
    ]
    assert {row.kind for row in rows} == {"time"}
    assert rows[0].key == "DE01-7K3QXW/0/2026-12/1"


def test_a_cycle_that_begins_within_a_month_is_short() -> None:
    (first, *_) = due_events(only(time_line(starts_on=date(2026, 12, 16))), None, FAR)
    assert (first.occasion, first.service_from, first.due_on) == (
        "2026-12",
        date(2026, 12, 16),
        date(2027, 1, 1),
    )


@pytest.mark.parametrize("authority", ["psa", "erp"])
def test_what_others_bill_falls_due_there(authority: Any) -> None:
    lines = [make(billing_authority=authority) for make in (milestone_line, time_line, service_line)]
    contract = only(*lines, terms=BillingTerms(advance=eur("1000.00")))
    assert due_events(contract, None, FAR) == []
    assert next_due(contract, date(2026, 12, 5)) == date(2027, 1, 1)


def test_milestones_are_never_due_by_a_tick() -> None:
    assert due_events(only(milestone_line()), None, FAR) == []


def test_only_what_fell_due_since_is_given() -> None:
    contract = only(time_line())
    assert [row.occasion for row in due_events(contract, date(2027, 1, 1), date(2027, 2, 26))] == ["2027-01"]
    assert due_events(contract, date(2027, 2, 1), date(2027, 2, 26)) == []


def test_late_work_has_cycles_after_the_last() -> None:
    contract = only(time_line())
    late = due_events(contract, date(2027, 3, 1), date(2027, 5, 1), late_work=True)
    assert told(late) == [(0, "2027-03", "2027-04-01", ""), (0, "2027-04", "2027-05-01", "")]
    assert due_events(contract, date(2027, 3, 1), date(2027, 5, 1)) == []


def test_a_kept_event_is_given_back_as_it_stands() -> None:
    contract = only(time_line())
    (planned,) = due_events(contract, None, date(2027, 1, 1))
    kept = planned.with_changes(invoice="invoice/acme/x")
    assert due_events(contract, None, date(2027, 1, 1), [kept]) == [kept]


def test_a_void_cycle_is_not_due_again() -> None:
    contract = only(time_line())
    first, second = due_events(contract, None, date(2027, 2, 1))
    kept = [first.with_changes(void=True)]
    assert due_events(contract, None, date(2027, 2, 1), kept) == [second]


def test_a_final_bill_that_found_nothing_may_be_asked_for_again() -> None:
    contract, day = only(time_line()), date(2027, 1, 10)
    (first,) = final_events(contract, day, [], open_work=True)
    (again,) = final_events(contract, day, [first.with_changes(void=True)], open_work=True)
    assert (first.key.rpartition("/")[2], again.key.rpartition("/")[2]) == ("1", "2")


# -- subscription periods ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrears", "due"),
    [
        (False, ["2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"]),
        (True, ["2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01"]),
    ],
)
def test_periods_are_due_in_advance_or_in_arrears(arrears: bool, due: list[str]) -> None:
    rows = due_events(only(service_line(), terms=BillingTerms(in_arrears=arrears)), None, FAR)
    assert [str(row.due_on) for row in rows] == due
    assert {str(row.amount) for row in rows} == {"3,000.00 EUR"}
    assert [row.occasion for row in rows] == ["2026-12", "2027-01", "2027-02", "2027-03"]


def test_the_31st_is_kept_as_the_anchor() -> None:
    line = service_line(starts_on=date(2027, 1, 31), ends_on=date(2027, 5, 30), amount=eur("4000.00"))
    rows = due_events(only(line, terms=IN_ADVANCE), None, FAR)
    assert [str(row.due_on) for row in rows] == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
    assert total([row.amount for row in rows if row.amount], "EUR") == line.amount


def test_quarters_from_the_start_and_by_the_calendar() -> None:
    line = service_line(
        frequency="quarterly", starts_on=date(2027, 2, 1), ends_on=date(2028, 1, 31), amount=eur("12000.00")
    )
    rows = due_events(only(line, terms=IN_ADVANCE), None, FAR)
    assert [str(row.due_on) for row in rows] == ["2027-02-01", "2027-05-01", "2027-08-01", "2027-11-01"]
    calendar = BillingTerms(in_arrears=False, periods_from="calendar")
    rows = due_events(only(line, terms=calendar), None, FAR)
    assert [str(row.due_on) for row in rows] == [
        "2027-02-01", "2027-04-01", "2027-07-01", "2027-10-01", "2028-01-01",
    ]  # fmt: skip
    assert total([row.amount for row in rows if row.amount], "EUR") == line.amount


def test_a_short_last_period_is_prorated() -> None:
    line = service_line(amount=None, unit_price="3100", ends_on=date(2027, 1, 10))
    rows = due_events(only(line), None, FAR)
    assert told(rows) == [
        (3, "2026-12", "2027-01-01", "3,100.00 EUR"),
        (3, "2027-01", "2027-01-11", "1,000.00 EUR"),
    ]


def test_a_line_without_a_frequency_is_refused_by_name() -> None:
    with pytest.raises(RuleError, match=r"lines\[3\].frequency"):
        due_events(only(service_line(frequency=None)), None, FAR)


def test_after_a_change_of_price_kept_periods_stand_and_the_rest_sums_to_it() -> None:
    before = only(service_line(), terms=IN_ADVANCE)
    kept = due_events(before, None, date(2027, 1, 1))
    after = only(service_line(amount=eur("12100.00")), terms=IN_ADVANCE, revision=2)
    rows = due_events(after, None, FAR, kept)
    assert [str(row.amount) for row in rows] == [
        "3,000.00 EUR", "3,000.00 EUR", "3,050.00 EUR", "3,050.00 EUR",
    ]  # fmt: skip
    assert rows[:2] == kept


def test_a_price_below_what_is_billed_is_an_error_with_the_amount() -> None:
    kept = due_events(only(service_line(), terms=IN_ADVANCE), None, date(2027, 1, 1))
    with pytest.raises(Overbilled, match=r"lines\[3\].amount.*6,000.00 EUR"):
        due_events(only(service_line(amount=eur("5000.00")), terms=IN_ADVANCE, revision=2), None, FAR, kept)


# -- advance and retention --------------------------------------------------------------------------


def test_the_advance_is_due_at_the_start() -> None:
    rows = due_events(only(milestone_line(), terms=BillingTerms(advance=eur("30000.00"))), None, FAR)
    assert told(rows) == [(0, "advance", "2026-12-01", "30,000.00 EUR")]
    assert rows[0].kind == "advance"


def test_retention_falls_due_by_its_date_alone() -> None:
    terms = BillingTerms(
        retention=RetentionTerms(
            tiers=(RetentionTier(percent="10"),), release="date", release_on=date(2027, 6, 30)
        )
    )
    contract = only(milestone_line(), terms=terms)
    assert not retention_due(contract, date(2027, 6, 29))
    assert retention_due(contract, date(2027, 6, 30))
    assert next_due(contract, date(2027, 6, 15)) == date(2027, 6, 30)
    assert not retention_due(only(milestone_line()), FAR)


def test_a_release_that_waits_stands_and_a_billed_one_gets_a_successor() -> None:
    contract, day = only(milestone_line()), date(2027, 7, 1)
    first = retention_release(contract, eur("3000.00"), day, [])
    assert (first.key, first.kind) == ("DE01-7K3QXW/0/retention/1", "retention_release")
    assert retention_release(contract, eur("4000.00"), day, [first]) == first
    billed = first.with_changes(invoice="invoice/acme/x")
    assert retention_release(contract, eur("500.00"), day, [billed]).revision == 2


# -- by hand and at the end -------------------------------------------------------------------------


def test_an_interim_bill_takes_work_up_to_its_day_and_may_be_asked_for_again() -> None:
    contract, day = only(time_line()), date(2027, 1, 15)
    first = interim_event(contract, day, day, [])
    assert first is not None
    assert (first.key, first.service_from, first.service_to) == (
        "DE01-7K3QXW/0/2027-01-15/1", date(2027, 1, 1), day,
    )  # fmt: skip
    assert interim_event(contract, day, day, [first]) == first
    again = interim_event(contract, day, day, [first.with_changes(invoice="invoice/acme/x")])
    assert again is not None
    assert again.revision == 2
    assert interim_event(only(milestone_line()), day, day, []) is None


def test_the_final_account_bills_open_work_and_the_begun_period() -> None:
    contract = only(time_line(), service_line(amount=None, unit_price="3100"))
    rows = final_events(contract, date(2027, 1, 10), [], open_work=True)
    assert told(rows) == [
        (0, "final", "2027-01-10", ""),
        (3, "2027-01", "2027-01-10", "1,000.00 EUR"),
    ]
    assert final_events(only(time_line()), date(2027, 1, 10), [], open_work=False) == []
    advance = only(service_line(), terms=IN_ADVANCE)
    assert final_events(advance, date(2027, 1, 10), [], open_work=False) == [], "billed when it began"


# -- when to look again -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (date(2026, 11, 23), date(2026, 12, 1)),
        (date(2026, 12, 1), date(2027, 1, 1)),
        (date(2027, 2, 1), date(2027, 2, 27)),
        (date(2027, 2, 27), date(2027, 3, 1)),
        (date(2029, 5, 5), date(2029, 6, 1)),
    ],
)
def test_it_looks_again_when_something_falls_due_and_at_each_month(after: date, expected: date) -> None:
    assert next_due(only(time_line()), after) == expected


def test_every_due_day_is_met_by_looking_again() -> None:
    contract = a_contract(terms=BillingTerms(advance=eur("100.00")))
    met, day = set(), contract.starts_on - timedelta(days=40)
    while day < date(2027, 6, 1):
        day = next_due(contract, day)
        met.add(day)
    assert {row.due_on for row in due_events(contract, None, FAR)} <= met


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Europe/Berlin", datetime(2027, 1, 31, 23, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 2, 1, 5, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2027, 1, 31, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_the_entity_is(zone: str, instant: datetime) -> None:
    assert instant_of(date(2027, 2, 1), zone) == instant
    assert local_day(instant, zone) == date(2027, 2, 1)
    assert local_day(instant - timedelta(seconds=1), zone) == date(2027, 1, 31)
