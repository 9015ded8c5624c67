"""The seeded firm: the same from the same seed, of any size, believable, and flawed where it is meant."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from sandbox.seed import dates, tax_ids
from sandbox.seed.firm import Deal, Firm, FirmSize, build_firm
from sandbox.seed.material import rate_card, readable, short

DAY = date(2026, 11, 23)
DAYS = [DAY, date(2026, 11, 30), date(2026, 12, 2), date(2027, 1, 31), date(2027, 3, 1), date(2028, 2, 29)]


@pytest.fixture(scope="module")
def firm() -> Firm:
    return build_firm(FirmSize(as_of=DAY))


def test_same_seed_same_firm_other_seed_another(firm: Firm) -> None:
    again = build_firm(FirmSize(as_of=DAY))
    assert (again.deals, again.customers, again.workers) == (firm.deals, firm.customers, firm.workers)
    assert build_firm(FirmSize(seed=2, as_of=DAY)).deals != firm.deals
    assert build_firm(FirmSize(deals=20, as_of=DAY)).deals == firm.deals[:20]  # a larger firm starts the same


@pytest.mark.parametrize("counts", [(1, 0, 0, 0), (1, 3, 1, 1), (3, 400, 500, 300)])
def test_any_size(counts: tuple[int, int, int, int]) -> None:
    size = FirmSize(*counts, as_of=DAY)
    built = build_firm(size)
    assert (len(built.deals), len(built.customers), len(built.workers)) == (
        size.deals,
        size.customers,
        size.workers,
    )
    assert len({worker.email for worker in built.workers}) == size.workers
    assert len({customer.name for customer in built.customers}) == size.customers


def test_the_default_firm_has_what_the_demo_and_tests_need(firm: Firm) -> None:
    clean = [deal for deal in firm.deals if deal.clean_and_signed]
    assert len(clean) >= 10
    assert {deal.region for deal in clean} == {"US", "DE", "IN"}
    methods = {line.billing_method for deal in clean for line in deal.lines}
    assert methods == {"Time and Materials", "Milestone", "Subscription", "Percent Complete"}
    assert {any(line.subcontracted for line in deal.lines) for deal in clean} == {True, False}
    assert Counter(deal.defect for deal in firm.deals if deal.defect) == {
        "no_billing_entity": 1,
        "customer_without_tax_id": 1,
        "milestones_do_not_sum": 1,
        "role_not_on_rate_card": 1,
        "customer_twice_in_erp": 1,
    }
    assert 20 <= sum(customer.in_erp for customer in firm.customers) <= 28
    assert sum(customer.erp_duplicate for customer in firm.customers) == 1


def test_the_flagship(firm: Firm) -> None:
    deal = firm.flagship
    assert deal.clean_and_signed
    assert (deal.entity, deal.currency) == ("DE01", "EUR")
    kinds = Counter(line.billing_method for line in deal.lines)
    assert kinds == {"Milestone": 3, "Time and Materials": 2, "Subscription": 1}
    (partner,) = [line for line in deal.lines if line.subcontracted]
    assert partner.role in firm.supplier(str(partner.supplier)).roles
    assert all(line.cap for line in deal.lines if line.billing_method == "Time and Materials")


@pytest.mark.parametrize("as_of", DAYS)
def test_a_firm_of_another_day_differs_in_its_days_alone(firm: Firm, as_of: date) -> None:
    other = build_firm(FirmSize(as_of=as_of))
    assert [sold(deal) for deal in other.deals] == [sold(deal) for deal in firm.deals]
    assert other.flagship.name == f"Polaris Managed Operations {other.flagship.end.year}"
    assert (other.customers, other.workers) == (firm.customers, firm.workers)


def sold(deal: Deal) -> list[object]:
    """What stays the same whatever the day: who, what, how long, for how much."""
    lines = [(line.name, line.quantity, line.total, line.cap, line.supplier) for line in deal.lines]
    months = (deal.end.year - deal.start.year) * 12 + deal.end.month - deal.start.month
    return [deal.key, deal.customer, deal.entity, deal.stage, deal.contract_value, deal.defect, months, lines]


@pytest.mark.parametrize("as_of", DAYS)
def test_the_books_are_open_from_this_month_on_for_as_long_as_deals_are_sold(as_of: date) -> None:
    built = build_firm(FirmSize(as_of=as_of))
    (current,) = [period for period in built.periods if period.start <= as_of <= period.end]
    assert [period.closed for period in built.periods] == [
        period.end < current.start for period in built.periods
    ]
    assert built.periods[0].start <= as_of - timedelta(days=300)
    assert built.periods[-1].end >= max(deal.start for deal in built.deals) + timedelta(days=300)


@pytest.mark.parametrize("as_of", DAYS)
def test_clean_deals_hold_together(as_of: date) -> None:
    firm = build_firm(FirmSize(as_of=as_of))
    for deal in firm.deals:
        if deal.clean_and_signed:
            check_clean(firm, deal)


def check_clean(firm: Firm, deal: Deal) -> None:
    customer, entity = firm.customer(deal.customer), firm.entity(str(deal.entity))
    assert customer.tax_id
    assert not customer.credit_hold
    assert customer.currency == deal.currency == entity.currency
    assert deal.contract_value == sum(line.total for line in deal.lines)
    assert deal.signed_on is not None
    assert deal.signed_on < firm.today
    assert firm.today + dates.NOTICE <= deal.start < deal.end
    card = {(rate.role, rate.grade): rate for rate in rate_card(deal.rate_card)}
    for line in deal.lines:
        assert line.total == (line.quantity * line.unit_price).quantize(Decimal("0.01"))
        if line.billing_method == "Time and Materials":
            rate = card[str(line.role), str(line.grade)]
            assert rate.floor_price <= line.unit_price <= rate.price
            assert rate.valid_from <= deal.start <= deal.end <= rate.valid_to
            assert line.cap is None or line.cap >= line.total
        if line.subcontracted:
            assert line.role in firm.supplier(str(line.supplier)).roles


def test_defects_are_what_they_say(firm: Firm) -> None:
    by_defect = {deal.defect: deal for deal in firm.deals if deal.defect}
    assert by_defect["no_billing_entity"].entity is None
    assert firm.customer(by_defect["customer_without_tax_id"].customer).tax_id is None
    odd = by_defect["milestones_do_not_sum"]
    assert odd.contract_value != sum(line.total for line in odd.lines)
    missing = by_defect["role_not_on_rate_card"]
    known = {rate.role for rate in rate_card(missing.rate_card)}
    assert [line.role for line in missing.lines if line.role not in known] == ["Quantum Computing Specialist"]
    assert firm.customer(by_defect["customer_twice_in_erp"].customer).erp_duplicate


def test_tax_ids_follow_published_examples() -> None:
    assert tax_ids.ust_id_check_digit("13669597") == 6  # DE136695976
    assert tax_ids.gstin_check_char("27AAPFU0939F1Z") == "V"
    chance = Random(1)  # noqa: S311
    assert len(tax_ids.ust_id(chance)) == 11
    assert len(tax_ids.gstin(chance, "29")) == 15
    assert tax_ids.ein(chance)[2] == "-"


def test_entities_have_valid_tax_ids(firm: Firm) -> None:
    german, indian = firm.entity("DE01").tax_id, firm.entity("IN01").tax_id
    assert int(german[-1]) == tax_ids.ust_id_check_digit(german[2:10])
    assert indian[-1] == tax_ids.gstin_check_char(indian[:14])


def test_names_are_readable() -> None:
    assert readable("BOOZ ALLEN HAMILTON INC.") == "Booz Allen Hamilton Inc."
    assert short("Booz Allen Hamilton, Inc.") == "Booz Allen Hamilton"
    assert short("Alpha Company, LLC") == "Alpha"
    assert readable("iGov Partners") == "iGov Partners"
