"""The rules of alerts on cases: thresholds, owners, ages, what to do, and how an alert goes on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain import alert_state, alerts
from domain.alert_calendar import missing_events
from domain.alert_facts import (
    Moment,
    OpenEvent,
    OpenWork,
    ProjectRef,
    QuietProcess,
    StandingInvoice,
    StuckEvents,
    UncheckedRule,
)
from domain.alert_state import AlertRule, Condition, Worth
from domain.alert_worth import joined, worth_of, worth_of_problems
from domain.billable import Adjustment, IntakeProblem
from domain.money import Money
from domain.policy import AlertThresholds
from domain.quantity import Quantity
from domain.readiness import OwnerGroup
from domain.selling import BillingMethod, ContractLine
from tests.support.watch_firm import PROJECT, an_event, an_invoice, eur, watched_contract, work

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
LIMITS = AlertThresholds()
BERLIN = Moment(at=NOON, zones={"DE01": "Europe/Berlin"})
OF = ProjectRef(project=PROJECT, entity="DE01", customer="Alpenglow AG", title="Alpenglow rollout")
DAY = timedelta(days=1)


def days_ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


# -- what work is worth -------------------------------------------------------------------------------


def test_worth_is_money_where_there_is_a_price_and_time_elsewhere() -> None:
    contract = watched_contract(TODAY)
    expense = work("e", TODAY, kind="expense", quantity=None, amount=Money.of("19.90", "USD"))
    down = Adjustment(amount=eur("-50"), reason_code="rework", by="pm@firm.example")
    found = worth_of(
        [work("a", TODAY), work("b", TODAY, adjustment=down), expense, work("c", TODAY, line=1)], contract, []
    )
    assert found.values == (eur("1550.00"), Money.of("19.90", "USD"))
    assert (found.hours, found.days) == (8, 0)
    assert str(found) == "1,550.00 EUR, 19.90 USD, 8.00 h"


def test_worth_without_a_contract_is_time_and_of_nothing_nothing() -> None:
    third = work("a", TODAY, quantity=Quantity(amount=Decimal(20), unit="minutes"))
    day = work("d", TODAY, quantity=Quantity(amount=Decimal("1.50"), unit="days"))
    assert str(worth_of([third, third, day], None, [])) == "0.67 h, 1.5 d"
    reversal = work("r", TODAY, hours=-8, reverses="a")
    assert worth_of([work("a", TODAY), reversal], watched_contract(TODAY), []).is_nothing


def test_worths_are_added_by_currency() -> None:
    parts = [Worth(values=(eur(5),), hours=Decimal("0.5")), Worth(values=(eur(7), Money.of(1, "USD")))]
    assert str(joined(parts)) == "12.00 EUR, 1.00 USD, 0.50 h"


def problem(id: str, found: datetime = NOON, **changes: Any) -> IntakeProblem:
    facts = {"field": "task", "rule": "task.closed", "problem": "task 2.1 is closed", "amount": "8.00 h"}
    owner = {"owner": "delivery_operations", "project": PROJECT, "external_id": id}
    return IntakeProblem.model_validate(
        {"key": f"kantata:time:{id}", "found_at": found, **facts, **owner, **changes}
    )


def test_the_worth_of_refused_work_is_what_its_texts_say() -> None:
    found = [problem("a"), problem("b", amount="1,119.00 EUR"), problem("c", amount="0.5 d")]
    assert str(worth_of_problems([*found, problem("d", amount="")])) == "1,119.00 EUR, 8.00 h, 0.5 d"


# -- unbilled work ------------------------------------------------------------------------------------


def open_work(**changes: Any) -> OpenWork:
    made = OpenWork(
        of=OF, up_to=date(2026, 2, 7), oldest=date(2026, 1, 5), ready=40, held=2,
        worth=Worth(values=(eur(800),)),
    )  # fmt: skip
    return made.with_changes(**changes)


def test_unbilled_work_is_finances_and_held_work_deliverys() -> None:
    (ready,) = alerts.unbilled_work([open_work()], BERLIN)
    assert (ready.key, ready.owner, ready.command) == (
        f"unbilled_work/{PROJECT}", OwnerGroup.FINANCE_SYSTEMS, f"fairlead bill {PROJECT}",
    )  # fmt: skip
    assert ready.detail == "42 entries worked until 2026-02-07: 40 ready, 2 held"
    assert ready.since == datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert (ready.customer, ready.entity, ready.count) == ("Alpenglow AG", "DE01", 42)
    (held,) = alerts.unbilled_work([open_work(ready=0, held=1)], BERLIN)
    assert held.owner is OwnerGroup.DELIVERY_OPERATIONS
    assert held.detail == "1 entry worked until 2026-02-07: 1 held"
    (parked,) = alerts.unbilled_work([open_work(ready=0, held=0, parked=3)], BERLIN)
    assert (parked.owner, "cap" in parked.cure) == (OwnerGroup.DELIVERY_OPERATIONS, True)


def test_work_that_sums_to_nothing_is_no_condition() -> None:
    assert alerts.unbilled_work([open_work(worth=Worth())], BERLIN) == []
    assert alerts.unbilled_work([open_work(ready=0, held=0)], BERLIN) == []


def test_a_day_is_that_of_the_entity() -> None:
    late = Moment(at=datetime(2026, 3, 9, 23, 30, tzinfo=UTC), zones={"DE01": "Europe/Berlin"})
    assert (late.today("DE01"), late.today("US01")) == (date(2026, 3, 10), date(2026, 3, 9))
    assert late.before(30, "DE01") == date(2026, 2, 7)
    assert late.days_since(date(2026, 2, 7), "DE01") == 31


# -- delayed invoices ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "told"), [(3, 0), (4, 1)])
def test_an_event_is_delayed_after_the_days_of_the_firms_file(days: int, told: int) -> None:
    event = OpenEvent(of=OF, event=an_event(1, "1", TODAY - days * DAY), line="Design")
    found = alerts.delayed_events([event], LIMITS, BERLIN)
    assert len(found) == told
    for one in found:
        assert one.headline == f"Milestone 1 Design of project {PROJECT} Alpenglow rollout has no invoice"
        assert one.detail == "it was due on 2026-03-06, by acceptance 4711"


def test_what_is_above_a_cap_needs_a_signed_change() -> None:
    event = an_event(2, "above", TODAY - 9 * DAY, kind="above_cap")
    (found,) = alerts.delayed_events([OpenEvent(of=OF, event=event)], LIMITS, BERLIN)
    assert (found.owner, "raises the cap" in found.cure) == (OwnerGroup.DELIVERY_OPERATIONS, True)


@pytest.mark.parametrize(
    ("stage", "owner", "command"),
    [
        ("collected", "delivery_operations", "fairlead prebill show"),
        ("priced", "finance_systems", "fairlead invoice show"),
        ("drafted", "finance_systems", "fairlead status"),
        ("posted", None, ""),
    ],
)
def test_an_invoice_that_stands_still_is_told_by_its_stage(stage: Any, owner: Any, command: str) -> None:
    row = an_invoice("invoice/acme/P:1", TODAY, stage=stage)
    found = alerts.standing_invoices(
        [
            StandingInvoice(of=OF, invoice=row, changed_at=days_ago(3.1)),
            StandingInvoice(of=OF, invoice=row.with_changes(id="invoice/acme/P:2"), changed_at=days_ago(3)),
        ],
        LIMITS,
        BERLIN,
    )
    assert [(one.owner.value, one.command) for one in found] == (
        [(owner, f"{command} invoice/acme/P:1")] if owner else []
    )
    assert all(one.since == days_ago(3.1) for one in found)


def test_a_credit_note_is_called_one() -> None:
    row = an_invoice("credit/acme/1", TODAY, credits="invoice/acme/1", stage="priced")
    standing = StandingInvoice(of=OF, invoice=row, changed_at=days_ago(9))
    (found,) = alerts.standing_invoices([standing], LIMITS, BERLIN)
    assert found.headline.startswith("Credit note of project")


# -- missed events ------------------------------------------------------------------------------------


def test_what_the_calendar_says_and_nobody_planned_is_missed() -> None:
    start = date(2026, 1, 1)
    service = ContractLine(
        id="l4", number=4, name="Service", billing_method=BillingMethod.SUBSCRIPTION, amount=eur(1200),
        frequency="monthly", starts_on=start, ends_on=date(2026, 12, 31),
    )  # fmt: skip
    contract = watched_contract(start, lines=(*watched_contract(start).lines[:1], service))
    found = missing_events(contract, date(2026, 3, 31), [])
    assert [(event.line, event.occasion) for event in found] == [(4, "2026-01"), (4, "2026-02"), (1, "1")]
    assert found[0].amount == eur(100)
    kept = [found[0].with_changes(void=True), found[2].with_changes(occasion="M1", key=f"{PROJECT}/1/M1/1")]
    assert [event.key for event in missing_events(contract, date(2026, 3, 31), kept)] == [found[1].key]


def test_a_milestone_of_the_psa_and_one_without_a_day_are_not_missed() -> None:
    contract = watched_contract(date(2025, 1, 1))
    milestone = contract.lines[0]
    for changes in ({"billing_authority": "psa"}, {"due_on": None}):
        other = contract.with_changes(lines=(milestone.with_changes(**changes),))
        assert missing_events(other, TODAY, []) == []


def test_a_missed_milestone_is_deliverys_and_a_period_finances() -> None:
    found = alerts.missed_events(
        [
            OpenEvent(of=OF, event=an_event(1, "1", TODAY - 3 * DAY), line="Design"),
            OpenEvent(of=OF, event=an_event(4, "2026-02", TODAY, kind="subscription"), line="Service"),
        ],
        BERLIN,
    )
    assert [one.owner.value for one in found] == ["delivery_operations", "finance_systems"]
    assert found[0].headline == f"Milestone 1 Design of project {PROJECT} Alpenglow rollout is not accepted"
    assert found[1].headline.startswith("Line 4 Service for 2026-02 of project")


# -- approvals, refusals, activations, events ---------------------------------------------------------


def test_late_approvals_are_one_condition_of_a_project_with_the_worst() -> None:
    first = work("a", date(2026, 2, 20), approved_at=datetime(2026, 3, 7, 9, tzinfo=UTC))
    worst = work("b", date(2026, 2, 1), approved_at=datetime(2026, 3, 8, 9, tzinfo=UTC))
    (found,) = alerts.late_approvals([(OF, [first, worst], Worth(hours=Decimal(16)))], LIMITS)
    assert found.detail == (
        "2 entries in 7 days, more than 5 days after the work; the worst, of 2026-02-01, after 35"
    )
    assert (found.since, found.count, str(found.worth)) == (first.approved_at, 2, "16.00 h")
    assert alerts.late_approvals([(OF, [], Worth())], LIMITS) == []


def test_the_day_of_an_approval_is_that_of_utc() -> None:
    evening = datetime.fromisoformat("2026-03-01T20:00:00-08:00")
    assert alerts.approved_on(work("a", TODAY, approved_at=evening)) == date(2026, 3, 2)


def test_refused_work_is_told_by_owner_and_project_after_its_days() -> None:
    old = [problem(str(number), days_ago(2 + number)) for number in (1, 2)]
    found = alerts.refused_work(
        [
            *old,
            problem("new", days_ago(2)),
            problem("x", days_ago(5), project="", owner="finance_systems", amount=""),
        ],
        LIMITS,
        BERLIN,
    )
    assert [(one.object, one.count, one.owner.value) for one in found] == [
        (f"delivery_operations:{PROJECT}", 2, "delivery_operations"),
        ("finance_systems:no project", 1, "finance_systems"),
    ]
    assert found[0].detail == "2 entries (task.closed: 2); oldest 2: task 2.1 is closed"
    assert (found[0].since, str(found[0].worth)) == (days_ago(4), "16.00 h")
    assert "no known project" in found[1].headline


def quiet(days: float, **changes: Any) -> QuietProcess:
    made = QuietProcess(
        key="activation/acme/006A", title="Alpenglow", stage="awaiting staffing",
        owner=OwnerGroup.DELIVERY_OPERATIONS, changed_at=days_ago(days),
    )  # fmt: skip
    return made.with_changes(**changes)


def test_an_activation_stalls_sooner_at_the_end_of_a_quarter() -> None:
    (found,) = alerts.stalled_activations([quiet(3.1), quiet(3)], LIMITS, BERLIN)
    assert found.headline == "Activation of Alpenglow stands still, awaiting staffing"
    assert (found.command, found.since) == ("fairlead watch 006A", days_ago(3.1))
    end = datetime(2026, 3, 20, tzinfo=UTC)
    late = quiet(0, changed_at=end - timedelta(days=1.1), waits_for="Gate tax rules is red")
    (found,) = alerts.stalled_activations([late], LIMITS, Moment(at=end))
    assert found.detail.endswith("it waits: Gate tax rules is red; the quarter ends soon")
    assert alerts.stalled_activations([late], LIMITS, Moment(at=end - 5 * DAY)) == []


@pytest.mark.parametrize(
    ("day", "near"),
    [("03-17", False), ("03-18", True), ("03-31", True), ("04-30", False), ("12-18", True), ("01-31", False)],
)
def test_the_end_of_a_quarter_is_its_last_two_weeks(day: str, near: bool) -> None:
    assert alerts.near_quarter_end(datetime.fromisoformat(f"2026-{day}T12:00:00+00:00")) is near


def stuck(state: str, days: float) -> StuckEvents:
    return StuckEvents(
        source="kantata", type="milestone.accepted", state=state, count=3, oldest=days_ago(days),
        note="no project",
    )  # fmt: skip


def test_poison_is_told_at_once_and_a_waiting_event_after_its_days() -> None:
    found = alerts.stuck_events(
        [stuck("poison", 0), stuck("waiting", 1), stuck("received", 1.1)], LIMITS, BERLIN
    )
    assert [one.object for one in found] == [
        "kantata:milestone.accepted:poison", "kantata:milestone.accepted:received",
    ]  # fmt: skip
    assert found[0].headline == "3 events milestone.accepted of kantata cannot be applied"
    assert found[0].command == "fairlead events list --state poison --type milestone.accepted"


def test_every_condition_says_what_to_do_and_whose_it_is() -> None:
    found = [
        *alerts.unbilled_work([open_work()], BERLIN),
        *alerts.missed_events([OpenEvent(of=OF, event=an_event(1, "1", TODAY))], BERLIN),
        *alerts.stuck_events([stuck("poison", 0)], LIMITS, BERLIN),
        *alerts.unchecked_rules([UncheckedRule(rule=AlertRule.MISSED_EVENT, problem="no store")]),
        alerts.unknown_calendar(OF, "line 4 has no frequency"),
    ]
    assert all(one.cure and one.command.startswith("fairlead ") for one in found)


# -- how an alert goes on -----------------------------------------------------------------------------


def condition(**changes: Any) -> Condition:
    made = Condition(
        rule=AlertRule.STUCK_EVENT, object="kantata:x:poison", headline="3 events x cannot be applied",
        since=days_ago(2), owner=OwnerGroup.ENTERPRISE_ARCHITECTURE, cure="cure it",
    )  # fmt: skip
    return made.with_changes(**changes)


def test_an_alert_follows_its_condition_and_escalates_once_in_each_limit() -> None:
    limit = 7 * DAY
    alert = alert_state.raised(condition(), 2, NOON)
    assert (alert.id, alert.escalations, alert.age(NOON)) == ("stuck_event/kantata:x:poison/2", 0, 2 * DAY)
    alert = alert_state.seen(alert, condition(count=9, since=days_ago(5)), NOON + 6 * DAY, limit)
    assert (alert.count, alert.escalations, alert.raised_at) == (9, 0, NOON)
    assert alert.age(NOON) == 5 * DAY
    for days, times in ((7, 1), (8, 1), (14, 2), (10, 2)):
        alert = alert_state.seen(alert, condition(), NOON + days * DAY, limit)
        assert alert.escalations == times
    ended = alert_state.cleared(alert, NOON + 15 * DAY)
    assert ended.age(NOON + 99 * DAY) == 17 * DAY


def test_a_condition_that_does_not_know_its_beginning_begins_when_it_is_found() -> None:
    alert = alert_state.raised(condition(since=None), 1, NOON)
    again = alert_state.seen(alert, condition(since=None), NOON + DAY, 7 * DAY)
    assert (alert.since, again.since, again.seen_at) == (NOON, NOON, NOON + DAY)


def test_two_conditions_of_one_object_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two conditions of kantata:x:poison"):
        alert_state.by_object([condition(), condition(count=2)])
    assert list(alert_state.by_object([condition(), condition(object="b")])) == ["kantata:x:poison", "b"]


def test_an_alert_has_one_of_the_four_owners() -> None:
    with pytest.raises(ValidationError, match="owner"):
        condition(owner="sales")
