"""Customers and projects: `CreateCustomer`, `CreateProject`, `OpenProject`, `CancelProject`.

A project is created in the account's status for "in setup", in which its team logs no time, and is opened by
the status for "active". A cancelled project is archived, never deleted: deletion in Kantata is final.

Source: Kantata OX API, workspaces, workspace groups, external references.
"""

from collections.abc import Sequence

from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.directory import Directory
from connectors.kantata.keyed import Keyed
from connectors.kantata.models import Row, Workspace, WorkspaceGroup
from domain.commands import CancelProject, Command, CreateCustomer, CreateProject, OpenProject, Record

INCLUDED = "external_references,workspace_groups,primary_workspace_group"


class Reference(Row):
    """An entry of `/external_references`."""

    subject_id: str


class Projects:
    """The four commands; each of them is one write."""

    def __init__(self, account: Account, directory: Directory) -> None:
        self._account = account
        self._directory = directory
        self._keyed = Keyed(account)
        self._settings = account.settings

    # ---- customer

    async def find_customer(self, command: CreateCustomer, key: str) -> Record | None:
        operation = "find customer"
        if self._settings.group_lookup == "references":
            groups = await self._groups_by_reference(command, key, operation)
            group = self._keyed.only(groups, key, operation)
        else:
            group = await self._keyed.one(WorkspaceGroup, "workspace_groups", command, key, {}, operation)
        return None if group is None else _customer(group)

    async def create_customer(self, command: CreateCustomer, key: str) -> Record:
        body = {"workspace_group": mapping.customer(command, self._settings, key)}
        groups, request_id = await self._account.write(
            WorkspaceGroup, "POST", "/workspace_groups", body, key=key, operation="create customer"
        )
        return _customer(groups[0], request_id)

    async def _groups_by_reference(
        self, command: Command, key: str, operation: str
    ) -> Sequence[WorkspaceGroup]:
        params: dict[str, str | int] = {
            "subject_type": "WorkspaceGroup",
            "service_name": self._settings.service_name,
            "service_model": type(command).__name__,
            "service_model_ref": key,
        }
        # This list has no paging parameters of its own.
        answer = await self._account.http.call(
            "GET", "/external_references", operation=operation, write=False, params=params
        )
        found = self._account.read(Reference, "external_references", answer, operation)
        return [
            await self._account.show(WorkspaceGroup, "workspace_groups", ref.subject_id, operation=operation)
            for ref in found
        ]

    # ---- project

    async def find_project(self, command: CreateProject, key: str) -> Record | None:
        operation = "find project"
        params = {"include": INCLUDED, "include_archived": "true"}
        workspace = await self._keyed.one(Workspace, "workspaces", command, key, params, operation)
        return None if workspace is None else self._project(workspace)

    async def create_project(self, command: CreateProject, key: str) -> Record:
        operation = "create project"
        group_id = self._account.record_id(command.customer_external_id, "a customer", operation)
        template_id = await self._directory.template_id(command.template, operation)
        body = mapping.project(command, self._settings, key, group_id=group_id, template_id=template_id)
        workspaces, request_id = await self._account.write(
            Workspace,
            "POST",
            "/workspaces",
            {"workspace": body},
            key=key,
            include=INCLUDED,
            operation=operation,
        )
        return self._project(workspaces[0], request_id)

    # ---- opening and cancelling

    async def find_opening(self, command: OpenProject, key: str) -> Record | None:
        workspace = await self._changed_by(command, command.project_external_id, key, "find project opening")
        return None if workspace is None else self._opening(workspace)

    async def open_project(self, command: OpenProject, key: str) -> Record:
        status = self._settings.open_status_key if command.open else self._settings.closed_status_key
        workspace, request_id = await self._change(
            command, command.project_external_id, key, {"status_key": status}, "open project"
        )
        return self._opening(workspace, request_id)

    async def find_cancellation(self, command: CancelProject, key: str) -> Record | None:
        operation = "find project cancellation"
        workspace = await self._changed_by(command, command.project_external_id, key, operation)
        return None if workspace is None else self._cancellation(workspace)

    async def cancel_project(self, command: CancelProject, key: str) -> Record:
        body: dict[str, object] = {"archived": command.cancelled}
        if command.cancelled and self._settings.cancelled_status_key is not None:
            body["status_key"] = self._settings.cancelled_status_key
        workspace, request_id = await self._change(
            command, command.project_external_id, key, body, "cancel project", note=command.reason
        )
        return self._cancellation(workspace, request_id)

    async def _changed_by(self, command: Command, id: str, key: str, operation: str) -> Workspace | None:
        """The project, when the last change of this kind was made under `key`."""
        workspace = await self._account.show(
            Workspace, "workspaces", id, include=INCLUDED, operation=operation
        )
        name = mapping.change_reference(self._settings.service_name, command, key)["service_name"]
        held = self._account.reference(workspace, name, operation)
        return workspace if held is not None and held.service_model_ref == key else None

    async def _change(
        self,
        command: Command,
        id: str,
        key: str,
        changes: dict[str, object],
        operation: str,
        note: str = "",
    ) -> tuple[Workspace, str]:
        reference = mapping.change_reference(self._settings.service_name, command, key)
        if note:
            reference["external_status"] = note[:255]
        number = self._account.record_id(id, "a project", operation)
        workspaces, request_id = await self._account.write(
            Workspace,
            "PUT",
            f"/workspaces/{number}",
            {"workspace": {**changes, "external_reference": reference}},
            key=key,
            include=INCLUDED,
            operation=operation,
        )
        return workspaces[0], request_id

    # ---- shared

    def _project(self, workspace: Workspace, request_id: str = "") -> Record:
        fields = mapping.project_fields(workspace)
        return self._record(workspace, fields, request_id, number=fields["number"])

    def _opening(self, workspace: Workspace, request_id: str = "") -> Record:
        opened = "true" if mapping.is_open(workspace, self._settings) else "false"
        return self._record(workspace, {"open": opened}, request_id)

    def _cancellation(self, workspace: Workspace, request_id: str = "") -> Record:
        return self._record(workspace, {"cancelled": "true" if workspace.archived else "false"}, request_id)

    def _record(
        self, workspace: Workspace, fields: dict[str, str], request_id: str, number: str = ""
    ) -> Record:
        app = self._settings.app_url.rstrip("/")
        return Record(
            external_id=workspace.id,
            number=number,
            fields=fields,
            request_id=request_id,
            url=f"{app}/workspaces/{workspace.id}" if app else "",
        )


def _customer(group: WorkspaceGroup, request_id: str = "") -> Record:
    return Record(external_id=group.id, fields={"name": group.name}, request_id=request_id)
