"""Commands to Kantata's bodies, and vendor-shaped JSON to canonical values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.http.shapes import read_as
from connectors.kantata import mapping
from connectors.kantata.models import (
    ResourceRequest,
    SubscribedEvent,
    Touched,
    Workspace,
    WorkspaceAllocation,
    WorkspaceResource,
)
from connectors.kantata.settings import KantataSettings
from domain.commands import (
    AddSeats,
    CreateCustomer,
    CreateProject,
    OpenProject,
    PlannedTask,
    RequestStaffing,
    Seat,
)
from domain.money import Money
from domain.selling import Address

SETTINGS = KantataSettings(base_url="https://api.example/api/v1", token="t" * 20)
KEY = "activation/acme/0065g/psa.project/1"
STAMP = "2026-11-23T08:00:00+00:00"


def workspace(**changes: Any) -> Workspace:
    shown = {
        "id": "17",
        "title": "DE01-7K3QXW Managed service desk",
        "archived": False,
        "start_date": "2026-12-01",
        "due_date": "2027-06-30",
        "status": {"key": 210, "message": "In Setup", "color": "light_green"},
        "workspace_group_ids": ["9"],
        "new_vendor_field": {"of": "no interest"},
        **changes,
    }
    return read_as(Workspace, shown, system="kantata", thing="workspaces", operation="read")


def seat_row(**changes: Any) -> WorkspaceResource:
    shown = {
        "id": "31",
        "created_at": STAMP,
        "workspace_id": 17,
        "role_name": "Architect",
        "user_id": None,
        "custom_field_values": [
            {"custom_field_id": "9001", "value": KEY},
            {"custom_field_id": "9002", "value": "2026-12-01 to 2027-03-31; 320 h; revision 1"},
        ],
        **changes,
    }
    return WorkspaceResource.model_validate(shown)


def request_row(**changes: Any) -> ResourceRequest:
    shown = {"id": "5", "status": "new", "resource_id": "31", "updated_at": STAMP, **changes}
    return ResourceRequest.model_validate(shown)


PROJECT = CreateProject(
    number="DE01-7K3QXW",
    title="Managed service desk",
    customer_external_id="9",
    entity="DE01",
    currency="EUR",
    budget=Money.of("480000.50", "EUR"),
    starts_on=date(2026, 12, 1),
    ends_on=date(2027, 6, 30),
    manager_email="pm@example.com",
    contract_number="4711",
    crm_id="0065g",
)


def test_a_project_is_created_in_the_closed_status() -> None:
    body = mapping.project(PROJECT, SETTINGS, KEY, group_id=9, template_id=77)
    assert body == {
        "title": "DE01-7K3QXW Managed service desk",
        "creator_role": "maven",
        "description": "Contract: 4711\nDeal: 0065g\nBilling entity: DE01\nProject manager: pm@example.com",
        "budgeted": True,
        "price": 480001,
        "currency": "EUR",
        "start_date": "2026-12-01",
        "due_date": "2027-06-30",
        "access_level": "invitation",
        "status_key": 210,
        "stories_are_fixed_fee_by_default": False,
        "workspace_group_ids": [9],
        "primary_workspace_group_id": 9,
        "project_tracker_template_id": 77,
        "project_template_start_date": "2026-12-01",
        "external_reference": {
            "service_name": "fairlead",
            "service_model": "CreateProject",
            "service_model_ref": KEY,
            "status": "successful",
        },
    }
    plain = mapping.project(PROJECT, SETTINGS, KEY, group_id=9, template_id=None)
    assert not {"project_tracker_template_id", "project_template_start_date"} & set(plain)


def test_a_project_read_back_equals_its_command() -> None:
    assert mapping.project_fields(workspace()) == PROJECT.matter()
    primary = workspace(workspace_group_ids=["8", "9"], primary_workspace_group_id="9")
    assert mapping.project_fields(primary)["customer_external_id"] == "9"
    unsure = workspace(workspace_group_ids=["8", "9"])
    assert mapping.project_fields(unsure)["customer_external_id"] == ""
    assert mapping.project_fields(workspace(title="Renamed"))["number"] == "Renamed"


def test_a_project_is_open_in_the_open_status_only() -> None:
    assert not mapping.is_open(workspace(), SETTINGS)
    assert mapping.is_open(workspace(status={"key": 300}), SETTINGS)
    assert not mapping.is_open(workspace(status={"key": 300}, archived=True), SETTINGS)
    assert not mapping.is_open(workspace(status={"key": 987}), SETTINGS)


def test_a_customer_carries_what_helps_a_person() -> None:
    command = CreateCustomer(
        name="Acme",
        legal_name="Acme GmbH",
        crm_id="001",
        tax_id="DE123",
        address=Address(street="Am Platz 1", city="Berlin", postal_code="10115", country="DE"),
        entity="DE01",
    )
    body = mapping.customer(command, SETTINGS, KEY)
    assert body["address"] == "Am Platz 1\n10115 Berlin\nDE"
    assert body["notes"] == "CRM account: 001\nLegal name: Acme GmbH\nTax id: DE123\nBilling entity: DE01"
    assert body["external_reference"]["service_model_ref"] == KEY


def test_a_change_has_a_reference_of_its_own() -> None:
    reference = mapping.change_reference("fairlead", OpenProject(project_external_id="17"), KEY)
    assert reference["service_name"] == "fairlead-OpenProject"
    assert reference["external_message"] == reference["service_model_ref"] == KEY


def test_rows_of_a_set_tell_the_whole_set() -> None:
    command = AddSeats(project_external_id="17", seats=())
    one = mapping.row_reference("fairlead", command, KEY, "1", ["1", "2"])
    assert one["service_model_ref"] == f"{KEY}#1"
    assert one["external_message"] == mapping.set_mark(["2", "1"])
    assert mapping.set_mark(["1", "2"]) != mapping.set_mark(["1", "3"])
    assert mapping.set_mark(["1", "2"]).startswith("2 rows ")


def test_a_story() -> None:
    task = PlannedTask(
        ref="1",
        title="T" * 250,
        kind="milestone",
        ends_on=date(2027, 1, 31),
        hours=Decimal("12.345"),
        budget=Money.of("10.10", "EUR"),
        billable=False,
    )
    body = mapping.story(task, SETTINGS, 17, {"service_name": "fairlead"})
    assert (body["story_type"], body["due_date"], body["billable"]) == ("milestone", "2027-01-31", False)
    assert "start_date" not in body
    assert (len(body["title"]), len(body["description"])) == (200, 250)
    assert body["time_estimate_in_minutes"] == 741
    assert body["budget_estimate_in_cents"] == 1010


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (Money.of("0.30", "EUR"), 30),
        (Money.of("5000", "JPY"), 5000),
        (Money.of("100.001", "BHD"), 100001),
        (Money.of("-12345678901.23", "USD"), -1234567890123),
    ],
    ids=str,
)
def test_amounts_are_exact_base_units(amount: Money, expected: int) -> None:
    assert mapping.base_amount(amount, SETTINGS) == expected


def test_base_units_of_the_account_count() -> None:
    settings = SETTINGS.model_copy(update={"base_units": {"BHD": 100}})
    assert mapping.base_amount(Money.of("1.250", "BHD"), settings) == 125
    with pytest.raises(ValueError, match="not a whole number of base units"):
        mapping.base_amount(Money.of("1.255", "BHD"), settings)


@pytest.mark.parametrize(("amount", "whole"), [("10.49", 10), ("10.50", 11), ("0", 0)])
def test_a_price_is_whole_units_rounded_half_up(amount: str, whole: int) -> None:
    assert mapping.whole_units(Money.of(amount, "EUR")) == whole


@pytest.mark.parametrize(
    ("hours", "first", "last", "expected"),
    [
        ("40", date(2026, 11, 30), date(2026, 12, 4), 100),
        ("20", date(2026, 11, 30), date(2026, 12, 4), 50),
        ("0.1", date(2026, 11, 30), date(2026, 12, 4), 1),
        ("400", date(2026, 11, 30), date(2026, 12, 4), 100),
        ("8", date(2026, 12, 5), date(2026, 12, 6), 100),
    ],
)
def test_an_allocation_percentage(hours: str, first: date, last: date, expected: int) -> None:
    seat = Seat(ref="1", role="Architect", hours=Decimal(hours), starts_on=first, ends_on=last)
    assert mapping.percentage(seat, 8) == expected


def test_a_request_tells_staffing_what_is_asked_for_and_is_read_back() -> None:
    seat = Seat(
        ref="1",
        role="Architect",
        grade="Senior",
        skills=("Java", "AWS"),
        hours=Decimal("320"),
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 3, 31),
    )
    command = RequestStaffing(project_external_id="17", seats_key=KEY, seat=seat, revision=2)
    body = mapping.staffing_request(command, SETTINGS, KEY, seat_id=31, approver_id=3)
    texts = {field["custom_field_id"]: field["value"] for field in body["custom_fields"]}
    assert texts == {
        9001: KEY,
        9002: "2026-12-01 to 2027-03-31; 320 h; Senior; Java, AWS; revision 2",
    }
    held = seat_row(custom_field_values=[{"custom_field_id": 9002, "value": texts[9002]}])
    assert mapping.request_fields(held, SETTINGS) == command.matter()


@pytest.mark.parametrize("text", ["", "as agreed", "2026-13-01 to 2027-01-01; 8 h", "2026-12-01 to 2027"])
def test_a_demand_text_a_person_rewrote_shows_nothing(text: str) -> None:
    assert mapping.demand_dates(text) is None
    held = seat_row(custom_field_values=[{"custom_field_id": "9002", "value": text}])
    assert mapping.request_fields(held, SETTINGS) == {}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("new", "open"),
        ("approved", "approved"),
        ("rejected", "rejected"),
        ("cancelled", "withdrawn"),
        ("on hold", "open"),
    ],
)
def test_states_of_a_request(status: str, state: str) -> None:
    answer = mapping.staffing_answer(request_row(status=status), seat_row(), None, SETTINGS)
    assert answer.state == state
    assert (answer.request_external_id, answer.seat_external_id, answer.role) == ("5", "31", "Architect")
    assert (answer.starts_on, answer.ends_on) == (date(2026, 12, 1), date(2027, 3, 31))


def test_an_approved_request_names_person_and_dates_as_allocated() -> None:
    allocation = WorkspaceAllocation.model_validate(
        {"id": "1", "workspace_resource_id": "31", "start_date": "2026-12-07", "end_date": "2027-02-28"}
    )
    named = seat_row(user_id="44")
    answer = mapping.staffing_answer(request_row(status="approved"), named, allocation, SETTINGS)
    assert answer.resource == "44"
    assert (answer.starts_on, answer.ends_on) == (date(2026, 12, 7), date(2027, 2, 28))
    waiting = mapping.staffing_answer(request_row(), named, allocation, SETTINGS)
    assert waiting.resource is None


@pytest.mark.parametrize(
    ("event_type", "subject", "verb"),
    [
        ("workspace:created", "workspace", "created"),
        ("time_entry:deleted", "time_entry", "deleted"),
        ("timesheet:time_entry_added", "timesheet", "updated"),
        ("novelty", "novelty", "updated"),
    ],
)
def test_events_become_changes(event_type: str, subject: str, verb: str) -> None:
    shown = {"id": "8", "event_type": event_type, "subject_id": 17, "created_at": STAMP}
    change = mapping.change(SubscribedEvent.model_validate(shown))
    assert (change.subject, change.verb, change.subject_id) == (subject, verb, "17")
    assert change.at == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_polled_changes_are_named_by_record_and_stamp() -> None:
    new = Touched.model_validate({"id": "17", "created_at": STAMP, "updated_at": STAMP})
    assert mapping.polled_change("workspace", new).verb == "created"
    old = new.model_copy(update={"created_at": datetime(2026, 1, 1, tzinfo=UTC)})
    change = mapping.polled_change("workspace", old)
    assert (change.verb, change.event_id) == ("updated", f"workspace:17:{STAMP}")


def test_requests_sort_by_number() -> None:
    rows = [request_row(id=id) for id in ("10", "9", "100")]
    assert [row.id for row in sorted(rows, key=mapping.order_of_creation)] == ["9", "10", "100"]
