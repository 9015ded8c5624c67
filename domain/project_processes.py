"""State of the processes that live with a project; all of it travels through continue-as-new."""

from datetime import date
from typing import Self

from pydantic import AwareDatetime

from domain.attention import AttentionItem, EventRef
from domain.base import Canonical, Value
from domain.invoice_state import BillingEventRow, EventKind
from domain.money import Money
from domain.project_contract import ProjectContract

BILLING = "billing"
"""Name of the process in workflow ids."""

OPEN_FOR_BILLING = "open for billing"
ON_HOLD = "on hold"
FINAL_ACCOUNT = "final account"
CLOSED = "closed"
"""Stages."""


class DueEvent(Value):
    """A billing event that is to be billed now: what its invoice has to know."""

    key: str
    kind: EventKind
    amount: Money | None = None
    due_on: date
    service_from: date
    service_to: date

    @classmethod
    def of(cls, row: BillingEventRow) -> Self:
        return cls(**{name: value for name, value in dict(row).items() if name in cls.model_fields})


class StartedInvoice(Value):
    """An invoice that was handed over, and on whose word."""

    invoice: str
    event: str
    kind: EventKind
    amount: Money | None = None
    at: AwareDatetime
    decision: str = ""
    """Id of the decision that asked for it; empty when it fell due by itself."""


class ProjectBillingState(Canonical):
    """A project's billing: what it was handed, and how far it has come.

    What was billed is not kept here: events and invoices are in the store, events from outside in the inbox.
    """

    firm: str
    project: str
    deal: str
    customer: str
    correlation: str
    on_hold: bool = False
    hold_reason: str = ""
    events: tuple[EventRef, ...] = ()
    """Events received and not looked at yet, in order, each once."""
    closed: bool = False
    contract: ProjectContract | None = None
    """The contract as it was handed over: kept in the store by the first step, and not carried on."""
    begun: bool = False
    entity: str = ""
    revision: int = 0
    """Of the contract that is billed."""
    through: date | None = None
    """Day of the entity up to which what falls due by the calendar was taken up."""
    period: str = ""
    """Month of that day: the run continues as new when it changes."""
    pending: tuple[DueEvent, ...] = ()
    """Due while on hold: billed after the release, in this order."""
    recent: tuple[StartedInvoice, ...] = ()
    """The last that were started."""
    closing: bool = False
    closed_by: str = ""
    final_polls: int = 0
    refund_settled: bool = False
    """A person has settled what is left of an advance."""
    decisions: tuple[str, ...] = ()
    """Ids of the last decisions that were acted on."""
    attention: tuple[AttentionItem, ...] = ()
    exception_numbers: dict[str, int] = {}


class ProjectBillingView(Canonical):
    """Answer of the query `status`."""

    project: str
    customer: str = ""
    entity: str = ""
    stage: str = OPEN_FOR_BILLING
    on_hold: bool = False
    hold_reason: str = ""
    revision: int = 0
    through: date | None = None
    next_at: AwareDatetime | None = None
    """When it looks next by itself."""
    pending: tuple[DueEvent, ...] = ()
    recent: tuple[StartedInvoice, ...] = ()
    attention: tuple[AttentionItem, ...] = ()
    closed: bool = False


class HoldRequest(Canonical):
    """A hold from an outside system, without a decision row."""

    reason: str = ""
    actor: str = ""
    """Who asks, as the gateway or the command line has authenticated them."""


class ReleaseRequest(Canonical):
    """A release from an outside system. It moves money again, so it is refused without an actor."""

    reason: str = ""
    actor: str = ""
