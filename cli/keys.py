"""From what a person types (deal, project number, workflow id) to the process that is meant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from cli.exit_codes import not_found, usage

if TYPE_CHECKING:
    from cli.context import Session
    from domain.activation_process import ActivationResult
    from runtime.settings import Settings
    from store.ports import ProcessRow

MOST = 10_000
_LOCAL = ("127.0.0.1", "localhost", "::1")
_CLOUD = ".tmprl.cloud"


@dataclass(frozen=True, slots=True)
class Target:
    """A process. `row` is none for one that was started a moment ago, or is no longer in the store."""

    id: str
    row: "ProcessRow | None"

    @property
    def kind(self) -> str:
        return self.id.partition("/")[0]

    @property
    def business_key(self) -> str:
        """What people call it: the deal, the project."""
        return self.id.rpartition("/")[2]


def activation_id(session: "Session", deal: str) -> str:
    """Workflow id of the activation of `deal`. Raises `Stop` for text that is no deal id."""
    from domain.activation_process import ACTIVATION
    from domain.identity import process_key

    try:
        return process_key(ACTIVATION, session.firm.id, deal)
    except ValueError:
        raise usage(
            f"{deal!r} is no deal id: letters, digits, '.', '_', ':' and '-' only.",
            "`fairlead deals` lists the ids.",
        ) from None


def stored_result(target: Target) -> "ActivationResult | None":
    """The end of an activation as the store keeps it; none while it runs."""
    from domain.activation_process import ActivationResult

    row = target.row
    if row is None or row.kind != "activation" or row.state == "running" or not row.result_json:
        return None
    return ActivationResult.model_validate_json(row.result_json)


async def find(session: "Session", key: str) -> Target:
    """The process that `key` means: a workflow id, a deal's id or a project's number. Raises `Stop`."""
    store = await session.store()
    workflow_id = key if "/" in key else activation_id(session, key)
    row = await store.processes.get(workflow_id)
    if row is None and "/" not in key:
        row = await _of_project(session, key)
    if row is not None:
        return Target(row.key, row)
    if await _temporal_knows(session, workflow_id):
        return Target(workflow_id, None)
    raise not_found(
        f"No process belongs to {key!r}: neither a deal, a project number nor a workflow id.",
        "`fairlead status --all` lists the processes, `fairlead deals` the signed deals.",
    )


async def _of_project(session: "Session", number: str) -> "ProcessRow | None":
    """The activation that made the project: the newest, should there be several."""
    rows = await (await session.store()).processes.list(limit=MOST)
    named = [row for row in rows if row.project.casefold() == number.casefold()]
    return max(named, key=lambda row: (row.kind == "activation", row.generation), default=None)


async def _temporal_knows(session: "Session", workflow_id: str) -> bool:
    from temporalio.service import RPCError, RPCStatusCode

    client = await session.client()
    try:
        await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def web_address(settings: "Settings", workflow_id: str = "") -> str:
    """The process in Temporal's Web UI; empty where that cannot be known (a server of your own)."""
    import os

    address = settings.temporal_address or os.environ.get("TEMPORAL_ADDRESS", "")
    namespace = os.environ.get("TEMPORAL_NAMESPACE", settings.namespace)
    host = urlsplit(f"//{address}").hostname or "127.0.0.1"
    if host.endswith(_CLOUD):
        base = "https://cloud.temporal.io"
    elif host in _LOCAL:
        base = f"http://127.0.0.1:{settings.ui_port}"
    else:
        return ""
    page = f"{base}/namespaces/{quote(namespace, safe='')}/workflows"
    if workflow_id:
        page += f"/{quote(workflow_id, safe='')}"
    return page
