"""Subcontractor procurement as it crosses Temporal: its lines, its state, its view, what it asks and reads.

All of the state travels through continue-as-new. A state without `system` is of a project whose firm names
no system for procurement, or of version 0.1.0: it notes which lines await a requisition, and nothing else.
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from domain.attention import AttentionItem, EventRef
from domain.base import Canonical, Value
from domain.buying import PurchaseOrder, PurchaseRequisition, UnreadableOrder
from domain.money import Exact, Money

PROCUREMENT = "procurement"
"""Name of the process in workflow ids."""

REQUISITION_DUE = "requisition due"
AWAITING_APPROVAL = "awaiting approval"
AWAITING_ORDER = "awaiting order"
AWAITING_ACCEPTANCE = "awaiting acceptance"
ACCEPTED = "accepted"
WITHDRAWN = "withdrawn"
CLOSED = "closed"
"""Stages: that of the line which is least far."""

LineState = Literal["need", "requested", "approved", "ordered", "accepted", "rejected", "withdrawn"]
"""`rejected`: refused by an approver, or taken back or cancelled in procurement; a person decides."""


class PurchaseNeed(Value):
    """What one contract line needs of a supplier, as the deal says it."""

    ref: str
    """Number of the contract line."""
    name: str
    supplier: str = ""
    """Number, tax id or name, as the deal's line has it."""
    role: str = ""
    grade: str = ""
    hours: Exact
    rate: Exact | None = None
    """Cost per hour a person has stated; else the rate card's standard cost counts."""
    price: Exact | None = None
    """What an hour is sold at."""
    currency: str = ""
    starts_on: date
    ends_on: date
    card: str = ""
    """Code of the rate card of the contract."""

    def path(self, field: str) -> str:
        """Canonical path of a field of its contract line."""
        return f"lines[{self.ref}].{field}"


class ProcurementLine(Value):
    """One contract line that a supplier delivers."""

    ref: str
    name: str
    supplier: str = ""
    role: str = ""
    requisition: str = ""
    """External id of its requisition, which may hold other lines of the same supplier."""
    need: PurchaseNeed | None = None
    """With what a person has corrected."""
    sold: PurchaseNeed | None = None
    """As the deal said when it was read last."""
    state: LineState = "need"
    since: AwareDatetime | None = None
    """When it came into this state."""
    round: int = 1
    """Raised when it is requested anew."""
    key: str = ""
    """Effect key of its requisition."""
    requisition_number: str = ""
    supplier_id: str = ""
    """The supplier's number in procurement."""
    rate: Exact | None = None
    amount: Money | None = None
    """What was asked for."""
    order: str = ""
    """External ids of its orders, with commas; almost always one."""
    order_number: str = ""
    ordered: Money | None = None
    """Total of the orders, all lines of the supplier together."""
    agreed: Money | None = None
    """Total that a person has accepted though it is not what was asked for."""
    note: str = ""
    """What procurement says of its state, in its own words."""
    dropped: str = ""
    """Why it is no longer wanted; empty while it is."""
    redo: bool = False
    """What is wanted has changed: taken back, then requested anew."""
    seen: AwareDatetime | None = None
    """Version of what was read last; an older one is dropped."""


class Requested(Value):
    """One requisition, with the lines it asks for."""

    key: str
    requisition: str
    number: str = ""
    url: str = ""
    supplier_id: str
    rates: dict[str, Exact]
    """Line -> cost per hour."""
    amounts: dict[str, Money]


class ProcurementState(Canonical):
    """A project's subcontractors: what it was handed, and how far each line has come."""

    firm: str
    project: str
    correlation: str
    lines: tuple[ProcurementLine, ...] = ()
    closed: bool = False
    system: str = ""
    entity: str = ""
    deal: str = ""
    events: tuple[EventRef, ...] = ()
    """Events received whose order was not read yet, each once."""
    reread: bool = False
    """The contract may have changed: the deal is read again."""
    ending: str = ""
    """Why everything is taken back; the process ends when it is."""
    polls: int = 0
    """How often procurement was asked without anything new."""
    attention: tuple[AttentionItem, ...] = ()
    exception_numbers: dict[str, int] = {}


class ProcurementView(Canonical):
    """Answer of the query `status`."""

    project: str
    system: str = ""
    entity: str = ""
    stage: str = REQUISITION_DUE
    lines: tuple[ProcurementLine, ...] = ()
    next_at: AwareDatetime | None = None
    """When it looks next by itself."""
    attention: tuple[AttentionItem, ...] = ()
    closed: bool = False


class ProcurementFacts(Canonical):
    """What procurement holds of a project: the requisitions asked for, and all its orders."""

    requisitions: tuple[PurchaseRequisition, ...] = ()
    missing: tuple[str, ...] = ()
    """Requisitions that are not there any more."""
    orders: tuple[PurchaseOrder, ...] = ()
    unreadable: tuple[UnreadableOrder, ...] = ()


class ProcurementProblem(Value):
    """Something only a person can decide; at most one for each `step` at a time."""

    step: str
    headline: str
    detail: str
    amount: str = ""
    facts: dict[str, str] = {}
