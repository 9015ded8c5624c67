"""Roles of systems as Protocols in canonical terms: what a process may ask of any vendor.

A vendor is interchangeable because workflows and activities know only these. Every method raises the
classes of `connectors.errors` and nothing else; none retries, sleeps or knows Temporal.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from domain.base import Canonical
from domain.books import BillingScheduleFacts, InvoiceFacts, PartyFacts, PartyQuery, TaxDecision, TrialBalance
from domain.buying import OrderPage, PurchaseRequisition, Supplier, SupplierQuery
from domain.commands import Command, Record
from domain.delivery import StaffingAnswer
from domain.intake import FeedPosition, PsaInvoice, WorkPage
from domain.people import AbsencePage, WorkCalendar, WorkerPage, WorkerSkill
from domain.psa_people import AssignmentPage, PsaPeoplePage, TimeOff
from domain.selling import Deal, DealSummary
from domain.supply import Supply


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
    """Customer relationship management: where deals are signed. Writes `MarkDeal`, `MarkBilling`."""

    async def read_deal(self, deal_id: str) -> Deal:
        """The deal with customer, contract and lines. Raises `NotFound`."""

    async def signed_deals(self, since: datetime | None, limit: int = 200) -> Sequence[DealSummary]:
        """Signed deals changed at or after `since`, oldest change first, all pages up to `limit`."""


class PsaPort(SystemPort, Protocol):
    """Professional-services automation: where projects are staffed and time is written.

    Writes `CreateCustomer`, `CreateProject`, `PlanProject`, `AddSeats`, `RequestStaffing`,
    `WithdrawStaffing`, `OpenProject`, `CancelProject`, `RecordBilling`, `CancelBillingRecord`, `KeepPerson`,
    `KeepRole`, `KeepSkill`, `AddTimeOff`, `ChangeTimeOff`.
    """

    async def staffing_answers(self, project_external_id: str) -> Sequence[StaffingAnswer]:
        """State of every resource request of the project."""

    async def changes(self, since: datetime, limit: int = 200) -> Sequence[Canonical]:
        """The change feed from `since`, oldest first, deduplicated: `domain.delivery.Change` items."""

    async def approved_time(self, position: FeedPosition, limit: int = 200) -> WorkPage:
        """One page of approved time, wherever and however late it was approved."""

    async def approved_expenses(self, position: FeedPosition, limit: int = 200) -> WorkPage:
        """One page of approved expenses."""

    async def released_invoices(self, since: datetime | None, limit: int = 200) -> Sequence[PsaInvoice]:
        """Invoices released or cancelled in the PSA since, oldest change first; our own are marked."""

    async def people(self, page: str = "", limit: int = 200) -> PsaPeoplePage:
        """One page of all people who can be staffed. `page` is empty, then the token of the page before."""

    async def time_off(self, people: Sequence[str], first: date, last: date) -> Sequence[TimeOff]:
        """Days off of these people (up to 200) from `first` to `last`, ours marked."""

    async def assignments(self, position: FeedPosition, limit: int = 200) -> AssignmentPage:
        """One page of assignments of named people changed since `position.since`; all without it."""


class ErpPort(SystemPort, Protocol):
    """The books: customers, projects, schedules, invoices.

    Writes `CreateCustomer`, `CreateProject`, `CreateBillingSchedule`, `VoidBillingSchedule`,
    `OpenProject`, `CancelProject`, `DraftInvoice`, `PostInvoice`, `DiscardInvoice`, `CreditInvoice`,
    `ReceivePayment`, `PostJournal`.
    """

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        """What the ERP knows of the contracting entity and the customer."""

    async def billing_schedule(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands. Raises `NotFound`."""

    async def invoice(self, external_id: str) -> InvoiceFacts:
        """An invoice or credit note as it stands. Raises `NotFound`."""

    async def project_invoices(self, project_external_id: str) -> Sequence[InvoiceFacts]:
        """Every invoice and credit note of a project, whoever made it, oldest first."""

    async def trial_balance(self, entity: str, as_of: date) -> TrialBalance:
        """The posted general ledger of a legal entity, in its functional currency."""


class ProcurementPort(SystemPort, Protocol):
    """Purchasing: requisitions, their approval, and orders to suppliers.

    Writes `RequestPurchase`, `WithdrawRequisition`, `CancelPurchaseOrder`.
    """

    async def suppliers(self, query: SupplierQuery) -> Sequence[Supplier]:
        """Suppliers that match, by number, tax id and whole name."""

    async def requisition(self, external_id: str) -> PurchaseRequisition:
        """A requisition as it stands, with the orders it became. Raises `NotFound`."""

    async def purchase_orders(self, project: str, position: FeedPosition, limit: int = 200) -> OrderPage:
        """One page of the orders of a project (of all projects where it is empty) changed since."""


class HrPort(SystemPort, Protocol):
    """Human resources: who works for the firm, what they can do, when they are not there.

    Writes `RecordAssignment`, `RecordUtilization`.
    """

    async def workers(self, position: FeedPosition, limit: int = 200) -> WorkerPage:
        """One page of hires, changes and leavers since `position.since`; of all workers without it."""

    async def skills(self, worker_external_id: str) -> Sequence[WorkerSkill]:
        """Skills of one worker, with their level where HR holds one. Raises `NotFound`."""

    async def absences(self, first: date, last: date, page: str = "", limit: int = 50) -> AbsencePage:
        """Unavailable hours per day from `first` to `last` of up to `limit` workers, never their kind.

        `page` is empty for the first page, then the token of the page before.
        """

    async def project(self, number: str) -> str | None:
        """Id of the project of this number; None where HR does not have it. Raises `Conflict` for two."""

    async def work_calendars(self) -> Sequence[WorkCalendar]:
        """Working time and holidays by region; empty where HR does not hold them."""


class TaxEngine(Protocol):
    """Who decides the tax of a supply: an engine that is bought, or the firm's own tables.

    The answer is fixed at the tax point and stored; a credit note uses the original's.
    """

    async def decide(self, supply: Supply) -> TaxDecision:
        """Raises `Rejected` naming the field that a decision lacks."""
