"""Changes of contract: only what is signed, adds up, and does not contradict what is billed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.billing_calendar import due_events
from domain.billing_contract import SystemRefs, contract_of, contract_problems, with_terms
from domain.contract_change import judge_change
from domain.invoice_state import BillingEventRow
from domain.project_contract import BillingTerms, ProjectContract, RetentionTerms, RetentionTier
from domain.selling import Deal
from tests.support.activation_firm import a_deal
from tests.support.project_billing_firm import PROJECT, eur, milestone_line, service_line, time_line

REFS = SystemRefs(psa_project="9001", erp_project="7")
LATER = date(2026, 12, 20)


def deal_of(*lines: Any, value: str = "30000.00", **changes: Any) -> Deal:
    contract = a_deal().contract.with_changes(lines=lines or (milestone_line(),), value=eur(value), **changes)
    return a_deal(contract=contract)


def kept_of(deal: Deal) -> ProjectContract:
    return contract_of(deal, PROJECT, REFS)


def judged(kept: ProjectContract, deal: Deal, *events: BillingEventRow) -> Any:
    return judge_change(kept, deal, contract_of(deal, PROJECT, REFS), events)


def milestone(amount: str = "30000.00", **changes: Any) -> BillingEventRow:
    row = BillingEventRow(
        key=f"{PROJECT}/1/1/1", project=PROJECT, line=1, kind="milestone", occasion="1", amount=eur(amount),
        due_on=date(2026, 12, 10), service_from=date(2026, 12, 1), service_to=date(2026, 12, 10),
    )  # fmt: skip
    return row.with_changes(**changes)


# -- the contract at hand-over ----------------------------------------------------------------------


def test_a_signed_deal_becomes_its_contract() -> None:
    contract = contract_of(a_deal(), PROJECT, REFS)
    assert (contract.number, contract.entity, contract.psa_project) == ("00000100", "DE01", "9001")
    assert (contract.starts_on, contract.ends_on) == (date(2026, 12, 1), date(2027, 3, 31))
    assert (contract.terms.payment_terms, contract.terms.project_manager) == ("Net 30", "petra@firm.example")
    assert list(contract_problems(contract)) == []


@pytest.mark.parametrize("lacks", [{"contract": None}, {"currency": None}], ids=["a contract", "a currency"])
def test_a_deal_that_cannot_be_billed_is_refused_by_name(lacks: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="deal 006A cannot be billed"):
        contract_of(a_deal(**lacks), PROJECT, REFS)


def test_what_was_signed_stands_before_the_terms_of_the_firm() -> None:
    firm = BillingTerms(
        grouping="person",
        payment_terms="Net 60",
        retention=RetentionTerms(tiers=(RetentionTier(percent="5"),)),
    )
    silent = with_terms(contract_of(a_deal(), PROJECT, REFS), firm)
    assert (silent.terms.grouping, silent.terms.payment_terms) == ("person", "Net 30")
    assert silent.terms.retention == firm.retention
    signed = with_terms(contract_of(deal_of(retention_percent="10"), PROJECT, REFS), firm)
    assert signed.terms.retention.tiers[0].percent == 10


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (milestone_line(id="x", billing_authority="psa"), "billed by fairlead, and is billed by psa"),
        (milestone_line(number=5, billing_method=None), "line 5 Design signed off has no billing method"),
        (milestone_line(number=5, amount=None), "has no amount"),
        (service_line(frequency=None), "line 3 Managed service has no frequency"),
    ],
)
def test_a_contract_that_cannot_be_billed_says_which_line(line: Any, says: str) -> None:
    contract = contract_of(deal_of(milestone_line(), line), PROJECT, REFS)
    assert [problem for problem in contract_problems(contract) if says in problem]


# -- changes ----------------------------------------------------------------------------------------


def test_the_same_again_changes_nothing() -> None:
    verdict = judged(kept_of(deal_of()), deal_of())
    assert (verdict.revision, verdict.problem) == (None, None)


@pytest.mark.parametrize(
    "deal",
    [
        deal_of(milestone_line(amount=eur("31000.00")), value="31000.00"),
        deal_of(milestone_line(amount=eur("31000.00")), value="31000.00", signed_on=LATER).with_changes(
            won=False
        ),
    ],
    ids=["not signed since", "not won"],
)
def test_what_is_not_signed_is_a_problem_with_both_amounts(deal: Deal) -> None:
    verdict = judged(kept_of(deal_of()), deal)
    assert verdict.revision is None
    assert "is not signed" in verdict.problem.headline
    assert "31,000.00 EUR instead of 30,000.00 EUR" in verdict.problem.detail


def test_a_signed_change_is_the_next_revision() -> None:
    kept = kept_of(deal_of())
    verdict = judged(kept, deal_of(milestone_line(amount=eur("31000.00")), value="31000.00", signed_on=LATER))
    assert verdict.problem is None
    assert (verdict.revision.revision, verdict.revision.value) == (2, eur("31000.00"))
    assert verdict.revision.psa_project == "9001"


@pytest.mark.parametrize("value", ["30000.00", "50000.00"])
def test_lines_by_time_may_or_may_not_count_to_the_value(value: str) -> None:
    lines = (milestone_line(), time_line())
    assert judged(kept_of(deal_of()), deal_of(*lines, value=value, signed_on=LATER)).problem is None


@pytest.mark.parametrize(
    ("deal", "events", "says"),
    [
        (deal_of(value="29999.99", signed_on=LATER), (), "its lines come to 30,000.00 EUR"),
        (
            deal_of(milestone_line(amount=eur("31000.00")), value="31000.00", signed_on=LATER),
            (milestone(),),
            "milestone 1 fell due over 30,000.00 EUR and would be 31,000.00 EUR",
        ),
        (
            deal_of(milestone_line(number=2), signed_on=LATER),
            (milestone(),),
            "line 1 is gone, and 1 of it fell due over 30,000.00 EUR",
        ),
        (
            deal_of(milestone_line(billing_authority="erp"), signed_on=LATER),
            (milestone(),),
            "was billed by fairlead: never two for one line",
        ),
    ],
)
def test_what_contradicts_the_bills_is_for_a_person(
    deal: Deal, events: tuple[BillingEventRow, ...], says: str
) -> None:
    verdict = judged(kept_of(deal_of()), deal, *events)
    assert verdict.revision is None
    assert says in verdict.problem.detail


def test_a_void_event_contradicts_nothing() -> None:
    deal = deal_of(milestone_line(amount=eur("31000.00")), value="31000.00", signed_on=LATER)
    assert judged(kept_of(deal_of()), deal, milestone(void=True)).revision is not None


def test_a_subscription_below_what_is_billed_is_refused() -> None:
    before = deal_of(service_line(), value="12000.00")
    kept = kept_of(before).with_changes(terms=BillingTerms(in_arrears=False))
    billed = due_events(kept, None, date(2027, 2, 1))
    less = deal_of(service_line(amount=eur("5000.00")), value="5000.00", signed_on=LATER)
    read = contract_of(less, PROJECT, REFS).with_changes(terms=kept.terms)
    verdict = judge_change(kept, less, read, billed)
    assert "9,000.00 EUR of it is billed" in verdict.problem.detail


# -- change orders ----------------------------------------------------------------------------------


def order(value: str = "8000.00", *, won: bool = True, **changes: Any) -> Deal:
    line = milestone_line(id="o", number=7, name="Second site", amount=eur("8000.00"), **changes)
    deal = deal_of(line, value=value, number="00000101", signed_on=LATER)
    return deal.with_changes(external_id="006B", kind="change_order", won=won, version=datetime.now(UTC))


def test_an_order_adds_its_lines_and_again_adds_nothing() -> None:
    kept = kept_of(deal_of())
    revision = judged(kept, order()).revision
    assert (revision.value, [line.number for line in revision.lines]) == (eur("38000.00"), [1, 7])
    assert revision.number == "00000100", "an order changes the contract, it does not replace it"
    assert judged(revision, order()).revision is None


def test_an_order_that_is_not_signed_or_does_not_add_up_is_a_problem_of_its_own() -> None:
    kept = kept_of(deal_of())
    unsigned, wrong = judged(kept, order(won=False)), judged(kept, order("9000.00"))
    assert unsigned.problem.step == wrong.problem.step == "contract.change.006B"
    assert "is not signed" in unsigned.problem.headline
    assert "9,000.00 EUR, and its lines come to 8,000.00 EUR" in wrong.problem.detail
