"""Projects: created closed, opened for time, cancelled by their status.

The project's number is ours and unique in Tryton; the key and what Tryton's project has no field for
(dates, contract, deal) stand in its comment. A change carries its own key there, and is refused when
somebody changed the project after we read it.
"""

from typing import Any

from connectors.errors import Ambiguous, Rejected
from connectors.http.landed import landed
from connectors.tryton import notes
from connectors.tryton.models import Work
from connectors.tryton.records import Records
from connectors.tryton.reference import ReferenceData
from connectors.tryton.settings import TrytonSettings
from domain.commands import CancelProject, CreateProject, OpenProject, Record

MODEL = "project.work"
Change = OpenProject | CancelProject


class Projects:
    """`CreateProject`, `OpenProject` and `CancelProject` for one database."""

    def __init__(self, records: Records, settings: TrytonSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def find(self, command: CreateProject, key: str) -> Record | None:
        """The project created under `key`."""
        operation = f"look up project {command.number}"
        domain = [["type", "=", "project"], ["comment", "like", notes.pattern(key)]]
        found = await self._records.search(Work, MODEL, domain, operation)
        ours = [work for work in found if notes.facts_in(work.comment).get(notes.KEY) == key]
        work = self._records.only(ours, key, operation)
        return None if work is None else self._record(work)

    async def create(self, command: CreateProject, key: str) -> Record:
        """Create the project, closed for time. Raises `Conflict` for a number that another project has."""
        operation = f"create project {command.number}"
        values = {
            "type": "project",
            "number": command.number,
            "name": command.title,
            "company": await self._reference.company(command.entity),
            "party": self._party(command, operation),
            "status": await self._reference.status(self._settings.open_status),
            "comment": notes.noted(_facts(command, key)),
        }
        (made,) = await self._records.api.create(MODEL, [values], operation=operation)
        with landed(f"{self._records.system}: {operation}"):
            return self._record(await self._records.need(Work, MODEL, str(made), operation))

    async def find_change(self, command: Change, key: str) -> Record | None:
        """The project, when its comment shows that this very change landed on it last."""
        operation = f"look up {command.noun} of {command.project_external_id}"
        work = await self._records.get(Work, MODEL, command.project_external_id, operation)
        return None if work is None else self._changed(command, key, work)

    async def change(self, command: Change, key: str) -> Record:
        """Open or cancel: one write with the key, read back. Raises `NotFound` for an unknown project."""
        operation = f"{command.noun} of {command.project_external_id}"
        work = await self._records.need(Work, MODEL, command.project_external_id, operation)
        values = await self._change(command, key, work)
        context = {"_timestamp": {f"{MODEL},{work.id}": work.timestamp}, "company": work.company.id}
        await self._records.api.write(MODEL, [work.id], values, operation=operation, context=context)
        with landed(f"{self._records.system}: {operation}"):
            written = await self._records.need(Work, MODEL, str(work.id), operation)
            record = self._changed(command, key, written)
            if record is None:
                words = "accepted, but the project does not show our key (yet)"
                raise self._records.error(Ambiguous, operation, words)
            return record

    async def _change(self, command: Change, key: str, work: Work) -> dict[str, Any]:
        comment = notes.noted({_mark(command): key}, work.comment or "")
        if isinstance(command, OpenProject):
            return {"timesheet_available": command.open, "comment": comment}
        name = self._settings.cancelled_status if command.cancelled else self._settings.open_status
        comment = notes.noted({"Reason": command.reason}, comment)
        return {
            "timesheet_available": False,
            "status": await self._reference.status(name),
            "comment": comment,
        }

    def _changed(self, command: Change, key: str, work: Work) -> Record | None:
        if notes.facts_in(work.comment).get(_mark(command)) != key:
            return None
        cancelled = work.status.name == self._settings.cancelled_status
        fields: dict[str, object] = {"cancelled": cancelled}
        if isinstance(command, OpenProject):
            fields = {"open": work.timesheet_available and not cancelled}
        return self._records.record(MODEL, work.id, fields, work.number or "")

    def _record(self, work: Work) -> Record:
        stated = notes.facts_in(work.comment)
        fields = {
            "number": work.number,
            "title": work.name,
            "starts_on": stated.get("Starts on", ""),
            "ends_on": stated.get("Ends on", ""),
            "customer_external_id": work.party,
        }
        return self._records.record(MODEL, work.id, fields, work.number or "")

    def _party(self, command: CreateProject, operation: str) -> int:
        if command.customer_external_id.isdecimal():
            return int(command.customer_external_id)
        words = f"{command.customer_external_id!r} is no id of a customer in Tryton"
        raise self._records.error(Rejected, operation, words, field="party", rule="reference.unknown")


def _facts(command: CreateProject, key: str) -> dict[str, object]:
    return {
        notes.KEY: key,
        "Starts on": command.starts_on,
        "Ends on": command.ends_on,
        "Budget": command.budget,
        "Contract": command.contract_number,
        "Deal": command.crm_id,
    }


def _mark(command: Change) -> str:
    return "Opened by" if isinstance(command, OpenProject) else "Cancelled by"
