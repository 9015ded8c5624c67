"""The resources of work and money as data: time entries, expenses, their submissions, invoices, payments.

Source: the published contract of the Kantata OX API (time entries, timesheet submissions, expenses, expense
report submissions, invoices, external payments). Amounts of an invoice's own items are written in the
currency's main unit (`amount`, a whole number) and read in base units (`amount_in_cents`).
"""

from sandbox.kantata.fields import BOOLEAN, DATE, INTEGER, OBJECT, Field, reference, references, text
from sandbox.kantata.resource import REFERENCES, STORY, USER, WORKSPACE, Association, Resource

TIME_ENTRIES = Resource(
    collection="time_entries",
    singular="time_entry",
    noun="TimeEntry",
    fields={
        "workspace_id": reference("workspaces", only="create"),
        "user_id": reference("users", only="create"),
        "story_id": reference("stories"),
        "role_id": reference("roles"),
        "date_performed": DATE,
        "time_in_minutes": INTEGER,
        "billable": BOOLEAN,
        "notes": text(),
        "rate_in_cents": INTEGER,
        "cost_rate_in_cents": INTEGER,
        "location": text(255),
    },
    required=("workspace_id", "date_performed", "time_in_minutes"),
    bulk=100,
    shown=(
        *("date_performed", "time_in_minutes", "billable", "notes", "rate_in_cents", "cost_rate_in_cents"),
        *("currency", "approved", "is_invoiced", "taxable", "location"),
    ),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "user": USER,
        "story": STORY,
        "role": Association("role_id", "roles"),
        "active_submission": Association("active_submission_id", "timesheet_submissions"),
        "invoice": Association("invoice_id", "invoices"),
    },
    plural_filters={"workspace_ids": "workspace_id", "with_user_ids": "user_id"},
    orders=("date_performed", "created_at", "updated_at"),
    events=True,
)

TIMESHEETS = Resource(
    collection="timesheet_submissions",
    singular="timesheet_submission",
    noun="Submission",
    fields={
        "title": text(255),
        "comment": text(),
        "workspace_id": reference("workspaces", only="create"),
        "user_id": reference("users", only="create"),
        "line_item_ids": references("time_entries", only="create"),
    },
    required=("workspace_id", "line_item_ids"),
    shown=(
        *("status", "title", "comment", "start_date", "end_date", "currency"),
        *("current_resolution_creator_id", "current_resolution_created_at_date"),
        "current_resolution_description",
    ),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "user": USER,
        "time_entries": Association("time_entry_ids", "time_entries", many=True),
    },
    filters=("workspace_id",),
    plural_filters={"workspace_ids": "workspace_id", "user_ids": "user_id"},
    orders=("date",),
    events=True,
    event_name="timesheet",
)

EXPENSES = Resource(
    collection="expenses",
    singular="expense",
    noun="Expense",
    fields={
        "workspace_id": reference("workspaces", only="create"),
        "user_id": reference("users", only="create"),
        "story_id": reference("stories"),
        "date": DATE,
        "category": text(255),
        "amount_in_cents": INTEGER,
        "notes": text(),
        "billable": BOOLEAN,
        "reimbursable": BOOLEAN,
        "taxable": BOOLEAN,
    },
    required=("workspace_id", "date", "category", "amount_in_cents"),
    shown=(
        "date",
        "category",
        "amount_in_cents",
        "currency",
        "notes",
        "is_invoiced",
        "taxable",
        "reimbursable",
    ),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "user": USER,
        "story": STORY,
        "active_submission": Association("active_submission_id", "expense_report_submissions"),
        "invoice": Association("invoice_id", "invoices"),
    },
    plural_filters={"workspace_ids": "workspace_id", "with_user_ids": "user_id"},
    orders=("created_at", "date"),
    events=True,
)

EXPENSE_REPORTS = Resource(
    collection="expense_report_submissions",
    singular="expense_report_submission",
    noun="ExpenseReportSubmission",
    fields={**TIMESHEETS.fields, "line_item_ids": references("expenses", only="create")},
    required=TIMESHEETS.required,
    shown=tuple(name for name in TIMESHEETS.shown if name not in ("start_date", "end_date")),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "user": USER,
        "expenses": Association("expense_ids", "expenses", many=True),
    },
    filters=("workspace_id",),
    plural_filters=TIMESHEETS.plural_filters,
    orders=("date",),
    events=True,
    event_name="expense_report",
)

_ITEM_KEYS = Association("additional_item_ids", "additional_items", many=True)
INVOICES = Resource(
    collection="invoices",
    singular="invoice",
    noun="Invoice",
    fields={
        "workspace_id": reference("workspaces", only="create"),
        "workspace_ids": references("workspaces", only="create"),
        "payment_schedule": INTEGER,
        "invoice_date": DATE,
        "user_invoice_number": INTEGER,
        "user_invoice_title": text(255),
        "draft": BOOLEAN,
        "message": text(),
        "purchase_order": text(255),
        "project_code": text(255),
        "suppress_emails": BOOLEAN,
        "time_entry_ids": references("time_entries"),
        "expense_ids": references("expenses"),
        "billing_milestone_ids": references("billing_milestones"),
        "additional_items": OBJECT,
        "fixed_fee_items": OBJECT,
    },
    required=("payment_schedule",),
    shown=(
        *("invoice_date", "due_date", "message", "draft", "status", "currency", "payment_schedule"),
        *("user_invoice_title", "user_invoice_number", "purchase_order", "project_code"),
    ),
    includes={
        "external_references": REFERENCES,
        "workspaces": Association("workspace_ids", "workspaces", many=True),
        "user": USER,
        "time_entries": Association("time_entry_ids", "time_entries", many=True),
        "expenses": Association("expense_ids", "expenses", many=True),
        "billing_milestones": Association("billing_milestone_ids", "billing_milestones", many=True),
        "additional_items": _ITEM_KEYS,
        "fixed_fee_items": Association("fixed_fee_item_ids", "fixed_fee_items", many=True),
    },
    plural_filters={"user_invoice_number": "user_invoice_number"},
    orders=("created_at", "updated_at", "id", "invoice_date"),
    events=True,
)

_ITEM_SHOWN = ("notes", "amount_in_cents", "taxable", "currency")
ADDITIONAL_ITEMS = Resource(
    "additional_items", "additional_item", "AdditionalItem", shown=_ITEM_SHOWN, referenced=False
)
FIXED_FEE_ITEMS = Resource(
    "fixed_fee_items",
    "fixed_fee_item",
    "FixedFeeItem",
    shown=_ITEM_SHOWN,
    includes={"story": STORY},
    referenced=False,
)
ITEM_FIELDS: dict[str, Field] = {
    "notes": text(),
    "amount": INTEGER,
    "taxable": BOOLEAN,
    "story_id": reference("stories"),
    "workspace_id": reference("workspaces"),
}
"""What an additional or fixed fee item is written with."""

EXTERNAL_PAYMENTS = Resource(
    collection="external_payments",
    singular="external_payment",
    noun="ExternalPayment",
    fields={
        "workspace_id": reference("workspaces", only="create"),
        "invoice_id": reference("invoices", only="create"),
        "amount_in_cents": INTEGER,
        "message": text(),
    },
    required=("workspace_id",),
    shown=("amount_in_cents", "message", "currency"),
    includes={
        "workspace": WORKSPACE,
        "user": USER,
        "invoice": Association("invoice_id", "invoices"),
    },
    filters=("workspace_id",),
    referenced=False,
)

WORK = (
    *(TIME_ENTRIES, TIMESHEETS, EXPENSES, EXPENSE_REPORTS),
    *(INVOICES, ADDITIONAL_ITEMS, FIXED_FEE_ITEMS, EXTERNAL_PAYMENTS),
)
SUBMISSIONS = {"timesheet_submissions": "time_entries", "expense_report_submissions": "expenses"}
"""A kind of submission -> what it is of."""
ITEM_KEYS = {"time_entries": "time_entry_ids", "expenses": "expense_ids"}
