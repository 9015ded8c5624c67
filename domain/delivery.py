"""Delivery: projects and who works on them, the work that was done, and what a PSA tells us about both."""

from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.base import Canonical, Value
from domain.calendar import Period
from domain.invariants import in_currency, in_order
from domain.money import Exact, Money
from domain.quantity import Quantity


class StaffingAnswer(Canonical):
    """Where one resource request stands."""

    request_external_id: str
    seat_external_id: str = ""
    role: str = ""
    state: Literal["open", "approved", "rejected", "withdrawn"]
    resource: str | None = None
    """External id of the person, where one was named."""
    starts_on: date | None = None
    ends_on: date | None = None
    approved_by: str | None = None
    """Who approved it in the PSA, where the PSA says."""
    version: str = ""


class StaffingDemand(Canonical):
    """One resource request as it was made: the seat, and the id the PSA gave the request."""

    ref: str
    """The seat's reference within the project."""
    role: str
    starts_on: date
    ends_on: date
    request_external_id: str


class StaffingState(Canonical):
    """All requests of a project in their current revision, with what staffing has answered."""

    demands: tuple[StaffingDemand, ...] = ()
    answers: tuple[StaffingAnswer, ...] = ()
    revision: int = 1
    requested_by: str = ""
    """Who asked: address of the person, or of the project manager on whose behalf we asked."""
    approved_by: str | None = None
    """Who approved the whole by a decision of its own, outside the PSA."""
    approved_revision: int | None = None

    @property
    def approved_now(self) -> bool:
        """A person's decision counts only for the revision it was made on."""
        return bool(self.approved_by) and self.approved_revision == self.revision

    def answer_to(self, demand: StaffingDemand) -> StaffingAnswer | None:
        """The PSA's answer to `demand`, by the id of the request."""
        asked = demand.request_external_id
        return next((answer for answer in self.answers if answer.request_external_id == asked), None)


class Change(Canonical):
    """One entry of a PSA's change feed: what to read again."""

    event_id: str
    subject: str
    """Object kind in the vendor's words, such as `workspace`."""
    subject_id: str
    verb: Literal["created", "updated", "deleted"]
    at: AwareDatetime


class Project(Canonical):
    """A project under its number, the same in every system. `id` is `project:<number>`."""

    id: str
    number: str
    title: str
    deal: str
    """Canonical id of the deal it came from."""
    customer: str
    entity: str
    currency: str
    budget: Money
    starts_on: date
    ends_on: date
    state: Literal["planned", "open", "closed", "cancelled"] = "planned"
    manager_email: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.id != f"project:{self.number}":
            raise ValueError(f"project {self.number} has the id {self.id}, not project:{self.number}")
        in_order(self.starts_on, self.ends_on, f"project {self.number}")
        in_currency(self.currency, [self.budget], f"project {self.number}")
        return self


class Task(Canonical):
    """What time is written on. `ref` is the number of the contract line, or one below it."""

    project: str
    ref: str
    title: str
    starts_on: date | None = None
    ends_on: date | None = None
    hours: Exact | None = Field(default=None, ge=0)
    billable: bool = True

    @model_validator(mode="after")
    def _sound(self) -> Self:
        in_order(self.starts_on, self.ends_on, f"task {self.ref}")
        return self


class Acceptance(Value):
    """The customer's word that a milestone is reached: without it nothing is billed."""

    document: str = Field(min_length=1)
    """Where the signed document is kept."""
    by: str = Field(min_length=1)
    on: date


class Milestone(Canonical):
    """A result with a date. It may be billed once it is accepted, not once it is ticked off."""

    project: str
    ref: str
    title: str
    due_on: date
    amount: Money | None = None
    acceptance: Acceptance | None = None

    @property
    def billable(self) -> bool:
        return self.acceptance is not None


class Resource(Canonical):
    """A person who can be staffed. Holds no pay: cost is by grade."""

    id: str
    entity: str
    role: str
    grade: str = ""
    skills: tuple[str, ...] = ()
    calendar: str = ""
    """Region whose working days and holidays apply."""
    kind: Literal["employee", "contingent"] = "employee"
    supplier: str | None = None
    available_from: date
    available_to: date | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        in_order(self.available_from, self.available_to, f"resource {self.id}")
        if (self.kind == "contingent") != (self.supplier is not None):
            raise ValueError(f"resource {self.id} is {self.kind}: a supplier lends contingent workers only")
        return self


class ResourceDemand(Canonical):
    """A role that a project needs. A change raises the revision, which asks for a new answer."""

    project: str
    ref: str
    role: str
    grade: str | None = None
    skills: tuple[str, ...] = ()
    hours: Exact = Field(gt=0)
    starts_on: date
    ends_on: date
    revision: int = Field(default=1, ge=1)
    state: Literal["open", "approved", "rejected", "withdrawn"] = "open"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        in_order(self.starts_on, self.ends_on, f"demand {self.ref}")
        return self


class Assignment(Canonical):
    """A person on a project, by hours in all or by a share of their time."""

    project: str
    resource: str
    demand: str | None = None
    starts_on: date
    ends_on: date
    hours: Exact | None = Field(default=None, gt=0)
    percent: Exact | None = Field(default=None, gt=0, le=100)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        in_order(self.starts_on, self.ends_on, f"assignment of {self.resource}")
        if (self.hours is None) == (self.percent is None):
            raise ValueError(f"assignment of {self.resource} needs either hours or percent, not both or none")
        return self


class EntryApproval(Value):
    """One step of an approval trail."""

    by: str
    at: AwareDatetime
    outcome: Literal["submitted", "approved", "rejected"]


class TimeEntry(Canonical):
    """Work of one person on one day. A correction is a reversal and a new entry, never an edit.

    As a connector hands it over, `project`, `task` and `resource` are the source's ids; intake knows them
    by the cross-references.
    """

    id: str
    source: str
    project: str
    task: str
    task_ref: str = ""
    """Our reference of the task, such as the contract line's number; empty for a task we did not plan."""
    task_open: bool = True
    resource: str
    role: str = ""
    grade: str = ""
    note: str = ""
    """Narrative for the invoice. Confidential: never logged, never in a history."""
    version: AwareDatetime | None = None
    """The source's change stamp."""
    work_date: date
    quantity: Quantity
    approvals: tuple[EntryApproval, ...] = ()
    billable: bool = True
    billed_by: str | None = None
    """Canonical id of the invoice that covers it."""
    reverses: str | None = None

    @property
    def approved(self) -> bool:
        return bool(self.approvals) and self.approvals[-1].outcome == "approved"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.quantity.amount < 0) != (self.reverses is not None):
            raise ValueError(
                f"time entry {self.id}: a negative quantity reverses an entry, and nothing else does"
            )
        if self.billed_by and not (self.billable and self.approved):
            raise ValueError(f"time entry {self.id} is billed but not billable and approved")
        approvers = {step.by for step in self.approvals if step.outcome == "approved"}
        if self.resource in approvers:
            raise ValueError(f"time entry {self.id} was approved by {self.resource}, whose own time it is")
        return self


class Expense(Canonical):
    """Money spent for a project. Key: report, line, allocation and revision at its one source."""

    source: str
    report: str
    line: int
    allocation: int = 1
    revision: int = Field(default=1, ge=1)
    project: str
    task_ref: str = ""
    resource: str
    category: str = ""
    note: str = ""
    version: AwareDatetime | None = None
    approvals: tuple[EntryApproval, ...] = ()
    spent_on: date
    gross: Money
    recoverable_tax: Money
    reimbursable: bool
    billable: bool
    paid_by: Literal["employee", "firm_card"]

    @property
    def net(self) -> Money:
        """What the project bears, and what is rebilled before markup."""
        return self.gross - self.recoverable_tax

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"expense {self.report}/{self.line}"
        in_currency(self.gross.currency, [self.recoverable_tax], what)
        if abs(self.recoverable_tax.amount) > abs(self.gross.amount):
            raise ValueError(f"{what}: tax {self.recoverable_tax} is more than the whole {self.gross}")
        if self.reimbursable and self.paid_by == "firm_card":
            raise ValueError(f"{what} was paid by the firm's card: nothing is owed to the employee")
        return self


class EstimateToComplete(Canonical):
    """What is still to be spent on a project, as somebody answers for it at a close."""

    project: str
    period: Period
    hours: Exact = Field(ge=0)
    cost: Money
    author: str = Field(min_length=1)
    at: AwareDatetime

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.cost.amount < 0:
            raise ValueError(
                f"estimate for {self.project} is {self.cost}: what is still to be spent is not negative"
            )
        return self
