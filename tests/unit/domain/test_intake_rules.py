"""Every rule of intake: what comes in and as what, what is refused, and who can cure it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.billable import Billable, IntakeProblem, WorkedTime
from domain.delivery import EntryApproval, Expense, TimeEntry
from domain.intake import WorkPage
from domain.intake_rules import Ground, KnownProject, days_of, judge, projects_of
from domain.money import Money
from domain.project_contract import BillingTerms, RateOverride
from domain.quantity import Quantity
from tests.support.intake_firm import (
    APPROVED,
    NOW,
    PROJECT,
    WORKSPACE,
    card,
    contract,
    expense,
    minutes,
    time_entry,
    unreadable,
)

DELIVERY, FINANCE, ARCHITECTURE = "delivery_operations", "finance_systems", "enterprise_architecture"


def ground(**changes: Any) -> Ground:
    values: dict[str, Any] = {
        "source": "kantata",
        "projects": {WORKSPACE: KnownProject(PROJECT, contract())},
        "now": NOW,
        "card": card,
    }
    return Ground(**(values | changes))


def page_of(work: TimeEntry | Expense) -> WorkPage:
    """Unvalidated: the rules hold whatever the canonical model refuses already."""
    if isinstance(work, TimeEntry):
        return WorkPage.model_construct(entries=(work,))
    return WorkPage.model_construct(expenses=(work,))


def one(work: Any, **changes: Any) -> Billable:
    """What `work` becomes; fails when it is refused."""
    judged = judge(page_of(work), ground(**changes))
    assert judged.refused == []
    return judged.entries[0]


def refused(work: Any, **changes: Any) -> IntakeProblem:
    """The problem of `work`; fails when it comes in."""
    judged = judge(page_of(work), ground(**changes))
    assert judged.entries == []
    return judged.refused[0].problem


# -- what comes in ----------------------------------------------------------------------------------


def test_approved_time_becomes_a_billable_with_what_its_source_said() -> None:
    found = one(time_entry())
    assert (found.key, found.project, found.line, found.entity) == ("kantata:time:t1", PROJECT, 2, "DE01")
    assert (found.resource, found.role, found.quantity) == ("u1", "Architect", minutes(480))
    assert (found.work_date, found.narrative, found.version) == (date(2026, 12, 8), "target picture", NOW)
    assert (found.approved_by, found.approved_at) == (APPROVED.by, APPROVED.at)
    assert found.billable


def test_an_approved_expense_becomes_a_billable_net_of_recoverable_tax() -> None:
    found = one(expense())
    assert (found.key, found.external_id, found.line) == ("kantata:expense:x1", "x1", 2)
    assert (found.amount, found.category, found.quantity) == (Money.of("100.00", "EUR"), "Travel", None)
    assert found.billable


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"billable": False}, "marked so at its source"),
        ({"task_ref": "1", "task": "s1"}, "the line is billed by its milestone"),
        ({"billed_by": "invoice:other"}, "billed elsewhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_time_that_is_cost_only_comes_in_as_not_billable(changes: dict[str, Any], why: str) -> None:
    assert not one(time_entry(**changes)).billable, why


def test_an_expense_is_rebilled_on_a_line_of_any_method() -> None:
    assert one(expense(task_ref="1")).billable
    assert not one(expense(billable=False)).billable


@pytest.mark.parametrize(("ref", "line"), [("2", 2), ("2.1", 2), ("2-design", 2), ("1", 1)])
def test_a_task_belongs_to_the_line_its_reference_names(ref: str, line: int) -> None:
    assert one(time_entry(task_ref=ref)).line == line


def test_an_expense_without_a_task_takes_the_one_line_by_time() -> None:
    assert one(expense(task_ref="")).line == 2


def test_a_reversal_comes_in_below_zero_and_names_what_it_reverses() -> None:
    found = one(time_entry("t2", quantity=minutes(-480), reverses="t1"))
    assert (found.quantity, found.reverses) == (minutes(-480), "kantata:time:t1")


def test_several_lines_and_allocations_of_a_report_are_entries_of_their_own() -> None:
    keys = [one(expense(line=line, allocation=part)).key for line, part in ((1, 1), (2, 1), (2, 2))]
    assert keys == ["kantata:expense:x1", "kantata:expense:x1/2", "kantata:expense:x1/2/2"]
    assert one(expense(revision=2)).key == one(expense()).key
    assert one(expense(revision=2)).content_hash != one(expense()).content_hash


# -- the hash ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"approvals": (APPROVED.model_copy(update={"by": "u-other"}),)},
        {"version": NOW + timedelta(days=1)},
        {"task_open": False},
        {"quantity": Quantity(amount=Decimal("480.0"), unit="minutes")},
        {"billed_by": "invoice:1"},
    ],
    ids=["approved again", "touched", "task closed", "same number", "billed"],
)
def test_what_changes_no_content_changes_no_hash(changes: dict[str, Any]) -> None:
    page = WorkPage(entries=(time_entry(), time_entry(**changes)))
    judged = judge(page, ground())
    hashes = [entry.content_hash for entry in judged.entries] + [one.content_hash for one in judged.refused]
    assert len(hashes) == 2
    assert len(set(hashes)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": minutes(450)},
        {"note": "another"},
        {"work_date": date(2026, 12, 9)},
        {"billable": False},
        {"task": "s3", "task_ref": "2.1"},
        {"resource": "u2"},
        {"role": "Engineer"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_content_has_another_hash(changes: dict[str, Any]) -> None:
    assert one(time_entry(**changes)).content_hash != one(time_entry()).content_hash


# -- what has no rate yet ---------------------------------------------------------------------------


def unpriced(entry: Any, **changes: Any) -> list[str]:
    judged = judge(WorkPage(entries=(entry,)), ground(**changes))
    assert judged.refused == []
    return judged.unpriced


def test_a_role_without_a_rate_on_the_work_date_is_a_finding_and_comes_in() -> None:
    assert unpriced(time_entry()) == []
    assert unpriced(time_entry(role="Engineer")) == ["kantata:time:t1"]
    after_the_card = time_entry(work_date=date(2027, 1, 4))
    assert unpriced(after_the_card) == ["kantata:time:t1"]
    agreed = contract(terms=BillingTerms(rate_overrides=(RateOverride(role="Engineer", price=Decimal(150)),)))
    assert unpriced(time_entry(role="Engineer"), projects={WORKSPACE: KnownProject(PROJECT, agreed)}) == []


def test_what_is_cost_only_needs_no_rate() -> None:
    assert unpriced(time_entry(role="Engineer", task_ref="1")) == []


# -- what is refused --------------------------------------------------------------------------------


def own(by: str) -> tuple[EntryApproval, ...]:
    return (EntryApproval(by=by, at=NOW, outcome="approved"),)


REFUSED_TIME: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "unknown project": ({"project": "77"}, "project", "project.unknown", DELIVERY, "project 77 is none"),
    "closed task": ({"task_open": False}, "task", "task.closed", DELIVERY, "task 2 is closed"),
    "task of no plan": ({"task_ref": ""}, "task", "task.no_line", DELIVERY, "task s2 belongs to no line"),
    "task of another line": ({"task_ref": "7"}, "task", "task.no_line", DELIVERY, "task 7 belongs"),
    "line that only begins alike": ({"task_ref": "22"}, "task", "task.no_line", DELIVERY, "task 22"),
    "before the contract": (
        {"work_date": date(2026, 11, 30)}, "work_date", "work_date.outside_contract", FINANCE, "2026-11-30",
    ),
    "after the contract": (
        {"work_date": date(2027, 4, 1)}, "work_date", "work_date.outside_contract", FINANCE, "2027-04-01",
    ),
    "no time": ({"quantity": minutes(0)}, "quantity", "quantity.not_positive", DELIVERY, "0 minutes"),
    "below zero": ({"quantity": minutes(-5)}, "quantity", "quantity.not_positive", DELIVERY, "-5 minutes"),
    "25 hours": ({"quantity": minutes(1500)}, "quantity", "quantity.day_full", DELIVERY, "25 h 00 min"),
    "two days on one": (
        {"quantity": Quantity(amount=Decimal(2), unit="days")}, "quantity", "quantity.day_full", DELIVERY,
        "2 days are written on one day",
    ),
    "own approval": ({"approvals": own("u1")}, "approvals", "approval.own", DELIVERY, "another must approve"),
    "rejected": (
        {"approvals": (APPROVED, APPROVED.model_copy(update={"outcome": "rejected"}))}, "approvals",
        "approval.missing", DELIVERY, "it is rejected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_TIME)
def test_time_is_refused(case: str) -> None:
    changes, field, rule, owner, words = REFUSED_TIME[case]
    problem = refused(time_entry(**changes))
    assert (problem.field, problem.rule, problem.owner) == (field, rule, owner)
    assert words in problem.problem
    assert problem.project == ("77" if case == "unknown project" else PROJECT)
    assert problem.key == "kantata:time:t1"
    assert problem.found_at == NOW


REFUSED_EXPENSES: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "unknown project": ({"project": "77"}, "project", "project.unknown", DELIVERY, "none of ours"),
    "other currency": (
        {"gross": Money.of("119.00", "USD"), "recoverable_tax": Money.of("0", "USD")}, "gross.currency",
        "expense.currency", FINANCE, "it is in USD, contract 00000100 in EUR",
    ),
    "a copy": ({"source": "concur"}, "source", "expense.not_owner", ARCHITECTURE, "it is a copy of concur"),
    "no source": ({"source": ""}, "source", "expense.not_owner", ARCHITECTURE, "an unnamed source"),
    "nothing": (
        {"gross": Money.of("0", "EUR"), "recoverable_tax": Money.of("0", "EUR")}, "gross",
        "quantity.not_positive", DELIVERY, "0.00 EUR",
    ),
    "below zero": ({"gross": Money.of("-1", "EUR")}, "gross", "quantity.not_positive", DELIVERY, "-1.00 EUR"),
    "outside": (
        {"spent_on": date(2027, 4, 1)}, "work_date", "work_date.outside_contract", FINANCE, "2027-04-01",
    ),
    "own approval": ({"approvals": own("u1")}, "approvals", "approval.own", DELIVERY, "another must approve"),
    "unknown task": ({"task_ref": "7"}, "task", "task.no_line", DELIVERY, "task 7"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_EXPENSES)
def test_an_expense_is_refused(case: str) -> None:
    changes, field, rule, owner, words = REFUSED_EXPENSES[case]
    problem = refused(expense(**changes))
    assert (problem.field, problem.rule, problem.owner) == (field, rule, owner)
    assert words in problem.problem


def test_a_project_that_is_ours_waits_for_its_contract() -> None:
    problem = refused(time_entry(), projects={WORKSPACE: KnownProject(PROJECT)})
    assert (problem.rule, problem.owner, problem.project) == ("project.no_contract", FINANCE, PROJECT)


def test_only_the_owner_named_in_the_firms_file_brings_expenses() -> None:
    assert one(expense(source="concur"), expense_source="concur").amount == Money.of("100.00", "EUR")
    assert refused(expense(), expense_source="concur").rule == "expense.not_owner"


def test_an_expense_without_a_task_is_refused_where_several_lines_may_be_meant() -> None:
    two = contract(lines=(*contract().lines, contract().lines[1].with_changes(number=3, id="l3")))
    problem = refused(expense(task_ref=""), projects={WORKSPACE: KnownProject(PROJECT, two)})
    assert (problem.rule, "no task" in problem.problem) == ("task.no_line", True)


def test_the_amount_says_what_it_is_worth() -> None:
    assert refused(time_entry(quantity=minutes(450), task_open=False)).amount == "7.50 h"
    assert refused(expense(source="concur")).amount == "119.00 EUR"


def test_one_visit_cures_all_that_is_wrong() -> None:
    problem = refused(time_entry(task_open=False, work_date=date(2027, 4, 1)))
    assert problem.rule == "task.closed"
    assert "task 2 is closed" in problem.problem
    assert "2027-04-01 is outside contract" in problem.problem


def test_an_unreadable_record_is_kept_under_the_key_of_the_entry_it_will_become() -> None:
    judged = judge(WorkPage(unreadable=(unreadable("t1"),)), ground(since=NOW))
    problem = judged.refused[0].problem
    assert (problem.key, problem.rule, problem.owner) == ("kantata:time:t1", "entry.unreadable", DELIVERY)
    assert (problem.field, problem.problem) == ("currency", "XXQ is no currency")
    assert (problem.project, problem.since) == (PROJECT, NOW)


def test_a_refused_entry_never_stops_the_rest_of_its_page() -> None:
    page = WorkPage(
        entries=(time_entry("a"), time_entry("b", task_open=False), time_entry("c", resource="u2")),
        unreadable=(unreadable("d"),),
    )
    judged = judge(page, ground())
    assert [entry.external_id for entry in judged.entries] == ["a", "c"]
    assert [one.problem.external_id for one in judged.refused] == ["b", "d"]


# -- the day of a person ----------------------------------------------------------------------------


def worked(key: str, amount: int, day: date = date(2026, 12, 8), resource: str = "u1") -> WorkedTime:
    return WorkedTime(
        key=f"kantata:time:{key}", resource=resource, work_date=day, minutes=amount, content_hash="h"
    )


@pytest.mark.parametrize(
    ("kept", "came", "fits"),
    [
        ([worked("old", 960)], 480, True),
        ([worked("old", 961)], 480, False),
        ([worked("old", 700), worked("older", 700)], 60, False),
        ([worked("t1", 1440)], 480, True),
        ([worked("old", 1440, resource="u2")], 480, True),
        ([worked("old", 1440, day=date(2026, 12, 9))], 480, True),
    ],
    ids=["24 h", "a minute more", "sum of two", "its own former self", "another person", "another day"],
)
def test_a_day_has_24_hours_with_what_is_there(kept: list[WorkedTime], came: int, fits: bool) -> None:
    judged = judge(WorkPage(entries=(time_entry(quantity=minutes(came)),)), ground(worked=kept))
    assert bool(judged.entries) is fits


def test_the_page_itself_fills_a_day_in_its_order() -> None:
    page = WorkPage(entries=tuple(time_entry(id, quantity=minutes(600)) for id in "abc"))
    judged = judge(page, ground())
    assert [entry.external_id for entry in judged.entries] == ["a", "b"]
    assert judged.refused[0].problem.rule == "quantity.day_full"
    assert "30 h 00 min" in judged.refused[0].problem.problem


def test_a_refused_entry_fills_no_day_and_a_reversal_empties_one() -> None:
    page = WorkPage(
        entries=(
            time_entry("a", quantity=minutes(1000), task_open=False),
            time_entry("b", quantity=minutes(1000)),
            time_entry("c", quantity=minutes(-1000), reverses="b"),
            time_entry("d", quantity=minutes(1000)),
        )
    )
    assert [entry.external_id for entry in judge(page, ground()).entries] == ["b", "c", "d"]


def test_an_entry_that_comes_twice_on_a_page_counts_once() -> None:
    page = WorkPage(entries=(time_entry(quantity=minutes(1000)), time_entry(quantity=minutes(1000))))
    assert len(judge(page, ground()).entries) == 2


def test_what_has_to_be_looked_up_for_a_page() -> None:
    page = WorkPage(
        entries=(time_entry("a"), time_entry("b"), time_entry("c", project="2", resource="u2")),
        expenses=(expense(project="3"),),
        unreadable=(unreadable(project_external_id="4"), unreadable(project_external_id="")),
    )
    assert projects_of(page) == ["2", "3", "4", WORKSPACE]
    assert days_of(page) == [("u1", date(2026, 12, 8)), ("u2", date(2026, 12, 8))]
