"""Roles of systems as Protocols in canonical terms: what a process may ask of any vendor.

A vendor is interchangeable because workflows and activities know only these. Every method raises the
classes of `connectors.errors` and nothing else; none retries, sleeps or knows Temporal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.base import Canonical
from domain.books import BillingScheduleFacts, PartyFacts, PartyQuery
from domain.commands import Command, Record
from domain.delivery import StaffingAnswer
from domain.selling import Deal, DealSummary


class Check(Canonical):
    """One line of `fairlead systems check`."""

    name: str
    ok: bool
    detail: str = ""


class SystemPort(Protocol):
    """What every system has: a name, writes by command and key, and a self-check."""

    @property
    def system(self) -> str:
        """Name of the system in the firm's file, such as `salesforce`."""

    async def find(self, command: Command, key: str) -> Record | None:
        """Look up what `command` under `key` left behind, without writing.

        Raises `Conflict` when more than one record answers, `TypeError` for a command this role
        does not know.
        """

    async def apply(self, command: Command, key: str) -> Record:
        """Write once and return what the system now holds (read back where its answer does not say).

        Raises `Ambiguous` when the write was sent and its outcome is unknown.
        """

    async def check(self) -> Sequence[Check]:
        """Reach the system with our credentials and report, one line per ability."""

    async def aclose(self) -> None:
        """Close connections."""


class CrmPort(SystemPort, Protocol):
    """Customer relationship management: where deals are signed. Writes `MarkDeal`."""

    async def read_deal(self, deal_id: str) -> Deal:
        """The deal with customer, contract and lines. Raises `NotFound`."""

    async def signed_deals(self, since: datetime | None, limit: int = 200) -> Sequence[DealSummary]:
        """Signed deals changed at or after `since`, oldest change first, all pages up to `limit`."""


class PsaPort(SystemPort, Protocol):
    """Professional-services automation: where projects are staffed and time is written.

    Writes `CreateCustomer`, `CreateProject`, `PlanProject`, `AddSeats`, `RequestStaffing`,
    `WithdrawStaffing`, `OpenProject`, `CancelProject`.
    """

    async def staffing_answers(self, project_external_id: str) -> Sequence[StaffingAnswer]:
        """State of every resource request of the project."""

    async def changes(self, since: datetime, limit: int = 200) -> Sequence[Canonical]:
        """The change feed from `since`, oldest first, deduplicated: `domain.delivery.Change` items."""


class ErpPort(SystemPort, Protocol):
    """The books: customers, projects, schedules, invoices.

    Writes `CreateCustomer`, `CreateProject`, `CreateBillingSchedule`, `VoidBillingSchedule`,
    `OpenProject`, `CancelProject`.
    """

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        """What the ERP knows of the contracting entity and the customer."""

    async def billing_schedule(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands. Raises `NotFound`."""
