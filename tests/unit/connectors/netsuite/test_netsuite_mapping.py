"""NetSuite mapping, both ways: canonical commands to bodies, vendor JSON to canonical fields."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.http import exact_json
from connectors.netsuite import mapping
from connectors.netsuite.mapping import References
from connectors.netsuite.models import BillingSchedule, Customer, Job, Subsidiary
from connectors.netsuite.settings import NetSuiteSettings
from domain.commands import (
    CancelProject,
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    OpenProject,
    ScheduleLine,
)
from domain.money import Money
from domain.selling import Address

SETTINGS = NetSuiteSettings(account="1234567_SB1", client_id="c", certificate_id="k", private_key="p")
KEY = "activation/acme/0065g/erp.step/1"


def line(ref: str, amount: str, currency: str = "EUR", kind: Any = "milestone") -> ScheduleLine:
    return ScheduleLine(
        ref=ref, description="Phase", amount=Money.of(amount, currency), due_on=date(2026, 12, 31), kind=kind
    )


def plan(*lines: ScheduleLine, currency: str = "EUR") -> CreateBillingSchedule:
    return CreateBillingSchedule(
        name="Plan", project_external_id="5001", project_key="k", currency=currency, lines=lines
    )


def job(**changes: Any) -> Job:
    """A project as the vendor shows it, in part."""
    text = """{"links": [{"rel": "self", "href": "https://x/job/5001"}], "id": "5001",
      "entityId": "DE01-AB12CD", "companyName": "Rollout",
      "parent": {"links": [], "id": "1001", "refName": "CUS1001 Alpha"},
      "currency": {"id": "32", "refName": "Euro"},
      "startDate": "2026-12-01", "projectedEndDate": "2027-03-31",
      "allowTime": false, "allowExpenses": false, "isInactive": false, "jobPrice": 100000.01,
      "jobBillingType": {"id": "3", "refName": "Fixed Bid, Milestone"},
      "custentity_unheard_of": "x"}"""
    return Job.model_validate({**exact_json.decode(text), **changes})


def test_a_customer_body_holds_what_the_account_needs() -> None:
    command = CreateCustomer(
        name="Alpha",
        legal_name="Alpha AG",
        crm_id="001A",
        tax_id="DE136695976",
        address=Address(street="Allee 1", city="Bonn", postal_code="53111", country="DE"),
        currency="EUR",
        payment_terms="Net 30",
        entity="DE01",
    )
    body = mapping.customer_body(SETTINGS, command, KEY, References(currency="32", terms="51"))
    assert body["companyName"] == "Alpha"
    assert body["subsidiary"] == {"externalId": "sub-DE01"}
    assert (body["currency"], body["terms"]) == ({"id": "32"}, {"id": "51"})
    assert (body["custentity_fairlead_key"], body["custentity_crm_id"]) == (KEY, "001A")
    registration = {"taxRegistrationNumber": "DE136695976", "nexusCountry": "DE"}
    assert body["taxRegistration"] == {"items": [registration]}
    address = body["addressBook"]["items"][0]["addressBookAddress"]
    assert (address["addressee"], address["zip"], address["country"]) == ("Alpha AG", "53111", {"id": "DE"})
    assert "state" not in address
    assert mapping.sublists_of(body) == ["taxRegistration", "addressBook"]


def test_a_bare_customer_sends_no_empty_lines() -> None:
    command = CreateCustomer(name="Alpha", crm_id="001A", entity="US01")
    body = mapping.customer_body(SETTINGS, command, KEY, References())
    assert not {"taxRegistration", "addressBook", "currency", "terms"} & set(body)
    assert mapping.sublists_of(body) == []


def test_a_project_is_created_closed_with_exact_money() -> None:
    command = CreateProject(
        number="DE01-AB12CD",
        title="Rollout",
        customer_external_id="1001",
        entity="DE01",
        currency="EUR",
        budget=Money.of("100000.01", "EUR"),
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 3, 31),
        contract_number="C-7",
        crm_id="0065g",
    )
    refs = References(currency="32", billing_type="3", expense_type="-2")
    body = mapping.project_body(SETTINGS, command, KEY, refs)
    assert (body["allowTime"], body["allowExpenses"]) == (False, False)
    assert body["parent"] == {"id": "1001"}
    assert body["comments"] == "Contract C-7"
    assert b'"jobPrice":100000.01,' in exact_json.encode(body)
    assert b'"startDate":"2026-12-01"' in exact_json.encode(body)
    assert mapping.project_fields(job()) == command.matter()


def test_a_project_below_its_customer_still_shows_its_number() -> None:
    shown = job(entityId="CUS1001 Alpha : DE01-AB12CD")
    assert mapping.project_fields(shown)["number"] == "DE01-AB12CD"


def test_dates_that_are_not_set_are_empty() -> None:
    fields = mapping.project_fields(job(startDate=None))
    assert fields["starts_on"] == ""


def test_opening_and_cancelling() -> None:
    opening = OpenProject(project_external_id="5001")
    body = mapping.change_body(SETTINGS, opening, KEY)
    assert body == {"allowTime": True, "allowExpenses": True, "custentity_fairlead_key": KEY}
    assert mapping.change_fields(opening, job(allowTime=True, allowExpenses=True)) == opening.matter()
    assert mapping.change_fields(opening, job(allowTime=True)) == {"open": "false"}
    inactive = job(allowTime=True, allowExpenses=True, isInactive=True)
    assert mapping.change_fields(opening, inactive) == {"open": "false"}
    cancel = CancelProject(project_external_id="5001")
    assert mapping.change_body(SETTINGS, cancel, KEY)["isInactive"] is True
    assert mapping.change_fields(cancel, inactive) == cancel.matter()


def test_milestones_and_a_mixed_schedule_are_dated_amounts() -> None:
    command = plan(line("M1", "0.10"), line("S1", "0.20", kind="recurring"))
    body = mapping.schedule_body(SETTINGS, command, KEY, References(schedule_type="3"))
    assert "recurrence" not in body
    items = body["milestone"]["items"]
    assert [item["comments"] for item in items] == ["M1 Phase", "S1 Phase"]
    assert [item["milestoneAmount"] for item in items] == [Decimal("0.10"), Decimal("0.20")]
    assert body["custrecord_fairlead_key"] == KEY
    assert mapping.sublists_of(body) == ["milestone"]


def test_a_schedule_of_recurring_lines_recurs() -> None:
    command = plan(line("S1", "9.99", kind="recurring"), line("S2", "9.99", kind="recurring"))
    body = mapping.schedule_body(SETTINGS, command, KEY, References(schedule_type="1"))
    assert body["frequency"] == {"id": "CUSTOM"}
    assert [item["count"] for item in body["recurrence"]["items"]] == [1, 1]
    assert mapping.schedule_kind(plan()) == "milestone"


@pytest.mark.parametrize(
    ("amounts", "currency", "total"),
    [
        (["0.1", "0.2"], "EUR", "0.30 EUR"),
        (["100.001"], "BHD", "100.001 BHD"),
        (["5000"], "JPY", "5,000 JPY"),
        (["12345678901.23", "0.01"], "EUR", "12,345,678,901.24 EUR"),
    ],
)
def test_totals_are_exact_in_every_currency(amounts: list[str], currency: str, total: str) -> None:
    items = ",".join(f'{{"milestoneId": 1, "milestoneAmount": {amount}}}' for amount in amounts)
    text = (
        f'{{"id": "801", "name": "Plan", "milestone": {{"items": [{items}]}}, "recurrence": {{"items": []}}}}'
    )
    shown = BillingSchedule.model_validate(exact_json.decode(text))
    lines = [line(str(n), amount, currency) for n, amount in enumerate(amounts)]
    expected = {"total": total, "line_count": str(len(amounts))}
    assert mapping.schedule_fields(shown, currency) == expected == plan(*lines, currency=currency).matter()


def test_recurrences_count_as_often_as_they_bill() -> None:
    recurrence = {"items": [{"amount": Decimal("10.5"), "count": 3}]}
    shown = BillingSchedule.model_validate(
        {"id": "1", "name": "x", "initialAmount": 5, "recurrence": recurrence}
    )
    assert mapping.schedule_fields(shown, "EUR") == {"total": "36.50 EUR", "line_count": "4"}


def test_an_amount_that_is_no_money_differs_instead_of_failing() -> None:
    shown = BillingSchedule.model_validate(
        {"id": "1", "name": "x", "milestone": {"items": [{"milestoneAmount": Decimal("0.005")}]}}
    )
    assert mapping.schedule_fields(shown, "EUR")["total"] == "0.005 EUR"


def test_bare_enumerations_and_references_are_read() -> None:
    base = {"id": "12", "name": "DE", "currency": {"id": "32"}}
    assert Subsidiary.model_validate({**base, "country": {"id": "DE"}}).country.id == "DE"
    assert Subsidiary.model_validate({**base, "country": "DE"}).country.id == "DE"


@pytest.mark.parametrize("field", ["companyName", "entityId", "parent", "allowTime", "isInactive"])
def test_a_needed_field_is_missed(field: str) -> None:
    data: dict[str, Any] = {"id": "1", "entityId": "x", "companyName": "x", "parent": {"id": "1"}}
    data |= {"allowTime": True, "allowExpenses": True, "isInactive": False}
    assert Job.model_validate(data).id == "1"
    with pytest.raises(ValidationError, match=field):
        Job.model_validate({name: value for name, value in data.items() if name != field})


def test_customer_fields() -> None:
    shown = Customer.model_validate({"id": "1", "companyName": "Alpha", "entityId": "CUS1", "x": 1})
    assert mapping.customer_fields(shown) == {"name": "Alpha"}
