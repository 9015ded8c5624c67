"""NetSuite in the role of ERP: customers, projects, billing schedules, invoices, credits, payments, journals.

Every create is an upsert by external id (`PUT .../eid:<key>`), the only key that a synchronous call honours;
the external id is the short form of the effect key, the full one stands in a custom field. A change of a
project carries its key in that field; what is made of an invoice carries it as external id.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from connectors.commands import Commands, Effects
from connectors.http.assertion import Signer
from connectors.http.auth import ClientAssertion, utc_now
from connectors.http.transport import VendorHttp
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.check import inspect
from connectors.netsuite.customers import Customers
from connectors.netsuite.documents import Documents
from connectors.netsuite.errors import table
from connectors.netsuite.invoices import Invoices
from connectors.netsuite.jobs import AsyncJob, RecordResult
from connectors.netsuite.journals import Journals
from connectors.netsuite.keyed import KeyedRecords
from connectors.netsuite.ledger import Ledger
from connectors.netsuite.mapping import sublists_of
from connectors.netsuite.parties import Parties
from connectors.netsuite.projects import Projects
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.schedules import Schedules
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.settlements import Credits, Payments
from connectors.ports import Check
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


class NetSuiteClient:
    """`ErpPort` over SuiteTalk REST."""

    def __init__(
        self,
        name: str,
        settings: NetSuiteSettings,
        api: NetSuiteApi,
        clock: Callable[[], datetime] = utc_now,
        posting: NetSuiteApi | None = None,
    ) -> None:
        """`posting`: the account as the identity that alone posts; without it there is one identity."""
        self._name = name
        self._settings = settings
        self.api = api
        self._posting = posting or api
        self._reference = ReferenceData(api, settings, clock)
        self._parties = Parties(api, settings, self._reference, clock)
        records = KeyedRecords(api)
        self._schedules = Schedules(records, settings, self._reference)
        self._documents = Documents(records, settings, self._reference)
        self._ledger = Ledger(api, settings, self._reference)
        billing = self._of_billing(records, KeyedRecords(self._posting))
        self._commands = Commands(name, {**self._of_activation(records), **billing})

    def _of_activation(self, records: KeyedRecords) -> Effects:
        settings, schedules = self._settings, self._schedules
        customers = Customers(records, settings, self._reference)
        projects = Projects(records, settings, self._reference)
        return {
            CreateCustomer: (customers.find, customers.create),
            CreateProject: (projects.find, projects.create),
            CreateBillingSchedule: (schedules.find, schedules.create),
            VoidBillingSchedule: (schedules.find_void, schedules.void),
            OpenProject: (projects.find_change, projects.change),
            CancelProject: (projects.find_change, projects.change),
        }

    def _of_billing(self, records: KeyedRecords, posting: KeyedRecords) -> Effects:
        settings = self._settings
        invoices = Invoices(records, posting, settings, self._reference)
        credits = Credits(posting, settings, self._reference)
        payments = Payments(records, settings, self._reference)
        journals = Journals(posting, settings, self._reference)
        return {
            DraftInvoice: (invoices.find, invoices.draft),
            PostInvoice: (invoices.find_posting, invoices.post),
            DiscardInvoice: (invoices.find_discarding, invoices.discard),
            CreditInvoice: (credits.find, credits.create),
            ReceivePayment: (payments.find, payments.receive),
            PostJournal: (journals.find, journals.post),
        }

    @property
    def system(self) -> str:
        return self._name

    async def find(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind: by external id, by the key field of the project, or by
        the state of the invoice that it posts or discards.
        """
        return await self._commands.find(command, key)

    async def apply(self, command: Command, key: str) -> Record:
        """One write, then the record read back. A failure of the reading is `Ambiguous`: the write stands."""
        return await self._commands.apply(command, key)

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        """Entity with open periods, and the customers matched by our key, the CRM's id or the tax id."""
        return await self._parties.facts(query)

    async def billing_schedule(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands. Raises `NotFound`."""
        return await self._schedules.facts(external_id)

    async def invoice(self, external_id: str) -> InvoiceFacts:
        """An invoice or credit memo as it stands. Raises `NotFound`."""
        return await self._documents.facts(external_id)

    async def project_invoices(self, project_external_id: str) -> Sequence[InvoiceFacts]:
        """Every invoice and credit memo of a project, whoever made it, oldest first."""
        return await self._documents.of_project(project_external_id)

    async def trial_balance(self, entity: str, as_of: date) -> TrialBalance:
        """The posted general ledger of a subsidiary in its base currency. Raises `NotFound`."""
        return await self._ledger.trial_balance(entity, as_of)

    async def submit_async(
        self, record_type: str, records: Mapping[str, Mapping[str, Any]], key: str
    ) -> AsyncJob:
        """Upsert up to 100 records (external id -> body) as one job; the same `key` never makes a second."""
        replace = sorted({name for body in records.values() for name in sublists_of(body)})
        operation = f"submit {len(records)} {record_type} records"
        return await self.api.submit(record_type, records, key, operation=operation, replace=replace)

    async def async_results(self, job: AsyncJob) -> tuple[RecordResult, ...] | None:
        """Results per record once the job is completed, else None: ask again later."""
        return await self.api.results(job, operation=f"read results of job {job.id}")

    async def check(self) -> Sequence[Check]:
        """Reach, sign in, subsidiaries, custom fields and list values."""
        return await inspect(self.api, self._posting, self._settings, self._reference, self._parties)

    async def aclose(self) -> None:
        await self.api.http.aclose()
        if self._posting is not self.api:
            await self._posting.http.aclose()


def build(
    name: str,
    settings: NetSuiteSettings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> NetSuiteClient:
    """The client of one account. Raises `ValueError` for settings that cannot work (address, key)."""

    def api(client_id: str, certificate_id: str, private_key: str) -> NetSuiteApi:
        auth = ClientAssertion(
            token_url=settings.token_path,
            client_id=client_id,
            audience=settings.token_audience,
            signer=Signer(private_key, settings.algorithm, certificate_id),
            scope=settings.scope,
            life=timedelta(seconds=settings.assertion_seconds),
            clock=clock,
        )
        http = VendorHttp(
            system=name,
            base_url=settings.address,
            auth=auth,
            table=table(name),
            timeout=settings.timeout_seconds,
            transport=transport,
            in_flight=settings.in_flight,
            request_id_headers=("x-n-operationid", "x-request-id"),
            clock=clock,
        )
        return NetSuiteApi(http, settings.page_size)

    usual = api(settings.client_id, settings.certificate_id, settings.private_key)
    if not settings.posts_apart:
        return NetSuiteClient(name, settings, usual, clock)
    posting = api(settings.post_client_id, settings.post_certificate_id, settings.post_private_key)
    # One account, one limit of calls in flight, whoever calls.
    posting.http.in_flight = usual.http.in_flight
    return NetSuiteClient(name, settings, usual, clock, posting)
