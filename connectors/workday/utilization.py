"""Hours worked, as ad hoc project time transactions: beside time tracking, so that no payroll sees them.

One record per worker, project and period, with the effect key in its memo; costs are not figured for it,
since the books have them already. The field names are settings: only resource, memo and hours are published.

Source: Workday REST, projects: adHocProjectTimeTransactions.
"""

from typing import Any

from connectors.workday.configured import ConfiguredRow
from connectors.workday.keys import shown, the_one
from connectors.workday.rest import Rest
from domain.commands import Record
from domain.people_commands import RecordUtilization, effort_text

THING = "adHocProjectTimeTransactions"


class Utilization:
    """`RecordUtilization` in one tenant."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._path = rest.settings.utilization_path
        self._field = rest.settings.utilization_fields

    async def find(self, command: RecordUtilization, key: str) -> Record | None:
        """The transaction that carries `key`. Raises `Conflict` for two."""
        operation = "find utilization"
        rows = await self._rest.rows(
            "projects",
            self._path,
            {self._rest.settings.utilization_project_param: command.project_external_id},
            identity=lambda row: row.get("id"),
            operation=operation,
        )
        found = the_one(self._rest, rows, self._field["key"], key, operation)
        return self._record(ConfiguredRow(self._rest, THING, found, operation)) if found else None

    async def apply(self, command: RecordUtilization, key: str) -> Record:
        """Make the transaction. Raises `Conflict` when the answer does not show our key."""
        operation = "record utilization"
        costed = {self._field["costed"]: False} if self._field["costed"] else {}
        body: dict[str, Any] = {
            self._field["project"]: {"id": command.project_external_id},
            self._field["worker"]: {"id": command.worker_external_id},
            self._field["dated"]: command.ends_on,
            self._field["hours"]: command.hours,
            self._field["key"]: key,
            **costed,
        }
        answer = await self._rest.write("POST", "projects", self._path, body, operation)
        row = ConfiguredRow(self._rest, THING, answer.body, operation, write=True)
        shown(self._rest, row.text(self._field["key"]), self._field["key"], key, row.id, operation)
        return self._record(row, answer.request_id)

    def _record(self, row: ConfiguredRow, request_id: str = "") -> Record:
        return Record(
            external_id=row.id,
            fields={
                "worker_external_id": row.reference(self._field["worker"]),
                "project_external_id": row.reference(self._field["project"]),
                "ends_on": row.day(self._field["dated"]),
                "effort": effort_text(row.number(self._field["hours"]), "h"),
            },
            request_id=request_id,
        )
