"""Assignments as lines of a project's resource plan.

The effect key stands in a text field of the line (`assignment_fields.key`), behind it that of the last
change, so that both can be found again. The names of the fields, and that a line is made by POST and changed
by PATCH, are not published: they are settings and assumptions, see docs/connectors.md.

Source: Workday REST, projects: resourcePlanLines and its edit event.
"""

from typing import Any

from connectors.workday.configured import ConfiguredRow
from connectors.workday.keys import carries, joined, shown, the_one
from connectors.workday.rest import Rest
from connectors.workday.settings import PlanLineField
from domain.commands import Record
from domain.people_commands import RecordAssignment, effort_text

THING = "resourcePlanLines"


class Assignments:
    """`RecordAssignment` in one tenant."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._path = rest.settings.assignment_path
        self._field = rest.settings.assignment_fields

    async def find(self, command: RecordAssignment, key: str) -> Record | None:
        """The line that carries `key`. Raises `Conflict` for two."""
        operation = "find assignment"
        if command.line_external_id:
            line = await self._line(command.line_external_id, operation)
            held = carries(line.text(self._field["key"]), key)
            return self._record(line, command) if held else None
        rows = await self._rest.rows(
            "projects",
            self._path,
            {self._rest.settings.assignment_project_param: command.project_external_id},
            identity=lambda row: row.get("id"),
            operation=operation,
        )
        found = the_one(self._rest, rows, self._field["key"], key, operation)
        return self._record(ConfiguredRow(self._rest, THING, found, operation), command) if found else None

    async def apply(self, command: RecordAssignment, key: str) -> Record:
        """Make the line, or change it. Raises `Conflict` when the answer does not show our key."""
        if command.line_external_id:
            id = self._rest.workday_id(command.line_external_id, "plan line", "change assignment")
            keys = {self._field["key"]: joined(command.line_key, key)}
            return await self._write("PATCH", f"{self._path}/{id}", command, key, keys)
        project = {self._field["project"]: {"id": command.project_external_id}}
        return await self._write("POST", self._path, command, key, {**project, self._field["key"]: key})

    async def _line(self, id: str, operation: str) -> ConfiguredRow:
        path = f"{self._path}/{self._rest.workday_id(id, 'plan line', operation)}"
        answer = await self._rest.show("projects", path, operation)
        return ConfiguredRow(self._rest, THING, answer.body, operation)

    async def _write(
        self, method: str, path: str, command: RecordAssignment, key: str, more: dict[str, Any]
    ) -> Record:
        operation = "record assignment" if method == "POST" else "change assignment"
        body = {**self._body(command), **more}
        answer = await self._rest.write(method, "projects", path, body, operation)
        line = ConfiguredRow(self._rest, THING, answer.body, operation, write=True)
        shown(self._rest, line.text(self._field["key"]), self._field["key"], key, line.id, operation)
        return self._record(line, command, answer.request_id)

    def _body(self, command: RecordAssignment) -> dict[str, Any]:
        role = {self._field["role"]: command.role} if command.role and self._field["role"] else {}
        return {
            self._field["workers"]: [{"id": command.worker_external_id}],
            self._field["starts_on"]: command.starts_on,
            self._field["ends_on"]: command.ends_on,
            self._field[_measure(command)]: command.percent if command.hours is None else command.hours,
            **role,
        }

    def _record(self, line: ConfiguredRow, command: RecordAssignment, request_id: str = "") -> Record:
        unit = "%" if command.hours is None else "h"
        return Record(
            external_id=line.id,
            fields={
                "worker_external_id": line.reference(self._field["workers"]),
                "project_external_id": line.reference(self._field["project"]),
                "starts_on": line.day(self._field["starts_on"]),
                "ends_on": line.day(self._field["ends_on"]),
                "effort": effort_text(line.number(self._field[_measure(command)]), unit),
            },
            request_id=request_id,
        )


def _measure(command: RecordAssignment) -> PlanLineField:
    return "percent" if command.hours is None else "hours"
