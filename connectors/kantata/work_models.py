"""Records of time and money as this connector reads them, with what `include` side-loads put in place.

Source: the published contract of the Kantata OX API (time entries, expenses, submissions, invoices). The ids
of associated records are in an answer only when their association was included.
"""

from datetime import date

from pydantic import AwareDatetime

from connectors.http.shapes import VendorShape
from connectors.kantata.models import Id, Row


class StoryState(VendorShape):
    """A task beside its time entry."""

    state: str = ""
    archived: bool | None = False

    @property
    def open(self) -> bool:
        """Whether time may be logged on it."""
        return self.state != "completed" and not self.archived


class RoleName(VendorShape):
    name: str


class Submission(Row):
    """A timesheet or an expense report: what was submitted, and how it was decided."""

    status: str
    """pending, approved, rejected or cancelled."""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    current_resolution_creator_id: Id | None = None


class LineRow(Row):
    """What time entries and expenses have in common."""

    updated_at: AwareDatetime
    workspace_id: Id
    user_id: Id
    story_id: Id | None = None
    notes: str | None = None
    currency: str | None = None
    currency_base_unit: int | None = None
    story: StoryState | None = None
    active_submission: Submission | None = None


class TimeEntryRow(LineRow):
    date_performed: date
    time_in_minutes: int
    billable: bool
    role: RoleName | None = None


class ExpenseRow(LineRow):
    date: date
    category: str | None = None
    amount_in_cents: int
    is_billable: bool
    reimbursable: bool | None = None


class PlannedStory(Row):
    """A task with its references."""


class TouchedLine(VendorShape):
    """A time entry or expense beside its submission."""

    id: Id
    updated_at: AwareDatetime


class SubmissionRow(Row):
    """A submission with its lines."""

    time_entry_ids: tuple[Id, ...] | None = None
    expense_ids: tuple[Id, ...] | None = None
    """None: the answer does not show them."""
    time_entries: tuple[TouchedLine, ...] = ()
    expenses: tuple[TouchedLine, ...] = ()


class InvoicedTime(VendorShape):
    id: Id
    date_performed: date
    time_in_minutes: int
    rate_in_cents: int | None = None


class InvoicedExpense(VendorShape):
    id: Id
    category: str | None = None
    amount_in_cents: int


class InvoicedMilestone(VendorShape):
    id: Id
    title: str
    amount_in_cents: int


class InvoicedItem(VendorShape):
    id: Id
    notes: str | None = None
    amount_in_cents: int


class InvoiceRow(Row):
    status: str
    """new, cancelled or accepted payment; `draft` is told apart."""
    draft: bool
    currency: str
    currency_base_unit: int | None = None
    invoice_date: date
    updated_at: AwareDatetime
    user_invoice_number: Id | None = None
    user_invoice_title: str | None = None
    workspace_ids: tuple[Id, ...] = ()
    time_entry_ids: tuple[Id, ...] | None = None
    expense_ids: tuple[Id, ...] | None = None
    billing_milestone_ids: tuple[Id, ...] | None = None
    additional_item_ids: tuple[Id, ...] | None = None
    fixed_fee_item_ids: tuple[Id, ...] | None = None
    time_entries: tuple[InvoicedTime, ...] = ()
    expenses: tuple[InvoicedExpense, ...] = ()
    billing_milestones: tuple[InvoicedMilestone, ...] = ()
    additional_items: tuple[InvoicedItem, ...] = ()
    fixed_fee_items: tuple[InvoicedItem, ...] = ()
