"""What crosses Temporal for the process "project activation": input, result, and the view of its state."""

from typing import Literal

from pydantic import AwareDatetime

from domain.attention import AttentionItem, EventRef
from domain.base import Canonical, Value
from domain.readiness import GateResult

ACTIVATION = "activation"
"""Name of the process in workflow ids and process keys."""


class ProjectActivationInput(Canonical):
    firm: str
    deal: str
    """External id of the deal in the CRM."""
    requested_by: str = ""
    """Person or event that asked for the activation."""
    event: EventRef | None = None


ActivationState = Literal["active", "cancelled"]


class SystemRecord(Value):
    """One record made in one system: a row of the closing table."""

    system: str
    noun: str
    external_id: str
    number: str = ""
    url: str = ""


class ActivationResult(Canonical):
    state: ActivationState
    deal: str
    project: str = ""
    generation: int = 1
    records: tuple[SystemRecord, ...] = ()
    reason: str = ""
    joined: bool = False
    """True when the deal was active already and nothing was done."""
    handed_over: tuple[str, ...] = ()
    """Workflow ids of the processes that live on with the project."""


Stage = Literal[
    "reading the deal",
    "gates before creation",
    "creating",
    "awaiting staffing",
    "gates before opening",
    "opening",
    "active",
    "cancelling",
    "cancelled",
]

StepState = Literal["waiting", "running", "done", "skipped", "blocked", "undone"]


class StepView(Value):
    step: str
    label: str
    system: str = ""
    state: StepState = "waiting"
    detail: str = ""


class ActivationView(Canonical):
    """Answer of the query `status`."""

    deal: str
    deal_name: str = ""
    customer: str = ""
    entity: str = ""
    project: str = ""
    generation: int = 1
    stage: Stage = "reading the deal"
    gates: tuple[GateResult, ...] = ()
    steps: tuple[StepView, ...] = ()
    attention: tuple[AttentionItem, ...] = ()
    records: tuple[SystemRecord, ...] = ()
    staffing_asked: tuple[str, ...] = ()
    """Roles that wait for an answer."""
    started_at: AwareDatetime | None = None
    finished: bool = False
