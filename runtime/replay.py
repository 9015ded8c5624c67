"""Replays the open histories of a namespace on the code at hand: what an upgrade would stop, before it does.

Reads only: nothing is sent to a running process. A process that is not replayed to its end here would, after
the upgrade, repeat its workflow task for ever.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from domain.base import Value

OPEN = "ExecutionStatus = 'Running'"
"""Visibility query of the histories that an upgrade meets."""

LONGEST = 60.0
"""Seconds that one history may take; a workflow that blocks its thread never ends."""

FailureKind = Literal["sequence", "code", "type", "time"]
_CURES: dict[FailureKind, str] = {
    "sequence": "the sequence of commands has changed: put the new one behind workflow.patched(...)",
    "code": "the new code fails where the old one went on: keep it able to read what the old one wrote",
    "type": "this code has no such workflow: keep it registered until its last run has ended",
    "time": "the new code did not come to a stop: look for a loop or a blocking call",
}
_CORE_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')


class ReplayFailure(Value):
    """One process that would stop."""

    workflow_id: str
    run_id: str
    type: str
    """Name of the workflow."""
    kind: FailureKind
    reason: str

    @property
    def cure(self) -> str:
        return _CURES[self.kind]


class ReplayReport(Value):
    """What became of every history that the query found."""

    namespace: str
    query: str
    replayed: dict[str, int] = {}
    """How many went through, by workflow."""
    not_begun: int = 0
    """Started, but no worker has taken them up: nothing to replay, any code may run them."""
    gone: int = 0
    """Deleted between being listed and being read."""
    failures: tuple[ReplayFailure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the code may be deployed."""
        return not self.failures


async def replay_open(
    client: Client,
    namespace: str,
    workflows: Sequence[type],
    query: str = OPEN,
    *,
    longest: float = LONGEST,
) -> ReplayReport:
    """Replay what `query` finds in `namespace` on `workflows`, under the client's own plugins and codec.

    Raises `temporalio.service.RPCError` when the namespace cannot be read or the query is not understood.
    """
    there = _in_namespace(client, namespace)
    replayer = strict_replayer(workflows, _worker_plugins(client), namespace)
    known = {workflow._Definition.must_from_class(kind).name for kind in workflows}
    counts: Counter[str] = Counter()
    failures: list[ReplayFailure] = []
    async for run in there.list_workflows(query):
        if run.workflow_type not in known:
            failures.append(_failure(run, "type", f"no workflow {run.workflow_type!r} in this code"))
            continue
        history = await _history(there, run)
        if history is None or not _has_begun(history):
            counts["/gone" if history is None else "/not begun"] += 1
            continue
        failure = await _replay(replayer, run, history, longest)
        if failure is not None:
            failures.append(failure)
        else:
            counts[run.workflow_type] += 1
    return ReplayReport(
        namespace=namespace,
        query=query,
        gone=counts.pop("/gone", 0),
        not_begun=counts.pop("/not begun", 0),
        replayed=dict(sorted(counts.items())),
        failures=tuple(failures),
    )


def strict_replayer(
    workflows: Sequence[type], plugins: Sequence[Any], namespace: str = "default"
) -> Replayer:
    """A replayer to which every exception is a finding.

    An exception that fails its workflow in production (a payload that is not valid any more) is not seen
    by a replay: it would wait for an end that no history holds.
    """
    none = SimplePlugin("strict-replay", workflow_failure_exception_types=lambda _: [])
    return Replayer(
        workflows=workflows, plugins=[*plugins, none], namespace=namespace, runtime=_silent_runtime()
    )


@cache
def _silent_runtime() -> Runtime:
    """Temporal's core writes what it finds to standard output; here it is in the report."""
    return Runtime(telemetry=TelemetryConfig(logging=None))


async def _replay(
    replayer: Replayer, run: WorkflowExecution, history: WorkflowHistory, longest: float
) -> ReplayFailure | None:
    try:
        async with asyncio.timeout(longest):
            result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    except TimeoutError:
        return _failure(run, "time", f"not replayed after {longest:g} s")
    error = result.replay_failure
    if error is None:
        return None
    kind: FailureKind = "sequence" if isinstance(error, workflow.NondeterminismError) else "code"
    return _failure(run, kind, _plain(str(error)))


async def _history(client: Client, run: WorkflowExecution) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _has_begun(history: WorkflowHistory) -> bool:
    return any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events)


def _failure(run: WorkflowExecution, kind: FailureKind, reason: str) -> ReplayFailure:
    return ReplayFailure(
        workflow_id=run.id, run_id=run.run_id, type=run.workflow_type, kind=kind, reason=reason
    )


def _plain(text: str) -> str:
    """The message inside the debug text of Temporal's core, on one line."""
    found = _CORE_MESSAGE.search(text)
    message = found.group(1).replace('\\"', '"').replace("\\n", " ") if found else text
    return " ".join(message.split())[:500]


def _in_namespace(client: Client, namespace: str) -> Client:
    if client.namespace == namespace:
        return client
    config = client.config()
    config["namespace"] = namespace
    return Client(**config)


def _worker_plugins(client: Client) -> list[Any]:
    """Plugins that configure workers too: a replayer must decode and run as the worker does."""
    return [plugin for plugin in client.config()["plugins"] if hasattr(plugin, "configure_replayer")]
