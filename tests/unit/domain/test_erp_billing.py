"""What an ERP bills by its own authority, compared with what was signed."""

from datetime import date
from typing import Any

import pytest

from domain.books import InvoiceFactLine, InvoiceFacts
from domain.erp_billing import compare, observed_row
from domain.money import Money
from domain.project_contract import BillingTerms
from tests.support.project_billing_firm import a_contract, eur, milestone_line, service_line, time_line

DAY = date(2027, 1, 15)
BY_ERP = {"billing_authority": "erp"}


def facts(worth: str = "3000.00", **changes: Any) -> InvoiceFacts:
    made = InvoiceFacts(
        external_id="91", number="INV-91", state="open", currency="EUR", net=eur(worth), tax=eur(0),
        gross=eur(worth), open_amount=eur(worth), dated=date(2027, 1, 2),
    )  # fmt: skip
    return made.with_changes(**changes)


def service() -> Any:
    """3,000 a month from December, in advance: 6,000 by the middle of January."""
    return a_contract(lines=(service_line(**BY_ERP),), terms=BillingTerms(in_arrears=False))


def test_what_is_billed_as_planned_shows_nothing() -> None:
    billed = compare(service(), [facts(), facts()], DAY)
    assert (billed.billed, billed.planned, billed.differences) == (eur("6000.00"), eur("6000.00"), ())


@pytest.mark.parametrize(
    ("invoices", "says"),
    [
        ([facts()], "6,000.00 EUR are due by plan, the ERP has billed 3,000.00 EUR: 3,000.00 EUR is missing"),
        ([facts("9000.00")], "the ERP has billed 9,000.00 EUR, and 6,000.00 EUR are due"),
        ([facts("12000.01")], "0.01 EUR more than the 12,000.00 EUR agreed"),
        (
            [facts("6000.00", lines=(InvoiceFactLine(net=eur("5999.00")),))],
            "the lines of invoice INV-91 sum to 5999.00 EUR, its header says 6,000.00 EUR",
        ),
        (
            [facts("6000.00"), facts(currency="USD", net=Money.of("1.00", "USD"))],
            "invoice INV-91 is in USD, the contract in EUR",
        ),
    ],
)
def test_a_difference_is_told_with_its_amounts(invoices: list[InvoiceFacts], says: str) -> None:
    assert [text for text in compare(service(), invoices, DAY).differences if says in text]


@pytest.mark.parametrize(
    "other",
    [
        facts(key="invoice/acme/x/erp.draft/1"),
        facts(state="draft"),
        facts(state="void"),
        facts(dated=date(2027, 2, 1)),
    ],
    ids=["ours", "a draft", "void", "of later"],
)
def test_what_does_not_count(other: InvoiceFacts) -> None:
    assert compare(service(), [facts("6000.00"), other], DAY).differences == ()


def test_a_credit_note_takes_its_invoice_off() -> None:
    credited = [facts("6000.00"), facts(state="credited"), facts("-3000.00", credits="91")]
    assert compare(service(), credited, DAY).differences == ()


def test_lines_by_time_have_a_range() -> None:
    contract = a_contract(lines=(milestone_line(**BY_ERP, due_on=DAY), time_line(**BY_ERP)))
    assert compare(contract, [facts("30000.00")], DAY).differences == ()
    assert compare(contract, [facts("50000.00")], DAY).differences == ()
    assert compare(contract, [facts("50000.01")], DAY).differences != ()
    assert compare(contract, [facts("29999.99")], DAY).differences != ()


def test_an_observed_invoice_has_no_price_of_ours() -> None:
    row = observed_row(service(), "acme", "netsuite", facts(state="paid"))
    assert (row.id, row.stage, row.priced, row.erp_net) == (
        "observed/acme/netsuite:91", "paid", None, eur("3000.00"),
    )  # fmt: skip
