"""What crosses Temporal between the process "project billing" and its steps in the store. No rows travel."""

from datetime import date

from pydantic import AwareDatetime

from domain.attention import EventRef
from domain.base import Canonical
from domain.billing_triggers import BillingProblem
from domain.policy import PolicySnapshot
from domain.project_contract import ProjectContract
from domain.project_processes import DueEvent
from domain.selling import Deal


class BillingLook(Canonical):
    """Look what is due at `at`, beyond what was taken up until `through`."""

    project: str
    entity: str = ""
    through: date | None = None
    at: AwareDatetime


class BillingSeen(Canonical):
    """What is due, and when to look again."""

    due: tuple[DueEvent, ...] = ()
    through: date | None = None
    """Day of the entity that was looked at; none while there is no contract."""
    period: str = ""
    wake_at: AwareDatetime | None = None
    entity: str = ""
    revision: int = 0
    customer: str = ""
    observes_erp: bool = False
    """The ERP bills lines by its own authority."""
    erp_project: str = ""
    problem: BillingProblem | None = None


class BillingBegin(Canonical):
    """Begin a run: the first keeps the contract, each takes the firm's policies."""

    run_id: str
    contract: ProjectContract | None = None
    look: BillingLook


class BillingBegun(Canonical):
    ended: bool = False
    """The project has its final account already."""
    generation: int = 1
    policies: PolicySnapshot
    seen: BillingSeen


class TakeEvent(Canonical):
    """An event from outside, by its id in the inbox."""

    event: EventRef
    look: BillingLook


class EventTaken(Canonical):
    """What an event means: something due, a problem, or something to read first."""

    due: DueEvent | None = None
    problem: BillingProblem | None = None
    heals: str = ""
    """Step of the exception that this settles."""
    note: str = ""
    contract_changed: bool = False
    deal: str = ""
    """External id of the deal to read from the CRM; empty for the project's own."""
    psa_invoice: str = ""
    """Id of the invoice to read from the PSA."""
    told_at: AwareDatetime | None = None


class ChangeContract(Canonical):
    """A deal as the CRM holds it now."""

    deal: Deal
    look: BillingLook


class ContractChange(Canonical):
    step: str
    """Of the exception that this raises or settles."""
    revision: int = 0
    """The new one; zero when nothing was kept."""
    changed: bool = False
    problem: BillingProblem | None = None
    due: tuple[DueEvent, ...] = ()
    """What the change lets go, such as work above a cap that was raised."""


class BillNow(Canonical):
    """A person's word to bill what is open until `until`; none means today."""

    look: BillingLook
    until: date | None = None


class BillNowResult(Canonical):
    due: tuple[DueEvent, ...] = ()
    refused: str = ""


class FinalAccount(Canonical):
    look: BillingLook
    refund_settled: bool = False


class FinalStand(Canonical):
    """How far the final account is."""

    due: tuple[DueEvent, ...] = ()
    waits_for: tuple[str, ...] = ()
    """In words, the oldest few."""
    problem: BillingProblem | None = None
    finished: bool = False


class ReleasedInPsa(Canonical):
    """Read an invoice from the PSA that bills it."""

    project: str
    psa_project: str = ""
    invoice: str
    told_at: AwareDatetime
    """Change stamp of the event that told of it."""


class ObserveErp(Canonical):
    """Read what the ERP bills by its own authority."""

    firm: str
    project: str
    as_of: date


class ErpObserved(Canonical):
    invoices: int = 0
    problem: BillingProblem | None = None
