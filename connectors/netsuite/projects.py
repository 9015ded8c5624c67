"""Projects: created closed, opened, cancelled (made inactive, since a used project cannot be deleted)."""

from connectors.errors import Ambiguous
from connectors.http.landed import landed
from connectors.http.transport import Answer
from connectors.netsuite import mapping
from connectors.netsuite.keyed import KeyedRecords
from connectors.netsuite.mapping import References
from connectors.netsuite.models import Job
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from domain.commands import CancelProject, CreateProject, OpenProject, Record

Change = OpenProject | CancelProject


class Projects:
    """`CreateProject`, `OpenProject` and `CancelProject` for one account."""

    def __init__(self, records: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def find(self, command: CreateProject, key: str) -> Record | None:
        """The project created under `key`."""
        operation = f"look up project {command.number}"
        answer = await self._records.look_up_key("job", key, operation)
        return None if answer is None else self._record(answer, operation)

    async def create(self, command: CreateProject, key: str) -> Record:
        """Create the project, closed for time and expenses.

        Raises `Rejected` for a currency or billing type the account does not have, or a customer of another
        subsidiary.
        """
        label, expense = self._settings.billing_types[command.billing], self._settings.expense_type
        refs = References(
            currency=await self._reference.currency(command.currency),
            billing_type=await self._reference.project_option("jobBillingType", label),
            expense_type=await self._reference.project_option("projectExpenseType", expense)
            if expense
            else "",
        )
        body = mapping.project_body(self._settings, command, key, refs)
        operation = f"create project {command.number}"
        return await self._records.put(
            "job", key, body, operation, lambda answer: self._record(answer, operation)
        )

    async def find_change(self, command: Change, key: str) -> Record | None:
        """The project, when its key field shows that this very change landed on it last."""
        operation = f"look up {command.noun} of {command.project_external_id}"
        answer = await self._records.look_up("job", command.project_external_id, operation)
        return None if answer is None else self._changed(command, key, answer, operation)

    async def change(self, command: Change, key: str) -> Record:
        """Open or cancel: one PATCH with the key, read back. Raises `NotFound` for an unknown project."""
        operation = f"{command.noun} of {command.project_external_id}"
        body = mapping.change_body(self._settings, command, key)
        await self._records.api.update("job", command.project_external_id, body, operation=operation)
        with landed(f"{self._records.system}: {operation}"):
            answer = await self._records.api.get("job", command.project_external_id, operation=operation)
            record = self._changed(command, key, answer, operation)
            if record is None:
                words = "accepted, but the project does not show our key (yet)"
                raise self._records.error(Ambiguous, operation, words)
            return record

    def _changed(self, command: Change, key: str, answer: Answer, operation: str) -> Record | None:
        job = self._records.read(Job, answer, "job", operation)
        if answer.body.get(self._settings.project_key_field) != key:
            return None
        fields = mapping.change_fields(command, job)
        return self._records.record("job", job.id, fields, answer, job.number)

    def _record(self, answer: Answer, operation: str) -> Record:
        job = self._records.read(Job, answer, "job", operation)
        return self._records.record("job", job.id, mapping.project_fields(job), answer, job.number)
