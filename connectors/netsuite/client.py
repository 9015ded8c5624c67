"""NetSuite in the role of ERP: customers, projects, billing schedules.

Every create is an upsert by external id (`PUT .../eid:<key>`), the only key that a synchronous call honours;
the external id is the short form of the effect key, the full one stands in a custom field. A change of a
project carries its key in that field.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from connectors.errors import Rejected
from connectors.http.assertion import Signer
from connectors.http.auth import ClientAssertion, utc_now
from connectors.http.landed import landed
from connectors.http.shapes import Shape, read_as
from connectors.http.transport import Answer, VendorHttp
from connectors.netsuite import mapping
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.check import inspect
from connectors.netsuite.errors import table
from connectors.netsuite.jobs import AsyncJob, RecordResult
from connectors.netsuite.mapping import References
from connectors.netsuite.models import BillingSchedule, Customer, Job, JobRow
from connectors.netsuite.parties import Parties
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.ports import Check
from domain.books import BillingScheduleFacts, PartyFacts, PartyQuery
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
from domain.identity import content_hash, short_key
from domain.money import Money, MoneyError

PROJECT_CURRENCY = (
    "SELECT j.id AS id, y.symbol AS currency FROM job j JOIN currency y ON y.id = j.currency"
    " WHERE j.id = ? AND j.id > ? ORDER BY j.id"
)
KNOWN_PROJECTS = 2000
"""How many projects' currencies are remembered; they never change once a project exists."""


class NetSuiteClient:
    """`ErpPort` over SuiteTalk REST."""

    def __init__(
        self, name: str, settings: NetSuiteSettings, api: NetSuiteApi, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._name = name
        self._settings = settings
        self.api = api
        self._reference = ReferenceData(api, settings, clock)
        self._parties = Parties(api, settings, self._reference, clock)
        self._project_currencies: OrderedDict[str, str] = OrderedDict()
        self._finders: dict[type[Command], Callable[[Any, str], Awaitable[Record | None]]] = {
            CreateCustomer: self._find_customer,
            CreateProject: self._find_project,
            CreateBillingSchedule: self._find_schedule,
            VoidBillingSchedule: self._find_void,
            OpenProject: self._find_change,
            CancelProject: self._find_change,
        }
        self._writers: dict[type[Command], Callable[[Any, str], Awaitable[Record]]] = {
            CreateCustomer: self._create_customer,
            CreateProject: self._create_project,
            CreateBillingSchedule: self._create_schedule,
            VoidBillingSchedule: self._void_schedule,
            OpenProject: self._change_project,
            CancelProject: self._change_project,
        }

    @property
    def system(self) -> str:
        return self._name

    # ---- the port

    async def find(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind: by external id, or by the key field of the project."""
        return await _of(self._finders, command)(command, key)

    async def apply(self, command: Command, key: str) -> Record:
        """One write, then the record read back. A failure of the reading is `Ambiguous`: the write stands."""
        return await _of(self._writers, command)(command, key)

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        """Entity with open periods, and the customers matched by our key, the CRM's id or the tax id."""
        return await self._parties.facts(query)

    async def billing_schedule(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands; `version` is a hash of its lines, since the record has no change stamp.

        Raises `NotFound`; `Rejected` when its amounts are none in the project's currency.
        """
        operation = f"read billing schedule {external_id}"
        answer = await self.api.get("billingSchedule", external_id, operation=operation)
        schedule = self._read(BillingSchedule, answer, "billingSchedule", operation)
        currency = await self._currency_of(schedule, operation)
        try:
            total = Money.of(sum(schedule.amounts), currency)
        except MoneyError as problem:
            raise self._rejected(operation, "billingSchedule.milestone", "amount.not_money", str(problem)) from None
        return BillingScheduleFacts(
            external_id=schedule.id,
            total=total,
            line_count=len(schedule.amounts),
            active=not schedule.is_inactive,
            version=content_hash(schedule.model_dump_json())[:16],
        )

    async def check(self) -> Sequence[Check]:
        """Reach, sign in, subsidiaries, custom fields and list values."""
        return await inspect(self.api, self._settings, self._reference)

    async def aclose(self) -> None:
        await self.api.http.aclose()

    # ---- bulk

    async def submit_async(
        self, record_type: str, records: Mapping[str, Mapping[str, Any]], key: str
    ) -> AsyncJob:
        """Upsert up to 100 records (external id -> body) as one job; the same `key` never makes a second."""
        replace = sorted({name for body in records.values() for name in mapping.sublists_of(body)})
        return await self.api.submit(
            record_type, records, key, operation=f"submit {len(records)} {record_type} records", replace=replace
        )

    async def async_results(self, job: AsyncJob) -> tuple[RecordResult, ...] | None:
        """Results per record once the job is completed, else None: ask again later."""
        return await self.api.results(job, operation=f"read results of job {job.id}")

    # ---- customers

    async def _find_customer(self, command: CreateCustomer, key: str) -> Record | None:
        answer = await self._by_key("customer", key, f"look up customer {command.name}")
        return None if answer is None else self._customer_record(answer, f"look up customer {command.name}")

    async def _create_customer(self, command: CreateCustomer, key: str) -> Record:
        refs = References(
            currency=await self._reference.currency(command.currency) if command.currency else "",
            terms=await self._reference.terms(command.payment_terms) if command.payment_terms else "",
        )
        body = mapping.customer_body(self._settings, command, key, refs)
        operation = f"create customer {command.name}"
        return self._customer_record(await self._put("customer", key, body, operation), operation)

    def _customer_record(self, answer: Answer, operation: str) -> Record:
        with landed_if(operation.startswith("create"), f"{self._name}: {operation}"):
            customer = self._read(Customer, answer, "customer", operation)
        return self._record(customer.id, customer.entity_id, mapping.customer_fields(customer), answer)
