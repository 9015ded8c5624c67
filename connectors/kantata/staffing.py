"""Staffing: `RequestStaffing`, `WithdrawStaffing`, and where the requests of a project stand.

Resource requests carry no external reference, and their list has no filter by project or seat. So a request
is found by its seat: the seat carries the reference `<seats_key>#<seat ref>`, and a custom field of the seat,
written by the request itself, holds the effect key of the latest request. Of the requests made since the seat
was made, the newest on the seat is the one. A cancellation has no place for a key: it is found by status.

Source: Kantata OX API, resource requests, workspace resources, workspace allocations.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from connectors.errors import Ambiguous, Conflict, ConnectorError, Rejected, Transient
from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.directory import Directory
from connectors.kantata.memory import Memory
from connectors.kantata.models import ResourceRequest, WorkspaceAllocation, WorkspaceResource
from domain.commands import Record, RequestStaffing, WithdrawStaffing
from domain.delivery import StaffingAnswer

CLOSED = ("cancelled", "rejected")
"""States in which a request asks for nobody any more."""
SEAT = "external_references,custom_field_values"


class Staffing:
    """Requests for people, by way of the seats they are for."""

    def __init__(self, account: Account, directory: Directory, seats: Memory) -> None:
        self._account = account
        self._directory = directory
        self._settings = account.settings
        self._seats = seats
        self._known = Memory()
        """(Seat, key on the seat) -> request: saves searching a list that has no filter by seat."""

    async def find_request(self, command: RequestStaffing, key: str) -> Record | None:
        operation = "find resource request"
        seat = await self._seat(command, operation)
        if seat is None or self._key_of(seat, operation) != key:
            return None
        requests = [
            asked for asked in await self._requests([seat], operation) if asked.resource_id == seat.id
        ]
        waiting = [asked for asked in requests if asked.status == "new"]
        if len(waiting) > 1:
            ids = ", ".join(asked.id for asked in waiting)
            words = f"seat {seat.id} has {len(waiting)} open requests ({ids}); cancel all but one"
            raise self._account.error(Conflict, operation, words, rule="resource_request.ambiguous")
        latest = max(requests, key=mapping.order_of_creation, default=None)
        return None if latest is None else self._record(latest, seat)

    async def request(self, command: RequestStaffing, key: str) -> Record:
        operation = "request staffing"
        email = command.approver_email or self._settings.default_approver_email
        if not email:
            words = "nobody is named to decide the request; set default_approver_email for this system"
            raise self._account.error(Rejected, operation, words, field="approver_email")
        seat_id = await self._seat_id(command, operation)
        body = mapping.staffing_request(
            command,
            self._settings,
            key,
            seat_id=self._account.record_id(seat_id, "a seat", operation),
            approver_id=await self._directory.user_id(email, operation),
        )
        requests, request_id = await self._account.write(
            ResourceRequest,
            "POST",
            "/resource_requests",
            {"resource_request": body},
            key=key,
            include="resource,approvers",
            operation=operation,
        )
        self._known[(seat_id, key)] = requests[0].id
        return await self._read_back(requests[0], seat_id, key, operation, request_id)

    async def _read_back(
        self, asked: ResourceRequest, seat_id: str, key: str, operation: str, request_id: str
    ) -> Record:
        """The answer does not say which dates are asked for: the seat does."""
        try:
            seat = await self._account.show(
                WorkspaceResource, "workspace_resources", seat_id, include=SEAT, operation=operation
            )
            visible = self._key_of(seat, operation) == key
        except ConnectorError as error:
            # The request is made: what fails now must not look as if nothing had been written.
            words = f"request {asked.id} is made but could not be read back: {error.message}"
            raise self._account.error(Ambiguous, operation, words, request_id=request_id) from None
        if not visible:
            words = f"request {asked.id} is made but its seat {seat_id} does not show it yet"
            raise self._account.error(Ambiguous, operation, words, request_id=request_id)
        return self._record(asked, seat, request_id)

    async def find_withdrawal(self, command: WithdrawStaffing, key: str) -> Record | None:
        asked = await self._show(command, "find resource request withdrawal")
        return self._withdrawn(asked) if asked.status in CLOSED else None

    async def withdraw(self, command: WithdrawStaffing, key: str) -> Record:
        operation = "withdraw resource request"
        number = self._account.record_id(command.request_external_id, "a resource request", operation)
        try:
            requests, request_id = await self._account.write(
                ResourceRequest,
                "PUT",
                f"/resource_requests/{number}",
                {"resource_request": {"request_resolution_status": "cancel"}},
                key=key,
                include="resource",
                operation=operation,
            )
        except Rejected:
            # Refused because a person has closed it meanwhile: what was wanted is so.
            asked = await self._show(command, operation)
            if asked.status in CLOSED:
                return self._withdrawn(asked)
            raise
        return self._withdrawn(requests[0], request_id)

    async def answers(self, project_external_id: str) -> Sequence[StaffingAnswer]:
        """The state of the newest request of every seat of the project, in order of the seats."""
        operation = "read staffing answers"
        workspace_id = self._account.record_id(project_external_id, "a project", operation)
        params = self._seat_params(workspace_id, "custom_field_values,user")
        seats = await self._account.search(
            WorkspaceResource, "workspace_resources", params, operation=operation
        )
        latest = await self._latest(seats, operation) if seats else {}
        decided = any(asked.status == "approved" for asked in latest.values())
        allocations = await self._allocations(workspace_id, operation) if decided else {}
        return [
            mapping.staffing_answer(latest[seat.id], seat, allocations.get(seat.id), self._settings)
            for seat in seats
            if seat.id in latest
        ]

    async def _latest(
        self, seats: Sequence[WorkspaceResource], operation: str
    ) -> Mapping[str, ResourceRequest]:
        """The newest request per seat: read by id where they are known, else searched for."""
        keys = {seat.id: self._key_of(seat, operation) for seat in seats}
        known = [self._known[(seat_id, key)] for seat_id, key in keys.items()]
        ids = [id for id in known if id is not None]
        if len(ids) == len(seats):
            found = await self._by_id(ids, operation)
            # A closed request may have been followed by one that a person made in Kantata's screens.
            if len(found) == len(seats) and not any(asked.status in CLOSED for asked in found):
                return {asked.resource_id: asked for asked in found}
        latest: dict[str, ResourceRequest] = {}
        for asked in sorted(await self._requests(seats, operation), key=mapping.order_of_creation):
            if asked.resource_id in keys:
                latest[asked.resource_id] = asked
        for seat_id, asked in latest.items():
            if keys[seat_id]:
                self._known[(seat_id, keys[seat_id])] = asked.id
        return latest

    async def _by_id(self, ids: Sequence[str], operation: str) -> list[ResourceRequest]:
        params = {"only": ",".join(ids), "include": "resource"}
        return await self._account.search(ResourceRequest, "resource_requests", params, operation=operation)

    async def _seat_id(self, command: RequestStaffing, operation: str) -> str:
        """The seat to ask for. Raises `Transient` when it is not there: it was added, so it will show."""
        known = self._seats[_seat_ref(command)]
        if known is not None:
            return known
        seat = await self._seat(command, operation)
        if seat is None:
            words = f"no seat carries the reference {_seat_ref(command)} yet"
            raise self._account.error(Transient, operation, words, rule="external_reference.seat")
        return seat.id

    async def _seat(self, command: RequestStaffing, operation: str) -> WorkspaceResource | None:
        """The seat the request is for, or None. Raises `Conflict` for two."""
        workspace_id = self._account.record_id(command.project_external_id, "a project", operation)
        ref = _seat_ref(command)
        params = self._seat_params(workspace_id, SEAT) | {
            "external_reference_service_name": self._settings.service_name,
            "external_reference_service_model_refs": ref,
        }
        found = await self._account.search(
            WorkspaceResource, "workspace_resources", params, operation=operation
        )
        seats = [seat for seat in found if self._ref_of(seat, operation) == ref]
        if len(seats) > 1:
            words = f"{len(seats)} seats of project {workspace_id} carry the reference {ref}, not one"
            raise self._account.error(Conflict, operation, words, rule="external_reference.seat")
        return seats[0] if seats else None

    async def _requests(self, seats: Sequence[WorkspaceResource], operation: str) -> list[ResourceRequest]:
        """Requests made since the first of the seats: a request is never older than its seat."""
        since = min(seat.created_at for seat in seats) - timedelta(
            seconds=self._settings.feed_overlap_seconds
        )
        params: dict[str, str | int] = {
            "created_after": since.isoformat(timespec="seconds"),
            "include": "resource",
        }
        return await self._account.search(ResourceRequest, "resource_requests", params, operation=operation)

    async def _allocations(self, workspace_id: int, operation: str) -> dict[str, WorkspaceAllocation]:
        params: dict[str, str | int] = {
            "workspace_ids": str(workspace_id),
            "include": "workspace_resource",
            "order": "updated_at:asc",
        }
        found = await self._account.search(
            WorkspaceAllocation, "workspace_allocations", params, operation=operation
        )
        return {row.workspace_resource_id: row for row in found if row.workspace_resource_id}

    async def _show(self, command: WithdrawStaffing, operation: str) -> ResourceRequest:
        return await self._account.show(
            ResourceRequest,
            "resource_requests",
            command.request_external_id,
            include="resource",
            operation=operation,
        )

    def _seat_params(self, workspace_id: int, include: str) -> dict[str, str | int]:
        return {
            "workspace_id": workspace_id,
            "include_unnamed": "true",
            "include": include,
            "order": "created_at:asc",
        }

    def _ref_of(self, seat: WorkspaceResource, operation: str) -> str:
        held = self._account.reference(seat, self._settings.service_name, operation)
        return held.service_model_ref if held else ""

    def _key_of(self, seat: WorkspaceResource, operation: str) -> str:
        if seat.custom_field_values is None:
            words = f"the answer does not show the custom fields of seat {seat.id}"
            raise self._account.error(
                Rejected, operation, words, field="custom_field_value_ids", rule="schema.missing_field"
            )
        return seat.custom_text(self._settings.request_key_field)

    def _record(self, asked: ResourceRequest, seat: WorkspaceResource, request_id: str = "") -> Record:
        return Record(
            external_id=asked.id,
            fields=mapping.request_fields(seat, self._settings),
            request_id=request_id,
        )

    def _withdrawn(self, asked: ResourceRequest, request_id: str = "") -> Record:
        withdrawn = "true" if asked.status in CLOSED else "false"
        return Record(external_id=asked.id, fields={"withdrawn": withdrawn}, request_id=request_id)


def _seat_ref(command: RequestStaffing) -> str:
    return f"{command.seats_key}#{command.seat.ref}"
