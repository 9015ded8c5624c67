"""Billing schedules: a task under the project with a task for each line.

Tryton has no object for a plan of bills. A line's amount is the task's list price where it is in the
company's currency, and in every case stands in words in its comment, as does the day. Nothing is billed by
these tasks: their project's invoicing stays manual.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.errors import NotFound, Rejected
from connectors.http.landed import landed
from connectors.tryton import notes
from connectors.tryton.models import Work
from connectors.tryton.projects import MODEL
from connectors.tryton.records import Records
from connectors.tryton.reference import ReferenceData
from connectors.tryton.settings import TrytonSettings
from domain.books import BillingScheduleFacts
from domain.commands import CreateBillingSchedule, Record, ScheduleLine, VoidBillingSchedule
from domain.identity import content_hash, short_key
from domain.money import Money, total


class Schedules:
    """`CreateBillingSchedule`, `VoidBillingSchedule` and reading, for one database."""

    def __init__(self, records: Records, settings: TrytonSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def find(self, command: CreateBillingSchedule, key: str) -> Record | None:
        """The schedule created under `key`: the short form of it is the number of its task."""
        operation = f"look up billing schedule {command.name}"
        found = await self._records.search(Work, MODEL, [["number", "=", short_key(key)]], operation)
        return await self._record(found[0], operation) if found else None

    async def create(self, command: CreateBillingSchedule, key: str) -> Record:
        """All lines in one write. Raises `NotFound` for an unknown project."""
        operation = f"create billing schedule {command.name}"
        project = await self._records.need(Work, MODEL, command.project_external_id, operation)
        common = {
            "type": "task",
            "company": project.company.id,
            "status": await self._reference.status(self._settings.open_status),
        }
        currency, number = project.company.currency.code, short_key(key)
        lines = [
            {**common, "number": f"{number}-{n}", **_line(line, currency)}
            for n, line in enumerate(command.lines, 1)
        ]
        comment = notes.noted({notes.KEY: key, "Currency": command.currency})
        head = {**common, "number": number, "name": command.name, "parent": project.id, "comment": comment}
        values = {**head, "children": [["create", lines]]}
        (made,) = await self._records.api.create(MODEL, [values], operation=operation)
        with landed(f"{self._records.system}: {operation}"):
            work = await self._records.need(Work, MODEL, str(made), operation)
            return await self._record(work, operation)

    async def find_void(self, command: VoidBillingSchedule, key: str) -> Record | None:
        """Gone is voided; a schedule that still stands has not been."""
        operation = f"look up voiding of {command.schedule_external_id}"
        work = await self._records.get(Work, MODEL, command.schedule_external_id, operation)
        return self._voided(command) if work is None else None

    async def void(self, command: VoidBillingSchedule, key: str) -> Record:
        """Delete the tasks; a schedule that is gone already counts."""
        operation = f"void billing schedule {command.schedule_external_id}"
        work = await self._records.get(Work, MODEL, command.schedule_external_id, operation)
        if work is not None:
            lines = await self._lines(work, operation)
            ids = [*(line.id for line in lines), work.id]
            await self._records.api.delete(MODEL, ids, operation=operation)
        return self._voided(command)

    async def facts(self, external_id: str) -> BillingScheduleFacts:
        """The schedule as it stands; `version` is a hash of it. Raises `NotFound`."""
        operation = f"read billing schedule {external_id}"
        work = await self._records.need(Work, MODEL, external_id, operation)
        if not notes.facts_in(work.comment).get("Currency"):
            words = f"task {external_id} is no billing schedule of ours"
            raise self._records.error(NotFound, operation, words)
        lines = await self._lines(work, operation)
        seen = [(line.id, line.comment, str(line.list_price), line.status.name) for line in (work, *lines)]
        return BillingScheduleFacts(
            external_id=external_id,
            total=self._total(work, lines, operation),
            line_count=len(lines),
            active=work.status.name != self._settings.cancelled_status,
            version=content_hash(repr(seen))[:16],
        )

    async def _lines(self, work: Work, operation: str) -> list[Work]:
        return await self._records.search(Work, MODEL, [["parent", "=", work.id]], operation)

    async def _record(self, work: Work, operation: str) -> Record:
        lines = await self._lines(work, operation)
        fields = {"total": self._total(work, lines, operation), "line_count": len(lines)}
        return self._records.record(MODEL, work.id, fields, work.name)

    def _total(self, work: Work, lines: list[Work], operation: str) -> Money:
        currency = notes.facts_in(work.comment).get("Currency", "")
        own = work.company.currency.code == currency
        amounts = [self._amount(line, currency, own, operation) for line in lines]
        self._records.money(Decimal(0), currency, "project.work.comment", operation)
        return total(amounts, currency)

    def _amount(self, line: Work, currency: str, own: bool, operation: str) -> Money:
        """What Tryton holds as a price is what counts; the words only where it cannot hold one."""
        if own and line.list_price is not None:
            return self._records.money(line.list_price, currency, "project.work.list_price", operation)
        stated = notes.facts_in(line.comment).get("Amount", "").partition(" ")[0].replace(",", "")
        try:
            amount = Decimal(stated)
        except InvalidOperation:
            words = f"task {line.number or line.id} of the schedule states no amount"
            field, rule = "project.work.comment", "amount.not_money"
            raise self._records.error(Rejected, operation, words, field=field, rule=rule) from None
        return self._records.money(amount, currency, "project.work.comment", operation)

    def _voided(self, command: VoidBillingSchedule) -> Record:
        return Record(external_id=command.schedule_external_id, fields={"voided": "true"})


def _line(line: ScheduleLine, currency: str | None) -> dict[str, Any]:
    comment = notes.noted({"Amount": line.amount, "Due on": line.due_on, "Kind": line.kind, "Ref": line.ref})
    price = line.amount.amount if line.amount.currency == currency else None
    return {"name": line.description or line.ref, "list_price": price, "comment": comment}
