"""Workday as the firm's HR: the commands and reads of `connectors.ports.HrPort`.

Workers are read in bulk by SOAP, which alone tells of changes and of those who have left; skills, absences
and projects by REST; work calendars by a custom report. What is written carries its effect key in a text
field and is looked up by it. Nothing here repeats a call or waits.

Source: Workday REST API; Workday Web Services; Reports as a Service.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime

import httpx

from connectors.commands import Commands
from connectors.http.auth import utc_now
from connectors.http.transport import VendorHttp
from connectors.ports import Check
from connectors.workday import calendars, skills
from connectors.workday.absences import Absences
from connectors.workday.assignments import Assignments
from connectors.workday.check import inspect
from connectors.workday.errors import table
from connectors.workday.people import People
from connectors.workday.projects import project_id
from connectors.workday.rest import Rest
from connectors.workday.settings import WorkdaySettings
from connectors.workday.sign_in import auth_of
from connectors.workday.soap import Soap
from connectors.workday.utilization import Utilization
from domain.commands import Command, Record
from domain.intake import FeedPosition
from domain.people import AbsencePage, WorkCalendar, WorkerPage, WorkerSkill
from domain.people_commands import RecordAssignment, RecordUtilization


def build(
    name: str,
    settings: WorkdaySettings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> "WorkdayClient":
    """The client of the tenant that the firm's file calls `name`."""
    http = VendorHttp(
        system=name,
        base_url=settings.base_url,
        auth=auth_of(settings, clock),
        table=table(name),
        timeout=settings.timeout_seconds,
        transport=transport,
        in_flight=settings.in_flight,
        clock=clock,
    )
    return WorkdayClient(Rest(http, settings), Soap(http, settings), clock)


class WorkdayClient:
    """Implements `HrPort`."""

    def __init__(self, rest: Rest, soap: Soap, clock: Callable[[], datetime] = utc_now) -> None:
        self._rest = rest
        self._soap = soap
        self._clock = clock
        self._people = People(rest.system, soap, rest.settings, clock)
        self._absences = Absences(rest, soap, clock)
        assignments, utilization = Assignments(rest), Utilization(rest)
        self._commands = Commands(
            rest.system,
            {
                RecordAssignment: (assignments.find, assignments.apply),
                RecordUtilization: (utilization.find, utilization.apply),
            },
        )

    @property
    def system(self) -> str:
        return self._rest.system

    async def find(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind. See `HrPort`."""
        return await self._commands.find(command, key)

    async def apply(self, command: Command, key: str) -> Record:
        """Write once, under `key`. See `HrPort`."""
        return await self._commands.apply(command, key)

    async def workers(self, position: FeedPosition, limit: int = 200) -> WorkerPage:
        """One page of hires, changes and leavers; of all workers where `position` says no moment."""
        return await self._people.workers(position, limit)

    async def skills(self, worker_external_id: str) -> Sequence[WorkerSkill]:
        """Skills of one worker with their levels. Raises `NotFound`."""
        return await skills.skills(self._rest, worker_external_id)

    async def absences(self, first: date, last: date, page: str = "", limit: int = 50) -> AbsencePage:
        """Unavailable hours per day of up to `limit` workers."""
        return await self._absences.page(first, last, page, limit)

    async def project(self, number: str) -> str | None:
        """Id of the project with exactly this number."""
        return await project_id(self._rest, number)

    async def work_calendars(self) -> Sequence[WorkCalendar]:
        """Calendars of the tenant's report, where the settings name one."""
        return await calendars.work_calendars(self._rest)

    async def check(self) -> Sequence[Check]:
        """One line per ability of our user."""
        return await inspect(self._rest, self._soap, self._clock)

    async def aclose(self) -> None:
        """Close connections."""
        await self._rest.http.aclose()
