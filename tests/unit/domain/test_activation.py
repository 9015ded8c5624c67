"""From the deal to commands: what is built, with which dates, amounts and references."""

from datetime import date
from decimal import Decimal

import pytest

from domain.activation import (
    billing_schedule,
    erp_customer,
    erp_project,
    party_query,
    planned_tasks,
    psa_customer,
    psa_project,
    seats,
    staffing_demands,
    staffing_requests,
    subcontract_lines,
)
from domain.deal_dates import project_dates
from domain.selling import BillingMethod
from tests.unit.domain.sample_deal import DEAL, LINES, eur, with_contract, with_customer, with_line


def test_customer() -> None:
    command = erp_customer(DEAL)
    assert (command.name, command.crm_id, command.entity) == ("Alpenglow GmbH", "001A", "DE01")
    assert (command.currency, command.payment_terms, command.address.country) == ("EUR", "Net 30", "DE")
    assert psa_customer(DEAL) == command
    assert erp_customer(with_customer(currency="CHF")).currency == "CHF"


def test_party_query_asks_even_without_an_entity() -> None:
    query = party_query(DEAL, "key", date(2026, 11, 23))
    assert (query.entity, query.customer_external_id, query.tax_id) == ("DE01", "001A", "DE136695976")
    assert party_query(with_contract(billing_entity=None), "key", date(2026, 11, 23)).entity == ""


def test_projects_carry_the_same_facts_and_the_psa_its_template() -> None:
    psa = psa_project(DEAL, "DE01-ABC", "42")
    erp = erp_project(DEAL, "DE01-ABC", "501")
    assert (psa.template, erp.template) == ("42", None)
    assert (psa.number, psa.customer_external_id, psa.budget) == ("DE01-ABC", "", eur(62500))
    assert (psa.starts_on, psa.ends_on) == (date(2026, 12, 1), date(2027, 11, 30))
    assert psa.billing == "mixed"
    assert erp.with_changes(customer_external_id="", template="42") == psa


@pytest.mark.parametrize(("lines", "billing"), [(LINES[:1], "time_and_materials"), (LINES[1:3], "fixed")])
def test_billing_kind(lines: tuple[object, ...], billing: str) -> None:
    assert erp_project(with_contract(lines=lines), "N", "1").billing == billing


def test_plan_has_milestones_and_tasks_in_contract_order() -> None:
    tasks = planned_tasks(DEAL)
    assert [(task.ref, task.kind) for task in tasks] == [
        ("1", "task"),
        ("2", "milestone"),
        ("3", "task"),
        ("4", "task"),
    ]
    assert [task.hours for task in tasks] == [Decimal(100), None, None, Decimal(50)]
    assert tasks[1].ends_on == date(2027, 1, 31)
    assert tasks[2].starts_on == date(2026, 12, 31)


def test_seats_are_own_roles_only() -> None:
    command = seats(DEAL, "7")
    assert command is not None
    (seat,) = command.seats
    assert (seat.ref, seat.role, seat.grade, seat.hours) == ("1", "Architect", "Senior", Decimal(100))
    assert (seat.starts_on, seat.ends_on) == project_dates(DEAL)
    assert seats(with_contract(lines=LINES[1:]), "7") is None
    assert [line.number for line in subcontract_lines(DEAL)] == [4]


def test_hours_of_a_seat_come_from_the_cap_when_nothing_is_estimated() -> None:
    command = seats(with_line(1, quantity=None, cap=eur(1000), unit_price="150"), "7")
    assert command is not None
    assert command.seats[0].hours == Decimal("6.66")
    command = seats(with_line(1, quantity=None, cap=None), "7")
    assert command is not None
    assert command.seats[0].hours == 0


def test_one_request_per_seat_and_the_demand_it_makes() -> None:
    asked = seats(DEAL, "7")
    assert asked is not None
    requests = staffing_requests(asked, "key/seats", approver_email="rm@example.com", revision=2)
    assert [(r.project_external_id, r.seats_key, r.seat.ref, r.revision) for r in requests] == [
        ("7", "key/seats", "1", 2)
    ]
    (demand,) = staffing_demands(requests, ["900"])
    assert (demand.ref, demand.request_external_id) == ("1", "900")
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        staffing_demands(requests, [])


def test_schedule_sums_to_the_fixed_lines_and_keeps_the_month_end() -> None:
    schedule = billing_schedule(DEAL, "DE01-ABC", "7", "key/erp.project")
    assert schedule is not None
    assert [(line.ref, line.due_on, line.amount, line.kind) for line in schedule.lines] == [
        ("3.1", date(2026, 12, 31), eur(1000), "recurring"),
        ("2", date(2027, 1, 31), eur(40000), "milestone"),
        ("3.2", date(2027, 1, 31), eur(1000), "recurring"),
        ("3.3", date(2027, 2, 28), eur(1000), "recurring"),
    ]
    assert schedule.total == eur(43000)
    assert schedule.name == "DE01-ABC"


def test_time_and_materials_alone_has_no_schedule() -> None:
    deal = with_contract(lines=(LINES[0], LINES[3]))
    assert billing_schedule(deal, "N", "7", "key") is None


def test_dates_come_from_the_most_specific_source() -> None:
    bare = DEAL.with_changes(starts_on=None, ends_on=None)
    assert project_dates(bare) == (date(2026, 12, 1), date(2027, 11, 30))
    assert bare.contract is not None
    undated = bare.with_changes(contract=bare.contract.with_changes(starts_on=None, ends_on=None))
    assert project_dates(undated) == (date(2026, 12, 31), date(2027, 3, 30))
    assert project_dates(bare.with_changes(contract=None)) is None


@pytest.mark.parametrize(
    ("deal", "says"),
    [
        (DEAL.with_changes(contract=None), "no contract"),
        (with_contract(billing_entity=None), "no billing entity"),
        (with_contract(value=None), "no contract value"),
        (DEAL.with_changes(currency=None), "no currency"),
        (
            with_contract(starts_on=None, ends_on=None, lines=()).with_changes(starts_on=None, ends_on=None),
            "no start and end date",
        ),
    ],
)
def test_a_deal_the_gates_would_refuse_is_refused_by_name(deal: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        erp_project(deal, "N", "1")  # type: ignore[arg-type]


def test_a_line_that_cannot_be_scheduled_is_named() -> None:
    for deal in (
        with_line(2, due_on=None),
        with_line(3, frequency=None),
        with_line(3, amount=None),
        with_line(3, ends_on=date(2026, 12, 30)),
    ):
        with pytest.raises(ValueError, match=r"line [23] .* cannot be scheduled"):
            billing_schedule(deal, "N", "7", "key")


def test_builders_are_repeatable() -> None:
    assert psa_project(DEAL, "N").model_dump_json() == psa_project(DEAL, "N").model_dump_json()
    assert BillingMethod.SUBSCRIPTION in {line.billing_method for line in DEAL.lines}
