"""Corrections: what may be set right, in which form, and what follows from it."""

from datetime import date
from decimal import Decimal

import pytest

from domain.corrections import apply, check, correctable, is_money, needs_second_person, pattern
from domain.gates.customer_data import matched_customer
from domain.money import Money
from domain.readiness import Finding, Gate
from domain.selling import BillingMethod
from tests.unit.domain.sample_deal import CONTRACT, DEAL, ERP_CUSTOMER, FACTS, eur, with_contract, with_line

GOOD = {
    "deal.currency": "CHF",
    "deal.region": "US",
    "deal.starts_on": "2026-12-02",
    "deal.ends_on": "2027-11-29",
    "deal.project_manager_email": "other@example.com",
    "customer.legal_name": "Alpenglow Gesellschaft mbH",
    "customer.tax_id": "DE111111125",
    "customer.address.country": "DE",
    "customer.address.state": "BY",
    "customer.payment_terms": "Net 60",
    "erp.customer": "502",
    "contract.billing_entity": "US01",
    "contract.rate_card": "RC-US-2026",
    "contract.value": "62,501.00",
    "contract.starts_on": "2026-12-02",
    "contract.ends_on": "2027-11-29",
    "contract.retention_percent": "10",
    "contract.customer_po.number": "PO-78",
    "contract.customer_po.amount": "70000",
    "contract.customer_po.expires_on": "2028-01-31",
    "lines[2].billing_method": "subscription",
    "lines[2].amount": "40001.00 CHF",
    "lines[1].quantity": "101",
    "lines[1].unit_price": "149.5",
    "lines[1].cap": "19000",
    "lines[1].role": "Program Manager",
    "lines[1].grade": "Principal",
    "lines[4].supplier": "I-Link Solutions, Inc",
    "lines[4].cost_rate": "95.50",
    "lines[2].due_on": "2027-02-28",
    "lines[3].starts_on": "2027-01-01",
    "lines[3].ends_on": "2027-03-31",
    "lines[3].frequency": "quarterly",
}

BAD = [
    ("deal.currency", "EURO", "ISO 4217"),
    ("deal.currency", "XXX", "minor unit"),
    ("deal.starts_on", "31.01.2027", "YYYY-MM-DD"),
    ("deal.region", " ", "empty"),
    ("customer.tax_id", "DE136695977", "check digit"),
    ("customer.address.country", "Germany", "ISO 3166-1"),
    ("contract.value", "12.505", "decimals"),
    ("contract.value", "NaN", "finite"),
    ("contract.value", "-1", "negative"),
    ("contract.value", "100 USD", "EUR"),
    ("contract.value", "lots", "decimal number"),
    ("contract.retention_percent", "100", "below 100"),
    ("lines[2].billing_method", "barter", "milestone"),
    ("lines[3].frequency", "weekly", "monthly or quarterly"),
    ("lines[9].amount", "1", "lines are 1, 2, 3, 4"),
    ("lines[1].quantity", "1e99", "range"),
    ("contract.signed_on", "2026-11-01", "cannot be corrected"),
    ("customer.credit_hold", "false", "cannot be corrected"),
    ("lines[x].amount", "1", "cannot be corrected"),
]


def test_every_row_of_the_table_can_be_applied_at_once_and_again() -> None:
    assert {pattern(path) for path in GOOD} == {row.path for row in correctable()}
    corrected = apply(DEAL, GOOD)
    assert corrected == apply(corrected, GOOD)
    assert corrected.customer.address.city == "Bonn"
    assert corrected.contract is not None
    assert corrected.contract.customer_po is not None
    assert corrected.contract.customer_po.amount == Money.of(70000, "CHF")
    assert corrected.lines[1].billing_method is BillingMethod.SUBSCRIPTION
    assert corrected.lines[1].due_on == date(2027, 2, 28)


@pytest.mark.parametrize(("path", "value", "says"), BAD)
def test_a_refused_correction_names_path_value_and_form(path: str, value: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be corrected|is refused") as caught:
        apply(DEAL, {path: value})
    assert path in str(caught.value)
    assert says in str(caught.value)
    if "refused" in str(caught.value):
        assert repr(value) in str(caught.value)
        assert "expected is" in str(caught.value)


@pytest.mark.parametrize(("path", "value"), GOOD.items())
def test_form_is_checked_before_the_deal_is_read(path: str, value: str) -> None:
    check(path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("contract.value", "lots"),
        ("contract.value", "1.005 EUR"),
        ("deal.starts_on", "soon"),
        ("customer.tax_id", ""),
        ("contract.signed_on", "2026-11-01"),
    ],
)
def test_bad_form_is_refused_before_the_deal_is_read(path: str, value: str) -> None:
    with pytest.raises(ValueError, match=path):
        check(path, value)


def test_quantity_and_price_work_out_the_amount_unless_it_is_given() -> None:
    assert apply(DEAL, {"lines[1].unit_price": "149.995"}).lines[0].amount == eur("14999.50")
    both = apply(DEAL, {"lines[1].amount": "14000", "lines[1].unit_price": "149.995"})
    assert both.lines[0].amount == eur(14000)


def test_a_new_currency_takes_the_amounts_as_written_and_prices_what_was_unreadable() -> None:
    moved = apply(DEAL, {"deal.currency": "CHF"})
    assert moved.lines[1].amount == Money.of(40000, "CHF")
    assert moved.contract is not None
    assert moved.contract.value == Money.of(62500, "CHF")
    unread = with_line(1, amount=None, cap=None).with_changes(
        currency=None,
        findings=(
            Finding(gate=Gate.LEGAL_ENTITY, field="deal.currency", rule="currency.unknown", message="?"),
            Finding(gate=Gate.BILLING_STRUCTURE, field="lines[1].cap", rule="currency.unknown", message="?"),
            Finding(gate=Gate.BILLING_STRUCTURE, field="lines[2].due_on", rule="date.invalid", message="?"),
        ),
    )
    read = apply(unread, {"deal.currency": "EUR"})
    assert read.lines[0].amount == eur(15000)
    assert [finding.rule for finding in read.findings] == ["date.invalid"]
    with pytest.raises(ValueError, match=r"deal\.currency first"):
        apply(unread, {"contract.value": "1"})
    assert apply(unread, {"contract.value": "1", "deal.currency": "EUR"}).contract is not None


def test_a_currency_that_cannot_hold_the_amounts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"deal\.currency = 'JPY' is refused: .*JPY allows 0"):
        apply(with_line(2, amount=eur("40000.50")), {"deal.currency": "JPY"})


def test_only_the_findings_of_corrected_paths_go() -> None:
    findings = tuple(
        Finding(
            gate=Gate.BILLING_STRUCTURE, field=field, rule="amount.not_a_number", message="?", value="abc"
        )
        for field in ("lines[1].amount", "lines[2].amount")
    )
    corrected = apply(DEAL.with_changes(findings=findings), {"lines[2].amount": "40000"})
    assert [finding.field for finding in corrected.findings] == ["lines[1].amount"]


def test_a_customer_po_begins_with_its_number() -> None:
    without = with_contract(customer_po=None)
    with pytest.raises(ValueError, match=r"contract\.customer_po\.number as well"):
        apply(without, {"contract.customer_po.amount": "1"})
    given = apply(without, {"contract.customer_po.amount": "1", "contract.customer_po.number": "PO-1"})
    assert given.contract is not None
    assert given.contract.customer_po is not None
    assert given.contract.customer_po.amount == eur(1)


def test_nothing_can_be_corrected_in_a_contract_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="the deal has no contract"):
        apply(DEAL.with_changes(contract=None), {"contract.value": "1"})


def test_lines_that_share_a_number_are_not_guessed_at() -> None:
    twins = with_contract(lines=(CONTRACT.lines[0], CONTRACT.lines[0].with_changes(id="other")))
    with pytest.raises(ValueError, match="several lines"):
        apply(twins, {"lines[1].role": "Architect"})


def test_the_chosen_erp_customer_settles_the_match() -> None:
    facts = FACTS.with_changes(customers=(ERP_CUSTOMER, ERP_CUSTOMER.with_changes(external_id="502")))
    chosen = matched_customer(apply(DEAL, {"erp.customer": "502"}), facts)
    assert chosen is not None
    assert chosen.external_id == "502"


def test_which_paths_are_money() -> None:
    assert is_money("lines[12].amount")
    assert is_money("contract.value")
    assert not is_money("customer.tax_id")
    assert not is_money("unknown.path")
    assert needs_second_person("lines[3].amount", ["lines[].amount"])
    assert not needs_second_person("contract.value", ["lines[].amount"])


def test_decimals_stay_exact() -> None:
    assert apply(DEAL, {"lines[1].quantity": "0.3333"}).lines[0].quantity == Decimal("0.3333")
