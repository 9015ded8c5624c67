"""HR and a PSA without vendors: people, absences and assignments are set, what is told is counted."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from connectors.errors import ConnectorError
from domain.commands import Command
from domain.intake import FeedPosition
from domain.people import AbsencePage, UnavailableDay, WorkCalendar, Worker, WorkerPage, WorkerSkill
from domain.psa_people import AssignmentPage, PsaAssignment, PsaPeoplePage, PsaPerson, TimeOff
from tests.support.activation_firm import FakeSystem

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def a_worker(number: str) -> Worker:
    return Worker(
        id=f"worker:workday:{number}",
        source="workday",
        external_id=number,
        number=number,
        name=f"Person {number}",
        email=f"{number.lower()}@firm.example",
        entity="DE01",
        role="Architect",
        grade="Senior",
        calendar="DE",
        hired_on=date(2020, 1, 1),
        version=NOW,
    )


class FakeHr(FakeSystem):
    """An HR account whose people change by hand."""

    def __init__(self, *workers: Worker) -> None:
        super().__init__("workday")
        self.people = list(workers)
        self.away: list[UnavailableDay] = []
        self.broken: list[ConnectorError] = []

    async def workers(self, position: FeedPosition, limit: int = 200) -> WorkerPage:
        if self.broken:
            raise self.broken.pop(0)
        start = int(position.page or 0)
        following = str(start + limit) if len(self.people) > start + limit else ""
        return WorkerPage(workers=tuple(self.people[start : start + limit]), next_page=following, mark=NOW)

    async def skills(self, worker_external_id: str) -> Sequence[WorkerSkill]:
        return next(one.skills for one in self.people if one.external_id == worker_external_id)

    async def absences(self, first: date, last: date, page: str = "", limit: int = 50) -> AbsencePage:
        ids = tuple(one.external_id for one in self.people)
        return AbsencePage(worker_external_ids=ids, days=tuple(self.away))

    async def work_calendars(self) -> Sequence[WorkCalendar]:
        return []

    async def project(self, number: str) -> str | None:
        return f"hr-{number}"


class FakePsa(FakeSystem):
    """A PSA that staffs people."""

    def __init__(self, *people: PsaPerson) -> None:
        super().__init__("kantata")
        self.staff = list(people)
        self.planned: list[PsaAssignment] = []
        self.off: list[TimeOff] = []

    async def people(self, page: str = "", limit: int = 200) -> PsaPeoplePage:
        start = int(page or 0)
        following = str(start + limit) if len(self.staff) > start + limit else ""
        return PsaPeoplePage(people=tuple(self.staff[start : start + limit]), next_page=following)

    async def time_off(self, people: Sequence[str], first: date, last: date) -> Sequence[TimeOff]:
        return [one for one in self.off if one.person_external_id in people]

    async def assignments(self, position: FeedPosition, limit: int = 200) -> AssignmentPage:
        return AssignmentPage(assignments=tuple(self.planned), mark=NOW)

    def told(self, kind: type[Command]) -> list[Command]:
        return [command for _, command in self.applied if isinstance(command, kind)]
