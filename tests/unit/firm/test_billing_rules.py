"""What the example firm's files say of one contract: expected tax, and whether a second person approves."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.money import Money
from domain.project_contract import BillingTerms, ProjectContract
from domain.selling import Address
from firm.billing_rules import FirmBillingRules
from firm.load import load

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm" / "fairlead.toml"
PUBLISHED = date(2026, 10, 30)
"""A day whose rates ship with the package."""


@pytest.fixture(scope="module")
def rules() -> FirmBillingRules:
    return FirmBillingRules(load(EXAMPLE))


def contract(currency: str = "EUR", limit: str | None = "100000.00 EUR", **changes: Any) -> ProjectContract:
    terms = BillingTerms()
    if limit:
        amount, of = limit.split()
        terms = BillingTerms(approval_limit=Money.of(amount, of))
    given: dict[str, Any] = {
        "project": "DE01-1", "deal": "006A", "number": "C-1", "title": "Rollout", "entity": "DE01",
        "region": "DE", "currency": currency, "signed_on": PUBLISHED, "starts_on": PUBLISHED,
        "ends_on": PUBLISHED, "customer": "001A", "customer_name": "Alpenglow AG",
        "customer_tax_id": "DE136695976", "customer_address": Address(country="DE"), "terms": terms,
    }  # fmt: skip
    return ProjectContract(**{**given, **changes})


def test_german_services_are_taxed_and_reverse_charged_abroad(rules: FirmBillingRules) -> None:
    net = Money.of("1000.00", "EUR")
    home = rules.expected_tax(contract(), net, PUBLISHED).decision
    assert home is not None
    assert (home.treatment, home.rate_percent) == ("domestic", Decimal(19))
    austrian = contract(customer_tax_id="ATU13585627", customer_address=Address(country="AT"))
    abroad = rules.expected_tax(austrian, net, PUBLISHED)
    assert abroad.decision is not None
    assert abroad.decision.treatment == "reverse_charge"
    assert abroad.decision.words
    assert abroad.sound


def test_an_unknown_entity_is_named(rules: FirmBillingRules) -> None:
    with pytest.raises(KeyError, match="FR09"):
        rules.expected_tax(contract(entity="FR09"), Money.of("1.00", "EUR"), PUBLISHED)


def test_the_limit_in_the_invoices_currency_decides(rules: FirmBillingRules) -> None:
    assert not rules.approval_need(Money.of("100000.00", "EUR"), contract(), PUBLISHED).needed
    above = rules.approval_need(Money.of("100000.01", "EUR"), contract(), PUBLISHED)
    assert above.needed
    assert "above the limit of 100,000.00 EUR" in above.reason
    assert rules.approval_need(Money.of("-100000.01", "EUR"), contract(), PUBLISHED).needed, "a credit counts"


def test_another_currency_is_compared_at_the_days_rate(rules: FirmBillingRules) -> None:
    dollars = contract(currency="USD")
    small = rules.approval_need(Money.of("50000.00", "USD"), dollars, PUBLISHED)
    assert not small.needed
    assert small.compared is not None
    assert small.compared.amount.currency == "EUR"
    assert rules.approval_need(Money.of("500000.00", "USD"), dollars, PUBLISHED).needed


def test_without_a_rate_somebody_approves_and_is_told_why(rules: FirmBillingRules) -> None:
    late = rules.approval_need(Money.of("1.00", "USD"), contract(currency="USD"), date(2027, 6, 1))
    assert late.needed
    assert "USD" in late.reason
    none = rules.approval_need(Money.of("1.000", "BHD"), contract(currency="BHD"), PUBLISHED)
    assert none.needed
    assert "BHD" in none.reason


def test_without_a_limit_every_invoice_is_approved(rules: FirmBillingRules) -> None:
    assert rules.approval_need(Money.of("1.00", "EUR"), contract(limit=None), PUBLISHED).needed
