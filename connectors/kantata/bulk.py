"""Bulk creates: `PlanProject` (stories) and `AddSeats` (workspace resources).

Each row carries the reference `<effect key>#<row ref>`, and in its message what the whole set is (how many
rows, and a digest of their refs). Kantata does not say whether a bulk create is all-or-nothing, so:

- `find` answers None while nothing or only a part of the set is there, a `Record` once all of it is. Rows
  that belong to another set under the same key make a `Record` that differs from the command.
- `apply` first reads which rows of the set are there and creates only the missing ones, in one write: a
  second `apply` after a partial batch completes it and doubles nothing. With all rows there it writes
  nothing.
- a write that landed in part (fewer rows answered than sent, or a refusal after which rows are there) is
  `Ambiguous`, so that the next attempt completes it; a refusal that landed nothing stays `Rejected`.

Source: Kantata OX API, stories (at most 300 rows a call), workspace resources (at most 200).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import Ambiguous, Conflict, ConnectorError, Rejected
from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.directory import Directory
from connectors.kantata.memory import Memory
from connectors.kantata.models import ExternalReference, Row, Story, WorkspaceResource
from domain.commands import AddSeats, Command, PlanProject, Record


@dataclass(frozen=True, slots=True)
class Kind:
    """One collection that takes rows in bulk."""

    model: type[Row]
    collection: str
    limit: int
    counted: str
    """The command's field that counts the rows."""
    filters: Mapping[str, str]


STORIES = Kind(Story, "stories", 300, "task_count", {})
SEATS = Kind(WorkspaceResource, "workspace_resources", 200, "seat_count", {"include_unnamed": "true"})


class Bulk:
    """Both commands, over one way of finding and completing a set."""

    def __init__(self, account: Account, directory: Directory, seats: Memory) -> None:
        self._account = account
        self._directory = directory
        self._seats = seats
        self._settings = account.settings

    async def find_plan(self, command: PlanProject, key: str) -> Record | None:
        refs = [task.ref for task in command.tasks]
        return await self._find(STORIES, command, command.project_external_id, key, refs)

    async def plan_project(self, command: PlanProject, key: str) -> Record:
        operation = "plan project"
        refs = [task.ref for task in command.tasks]
        workspace_id = self._account.record_id(command.project_external_id, "a project", operation)
        try:
            bodies = {
                task.ref: mapping.story(
                    task,
                    self._settings,
                    workspace_id,
                    mapping.row_reference(self._settings.service_name, command, key, task.ref, refs),
                )
                for task in command.tasks
            }
        except ValueError as error:
            raise self._account.error(Rejected, operation, str(error), rule="amount.units") from None
        return await self._complete(STORIES, command, workspace_id, key, refs, bodies, operation)

    async def find_seats(self, command: AddSeats, key: str) -> Record | None:
        refs = [seat.ref for seat in command.seats]
        return await self._find(SEATS, command, command.project_external_id, key, refs)

    async def add_seats(self, command: AddSeats, key: str) -> Record:
        operation = "add project roles"
        refs = [seat.ref for seat in command.seats]
        workspace_id = self._account.record_id(command.project_external_id, "a project", operation)
        bodies = {}
        for seat in command.seats:
            role_id = await self._directory.role_id(seat.role, operation)
            reference = mapping.row_reference(self._settings.service_name, command, key, seat.ref, refs)
            bodies[seat.ref] = mapping.seat(role_id, workspace_id, reference)
        return await self._complete(SEATS, command, workspace_id, key, refs, bodies, operation)

    async def _find(
        self, kind: Kind, command: Command, project_id: str, key: str, refs: Sequence[str]
    ) -> Record | None:
        operation = f"find {command.noun}"
        workspace_id = self._account.record_id(project_id, "a project", operation)
        there = await self._there(kind, command, workspace_id, key, operation)
        other = self._other_set(there, refs)
        if other is not None:
            return Record(external_id=project_id, fields={kind.counted: other})
        if not refs or set(refs) - set(there):
            return None
        return Record(external_id=project_id, fields={kind.counted: str(len(there))})

    async def _complete(
        self,
        kind: Kind,
        command: Command,
        workspace_id: int,
        key: str,
        refs: Sequence[str],
        bodies: Mapping[str, Mapping[str, Any]],
        operation: str,
    ) -> Record:
        self._check_refs(kind, refs, operation)
        there = await self._there(kind, command, workspace_id, key, operation)
        other = self._other_set(there, refs)
        if other is not None:
            words = f"the key {key} holds another set of rows ({other}, not {len(refs)})"
            raise self._account.error(Conflict, operation, words, rule="external_reference.taken")
        missing = [ref for ref in refs if ref not in there]
        request_id = ""
        if missing:
            rows = [bodies[ref] for ref in missing]
            made, request_id = await self._create(kind, command, workspace_id, key, rows, there, operation)
            there = {**there, **made}
        if len(there) != len(refs):
            words = f"{len(there)} of {len(refs)} rows landed; the next attempt completes them"
            raise self._account.error(Ambiguous, operation, words, rule="bulk.partial", request_id=request_id)
        fields = {kind.counted: str(len(there))}
        return Record(external_id=str(workspace_id), fields=fields, request_id=request_id)

    async def _create(
        self,
        kind: Kind,
        command: Command,
        workspace_id: int,
        key: str,
        rows: Sequence[Mapping[str, Any]],
        before: Mapping[str, ExternalReference],
        operation: str,
    ) -> tuple[dict[str, ExternalReference], str]:
        try:
            made, request_id = await self._account.write(
                kind.model,
                "POST",
                f"/{kind.collection}",
                {kind.collection: list(rows)},
                key=key,
                include="external_references",
                operation=operation,
            )
        except Rejected as refusal:
            words = await self._landed_although(refusal, kind, command, workspace_id, key, before)
            if not words:
                raise
            raise self._account.error(
                Ambiguous, operation, words, rule="bulk.partial", request_id=refusal.request_id
            ) from None
        return self._by_ref(made, command, key, operation, Ambiguous), request_id

    async def _landed_although(
        self,
        refusal: Rejected,
        kind: Kind,
        command: Command,
        workspace_id: int,
        key: str,
        before: Mapping[str, ExternalReference],
    ) -> str:
        """Whether a refused call left rows, in words; empty when it left none."""
        try:
            after = await self._there(kind, command, workspace_id, key, refusal.operation)
        except ConnectorError as error:
            return f"{refusal.message}; whether rows are there is unknown: {error.message}"
        landed = len(after) - len(before)
        return f"{landed} rows are there although: {refusal.message}" if landed else ""

    async def _there(
        self, kind: Kind, command: Command, workspace_id: int, key: str, operation: str
    ) -> dict[str, ExternalReference]:
        """The rows that are there under `key`, by their ref. Raises `Conflict` for a ref that is there twice.

        They are listed by project and model, since the filter by reference takes 200 at most.
        """
        params: dict[str, str | int] = {
            "workspace_id": workspace_id,
            "external_reference_service_name": self._settings.service_name,
            "external_reference_service_model": type(command).__name__,
            "include": "external_references",
            "order": "created_at:asc",
            **kind.filters,
        }
        rows = await self._account.search(kind.model, kind.collection, params, operation=operation)
        return self._by_ref(rows, command, key, operation)

    def _by_ref(
        self,
        rows: Sequence[Row],
        command: Command,
        key: str,
        operation: str,
        unshown: type[ConnectorError] = Rejected,
    ) -> dict[str, ExternalReference]:
        found: dict[str, ExternalReference] = {}
        for row in rows:
            held = self._account.reference(row, self._settings.service_name, operation, unshown)
            under, mark, ref = held.service_model_ref.partition("#") if held else ("", "", "")
            if held is None or under != key or not mark:
                continue
            if ref in found:
                words = f"two rows carry the reference {key}#{ref}; delete the one that is not used"
                raise self._account.error(Conflict, operation, words, rule="external_reference.ambiguous")
            found[ref] = held
            if isinstance(row, WorkspaceResource):
                self._seats[held.service_model_ref] = row.id
        return found

    def _other_set(self, there: Mapping[str, ExternalReference], refs: Sequence[str]) -> str | None:
        """How the rows under the key describe their set, when it is not the set of `refs`."""
        own = mapping.set_mark(refs)
        marks = sorted({held.external_message or "" for held in there.values()} - {own})
        if not marks:
            return None
        count = marks[0].partition(" ")[0]
        # The same number of other rows must still differ from the command's count.
        return count if count != str(len(refs)) else f"{count} other"

    def _check_refs(self, kind: Kind, refs: Sequence[str], operation: str) -> None:
        if not 0 < len(refs) <= kind.limit:
            words = f"{len(refs)} rows; Kantata takes 1 to {kind.limit} {kind.collection} in one call"
            raise self._account.error(Rejected, operation, words, rule="bulk.size")
        twice = sorted({ref for ref in refs if refs.count(ref) > 1})
        if twice:
            words = f"the ref {twice[0]!r} stands for more than one row"
            raise self._account.error(Rejected, operation, words, rule="bulk.refs")
