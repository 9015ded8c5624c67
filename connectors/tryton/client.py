"""Tryton in the role of ERP: customers, projects, billing schedules, invoices, payments, the ledger.

Tryton knows no idempotency: what it keeps unique (a party's code, a project's number) holds our key where it
can, and everything else is looked up before it is written. A button is pressed only after reading that the
record is not yet where the button takes it.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime

import httpx

from connectors.commands import Commands, Effects
from connectors.http.auth import utc_now
from connectors.http.transport import VendorHttp
from connectors.ports import Check
from connectors.tryton.api import TrytonApi, path_of
from connectors.tryton.check import inspect
from connectors.tryton.credits import Credits
from connectors.tryton.customers import Customers
from connectors.tryton.drafts import Drafts
from connectors.tryton.errors import table
from connectors.tryton.invoices import Invoices
from connectors.tryton.journals import Journals
from connectors.tryton.ledger import Ledger
from connectors.tryton.moves import Moves
from connectors.tryton.parties import Parties
from connectors.tryton.payments import Payments
from connectors.tryton.posting import Posting
from connectors.tryton.projects import Projects
from connectors.tryton.records import Records
from connectors.tryton.reference import ReferenceData
from connectors.tryton.schedules import Schedules
from connectors.tryton.session import Anonymous, SessionAuth
from connectors.tryton.settings import TrytonSettings
from domain.billing_commands import (
    CreditInvoice,
    DiscardInvoice,
    DraftInvoice,
    PostInvoice,
    PostJournal,
    ReceivePayment,
)
from domain.books import BillingScheduleFacts, InvoiceFacts, PartyFacts, PartyQuery, TrialBalance
from domain.commands import (
    CancelProject,
    Command,
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    OpenProject,
    Record,
    VoidBillingSchedule,
)


class TrytonClient:
    """`ErpPort` over Tryton's JSON-RPC."""

    def __init__(
        self,
        name: str,
        settings: TrytonSettings,
        api: TrytonApi,
        auth: SessionAuth,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._settings = settings
        self._auth = auth
        self.api = api
        records = Records(api)
        self._reference = ReferenceData(api, settings, clock)
        self._parties = Parties(records, settings, clock)
        self._schedules = Schedules(records, settings, self._reference)
        self._invoices = Invoices(records, settings)
        self._ledger = Ledger(records, self._reference)
        effects = _effects(records, settings, self._reference, self._schedules, self._invoices)
        self._commands = Commands(name, effects)

    @property
    def system(self) -> str:
        return self._name

    async def find(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind; none while a step of it is still to be done."""
        return await self._commands.find(command, key)

    async def apply(self, command: Command, key: str) -> Record:
        """Write, then read back. What needs several calls goes on from what stands under `key`."""
        return await self._commands.apply(command, key)

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        """Company with open periods, and the parties matched by our key, the CRM's id or the tax id."""
        return await self._parties.facts(query)

    async def billing_schedule(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands. Raises `NotFound`."""
        return await self._schedules.facts(external_id)

    async def invoice(self, external_id: str) -> InvoiceFacts:
        """An invoice or credit note as it stands. Raises `NotFound`."""
        return await self._invoices.facts(external_id)

    async def project_invoices(self, project_external_id: str) -> Sequence[InvoiceFacts]:
        """Every invoice and credit note of a project, oldest first. Raises `NotFound` for the project."""
        return await self._invoices.of_project(project_external_id)

    async def trial_balance(self, entity: str, as_of: date) -> TrialBalance:
        """The posted general ledger of a company, in its own currency."""
        return await self._ledger.trial_balance(entity, as_of)

    async def check(self) -> Sequence[Check]:
        """Sign in, companies, accounts, journals, statuses, payment methods."""
        return await inspect(self._settings, self._reference, self._parties)

    async def aclose(self) -> None:
        await self.api.http.aclose()
        await self._auth.aclose()


def _effects(
    records: Records,
    settings: TrytonSettings,
    reference: ReferenceData,
    schedules: Schedules,
    invoices: Invoices,
) -> Effects:
    """Command -> how it is looked up and how it is written."""
    customers = Customers(records, settings, reference)
    projects = Projects(records, settings, reference)
    drafts = Drafts(invoices, settings, reference)
    posting = Posting(invoices)
    credits = Credits(invoices, drafts, posting)
    moves = Moves(records)
    payments = Payments(invoices, moves, reference)
    journals = Journals(moves, settings, reference)
    return {
        CreateCustomer: (customers.find, customers.create),
        CreateProject: (projects.find, projects.create),
        OpenProject: (projects.find_change, projects.change),
        CancelProject: (projects.find_change, projects.change),
        CreateBillingSchedule: (schedules.find, schedules.create),
        VoidBillingSchedule: (schedules.find_void, schedules.void),
        DraftInvoice: (drafts.find, drafts.create),
        DiscardInvoice: (drafts.find_discard, drafts.discard),
        PostInvoice: (posting.find, posting.post),
        CreditInvoice: (credits.find, credits.create),
        ReceivePayment: (payments.find, payments.receive),
        PostJournal: (journals.find, journals.post),
    }


def build(
    name: str,
    settings: TrytonSettings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> TrytonClient:
    """The client of one database. Raises `ValueError` for an address that cannot be used."""

    def http(auth: SessionAuth | Anonymous) -> VendorHttp:
        return VendorHttp(
            system=name,
            base_url=settings.base_url,
            auth=auth,
            table=table(name),
            timeout=settings.timeout_seconds,
            transport=transport,
            in_flight=settings.in_flight,
            clock=clock,
        )

    door = http(Anonymous(settings.password))
    auth = SessionAuth(door, path_of(settings.database), settings.username, settings.password)
    return TrytonClient(
        name, settings, TrytonApi(http(auth), settings.database, settings.page_size), auth, clock
    )
