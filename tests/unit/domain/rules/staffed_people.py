"""People for the tests of staffing: architects of DE01 with eight hours a day."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.people import UnavailableDay, WorkCalendar, Worker, WorkerSkill
from domain.psa_people import PsaAssignment
from domain.rules.availability import Availability

MONDAY, FRIDAY = date(2026, 12, 7), date(2026, 12, 11)
WEEK = (MONDAY, FRIDAY)
CALENDAR = WorkCalendar(code="DE", country="DE", weekly_hours=Decimal(40), holidays=(date(2026, 12, 8),))


def worker(number: str = "W-0001", **changes: Any) -> Worker:
    facts: dict[str, Any] = {
        "id": f"worker:workday:{number}",
        "source": "workday",
        "external_id": number,
        "number": number,
        "name": f"Person {number}",
        "email": f"{number.lower()}@firm.example",
        "entity": "DE01",
        "role": "Architect",
        "grade": "Senior",
        "calendar": "DE",
        "weekly_hours": Decimal(40),
        "hired_on": date(2020, 1, 1),
        "version": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return Worker.model_validate(facts | changes)


def skilled(**levels: int | None) -> tuple[WorkerSkill, ...]:
    return tuple(WorkerSkill(name=name, level=level) for name, level in levels.items())


def person(number: str = "W-0001", **parts: Any) -> Availability:
    """`assigned`: hours planned over the week; `off`: hours per day of it that are not there."""
    assigned, off = parts.pop("assigned", 0), parts.pop("off", {})
    calendar = parts.pop("calendar_of", None)
    planned = PsaAssignment(
        external_id=f"a-{number}",
        person_external_id=number,
        project_external_id="p1",
        starts_on=MONDAY,
        ends_on=FRIDAY,
        hours=Decimal(assigned),
    )
    return Availability(
        worker=worker(number, **parts),
        calendar=calendar,
        assignments=(planned,) if assigned else (),
        unavailable=tuple(
            UnavailableDay(worker_external_id=number, day=day, hours=Decimal(hours))
            for day, hours in off.items()
        ),
    )
