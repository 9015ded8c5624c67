"""The billing status of a project, as the API tells it."""

from datetime import date

from pydantic import AwareDatetime, BaseModel

from domain.books import InvoiceState
from domain.invoice_state import EventKind, InvoiceStage
from domain.money import Money
from domain.selling import Authority, BillingMethod
from gateway.api_processes import ExceptionShown
from store.ports import ProcessState


class LineStatus(BaseModel):
    """One contract line. `billed` is net, before retention and advances, over all live invoices."""

    number: int
    name: str
    billing_method: BillingMethod | None
    billing_authority: Authority
    amount: Money | None
    cap: Money | None
    billed: Money


class WorkStatus(BaseModel):
    """Approved work on no invoice. `value` is at the contract's price, None where none could be made."""

    entries: int
    value: Money | None
    without_rate: int = 0
    """Entries that no rate was found for; they are not in `value`."""
    oldest: date | None = None


class NextEvent(BaseModel):
    """What is billed next. `key` is empty while the calendar alone knows of it."""

    key: str = ""
    kind: EventKind | None = None
    due_on: date
    amount: Money | None = None


class InvoiceStatus(BaseModel):
    id: str
    number: str
    stage: InvoiceStage
    net: Money | None
    gross: Money | None
    due_on: date | None
    credits: str = ""


class ErpDocument(BaseModel):
    """An invoice or credit note as the ERP holds it now."""

    external_id: str
    number: str
    state: InvoiceState
    net: Money
    gross: Money
    open_amount: Money


class LiveStatus(BaseModel):
    system: str
    documents: list[ErpDocument]


class BillingStatus(BaseModel):
    """The billing of one project as of now."""

    project: str
    contract: str
    revision: int
    customer: str
    entity: str
    currency: str
    value: Money | None
    process: ProcessState | None
    """State of its billing process; None when none was started."""
    lines: list[LineStatus]
    billed: Money
    retained: Money
    advance_left: Money
    unbilled: WorkStatus
    held: WorkStatus
    above_cap: WorkStatus
    problem: str = ""
    """Why nothing of the open work could be valued."""
    next_event: NextEvent | None
    invoices: list[InvoiceStatus]
    exceptions: list[ExceptionShown]
    as_of: AwareDatetime
    live: LiveStatus | None = None
    """What the ERP says, where it was asked."""
