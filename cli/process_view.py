"""Asking a process how it stands: its `status` query while it can answer, the store when it has ended."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.exit_codes import Stop, not_found, unreachable
from cli.keys import stored_result

if TYPE_CHECKING:
    from cli.context import Session
    from cli.keys import Target
    from domain.activation_process import ActivationResult, ActivationView

_ANSWER_SECONDS = 15.0
_STARTING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a process stands. `view` is its own answer, `result` its end as the store keeps it."""

    id: str
    open: bool
    run_id: str = ""
    title: str = ""
    view: "ActivationView | None" = None
    result: "ActivationResult | None" = None
    other: "dict[str, Any] | None" = None
    """Answer of a process of another kind than activation."""

    @property
    def waits_for_person(self) -> bool:
        return self.open and self.view is not None and bool(self.view.attention or self.view.staffing_asked)

    def document(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"process": self.id, "open": self.open, "run_id": self.run_id}
        shown |= {"waits_for_person": self.waits_for_person}
        for name in ("view", "result", "other"):
            value = getattr(self, name)
            if value is not None:
                shown["status" if name != "result" else name] = value
        return shown


async def standing(session: "Session", target: "Target") -> Standing:
    """How the process stands now. An ended activation is answered from the store."""
    ended = stored_result(target)
    if ended is not None and target.row is not None and not await _runs_again(session, target.id, ended):
        return Standing(target.id, open=False, run_id=target.row.run_id, title=target.row.title, result=ended)
    is_open, run_id = await _described(session, target.id)
    if target.kind != "activation":
        return Standing(target.id, is_open, run_id, other=await ask(session, target.id, dict))
    return Standing(target.id, is_open, run_id, view=await activation_view(session, target.id))


async def activation_view(session: "Session", workflow_id: str) -> "ActivationView":
    from domain.activation_process import ActivationView

    view: ActivationView = await ask(session, workflow_id, ActivationView)
    return view


async def ask(session: "Session", workflow_id: str, kind: type) -> Any:
    """Answer of the query `status`. Raises `Stop` when no worker answers for it."""
    from temporalio.client import WorkflowQueryFailedError
    from temporalio.service import RPCError, RPCStatusCode

    client = await session.client()
    handle = client.get_workflow_handle(workflow_id)
    deadline = asyncio.get_running_loop().time() + _STARTING_SECONDS
    while True:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await handle.query("status", result_type=kind)
        except (TimeoutError, WorkflowQueryFailedError) as error:
            raise _silent(session, workflow_id, str(error)) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise not_found(
                    f"Temporal knows no process {workflow_id}.", "See `fairlead status --all`."
                ) from error
            # Just started: its first task has not run, so there is nothing to ask yet.
            young = "workflow task" in error.message.lower() or "not ready" in error.message.lower()
            if not young or asyncio.get_running_loop().time() > deadline:
                raise _silent(session, workflow_id, error.message) from error
            await asyncio.sleep(0.1)


def _silent(session: "Session", workflow_id: str, reason: str) -> Exception:
    queue = session.settings.own_queue
    why = reason.strip().rstrip(".") or f"no answer within {_ANSWER_SECONDS:.0f} s"
    return unreachable(
        f"No worker answers for {workflow_id} on task queue {queue!r}: {why}.",
        "Start one with `fairlead up` or `fairlead worker`; see `fairlead doctor`.",
    )


async def _runs_again(session: "Session", workflow_id: str, ended: "ActivationResult") -> bool:
    """Whether a cancelled activation was started anew, and has not opened its row yet."""
    from runtime.connect import NoTemporal

    if ended.state == "active":
        return False
    try:
        return (await _described(session, workflow_id))[0]
    except (NoTemporal, Stop):
        return False


async def _described(session: "Session", workflow_id: str) -> tuple[bool, str]:
    """Whether the process runs, and its run."""
    from temporalio.client import WorkflowExecutionStatus
    from temporalio.service import RPCError, RPCStatusCode

    client = await session.client()
    try:
        found = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise not_found(
                f"{workflow_id} stands in the store as running, but Temporal no longer knows it.",
                f"Start it again under its keys: fairlead activate {workflow_id.rpartition('/')[2]}",
            ) from error
        raise
    return found.status is WorkflowExecutionStatus.RUNNING, found.run_id
