"""Kantata OX as the firm's PSA: the commands and reads of `connectors.ports.PsaPort`.

Every write carries its effect key in an external reference (a resource request: in a custom field of its
seat), and is looked up by it, never by name. Nothing here repeats a call or waits.

Source: Kantata OX API, REST v1.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime

import httpx

from connectors.commands import Commands
from connectors.http.auth import StaticBearer, utc_now
from connectors.http.transport import VendorHttp
from connectors.kantata import checks, errors
from connectors.kantata.account import Account
from connectors.kantata.billing import Billing
from connectors.kantata.bulk import Bulk
from connectors.kantata.directory import Directory
from connectors.kantata.feed import Feed
from connectors.kantata.memory import Memory
from connectors.kantata.people import People
from connectors.kantata.people_feed import PeopleFeed
from connectors.kantata.projects import Projects
from connectors.kantata.settings import KantataSettings
from connectors.kantata.staffing import Staffing
from connectors.kantata.tasks import Tasks
from connectors.kantata.time_off import DaysOff
from connectors.kantata.work_feed import WorkFeed
from connectors.ports import Check
from domain.billing_commands import CancelBillingRecord, RecordBilling
from domain.commands import (
    AddSeats,
    CancelProject,
    Command,
    CreateCustomer,
    CreateProject,
    OpenProject,
    PlanProject,
    Record,
    RequestStaffing,
    WithdrawStaffing,
)
from domain.delivery import Change, StaffingAnswer
from domain.intake import FeedPosition, PsaInvoice, WorkPage
from domain.psa_people import AssignmentPage, PsaPeoplePage, TimeOff
from domain.psa_people_commands import AddTimeOff, ChangeTimeOff, KeepPerson, KeepRole, KeepSkill


def build(
    name: str,
    settings: KantataSettings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> "KantataClient":
    """The client of the account that the firm's file calls `name`."""
    http = VendorHttp(
        system=name,
        base_url=settings.base_url,
        auth=StaticBearer(settings.token),
        table=errors.table(name),
        timeout=settings.timeout_seconds,
        transport=transport,
        in_flight=settings.in_flight,
        clock=clock,
    )
    return KantataClient(Account(http, settings), clock)


class KantataClient:
    """Implements `PsaPort`."""

    def __init__(self, account: Account, clock: Callable[[], datetime] = utc_now) -> None:
        self._account = account
        self._directory = Directory(account, clock)
        seats = Memory()
        self._staffing = staffing = Staffing(account, self._directory, seats)
        self._feed = Feed(account, clock)
        self._work = WorkFeed(account, Tasks(account))
        self._billing = billing = Billing(account)
        self._days_off = days_off = DaysOff(account)
        self._people = PeopleFeed(account, self._feed)
        people = People(account, self._directory)
        projects, bulk = Projects(account, self._directory), Bulk(account, self._directory, seats)
        self._commands = Commands(
            account.system,
            {
                CreateCustomer: (projects.find_customer, projects.create_customer),
                CreateProject: (projects.find_project, projects.create_project),
                PlanProject: (bulk.find_plan, bulk.plan_project),
                AddSeats: (bulk.find_seats, bulk.add_seats),
                RequestStaffing: (staffing.find_request, staffing.request),
                WithdrawStaffing: (staffing.find_withdrawal, staffing.withdraw),
                OpenProject: (projects.find_opening, projects.open_project),
                CancelProject: (projects.find_cancellation, projects.cancel_project),
                RecordBilling: (billing.find_record, billing.record),
                CancelBillingRecord: (billing.find_cancellation, billing.cancel),
                KeepPerson: (people.find_person, people.keep_person),
                KeepRole: (people.find_role, people.keep_role),
                KeepSkill: (people.find_skill, people.keep_skill),
                AddTimeOff: (days_off.find_added, days_off.add),
                ChangeTimeOff: (days_off.find_change, days_off.change),
            },
        )

    @property
    def system(self) -> str:
        return self._account.system

    async def find(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind. See `PsaPort`."""
        return await self._commands.find(command, key)

    async def apply(self, command: Command, key: str) -> Record:
        """Write once, under `key`. See `PsaPort`; bulk commands complete what a partial batch left."""
        return await self._commands.apply(command, key)

    async def staffing_answers(self, project_external_id: str) -> Sequence[StaffingAnswer]:
        """State of the newest request of every seat of the project."""
        return await self._staffing.answers(project_external_id)

    async def changes(self, since: datetime, limit: int = 200) -> Sequence[Change]:
        """Changes at or after `since`, oldest first, each once."""
        return await self._feed.changes(since, limit)

    async def approved_time(self, position: FeedPosition, limit: int = 200) -> WorkPage:
        """One page of approved time: late approvals, and projects without approvals, included."""
        return await self._work.approved_time(position, limit)

    async def approved_expenses(self, position: FeedPosition, limit: int = 200) -> WorkPage:
        """One page of approved expenses, in the same way."""
        return await self._work.approved_expenses(position, limit)

    async def released_invoices(self, since: datetime | None, limit: int = 200) -> Sequence[PsaInvoice]:
        """Invoices released, cancelled or paid since, oldest change first."""
        return await self._billing.released(since, limit)

    async def people(self, page: str = "", limit: int = 200) -> PsaPeoplePage:
        """One page of the account's people, with role, facts and skills."""
        return await self._people.people(page, limit)

    async def time_off(self, people: Sequence[str], first: date, last: date) -> Sequence[TimeOff]:
        """Days off of these people, whoever entered them."""
        return await self._days_off.listed(people, first, last)

    async def assignments(self, position: FeedPosition, limit: int = 200) -> AssignmentPage:
        """One page of decided allocations that changed since, and of those that are gone."""
        return await self._people.assignments(position, limit)

    async def check(self) -> Sequence[Check]:
        """One line per ability of the account."""
        return await checks.run(self._account, self._directory)

    async def aclose(self) -> None:
        """Close connections."""
        await self._account.http.aclose()
