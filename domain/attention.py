"""Attention: what retry cannot cure, who owns it, and how a person decides.

An `AttentionItem` is the truth in the workflow's state; the store keeps its projection for lists and
alerts. A `Decision` is a row written by an authenticated edge before the workflow is told its id, so
that nobody forges an actor with a Temporal client.
"""

import hashlib
import re
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from domain.base import Canonical
from domain.readiness import Evidence, Finding, OwnerGroup


class Action(StrEnum):
    """What a person may do about an exception."""

    RETRY = "retry"
    CORRECT = "correct"
    SKIP = "skip"
    COMPENSATE = "compensate"
    HAND_OVER = "hand_over"


AttentionState = Literal["open", "awaiting_second_person", "resolved"]


class AttentionItem(Canonical):
    """One exception. `id` is `<workflow id>/<step>/<n>`."""

    id: str
    process: str
    """Workflow id of the process that waits."""
    step: str
    headline: str
    """What failed, in business words."""
    detail: str = ""
    object: str = ""
    """The business object, such as `deal 0065g... Alpenglow managed services`."""
    amount: str = ""
    systems: tuple[str, ...] = ()
    error_class: str = ""
    owner: OwnerGroup
    person: str = ""
    raised_at: AwareDatetime
    due_at: AwareDatetime
    escalations: int = 0
    actions: tuple[Action, ...] = tuple(Action)
    skip_role: str | None = None
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    facts: dict[str, str] = {}
    state: AttentionState = "open"
    resolution: str = ""


DecisionAction = Literal[
    "approve_staffing",
    "correct",
    "retry",
    "skip",
    "compensate",
    "hand_over",
    "cancel",
    "second",
    "evidence",
    # on a pre-bill and an invoice
    "hold_entry",
    "release_entry",
    "write_down",
    "write_up",
    "transfer",
    "edit_narrative",
    "release_prebill",
    "approve",
    "reject",
    # on a project's billing
    "hold",
    "release",
    "bill_now",
    "close",
]


CONFIDENTIAL = frozenset({"narrative"})
"""Keys of a decision's payload whose text is kept where it belongs (the entry), and elsewhere as a hash."""


class Decision(Canonical):
    """A human decision, authenticated where it entered. `payload_hash` binds it to what was decided."""

    id: str
    actor: str
    role: str
    action: DecisionAction
    process: str
    """Workflow id it is meant for."""
    target: str = ""
    """Exception id, gate or decision it is about."""
    reason: str = ""
    payload: dict[str, str] = {}
    payload_hash: str = ""
    at: AwareDatetime

    def without_confidential(self) -> "Decision":
        """This for histories, audit and screens: of what is confidential the hash. Again, it is the same."""
        if not CONFIDENTIAL & self.payload.keys():
            return self
        shown = {name: sealed(text) if name in CONFIDENTIAL else text for name, text in self.payload.items()}
        return self.model_copy(update={"payload": shown})


def sealed(text: str) -> str:
    """`text` as its hash, by which two can be compared; a hash stays what it is."""
    return text if _SEALED.fullmatch(text) else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


_SEALED = re.compile(r"sha256:[0-9a-f]{64}")


class DecisionRef(Canonical):
    """All that crosses Temporal of a decision: its id."""

    id: str


class EventRef(Canonical):
    """All that crosses Temporal of an event: its id in the inbox, and its type."""

    id: str
    type: str
