"""A human decision, the one way it enters: the row first, then an update that carries only its id."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain.attention import Decision, DecisionAction, DecisionRef
from store.ports import Decisions

UPDATE_OF: Mapping[DecisionAction, str] = {
    "approve_staffing": "approve_staffing",
    "correct": "correct",
    "retry": "resolve",
    "skip": "resolve",
    "compensate": "resolve",
    "hand_over": "resolve",
    "cancel": "cancel",
    "second": "second",
    "evidence": "provide_evidence",
    "hold_entry": "prebill",
    "release_entry": "prebill",
    "write_down": "prebill",
    "write_up": "prebill",
    "transfer": "prebill",
    "edit_narrative": "prebill",
    "release_prebill": "prebill",
    "approve": "approve",
    "reject": "reject",
    "hold": "steer",
    "release": "steer",
    "bill_now": "steer",
    "close": "steer",
}
"""The update that takes in each action."""


class DecisionNotTaken(Exception):
    """The process refused the decision or is not there; the text says why."""


async def decide(
    client: Client,
    decisions: Decisions,
    *,
    action: DecisionAction,
    process: str,
    actor: str,
    role: str,
    target: str = "",
    reason: str = "",
    payload: Mapping[str, str] | None = None,
) -> tuple[Decision, str]:
    """Write the decision of `actor` and hand it to `process`; returns it and the process's answer.

    Who `actor` is has been established by the caller. Raises `DecisionNotTaken`.
    """
    content = dict(payload or {})
    decision = Decision(
        id=uuid.uuid4().hex,
        actor=actor,
        role=role,
        action=action,
        process=process,
        target=target,
        reason=reason,
        payload=content,
        payload_hash=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        at=datetime.now(UTC),
    )
    await decisions.add(decision)
    try:
        answer: str = await client.get_workflow_handle(process).execute_update(
            UPDATE_OF[action], DecisionRef(id=decision.id), id=decision.id, result_type=str
        )
    except WorkflowUpdateFailedError as error:
        raise DecisionNotTaken(str(error.__cause__ or error)) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise DecisionNotTaken(f"{process} does not run (any more); see `fairlead status`") from error
        raise
    return decision, answer
