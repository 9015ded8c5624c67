"""The process's own record: opened once with its policies, closed once with its result."""

from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.activation_process import ACTIVATION, ActivationResult
from domain.attention import EventRef
from domain.base import Canonical
from domain.outbound import OutboxNote
from domain.outbound_notes import activation_ended
from domain.policy import PolicySnapshot
from store.ports import ProcessState, StaleReference, Store


class Policies(Protocol):
    """The firm's file, as far as a process needs it."""

    def snapshot(self) -> PolicySnapshot: ...


class OpenProcess(Canonical):
    key: str
    kind: str
    run_id: str
    requested_by: str = ""
    title: str = ""


class OpenedProcess(Canonical):
    """Where the process stands, and the policies it runs under from here on."""

    generation: int
    state: ProcessState
    result_json: str = ""
    policies: PolicySnapshot


class CloseProcess(Canonical):
    key: str
    generation: int
    state: ProcessState
    stage: str = ""
    project: str = ""
    result_json: str = ""
    summary: str = ""


class AppliedEvent(Canonical):
    """What an applied event says, without its body."""

    id: str
    type: str
    known: bool = True


class ProcessActivities:
    """On our own queue: Fairlead's store and the firm's file."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    @activity.defn(name="process.open")
    async def open(self, input: OpenProcess) -> OpenedProcess:
        """The process row of this business key, and a snapshot of the firm's policies."""
        policies = self._policies.snapshot()
        if input.kind != ACTIVATION:
            policies = policies.without_gates()
        row = await self._store.processes.open(
            input.key,
            input.kind,
            input.run_id,
            input.title,
            requested_by=input.requested_by,
            policy_hash=policies.file_hash,
            policy_json=policies.model_dump_json(),
        )
        return OpenedProcess(
            generation=row.generation, state=row.state, result_json=row.result_json, policies=policies
        )

    @activity.defn(name="process.close")
    async def close(self, input: CloseProcess) -> None:
        """Set the end state; the row answers for the process from here on."""
        await self._store.processes.close(
            input.key,
            input.generation,
            input.state,
            input.result_json,
            summary=input.summary,
            tells=_told(input),
            stage=input.stage,
            project=input.project,
        )

    @activity.defn(name="events.apply")
    async def apply_event(self, input: EventRef) -> AppliedEvent:
        """Mark an inbox row as applied by the process it was for."""
        row = await self._store.inbox.get(input.id)
        if row is None:
            raise ApplicationError(
                f"event {input.id} is not in the inbox (restored backup?); it will be sent again",
                type=StaleReference.__name__,
                non_retryable=True,
            )
        await self._store.inbox.mark(
            input.id, "applied", process=activity.info().workflow_id or "", note=row.note
        )
        return AppliedEvent(id=row.id, type=row.type)


def _told(input: CloseProcess) -> tuple[OutboxNote, ...]:
    """An activation's end is told to others; what a project's other processes do, they tell themselves."""
    if not input.key.startswith(f"{ACTIVATION}/") or not input.result_json:
        return ()
    return (activation_ended(input.key, ActivationResult.model_validate_json(input.result_json)),)
