"""People and what HR is told of them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.people import UnavailableDay, Worker, WorkerSkill
from domain.people_commands import RecordAssignment, RecordUtilization, effort_text


def worker(**changes: Any) -> Worker:
    given = {
        "id": "worker:hr:w1",
        "source": "hr",
        "external_id": "w1",
        "number": "21001",
        "hired_on": date(2020, 1, 1),
        "version": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return Worker.model_validate({**given, **changes})


def assignment(**changes: Any) -> RecordAssignment:
    given = {
        "worker_external_id": "w1",
        "project_external_id": "p1",
        "starts_on": date(2026, 12, 1),
        "ends_on": date(2027, 1, 31),
        "hours": "80",
    }
    return RecordAssignment.model_validate({**given, **changes})


def test_employed_from_the_first_to_the_last_day() -> None:
    leaver = worker(ends_on=date(2026, 10, 31))
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2026, 10, 31), date(2026, 11, 1))
    assert [leaver.employed_on(day) for day in days] == [False, True, True, False]
    assert worker().employed_on(date(2099, 1, 1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "worker:hr:ada@acme.example"}, "has the id"),
        ({"ends_on": date(2019, 1, 1)}, "before it begins"),
        ({"supplier": "SUP-1"}, "lends contingent workers only"),
        ({"manager": "w1"}, "as the manager of the same worker"),
        ({"weekly_hours": "169"}, "less than or equal to 168"),
    ],
)
def test_a_worker_that_cannot_be(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        worker(**changes)


def test_a_contingent_worker_may_have_no_supplier() -> None:
    assert worker(kind="contingent").supplier is None
    assert worker(kind="contingent", supplier="SUP-1").supplier == "SUP-1"


@pytest.mark.parametrize("level", ["0.9", "5.1", 2.5])
def test_a_level_lies_between_one_and_five(level: Any) -> None:
    with pytest.raises(ValidationError):
        WorkerSkill(name="Python", level=level)
    assert WorkerSkill(name="Python", level=Decimal("2.5")).level == Decimal("2.5")


def test_nobody_is_unavailable_for_more_than_a_day() -> None:
    for hours in ("0", "24.1"):
        with pytest.raises(ValidationError):
            UnavailableDay(worker_external_id="w1", day=date(2026, 12, 1), hours=Decimal(hours))


@pytest.mark.parametrize(
    ("number", "text"),
    [("80", "80 h"), ("80.00", "80 h"), ("37.50", "37.5 h"), ("1E+2", "100 h"), ("0", "0 h")],
)
def test_work_is_spelled_in_one_way(number: str, text: str) -> None:
    assert effort_text(Decimal(number), "h") == text
    assert assignment(hours=number).matter()["effort"] == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"percent": "50"}, "either hours or percent"),
        ({"hours": None}, "either hours or percent"),
        ({"hours": "-1"}, "greater than or equal to 0"),
        ({"hours": None, "percent": "101"}, "less than or equal to 100"),
        ({"ends_on": date(2026, 11, 30)}, "before it begins"),
    ],
)
def test_an_assignment_that_cannot_be(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        assignment(**changes)


def test_a_share_and_hours_are_told_apart() -> None:
    assert assignment(hours=None, percent="50").matter()["effort"] == "50 %"


def test_utilization_is_some_hours_or_takes_some_back() -> None:
    given = {"worker_external_id": "w1", "project_external_id": "p1"}
    span = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 11, 30)}
    back = RecordUtilization.model_validate({**given, **span, "hours": "-2.5"})
    assert back.matter()["effort"] == "-2.5 h"
    with pytest.raises(ValidationError, match="nothing to tell"):
        RecordUtilization.model_validate({**given, **span, "hours": "0"})
