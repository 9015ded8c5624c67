"""State of the processes that live with a project; all of it travels through continue-as-new."""

from domain.attention import EventRef
from domain.base import Canonical, Value

BILLING = "billing"
PROCUREMENT = "procurement"
"""Names of the processes in workflow ids."""

OPEN_FOR_BILLING = "open for billing"
REQUISITION_DUE = "requisition due"
"""Stages they are born in."""


class ProjectBillingState(Canonical):
    """A project's billing: what it was handed, and the events that wait to be billed."""

    firm: str
    project: str
    deal: str
    customer: str
    correlation: str
    on_hold: bool = False
    hold_reason: str = ""
    events: tuple[EventRef, ...] = ()
    """Events received, in order, each once."""
    closed: bool = False


class ProcurementLine(Value):
    """One contract line that a supplier delivers."""

    ref: str
    name: str
    supplier: str = ""
    role: str = ""
    requisition: str = ""


class ProcurementState(Canonical):
    firm: str
    project: str
    correlation: str
    lines: tuple[ProcurementLine, ...] = ()
    closed: bool = False


class HoldRequest(Canonical):
    reason: str = ""
