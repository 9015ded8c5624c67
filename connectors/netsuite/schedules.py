"""Billing schedules: created with all lines, read back, voided while unused."""

from collections import OrderedDict
from decimal import Decimal

from connectors.http.transport import Answer
from connectors.netsuite import mapping
from connectors.netsuite.keyed import KeyedRecords
from connectors.netsuite.mapping import References
from connectors.netsuite.models import BillingSchedule, Job
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from domain.books import BillingScheduleFacts
from domain.commands import CreateBillingSchedule, Record, VoidBillingSchedule
from domain.identity import content_hash
from domain.money import Money, MoneyError

REMEMBERED_PROJECTS = 2000
"""Projects whose currency is remembered: it never changes once a project exists."""


class Schedules:
    """`CreateBillingSchedule`, `VoidBillingSchedule` and reading, for one account."""

    def __init__(self, records: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference
        self._currencies: OrderedDict[str, str] = OrderedDict()

    async def find(self, command: CreateBillingSchedule, key: str) -> Record | None:
        """The schedule created under `key`."""
        operation = f"look up billing schedule {command.name}"
        answer = await self._records.look_up_key("billingSchedule", key, operation)
        return None if answer is None else self._record(command, answer, operation)

    async def create(self, command: CreateBillingSchedule, key: str) -> Record:
        """Create the schedule with its lines. Raises `Rejected` for an unknown project or schedule type."""
        label = self._settings.schedule_types[mapping.schedule_kind(command)]
        refs = References(schedule_type=await self._reference.schedule_type(label))
        body = mapping.schedule_body(self._settings, command, key, refs)
        operation = f"create billing schedule {command.name}"
        record = await self._records.put(
            "billingSchedule", key, body, operation, lambda answer: self._record(command, answer, operation)
        )
        self._remember(command.project_external_id, command.currency)
        return record

    async def find_void(self, command: VoidBillingSchedule, key: str) -> Record | None:
        """Gone is voided; a schedule that still stands has not been."""
        operation = f"look up voiding of {command.schedule_external_id}"
        answer = await self._records.api.get(
            "billingSchedule", command.schedule_external_id, operation=operation, missing_ok=True
        )
        return self._voided(command, answer) if answer.status == 404 else None

    async def void(self, command: VoidBillingSchedule, key: str) -> Record:
        """Delete the schedule; one that is gone already counts. Raises `Rejected` once it has been used."""
        operation = f"void billing schedule {command.schedule_external_id}"
        answer = await self._records.api.delete(
            "billingSchedule", command.schedule_external_id, operation=operation
        )
        return self._voided(command, answer)

    async def facts(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands; `version` is a hash of it, since the record has no change stamp.

        Raises `NotFound`, and `Rejected` when its amounts are none in the project's currency.
        """
        operation = f"read billing schedule {external_id}"
        answer = await self._records.api.get("billingSchedule", external_id, operation=operation)
        schedule = self._records.read(BillingSchedule, answer, "billingSchedule", operation)
        currency = await self._currency_of(schedule, operation)
        try:
            total = Money.of(sum(schedule.amounts, Decimal(0)), currency)
        except MoneyError as problem:
            field, rule = "billingSchedule.milestone", "amount.not_money"
            raise self._records.rejected(operation, str(problem), field=field, rule=rule) from None
        return BillingScheduleFacts(
            external_id=schedule.id,
            total=total,
            line_count=len(schedule.amounts),
            active=not schedule.is_inactive,
            version=content_hash(schedule.model_dump_json())[:16],
        )

    async def _currency_of(self, schedule: BillingSchedule, operation: str) -> str:
        if schedule.job is None:
            words = "the schedule belongs to no project, so its currency is unknown"
            field, rule = "billingSchedule.job", "project.missing"
            raise self._records.rejected(operation, words, field=field, rule=rule)
        known = self._currencies.get(schedule.job.id)
        if known is not None:
            return known
        # The record, not a query: a query may not show a new project for some seconds.
        answer = await self._records.api.get("job", schedule.job.id, operation=operation)
        job = self._records.read(Job, answer, "job", operation)
        if job.currency is None:
            words = f"the project {job.id} of the schedule has no currency"
            field, rule = "job.currency", "currency.missing"
            raise self._records.rejected(operation, words, field=field, rule=rule)
        return self._remember(job.id, await self._reference.currency_code(job.currency.id))

    def _remember(self, project_id: str, currency: str) -> str:
        self._currencies[project_id] = currency
        self._currencies.move_to_end(project_id)
        if len(self._currencies) > REMEMBERED_PROJECTS:
            self._currencies.popitem(last=False)
        return currency

    def _record(self, command: CreateBillingSchedule, answer: Answer, operation: str) -> Record:
        schedule = self._records.read(BillingSchedule, answer, "billingSchedule", operation)
        fields = mapping.schedule_fields(schedule, command.currency)
        return self._records.record("billingSchedule", schedule.id, fields, answer, schedule.name)

    def _voided(self, command: VoidBillingSchedule, answer: Answer) -> Record:
        fields = {"voided": "true"}
        return self._records.record("billingSchedule", command.schedule_external_id, fields, answer)
