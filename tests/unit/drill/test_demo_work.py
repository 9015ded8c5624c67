"""Whatever day the demo is played on, enough work lies behind it to pass the cap."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.money import Money
from domain.selling import BillingMethod, ContractLine
from drill.demo_outcome import DemoFailed
from drill.demo_signing import BEGAN_DAYS_AGO
from drill.demo_work import HOURS_A_DAY, worked_days

LINE = ContractLine(
    id="l4",
    number=4,
    name="Architect, Senior",
    billing_method=BillingMethod.TIME_AND_MATERIALS,
    unit_price=Decimal("164.50"),
    cap=Money.of("72400.00", "EUR"),
)
TEAM = ["A", "B", "C", "D"]


@pytest.mark.parametrize("later", range(7))
def test_a_team_passes_the_cap_by_less_than_two_days(later: int) -> None:
    today = date(2026, 11, 23) + timedelta(days=later)
    days = worked_days(LINE, TEAM, today - timedelta(days=BEGAN_DAYS_AGO), today)
    worth = len(days) * HOURS_A_DAY * Decimal("164.50")
    assert Decimal("72700") < worth < Decimal("72400") + 2 * HOURS_A_DAY * Decimal("164.50")
    assert len(set(days)) == len(days)
    assert all(day < today and day.weekday() < 5 for _, day in days)


def test_no_month_has_ended_since_work_began() -> None:
    assert BEGAN_DAYS_AGO < 28


def test_too_few_people_are_said() -> None:
    with pytest.raises(DemoFailed, match="1 people have 19 days"):
        worked_days(LINE, TEAM[:1], date(2026, 10, 27), date(2026, 11, 23))
