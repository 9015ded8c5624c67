"""From the vendor's JSON to the canonical deal, and from a mark to the vendor's JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.salesforce import mapping
from connectors.salesforce.models import LineRow, OpportunityRow
from domain.billing_commands import MarkBilling
from domain.commands import MarkDeal
from domain.money import Money
from domain.readiness import Gate
from domain.selling import BillingMethod, Deal, RevenueMethod
from tests.unit.connectors.salesforce.salesforce_sample import query_answer, settings


def deal_of(changes: dict[str, Any] | None = None, **options: Any) -> Deal:
    row = OpportunityRow.model_validate(query_answer(changes)["records"][0])
    lines = [LineRow.model_validate(line) for line in (row.lines.records if row.lines else [])]
    return mapping.to_deal("crm", settings(**options), row, lines)


def test_a_whole_deal_is_understood() -> None:
    deal = deal_of()
    assert deal.findings == ()
    assert deal.id == "deal:crm:0065g00000AbCdEAAV"
    assert deal.external_id == "0065g00000AbCdEAAV"
    assert (deal.name, deal.kind, deal.stage, deal.won) == (
        "Rheinland managed services",
        "new",
        "Closed Won",
        True,
    )
    assert (deal.currency, deal.region) == ("EUR", "DE")
    assert (deal.starts_on, deal.ends_on) == (date(2026, 12, 1), date(2027, 11, 30))
    assert deal.owner_email == "seller@fairlead.example"
    assert deal.project_manager_email == "pm@fairlead.example"
    assert deal.signed


def test_the_customer_is_understood() -> None:
    customer = deal_of().customer
    assert customer.id == "customer:crm:0015g00000XyZaBAAV"
    assert (customer.name, customer.legal_name) == ("Rheinland Energie", "Rheinland Energie AG")
    assert (customer.tax_id, customer.payment_terms, customer.credit_hold) == ("DE136695976", "Net 30", False)
    assert customer.address.model_dump() == {
        "street": "Domplatz 1",
        "city": "Köln",
        "postal_code": "50667",
        "state": "NW",
        "country": "DE",
    }


def test_the_contract_is_understood() -> None:
    contract = deal_of().contract
    assert contract is not None
    assert (contract.id, contract.number) == ("contract:crm:8005g00000QrStUAAV", "00000142")
    assert contract.value == Money.of("120000.30", "EUR")
    assert contract.signed_on == date(2026, 11, 18)
    assert (contract.billing_entity, contract.rate_card) == ("DE01", "RC-DE-2026")
    assert contract.retention_percent == Decimal(5)
    assert contract.customer_po is not None
    assert contract.customer_po.number == "PO-4711"
    assert contract.customer_po.amount == Money.of("130000", "EUR")
    assert contract.customer_po.expires_on == date(2027, 12, 31)


def test_lines_come_in_the_orgs_order_with_its_numbers() -> None:
    milestone, subscription, hours = deal_of().lines
    assert [line.number for line in (milestone, subscription, hours)] == [1, 2, 3]
    assert milestone.name == "Design accepted"
    assert milestone.billing_method is BillingMethod.MILESTONE
    assert milestone.amount == Money.of("48000.10", "EUR")
    assert milestone.due_on == date(2027, 2, 28)
    assert subscription.name == "Rheinland Run", "without a description, the product's name"
    assert (subscription.quantity, subscription.frequency) == (Decimal(12), "quarterly")
    assert subscription.unit_price == Decimal("1000.0166"), "a price per unit may be finer than the currency"
    assert hours.revenue_method is RevenueMethod.RIGHT_TO_INVOICE
    assert (hours.quantity, hours.unit_price) == (Decimal(400), Decimal(150))
    assert hours.cap == Money.of("66000", "EUR")
    assert (hours.role, hours.grade, hours.skills) == ("Architect", "Senior", ("Cloud", "Networks"))
    assert (hours.subcontracted, hours.supplier) == (True, "Acme Partners")


def test_lines_without_usable_numbers_are_counted() -> None:
    deal = deal_of({"Lines.0.SortOrder": None, "Lines.1.SortOrder": 7, "Lines.2.SortOrder": 7})
    assert [(line.number, line.id) for line in deal.lines] == [
        (1, "line:crm:00k5g000001AAAAAA1"),
        (2, "line:crm:00k5g000001AAAAAA2"),
        (3, "line:crm:00k5g000001AAAAAA3"),
    ]


@pytest.mark.parametrize("part", ["", "Account.", "Contract.", "Lines.0."])
def test_the_version_is_the_newest_change_of_any_part(part: str) -> None:
    deal = deal_of({f"{part}SystemModstamp": "2026-11-30T23:59:59.123+0000"})
    assert deal.version == datetime(2026, 11, 30, 23, 59, 59, 123000, tzinfo=UTC)


def test_the_version_of_the_sample_is_its_contracts() -> None:
    assert deal_of().version == datetime(2026, 11, 22, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"Type": "Renewal"}, "renewal"),
        ({"Is_Change_Request__c": True}, "change_order"),
        ({"Type": None, "Is_Change_Request__c": None}, "new"),
    ],
)
def test_the_kind_of_a_deal(changes: dict[str, Any], kind: str) -> None:
    assert deal_of(changes).kind == kind


MISUNDERSTOOD = [
    ({"CurrencyIsoCode": "EURO"}, "currency", "currency.unknown", Gate.BILLING_STRUCTURE),
    ({"CurrencyIsoCode": "XAU"}, "currency", "currency.unknown", Gate.BILLING_STRUCTURE),
    ({"Account.CurrencyIsoCode": "??"}, "customer.currency", "currency.unknown", Gate.CUSTOMER_DATA),
    ({"Start_Date__c": "01.12.2026"}, "starts_on", "date.invalid", Gate.BILLING_STRUCTURE),
    ({"End_Date__c": 20271130}, "ends_on", None, Gate.BILLING_STRUCTURE),
    ({"Account.BillingCountryCode": "ZZ"}, "customer.address.country", "country.unknown", Gate.CUSTOMER_DATA),
    ({"Account.Credit_Hold__c": "maybe"}, "customer.credit_hold", "flag.invalid", Gate.CUSTOMER_DATA),
    ({"Contract.Contract_Value__c": "NaN"}, "contract.value", "amount.not_a_number", Gate.BILLING_STRUCTURE),
    (
        {"Contract.Contract_Value__c": "a lot"},
        "contract.value",
        "amount.not_a_number",
        Gate.BILLING_STRUCTURE,
    ),
    ({"Contract.Contract_Value__c": True}, "contract.value", "amount.not_a_number", Gate.BILLING_STRUCTURE),
    (
        {"Contract.Contract_Value__c": Decimal(-1)},
        "contract.value",
        "amount.negative",
        Gate.BILLING_STRUCTURE,
    ),
    ({"Contract.Contract_Value__c": Decimal("1E+16")}, "contract.value", "amount.out_of_range", None),
    ({"Contract.Contract_Value__c": Decimal("1.001")}, "contract.value", "amount.too_many_decimals", None),
    ({"Contract.CustomerSignedDate": "yesterday"}, "contract.signed_on", "date.invalid", None),
    (
        {"Contract.Retention_Percent__c": Decimal(101)},
        "contract.retention_percent",
        "percent.out_of_range",
        None,
    ),
    ({"Contract.Customer_PO_Amount__c": "x"}, "contract.customer_po.amount", "amount.not_a_number", None),
    ({"Lines.0.Billing_Method__c": "Barter"}, "lines[3].billing_method", "billing_method.unknown", None),
    ({"Lines.1.Revenue_Method__c": "Hope"}, "lines[1].revenue_method", "revenue_method.unknown", None),
    ({"Lines.2.Billing_Frequency__c": "Weekly"}, "lines[2].frequency", "frequency.unknown", None),
    ({"Lines.0.Quantity": Decimal(-4)}, "lines[3].quantity", "quantity.negative", None),
    ({"Lines.0.UnitPrice": "free"}, "lines[3].unit_price", "unit_price.not_a_number", None),
    ({"Lines.1.TotalPrice": Decimal("0.001")}, "lines[1].amount", "amount.too_many_decimals", None),
    ({"Lines.1.ServiceDate": "2027-02-30"}, "lines[1].due_on", "date.invalid", None),
    ({"Lines.0.Subcontracted__c": "yes"}, "lines[3].subcontracted", "flag.invalid", None),
    ({"Account": None}, "customer", "customer.missing", Gate.CUSTOMER_DATA),
]


@pytest.mark.parametrize(("changes", "field", "rule", "gate"), MISUNDERSTOOD)
def test_what_cannot_be_understood_is_found_and_never_raises(
    changes: dict[str, Any], field: str, rule: str | None, gate: Gate | None
) -> None:
    deal = deal_of(changes)
    found = [finding for finding in deal.findings if finding.field == field]
    if rule is None:
        assert found == []
        return
    assert [finding.rule for finding in deal.findings] == [rule], deal.findings
    (finding,) = found
    assert gate in (None, finding.gate)
    place, value = next(iter(changes.items()))
    name = "AccountId" if place == "Account" else place.split(".")[-1]
    assert name in finding.message
    assert value is None or str(value) in finding.message
    assert finding.value == ("" if value is None else str(value))


def test_what_is_misunderstood_is_none_or_the_safe_side() -> None:
    deal = deal_of(
        {
            "CurrencyIsoCode": "EURO",
            "Start_Date__c": "soon",
            "Account.Credit_Hold__c": "maybe",
            "Lines.0.Billing_Method__c": "Barter",
        }
    )
    assert deal.currency is None
    assert deal.starts_on is None
    assert deal.customer.credit_hold, "a hold that cannot be read is a hold"
    assert deal.lines[2].billing_method is None
    assert deal.lines[0].amount is None, "an amount without a currency is none"
    assert {finding.field for finding in deal.findings} == {
        "currency",
        "starts_on",
        "customer.credit_hold",
        "lines[3].billing_method",
    }, "one finding per cause"


@pytest.mark.parametrize(
    ("path", "get"),
    [
        ("Contract.Billing_Entity__c", lambda deal: deal.contract.billing_entity),
        ("Contract.Rate_Card__c", lambda deal: deal.contract.rate_card),
        ("Contract.Contract_Value__c", lambda deal: deal.contract.value),
        ("Contract.CustomerSignedDate", lambda deal: deal.contract.signed_on),
        ("Contract.Customer_PO__c", lambda deal: deal.contract.customer_po),
        ("Account.Tax_Id__c", lambda deal: deal.customer.tax_id),
        ("CurrencyIsoCode", lambda deal: deal.currency),
    ],
)
@pytest.mark.parametrize("empty", [None, ""])
def test_a_missing_value_is_none_without_a_finding(path: str, get: Any, empty: Any) -> None:
    deal = deal_of({path: empty})
    assert get(deal) is None
    assert deal.findings == ()


def test_a_missing_parent_or_child_is_null_in_this_api() -> None:
    assert deal_of({"OpportunityLineItems": None}).lines == ()
    deal = deal_of({"Contract": None, "Owner": None})
    assert deal.contract is None
    assert deal.owner_email is None
    assert not deal.signed
    assert deal.findings == ()


def test_currencies_without_or_with_three_decimals() -> None:
    yen = deal_of(
        {"CurrencyIsoCode": "JPY", "Contract.CurrencyIsoCode": "JPY", "Contract.Contract_Value__c": 5000}
    )
    assert yen.contract is not None
    assert yen.contract.value == Money.of(5000, "JPY")
    assert {finding.rule for finding in yen.findings} == {"amount.too_many_decimals"}
    dinar = deal_of({"Contract.CurrencyIsoCode": "BHD", "Contract.Contract_Value__c": Decimal("100.001")})
    assert dinar.contract is not None
    assert dinar.contract.value == Money.of("100.001", "BHD")


def test_an_org_without_multi_currency_has_the_firms_currency() -> None:
    names = {"currency": "", "customer.currency": "", "contract.currency": ""}
    deal = deal_of({"CurrencyIsoCode": "ignored"}, fields=names, currency="EUR")
    assert deal.currency == deal.customer.currency == "EUR"
    assert deal.findings == ()


def test_other_field_names_and_values_are_the_firms_data() -> None:
    deal = deal_of(
        {"Contract.Entity__c": "IN01", "Lines.0.Billing_Method__c": "T&M"},
        fields={"contract.billing_entity": "Entity__c"},
        billing_methods={
            "T&M": "time_and_materials",
            "Milestone": "milestone",
            "Subscription": "subscription",
        },
        billing_authority="erp",
    )
    assert deal.contract is not None
    assert deal.contract.billing_entity == "IN01"
    assert deal.lines[2].billing_method is BillingMethod.TIME_AND_MATERIALS
    assert deal.lines[2].billing_authority == "erp"
    assert deal.findings == ()


def test_a_summary_of_a_deal() -> None:
    row = OpportunityRow.model_validate(query_answer()["records"][0])
    summary = mapping.to_summary(settings(), row)
    assert summary.external_id == "0065g00000AbCdEAAV"
    assert (summary.customer, summary.amount, summary.currency) == ("Rheinland Energie", "120000.30", "EUR")
    assert (summary.billing_entity, summary.signed_on) == ("DE01", date(2026, 11, 18))
    assert summary.status == "Not Started"
    assert summary.version == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_a_mark_goes_out_and_comes_back() -> None:
    command = MarkDeal(deal_external_id="0065g00000AbCdEAAV", status="Active", project_number="DE01-7K3QXW")
    body = mapping.mark_body(settings(), command, "activation/acme/0065g/crm.mark/1")
    assert body == {
        "Fairlead_Status__c": "Active",
        "Fairlead_Project__c": "DE01-7K3QXW",
        "Fairlead_Key__c": "activation/acme/0065g/crm.mark/1",
    }
    record = mapping.mark_record(settings(), {"Id": "0065g00000AbCdEAAV", **body})
    assert record.external_id == "0065g00000AbCdEAAV"
    assert record.differences(command) == {}


def test_a_mark_without_a_project_number_empties_the_field() -> None:
    command = MarkDeal(deal_external_id="0065g00000AbCdEAAV", status="Cancelled")
    body = mapping.mark_body(settings(), command, "k")
    assert body["Fairlead_Project__c"] is None
    assert mapping.mark_record(settings(), {"Id": "x", **body}).differences(command) == {}
    other = {**body, "Id": "x", "Fairlead_Status__c": "Active"}
    assert mapping.mark_record(settings(), other).differences(command) == {"status": ("Cancelled", "Active")}


BILLED = MarkBilling(
    deal_external_id="0065g00000AbCdEAAV",
    last_invoice="DE01-INV00007",
    invoiced=Money.of("12500.10", "EUR"),
    invoiced_on=date(2026, 11, 23),
)


def test_a_billing_mark_is_read_back_as_written() -> None:
    body = mapping.billing_body(settings(), BILLED, "billing/acme/1/crm.billing/1")
    assert body == {
        "Fairlead_Invoice__c": "DE01-INV00007",
        "Fairlead_Invoiced__c": Decimal("12500.10"),
        "Fairlead_Invoiced_On__c": "2026-11-23",
        "Fairlead_Billing_Key__c": "billing/acme/1/crm.billing/1",
    }
    columns = {"Id": "0065g00000AbCdEAAV", "CurrencyIsoCode": "EUR", **body}
    assert mapping.billing_record(settings(), columns).differences(BILLED) == {}
    other = {**columns, "Fairlead_Invoiced__c": Decimal("12500.11")}
    assert mapping.billing_record(settings(), other).differences(BILLED) == {
        "invoiced": ("12,500.10 EUR", "12,500.11 EUR")
    }


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "5000"), ("BHD", "100.001")])
def test_billed_amounts_are_exact(currency: str, amount: str) -> None:
    command = BILLED.with_changes(invoiced=Money.of(amount, currency))
    body = mapping.billing_body(settings(), command, "k")
    columns = {"Id": "x", "CurrencyIsoCode": currency, **body}
    assert mapping.billing_record(settings(), columns).differences(command) == {}
    odd = {**columns, "Fairlead_Invoiced__c": Decimal("1.00001")}
    assert "invoiced" in mapping.billing_record(settings(), odd).differences(command)


def test_an_org_without_currencies_has_the_firms_one() -> None:
    alone = settings(fields={"currency": "", "billing.invoiced_on": ""}, currency="EUR")
    body = mapping.billing_body(alone, BILLED, "k")
    assert "" not in body
    assert mapping.billing_record(alone, {"Id": "x", **body}).differences(BILLED) == {}
    unknown = settings(fields={"currency": ""})
    assert "invoiced" not in mapping.billing_record(unknown, {"Id": "x", **body}).fields
