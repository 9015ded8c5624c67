"""Posting: every row of the table with its numbers, the check against a ledger, balance for any invoice."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.account_roles import CONTROL, AccountRole
from domain.billing_commands import LineKind
from domain.delivery import Expense
from domain.invoice_state import TaxLine
from domain.ledger import JournalEntry, JournalLine
from domain.money import Money, total
from domain.rules import posting
from domain.rules.credit import credit_entries, full_reversal, reduce_price
from domain.rules.errors import RuleError
from domain.rules.journal import Journal, PostingDimensions, check_against, our_journal
from domain.rules.posting import CustomerPayment
from tests.unit.domain.rules.invoice_cases import DATED, HELD, INVOICE, OPEN, eur, line, tax

POSTED = PostingDimensions(document="doc-1", entity="DE01", project="P-1", dated=DATED)


def sides(entry: JournalEntry) -> dict[str, str]:
    """`{"receivable": "+9000.00"}`: debits with a plus, credits with a minus."""
    return {each.account: f"{each.signed.amount:+}" for each in entry.lines}


def inr(amount: object) -> Money:
    return Money.of(amount, "INR")


def test_invoice_with_ten_percent_held() -> None:
    lines = [line("1", 10000).line, line("2", -1000, kind="retention").line]
    assert sides(posting.invoice(POSTED, lines, [])) == {
        "receivable": "+9000.00",
        "contract_account": "-10000.00",
        "retention": "+1000.00",
    }


def test_invoice_with_tax_goes_to_the_contract_account_and_not_to_revenue() -> None:
    entry = posting.invoice(POSTED, [line("1", 10000).line], [tax(10000, 1900)])
    assert sides(entry) == {
        "receivable": "+11900.00",
        "contract_account": "-10000.00",
        "output_tax": "-1900.00",
    }
    assert {each.account: each.project for each in entry.lines}["contract_account"] == "P-1"


def test_an_advance_is_a_liability_until_it_is_applied() -> None:
    billed = posting.invoice(POSTED, [line("1", 30000, kind="advance").line], [])
    assert sides(billed) == {"receivable": "+30000.00", "contract_liability": "-30000.00"}
    drawn = [line("1", 12000).line, line("2", -12000, kind="advance_applied").line]
    assert sides(posting.invoice(POSTED, drawn, [])) == {
        "contract_account": "-12000.00",
        "contract_liability": "+12000.00",
    }


def test_retention_released_becomes_due() -> None:
    entry = posting.invoice(POSTED, [line("1", 1000, kind="retention_release").line], [])
    assert sides(entry) == {"receivable": "+1000.00", "retention": "-1000.00"}


@pytest.mark.parametrize("of", [INVOICE, HELD])
def test_invoice_and_full_credit_net_to_zero_everywhere(of: object) -> None:
    invoice = INVOICE if of is INVOICE else HELD
    entry = posting.invoice(POSTED, [each.line for each in invoice.lines], invoice.taxes)
    credit = full_reversal(invoice, "billing_error", DATED, OPEN)
    back = posting.credit_note(POSTED, credit, invoice)
    assert {each.account: -each.signed.amount for each in entry.lines} == {
        each.account: each.signed.amount for each in back.lines
    }
    assert posting.price_reduction(POSTED, credit, invoice) is None


def test_the_reason_of_a_credit_decides_about_revenue() -> None:
    conceded = reduce_price(INVOICE, eur(1000), "concession", DATED, OPEN)
    document = posting.credit_note(POSTED, conceded, INVOICE)
    assert sides(document) == {
        "receivable": "-1190.00",
        "contract_account": "+1000.00",
        "output_tax": "+190.00",
    }
    revenue = posting.price_reduction(POSTED, conceded, INVOICE)
    assert revenue is not None
    assert sides(revenue) == {"revenue": "+1000.00", "contract_account": "-1000.00"}


def test_a_concession_with_retention_lowers_revenue_by_the_whole_price() -> None:
    conceded = credit_entries(HELD, ["m"], "concession", DATED, OPEN)
    assert sides(posting.credit_note(POSTED, conceded, HELD)) == {
        "receivable": "-4284.00",
        "contract_account": "+4000.00",
        "retention": "-400.00",
        "output_tax": "+684.00",
    }
    revenue = posting.price_reduction(POSTED, conceded, HELD)
    assert revenue is not None
    assert sides(revenue)["revenue"] == "+4000.00"


def test_payment_with_tds() -> None:
    entry = posting.payment(POSTED, CustomerPayment(received=inr(108000), withheld=inr(10000)))
    assert sides(entry) == {
        "bank": "+108000.00",
        "withholding_receivable": "+10000.00",
        "receivable": "-118000.00",
    }


def test_a_short_pay_leaves_the_rest_open_or_is_written_off_under_a_code() -> None:
    short = posting.payment(POSTED, CustomerPayment(received=eur("99.60")))
    assert sides(short) == {"bank": "+99.60", "receivable": "-99.60"}
    written_off = CustomerPayment(received=eur("99.60"), written_off=eur("0.40"), write_off_code="ROUNDING")
    assert sides(posting.payment(POSTED, written_off)) == {
        "bank": "+99.60",
        "payment_tolerance": "+0.40",
        "receivable": "-100.00",
    }
    with pytest.raises(RuleError, match="needs a code"):
        posting.payment(POSTED, CustomerPayment(received=eur("99.60"), written_off=eur("0.40")))


def test_a_payment_at_another_rate_realises_the_difference() -> None:
    paid = CustomerPayment(received=eur("1132.25"), relieves=eur("1135.45"))
    assert sides(posting.payment(POSTED, paid)) == {
        "bank": "+1132.25",
        "receivable": "-1135.45",
        "fx_realised": "+3.20",
    }


def test_costs_and_revenue() -> None:
    assert sides(posting.revenue_earned(POSTED, eur(30000))) == {
        "contract_account": "+30000.00",
        "revenue": "-30000.00",
    }
    assert sides(posting.own_time(POSTED, eur(80), "bench")) == {
        "bench_labour": "+80.00",
        "labour_absorbed": "-80.00",
    }
    assert sides(posting.own_time(POSTED, eur(80), "project"))["project_labour"] == "+80.00"
    assert sides(posting.contract_loss(POSTED, eur(3000))) == {
        "contract_loss": "+3000.00",
        "loss_provision": "-3000.00",
    }
    assert sides(posting.credit_loss(POSTED, eur(500)))["credit_loss_allowance"] == "-500.00"


def test_subcontract_confirmed_and_billed_with_a_hundred_more() -> None:
    assert sides(posting.subcontract_confirmed(POSTED, eur(3800))) == {
        "subcontract_cost": "+3800.00",
        "received_not_invoiced": "-3800.00",
    }
    assert sides(posting.subcontract_billed(POSTED, eur(3800), eur(3900))) == {
        "received_not_invoiced": "+3800.00",
        "subcontract_cost": "+100.00",
        "payable": "-3900.00",
    }


@pytest.mark.parametrize(
    ("paid_by", "account"), [("employee", "employee_payable"), ("firm_card", "card_clearing")]
)
def test_an_expense_with_recoverable_tax(paid_by: str, account: str) -> None:
    spent = Expense.model_validate(
        {
            "source": "concur",
            "report": "R1",
            "line": 1,
            "project": "P-1",
            "resource": "E1",
            "spent_on": DATED,
            "gross": eur(119),
            "recoverable_tax": eur(19),
            "reimbursable": paid_by == "employee",
            "billable": True,
            "paid_by": paid_by,
            "version": datetime(2026, 11, 20, tzinfo=UTC),
        }
    )
    assert sides(posting.expense(POSTED, spent)) == {
        "project_expense": "+100.00",
        "input_tax": "+19.00",
        account: "-119.00",
    }


def test_control_accounts_are_never_ours_to_post() -> None:
    ours = posting.revenue_earned(POSTED, eur(1))
    assert our_journal(ours) is ours
    with pytest.raises(RuleError, match="touches bank, receivable"):
        our_journal(posting.payment(POSTED, CustomerPayment(received=eur(1))))
    for role in CONTROL:
        entry = Journal(POSTED, "x").debit(role, eur(1)).credit(AccountRole.REVENUE, eur(1)).entry()
        with pytest.raises(RuleError, match=role.value):
            our_journal(entry)


def test_nothing_to_post_and_nothing_to_balance() -> None:
    with pytest.raises(RuleError, match="posts nothing"):
        posting.invoice(POSTED, [line("1", 0).line], [])
    with pytest.raises(RuleError, match="no lines"):
        posting.invoice(POSTED, [], [])
    with pytest.raises(ValidationError, match="does not balance in DE01"):
        Journal(POSTED, "x").debit(AccountRole.BANK, eur(3)).credit(AccountRole.REVENUE, eur(2)).entry()


def split(entry: JournalEntry) -> list[JournalLine]:
    """The same postings as an ERP may write them: each line in two."""
    result = []
    for each in entry.lines:
        amount = abs(each.signed.amount)
        for part in (Decimal("0.01"), amount - Decimal("0.01")):
            side = "debit" if each.debit else "credit"
            result.append(each.with_changes(**{side: eur(part)}))
    return result


def test_the_ledger_is_held_against_what_was_expected() -> None:
    expected = posting.invoice(POSTED, [line("1", 10000).line], [tax(10000, 1900)])
    assert check_against(expected, expected.lines) == ()
    assert check_against(expected, split(expected)) == ()
    to_revenue = [
        each.with_changes(account="revenue") if each.account == "contract_account" else each
        for each in expected.lines
    ]
    assert [str(found) for found in check_against(expected, to_revenue)] == [
        "contract_account of DE01, project P-1: nothing in the ledger, credit 10,000.00 EUR expected",
        "revenue of DE01, project P-1: credit 10,000.00 EUR in the ledger, nothing expected",
    ]


def test_a_cent_another_project_and_another_entity_are_differences() -> None:
    expected = posting.revenue_earned(POSTED, eur(100))
    for changes in ({"project": "P-2"}, {"entity": "US01"}, {"debit": eur("100.01")}):
        ledger = [expected.lines[0].with_changes(**changes), expected.lines[1]]
        assert check_against(expected, ledger)


KINDS: list[LineKind] = ["time", "milestone", "adjustment", "retention", "advance", "advance_applied"]
AMOUNTS = st.integers(-(10**9), 10**9).filter(bool).map(lambda cents: eur(Decimal(cents).scaleb(-2)))


@given(st.lists(st.tuples(st.sampled_from(KINDS), AMOUNTS), min_size=1, max_size=12), AMOUNTS)
def test_any_invoice_balances_and_its_receivable_is_its_gross(
    drawn: list[tuple[LineKind, Money]], charged: Money
) -> None:
    lines = [line(str(n), net.amount, kind=kind).line for n, (kind, net) in enumerate(drawn)]
    taxes = [TaxLine(code="A", rate_percent=Decimal(19), base=eur(1), tax=charged)]
    try:
        entry = posting.invoice(POSTED, lines, taxes)
    except RuleError:
        return  # every account nets to zero
    gross = total([*(each.net for each in lines), charged], "EUR")
    owed = [each.signed for each in entry.lines if each.account == "receivable"]
    assert total(owed, "EUR") == gross
    assert total([each.signed for each in entry.lines], "EUR") == eur(0)
    assert not {each.account for each in entry.lines} & {"revenue", "bank"}


def test_the_period_is_that_of_the_day() -> None:
    assert (
        str(posting.revenue_earned(POSTED.with_changes(dated=date(2027, 1, 1)), eur(1)).period) == "2027-01"
    )
