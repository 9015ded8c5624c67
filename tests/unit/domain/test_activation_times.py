"""How long activations take, worked by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.activation_times import STAGES, Passage, duration, whole

BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)


def after(hours: float) -> datetime:
    return BEGAN + timedelta(hours=hours)


def test_each_stage_ends_where_the_next_begins() -> None:
    passage = Passage(
        began=BEGAN, created_from=after(1), created_to=after(1.5), opened_from=after(25.5), ended=after(26)
    )
    assert passage.hours() == dict(
        zip(STAGES, [Decimal(1), Decimal("0.5"), Decimal(24), Decimal("0.5")], strict=True)
    )
    assert whole(passage) == 26


def test_what_is_not_reached_has_no_hours() -> None:
    assert Passage(began=BEGAN, created_from=after(2)).hours() == {STAGES[0]: Decimal(2)}
    assert whole(Passage(began=BEGAN)) is None


@pytest.mark.parametrize(
    ("hours", "median", "p90"),
    [([3], 3, 3), ([1, 2], Decimal("1.5"), 2), ([5, 1, 3], 3, 5), (list(range(1, 11)), Decimal("5.5"), 9)],
)
def test_median_and_ninetieth_percentile(hours: list[int], median: Decimal, p90: Decimal) -> None:
    found = duration([Decimal(one) for one in hours])
    assert found is not None
    assert (found.count, found.median, found.p90) == (len(hours), median, p90)
    assert duration([]) is None
