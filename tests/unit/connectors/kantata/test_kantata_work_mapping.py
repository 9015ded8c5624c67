"""Time entries, expenses and invoices as the vendor shows them, and what of them is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.kantata import mapping, work_mapping
from connectors.kantata.settings import KantataSettings
from connectors.kantata.work_mapping import Refused
from connectors.kantata.work_models import ExpenseRow, InvoiceRow, TimeEntryRow
from domain.billing_commands import RecordBilling
from domain.money import Money

SETTINGS = KantataSettings(base_url="https://api.example/api/v1", token="t" * 20)
STAMP = "2026-11-23T08:00:00+00:00"
KEY = "invoice/acme/1/psa.record/1"
SHEET = {
    "id": "3",
    "status": "approved",
    "created_at": "2026-11-21T08:00:00+00:00",
    "updated_at": "2026-11-22T09:00:00+00:00",
    "current_resolution_creator_id": 2,
}


def time_row(**changes: Any) -> TimeEntryRow:
    shown = {
        "id": "7",
        "updated_at": STAMP,
        "workspace_id": "17",
        "user_id": "4",
        "story_id": "9",
        "date_performed": "2026-11-20",
        "time_in_minutes": 50,
        "billable": True,
        "notes": "Workshop",
        "currency": "EUR",
        "currency_base_unit": 100,
        "story": {"state": "started", "archived": False},
        "role": {"name": "Architect"},
        "active_submission": SHEET,
        **changes,
    }
    return TimeEntryRow.model_validate(shown)


def expense_row(**changes: Any) -> ExpenseRow:
    shown = {
        "id": "8",
        "updated_at": STAMP,
        "workspace_id": "17",
        "user_id": "4",
        "date": "2026-11-20",
        "category": "Travel",
        "amount_in_cents": 12345,
        "is_billable": True,
        "reimbursable": True,
        "currency": "EUR",
        "currency_base_unit": 100,
        **changes,
    }
    return ExpenseRow.model_validate(shown)


def test_a_time_entry() -> None:
    entry = work_mapping.time_entry("kantata", time_row(), "2")
    assert (entry.project, entry.task, entry.task_ref, entry.resource, entry.role, entry.note) == (
        *("17", "9", "2", "4", "Architect", "Workshop"),
    )
    assert (entry.work_date, str(entry.quantity)) == (date(2026, 11, 20), "50 minutes")
    assert [(step.by, step.outcome, step.at.day) for step in entry.approvals] == [
        ("4", "submitted", 21),
        ("2", "approved", 22),
    ]
    assert entry.version == datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize("story", [{"state": "completed"}, {"state": "started", "archived": True}])
def test_a_task_is_closed_when_completed_or_archived(story: dict[str, Any]) -> None:
    assert not work_mapping.time_entry("kantata", time_row(story=story), "").task_open
    assert work_mapping.time_entry("kantata", time_row(story=None, story_id=None), "").task == ""


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"time_in_minutes": 0}, "time_in_minutes", "0 minutes"),
        ({"time_in_minutes": -60}, "time_in_minutes", "-60 minutes"),
        ({"time_in_minutes": 1500}, "time_in_minutes", "1500 minutes"),
        ({"currency": "XBT"}, "currency", "XBT"),
        (
            {"active_submission": {**SHEET, "current_resolution_creator_id": "4"}},
            "active_submission",
            "approved by 4",
        ),
    ],
)
def test_entries_the_canonical_model_refuses(changes: dict[str, Any], field: str, words: str) -> None:
    row = time_row(**changes)
    with pytest.raises(Refused, match=words) as refused:
        work_mapping.time_entry("kantata", row, "")
    bad = work_mapping.unreadable("time", row, refused.value)
    assert (bad.field, bad.external_id, bad.project_external_id, bad.version) == (
        *(field, "7", "17", row.updated_at),
    )
    assert "Workshop" not in bad.problem


def test_without_a_submission_no_approval_was_asked_for() -> None:
    (step,) = work_mapping.approvals(time_row(active_submission=None))
    assert (step.by, step.outcome) == ("no approval required", "approved")
    (only,) = work_mapping.approvals(time_row(active_submission={**SHEET, "status": "pending"}))
    assert only.outcome == "submitted"


@pytest.mark.parametrize(
    ("currency", "unit", "cents", "amount"),
    [
        ("EUR", 100, 12345, "123.45"),
        ("JPY", 1, 5000, "5000"),
        ("BHD", 1000, 1005, "1.005"),
        ("EUR", None, 1, "0.01"),
    ],
)
def test_an_expense_is_exact(currency: str, unit: int | None, cents: int, amount: str) -> None:
    row = expense_row(currency=currency, currency_base_unit=unit, amount_in_cents=cents)
    expense = work_mapping.expense("kantata", row, "2", SETTINGS)
    assert expense.gross == expense.net == Money.of(amount, currency)
    assert (expense.report, expense.line, expense.paid_by, expense.task_ref) == ("8", 1, "employee", "2")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "XBT"}, "currency"),
        ({"currency": None}, "currency"),
        ({"currency": "JPY", "currency_base_unit": 100}, "amount_in_cents"),
        ({"active_submission": {**SHEET, "current_resolution_creator_id": "4"}}, "active_submission"),
    ],
)
def test_expenses_the_canonical_model_refuses(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        work_mapping.expense("kantata", expense_row(**changes), "", SETTINGS)
    assert refused.value.field == field


def invoice_row(**changes: Any) -> InvoiceRow:
    shown: dict[str, Any] = {
        "id": "5",
        "status": "new",
        "draft": False,
        "currency": "EUR",
        "currency_base_unit": 100,
        "invoice_date": "2026-11-23",
        "updated_at": STAMP,
        "user_invoice_number": 1001,
        "workspace_ids": ["17"],
        "time_entry_ids": ["7", "6"],
        "expense_ids": [],
        "billing_milestone_ids": [],
        "additional_item_ids": [],
        "fixed_fee_item_ids": [],
        "time_entries": [
            {"id": id, "date_performed": "2026-11-20", "time_in_minutes": 50, "rate_in_cents": 17500}
            for id in ("7", "6")
        ],
        **changes,
    }
    return InvoiceRow.model_validate(shown)


def test_an_invoice_rounds_each_entry_once() -> None:
    invoice = work_mapping.invoice(invoice_row(), SETTINGS, ours=False)
    assert [str(line.net) for line in invoice.lines] == ["145.83 EUR", "145.83 EUR"]
    assert (str(invoice.net), invoice.number, invoice.project_external_id) == ("291.66 EUR", "1001", "17")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "released"),
        ({"draft": True}, "draft"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "accepted payment"}, "paid"),
        ({"status": "of a later version"}, "released"),
    ],
)
def test_states_of_an_invoice(changes: dict[str, Any], state: str) -> None:
    assert work_mapping.invoice(invoice_row(**changes), SETTINGS, ours=False).state == state


def test_an_invoice_of_several_projects_names_none() -> None:
    row = invoice_row(workspace_ids=["17", "18"])
    assert work_mapping.invoice(row, SETTINGS, ours=False).project_external_id == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_entry_ids": ["7", "6", "5"]}, "time_entries"),
        ({"billing_milestone_ids": ["1"]}, "billing_milestones"),
        ({"expense_ids": None}, "expenses"),
        ({"currency": "XBT"}, "currency"),
    ],
)
def test_an_invoice_that_is_not_whole_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        work_mapping.invoice(invoice_row(**changes), SETTINGS, ours=False)
    assert refused.value.field == field


RECORD = RecordBilling(
    invoice="invoice/acme/1",
    project_external_id="17",
    currency="EUR",
    number="INV-1",
    erp_external_id="555",
    dated=date(2026, 11, 23),
    net=Money.of("1000.50", "EUR"),
    time_entry_ids=("7", "6"),
    other=Money.of("300.50", "EUR"),
    other_text="Milestone",
)


def test_a_billing_record() -> None:
    body = mapping.billing_record(
        RECORD, SETTINGS, KEY, workspace_id=17, time_entry_ids=[7, 6], expense_ids=[]
    )
    assert body == {
        "workspace_id": 17,
        "payment_schedule": 30,
        "invoice_date": "2026-11-23",
        "user_invoice_title": "INV-1",
        "draft": False,
        "suppress_emails": True,
        "time_entry_ids": [7, 6],
        "additional_items": [{"notes": "Milestone: 300.50 EUR", "amount": 301}],
        "external_reference": {
            "service_name": "fairlead",
            "service_model": "RecordBilling",
            "service_model_ref": KEY,
            "status": "successful",
            "external_message": "555",
        },
    }


def test_nothing_beside_the_entries_needs_no_item() -> None:
    for other in (None, Money.zero("EUR")):
        body = mapping.billing_record(
            RECORD.with_changes(other=other),
            SETTINGS,
            KEY,
            workspace_id=17,
            time_entry_ids=[7, 6],
            expense_ids=[],
        )
        assert "additional_items" not in body
