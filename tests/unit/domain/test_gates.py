"""Every rule of every gate turns its gate, and no other, red; with the field, the rule and a cure."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.gates.customer_data import matched_customer
from domain.gates.judge import judge
from domain.money import Money
from domain.readiness import Finding, Gate, GateResult
from domain.selling import Address, ContractLine
from tests.unit.domain.sample_deal import (
    ANSWER,
    AS_OF,
    CARD,
    CONTRACT,
    DEAL,
    ERP_CUSTOMER,
    FACTS,
    LINES,
    POLICY,
    SCHEDULE,
    STAFFING,
    eur,
    profile,
    with_contract,
    with_customer,
    with_entity,
    with_erp_customer,
    with_line,
)

BEFORE, OPENING = "before_creation", "before_opening"


def judged(phase: str = BEFORE, options: Any = None, **changes: Any) -> dict[Gate, GateResult]:
    case: dict[str, Any] = {
        "deal": DEAL,
        "facts": FACTS,
        "card": CARD,
        "staffing": STAFFING,
        "schedule": SCHEDULE,
    }
    case |= changes
    results = judge(phase, profile(options), policy=POLICY, as_of=AS_OF, **case)
    return {result.gate: result for result in results}


def rules(results: dict[Gate, GateResult]) -> set[tuple[Gate, str, str]]:
    return {(r.gate, f.field, f.rule) for r in results.values() for f in r.findings}


TWO = FACTS.with_changes(
    customers=(ERP_CUSTOMER, ERP_CUSTOMER.with_changes(external_id="502", number="CUST502"))
)
NO_TAX_ID = with_customer(tax_id=None)
FRENCH = Address(country="FR")
CD, LE, TR, RC, ST, BS = Gate

BEFORE_CREATION = [
    (CD, "customer.tax_id", "tax_id.required", {"deal": NO_TAX_ID}),
    (
        CD,
        "customer.tax_id",
        "tax_id.invalid",
        {"deal": with_customer(tax_id="DE136695977"), "facts": with_erp_customer(tax_ids=())},
    ),
    (CD, "customer.tax_id", "tax_id.differs", {"facts": with_erp_customer(tax_ids=("DE111111125",))}),
    (CD, "customer.credit_hold", "credit_hold.crm", {"deal": with_customer(credit_hold=True)}),
    (CD, "erp.customer", "credit_hold.erp", {"facts": with_erp_customer(on_credit_hold=True)}),
    (CD, "erp.customer", "customer.inactive", {"facts": with_erp_customer(active=False)}),
    (CD, "erp.customer", "customer.two_candidates", {"facts": TWO}),
    (CD, "erp.customer", "customer.not_a_candidate", {"facts": TWO, "deal": with_customer(erp_id="999")}),
    (CD, "erp.customer", "credit_limit.exceeded", {"facts": with_erp_customer(balance=eur("37500.01"))}),
    (
        CD,
        "erp.customer",
        "credit_limit.other_currency",
        {"facts": with_erp_customer(credit_limit=Money.of(1, "CHF"))},
    ),
    (
        CD,
        "erp.customer",
        "credit_limit.required",
        {"facts": with_erp_customer(credit_limit=None), "options": {CD: {"credit_limit": "required"}}},
    ),
    (
        CD,
        "erp.customer",
        "credit_limit.required",
        {"facts": FACTS.with_changes(customers=()), "options": {CD: {"credit_limit": "required"}}},
    ),
    (
        CD,
        "customer.payment_terms",
        "payment_terms.required",
        {"deal": with_customer(payment_terms=None), "facts": with_erp_customer(terms=None)},
    ),
    (LE, "contract", "contract.missing", {"deal": DEAL.with_changes(contract=None)}),
    (LE, "contract.signed_on", "contract.not_signed", {"deal": with_contract(signed_on=None)}),
    (LE, "contract.signed_on", "contract.not_signed", {"deal": DEAL.with_changes(won=False)}),
    (LE, "deal.currency", "currency.required", {"deal": DEAL.with_changes(currency=None)}),
    (LE, "contract.billing_entity", "billing_entity.required", {"deal": with_contract(billing_entity=None)}),
    (LE, "contract.billing_entity", "billing_entity.unknown", {"deal": with_contract(billing_entity="XX99")}),
    (LE, "contract.billing_entity", "billing_entity.not_in_erp", {"facts": FACTS.with_changes(entity=None)}),
    (LE, "contract.billing_entity", "billing_entity.differs", {"facts": with_entity(code="DE02")}),
    (LE, "contract.billing_entity", "billing_entity.inactive", {"facts": with_entity(active=False)}),
    (
        LE,
        "contract.billing_entity",
        "billing_entity.currency_differs",
        {"facts": with_entity(currency="USD")},
    ),
    (LE, "contract.billing_entity", "period.closed", {"facts": with_entity(open_periods=("2027-01",))}),
    (
        TR,
        "customer.address.state",
        "place.state_unknown",
        {"deal": with_customer(address=Address(country="DE")), "options": {TR: {"place": "state"}}},
    ),
    (
        TR,
        "contract.billing_entity",
        "tax_registration.entity",
        {"facts": with_entity(tax_registrations=("US",))},
    ),
    (
        TR,
        "customer.tax_id",
        "tax_registration.customer",
        {"deal": NO_TAX_ID, "options": {TR: {"customer_registration": "required"}}},
    ),
    (
        TR,
        "customer.tax_id",
        "reverse_charge.customer_registration",
        {"deal": with_customer(tax_id=None, address=FRENCH), "options": {}},
    ),
    (RC, "contract.rate_card", "rate_card.required", {"deal": with_contract(rate_card=None), "card": None}),
    (RC, "contract.rate_card", "rate_card.unknown", {"card": None}),
    (RC, "contract.rate_card", "rate_card.currency", {"card": CARD.with_changes(currency="USD")}),
    (RC, "contract.rate_card", "rate_card.dates", {"card": CARD.with_changes(valid_to=date(2027, 11, 29))}),
    (RC, "lines[1].role", "role.required", {"deal": with_line(1, role=None)}),
    (RC, "lines[1].role", "rate_card.role", {"deal": with_line(1, role="Wizard")}),
    (RC, "lines[1].role", "rate_card.role", {"deal": with_line(1, grade="Junior")}),
    (RC, "lines[1].unit_price", "rate_card.below_floor", {"deal": with_line(1, unit_price="139.99")}),
    (BS, "lines", "lines.required", {"deal": with_contract(lines=())}),
    (BS, "contract.value", "value.required", {"deal": with_contract(value=None)}),
    (
        BS,
        "contract.value",
        "lines.sum_mismatch",
        {"deal": with_contract(value=eur("62499.99"))},
    ),
    (BS, "contract.value", "lines.sum_mismatch", {"deal": with_line(2, amount=eur("40000.01"))}),
    (BS, "contract.value", "lines.sum_mismatch", {"options": {BS: {"contract_value": "fixed_lines"}}}),
    (BS, "lines[2].amount", "amount.required", {"deal": with_line(2, amount=None)}),
    (BS, "lines[2].amount", "amount.currency", {"deal": with_line(2, amount=Money.of(40000, "CHF"))}),
    (BS, "lines[2].billing_method", "billing_method.required", {"deal": with_line(2, billing_method=None)}),
    (BS, "lines[2].due_on", "due_on.required", {"deal": with_line(2, due_on=None)}),
    (BS, "lines[2].due_on", "dates.outside_contract", {"deal": with_line(2, due_on=date(2027, 12, 1))}),
    (BS, "lines[3].ends_on", "dates.reversed", {"deal": with_line(3, ends_on=date(2026, 12, 30))}),
    (BS, "lines[3].frequency", "frequency.required", {"deal": with_line(3, frequency=None)}),
    (BS, "lines[1].cap", "cap_or_estimate.required", {"deal": with_line(1, cap=None, quantity=None)}),
    (BS, "deal.ends_on", "dates.reversed", {"deal": DEAL.with_changes(ends_on=date(2026, 11, 30))}),
    (
        BS,
        "contract.retention_percent",
        "retention.range",
        {"deal": with_contract(retention_percent=Decimal(100))},
    ),
    (BS, "contract.customer_po.number", "customer_po.required", {"deal": with_contract(customer_po=None)}),
    (
        BS,
        "contract.customer_po.expires_on",
        "customer_po.expired",
        {"deal": with_contract(customer_po=CONTRACT.customer_po.with_changes(expires_on=date(2026, 11, 30)))},
    ),
    (
        BS,
        "contract.customer_po.amount",
        "customer_po.exhausted",
        {"deal": with_contract(customer_po=CONTRACT.customer_po.with_changes(amount=eur("62499.99")))},
    ),
    (
        BS,
        "contract.customer_po.amount",
        "customer_po.currency",
        {"deal": with_contract(customer_po=CONTRACT.customer_po.with_changes(amount=Money.of(62500, "CHF")))},
    ),
]

BEFORE_OPENING = [
    (ST, "staffing", "staffing.not_read", {"staffing": None}),
    (ST, "staffing[1]", "staffing.unanswered", {"staffing": STAFFING.with_changes(answers=())}),
    (
        ST,
        "staffing[1]",
        "staffing.unanswered",
        {"staffing": STAFFING.with_changes(answers=(ANSWER.with_changes(state="open"),))},
    ),
    (
        ST,
        "staffing[1]",
        "staffing.unanswered",
        {
            "staffing": STAFFING.with_changes(
                answers=(), revision=2, approved_by="rm@example.com", approved_revision=1
            )
        },
    ),
    (ST, "staffing[1]", "staffing.unanswered", {"options": {ST: {"approval": "person"}}}),
    (
        ST,
        "staffing[1]",
        "staffing.unanswered",
        {
            "options": {ST: {"approval": "psa"}},
            "staffing": STAFFING.with_changes(answers=(), approved_by="rm@example.com", approved_revision=1),
        },
    ),
    (
        ST,
        "staffing[1]",
        "staffing.rejected",
        {"staffing": STAFFING.with_changes(answers=(ANSWER.with_changes(state="rejected"),))},
    ),
    (
        ST,
        "staffing[1]",
        "staffing.withdrawn",
        {
            "staffing": STAFFING.with_changes(
                answers=(ANSWER.with_changes(state="withdrawn"),),
                approved_by="rm@example.com",
                approved_revision=1,
            )
        },
    ),
    (
        ST,
        "staffing[1]",
        "staffing.dates_differ",
        {"staffing": STAFFING.with_changes(answers=(ANSWER.with_changes(starts_on=date(2026, 12, 2)),))},
    ),
    (
        ST,
        "staffing[1]",
        "staffing.dates_differ",
        {"staffing": STAFFING.with_changes(answers=(ANSWER.with_changes(ends_on=date(2027, 11, 29)),))},
    ),
    (
        ST,
        "staffing",
        "staffing.same_person",
        {"staffing": STAFFING.with_changes(answers=(ANSWER.with_changes(approved_by="PM@example.com"),))},
    ),
    (
        ST,
        "staffing",
        "staffing.same_person",
        {"staffing": STAFFING.with_changes(answers=(), approved_by="pm@example.com", approved_revision=1)},
    ),
    (BS, "schedule", "schedule.missing", {"schedule": None}),
    (BS, "schedule", "schedule.inactive", {"schedule": SCHEDULE.with_changes(active=False)}),
    (BS, "schedule", "schedule.sum_mismatch", {"schedule": SCHEDULE.with_changes(total=eur("42999.99"))}),
    (
        BS,
        "schedule",
        "schedule.sum_mismatch",
        {"schedule": SCHEDULE.with_changes(total=Money.of(43000, "CHF"))},
    ),
    (BS, "lines[1].cap", "cap_or_estimate.required", {"deal": with_line(1, cap=None, quantity=Decimal(0))}),
]


def names(table: list[tuple[Gate, str, str, dict[str, Any]]]) -> list[str]:
    return [f"{rule}-{n}" for n, (_, _, rule, _) in enumerate(table)]


def test_a_clean_deal_is_green_in_both_phases() -> None:
    before, opening = judged(BEFORE), judged(OPENING)
    assert [(r.gate, r.state) for r in before.values()] == [(g, "green") for g in Gate if g is not ST]
    assert [(r.gate, r.state) for r in opening.values()] == [(ST, "green"), (BS, "green")]
    assert all(result.evidence and result.passed for result in [*before.values(), *opening.values()])


@pytest.mark.parametrize(("gate", "field", "rule", "changes"), BEFORE_CREATION, ids=names(BEFORE_CREATION))
def test_rule_before_creation(gate: Gate, field: str, rule: str, changes: dict[str, Any]) -> None:
    results = judged(BEFORE, **changes)
    assert rules(results) == {(gate, field, rule)}
    assert results[gate].state == "red"
    assert all(len(finding.message) > 25 for finding in results[gate].findings)


@pytest.mark.parametrize(("gate", "field", "rule", "changes"), BEFORE_OPENING, ids=names(BEFORE_OPENING))
def test_rule_before_opening(gate: Gate, field: str, rule: str, changes: dict[str, Any]) -> None:
    results = judged(OPENING, **changes)
    assert rules(results) == {(gate, field, rule)}
    assert results[gate].state == "red"


def test_rules_that_turn_two_gates_red() -> None:
    invalid_abroad = with_customer(tax_id="FR1", address=FRENCH)
    assert rules(judged(deal=invalid_abroad, facts=with_erp_customer(tax_ids=()))) == {
        (CD, "customer.tax_id", "tax_id.invalid"),
        (TR, "customer.tax_id", "reverse_charge.customer_registration"),
    }
    assert rules(judged(deal=with_customer(address=Address()))) == {
        (TR, "customer.address.country", "place.unknown"),
    }
    usd = DEAL.with_changes(currency="USD")
    assert {(g, r) for g, _, r in rules(judged(deal=usd))} == {
        (LE, "currency.not_allowed"),
        (RC, "rate_card.currency"),
        (BS, "amount.currency"),
    }


def test_an_unread_erp_turns_every_gate_red_that_needs_it() -> None:
    assert {(gate, rule) for gate, _, rule in rules(judged(facts=None))} == {
        (CD, "erp.not_read"),
        (LE, "erp.not_read"),
        (TR, "erp.not_read"),
    }


def test_negative_and_too_many_lines() -> None:
    negative = with_line(2, amount=eur(-40000))
    assert {rule for _, _, rule in rules(judged(deal=negative))} == {"amount.negative", "lines.sum_mismatch"}
    assert {r for _, _, r in rules(judged(deal=with_contract(value=eur(-1))))} >= {"value.negative"}
    many = tuple(
        ContractLine(
            id=str(n),
            number=n,
            name="phase",
            billing_method="milestone",
            amount=eur(125),
            due_on=date(2027, 1, 1),
        )
        for n in range(1, 502)
    )
    results = judged(deal=with_contract(lines=many, value=eur(125 * 501), customer_po=None), options={})
    assert rules(results) == {(BS, "lines", "lines.too_many")}
    results = judged(deal=with_contract(lines=many[:500], value=eur(62500)))
    assert rules(results) == set()


def test_sum_mismatch_names_both_amounts_and_the_difference() -> None:
    (finding,) = judged(deal=with_line(2, amount=eur("39000.50")))[BS].findings
    for text in ("61,500.50 EUR", "62,500.00 EUR", "999.50 EUR", "missing"):
        assert text in finding.message
    (finding,) = judged(deal=with_line(2, amount=eur(40001)))[BS].findings
    assert "1.00 EUR too much" in finding.message


def test_two_candidates_are_named_and_a_person_chooses() -> None:
    (finding,) = judged(facts=TWO)[CD].findings
    assert "CUST501" in finding.message
    assert "CUST502" in finding.message
    assert finding.value == "501, 502"
    chosen = with_customer(erp_id="502")
    assert judged(facts=TWO, deal=chosen)[CD].state == "green"
    match = matched_customer(chosen, TWO)
    assert match is not None
    assert match.external_id == "502"
    assert matched_customer(DEAL, TWO) is None
    assert matched_customer(DEAL, None) is None


def test_a_deactivated_duplicate_does_not_compete() -> None:
    inactive = ERP_CUSTOMER.with_changes(external_id="502", active=False)
    facts = FACTS.with_changes(customers=(inactive, ERP_CUSTOMER))
    assert judged(facts=facts)[CD].state == "green"


def test_no_customer_in_the_erp_is_green_with_evidence_that_one_will_be_created() -> None:
    result = judged(facts=FACTS.with_changes(customers=()))[CD]
    assert result.state == "green"
    assert "will be created" in result.evidence[1].detail


def test_start_after_today_may_fall_into_an_open_later_period() -> None:
    assert judged(facts=with_entity(open_periods=("2026-12",)))[LE].state == "green"
    backdated = DEAL.with_changes(starts_on=date(2026, 9, 1))
    assert judged(deal=backdated, facts=with_entity(open_periods=("2026-09",)))[LE].state == "red"


def test_today_is_the_day_of_the_entity() -> None:
    """23:30 UTC on 30 November is 1 December in Berlin."""
    late = AS_OF.replace(day=30, hour=23, minute=30)
    started = DEAL.with_changes(starts_on=date(2026, 11, 1))
    facts = with_entity(open_periods=("2026-12",))
    results = judge(BEFORE, profile(), started, facts, CARD, policy=POLICY, as_of=late)
    assert {r.gate: r.state for r in results}[LE] == "green"


def test_what_the_crm_mapping_could_not_read_turns_its_gate_red_once() -> None:
    finding = Finding(gate=LE, field="deal.currency", rule="currency.unknown", message="EURO is no currency")
    deal = DEAL.with_changes(currency=None, findings=(finding,))
    assert judged(deal=deal)[LE].findings == (finding,)
    assert judged(deal=deal)[CD].state == "green"


def test_skip_with_reason_unless_the_gate_may_not_be_skipped() -> None:
    results = judged(
        deal=NO_TAX_ID, facts=with_entity(tax_registrations=()), skips={CD: "agreed", TR: "please"}
    )
    assert results[CD].state == "skipped"
    assert results[CD].note == "agreed"
    assert results[CD].findings
    assert results[CD].passed
    assert results[TR].state == "red"


def test_gates_that_a_region_does_not_ask_for() -> None:
    full = profile()
    less = full.with_changes(rules=tuple(r for r in full.rules if r.gate not in (TR, RC)))
    results = judge(BEFORE, less, NO_TAX_ID, FACTS, None, policy=POLICY, as_of=AS_OF)
    states = {result.gate: result.state for result in results}
    assert states == {CD: "red", LE: "green", BS: "green", TR: "not_required", RC: "not_required"}
    optional = full.with_changes(rules=tuple(r.with_changes(required=False) for r in full.rules))
    results = judge(BEFORE, optional, NO_TAX_ID, None, None, policy=POLICY, as_of=AS_OF)
    assert {result.state for result in results} == {"not_required"}


def test_a_deal_of_milestones_only_needs_neither_rate_card_nor_staffing() -> None:
    deal = with_contract(lines=(LINES[1],), value=eur(40000), rate_card=None)
    before = judge(BEFORE, profile(), deal, FACTS, None, policy=POLICY, as_of=AS_OF)
    assert all(result.state == "green" for result in before)
    schedule = SCHEDULE.with_changes(total=eur(40000))
    empty = STAFFING.with_changes(demands=(), answers=())
    opening = judge(
        OPENING, profile(), deal, FACTS, None, policy=POLICY, as_of=AS_OF, staffing=empty, schedule=schedule
    )
    assert all(result.state == "green" for result in opening)


def test_tax_treatment_is_evidence() -> None:
    def details(**changes: Any) -> str:
        return " ".join(evidence.detail for evidence in judged(**changes)[TR].evidence)

    assert "domestic supply, place DE" in details()
    assert "reverse charge" in details(deal=with_customer(address=FRENCH, tax_id="FR40303265045"))
    assert "export of services" in details(
        deal=with_customer(address=Address(country="US"), tax_id="12-3456789")
    )
    assert "DE-NW, tax withheld" in details(options={TR: {"place": "state", "withholding": "tds"}})


def test_a_deal_without_any_date() -> None:
    undated = with_contract(starts_on=None, ends_on=None, lines=(LINES[0],), value=eur(15000))
    results = judged(deal=undated.with_changes(starts_on=None, ends_on=None))
    assert rules(results) == {(BS, "deal.starts_on", "dates.required")}


def test_limits_themselves_are_within() -> None:
    """The last day of the contract, a line of nothing, the whole credit limit, the floor price itself."""
    free = LINES[1].with_changes(number=5, amount=eur(0), due_on=CONTRACT.ends_on)
    deal = with_contract(lines=(LINES[0].with_changes(unit_price="140"), *LINES[1:], free))
    facts = with_erp_customer(balance=eur(37500))
    assert rules(judged(deal=deal, facts=facts)) == set()
    first_day = with_line(2, due_on=CONTRACT.starts_on)
    assert rules(judged(deal=first_day)) == set()
