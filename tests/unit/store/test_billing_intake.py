"""Taking work in: kept once, replaced or refused by rule, healed, adjusted once, listed in pages."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.attention import Decision
from domain.billable import Adjustment, Billable, IntakeProblem
from domain.invoice_state import InvoiceRow
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.readiness import OwnerGroup
from domain.time_posting import SetAside
from store.billing_ports import TakenIn, UnbilledLine
from store.ports import StaleReference, StoreError
from store.sql.engine import SqlStore

Make = Callable[..., Any]
PROJECT = "DE01-7K3QXW"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
MUCH_LATER = NOON + timedelta(days=1000)
END = date(2026, 12, 31)
DOWN = Adjustment(amount=Money.of("-20", "EUR"), reason_code="rework", by="pm@acme.example")


def minutes(amount: int) -> Quantity:
    return Quantity(amount=Decimal(amount), unit="minutes")


async def test_a_page_is_kept_once(store: SqlStore, make_entry: Make, make_expense: Make):
    page = [make_entry(n, narrative=f"näh {n}") for n in range(3)] + [make_expense(9)]
    assert await store.billing.take_in(page) == TakenIn(new=4)
    assert await store.billing.take_in(page) == TakenIn(same=4)
    assert await store.billing.take_in([]) == TakenIn()
    for entry in page:
        assert await store.billing.entry(entry.key) == entry
    assert await store.billing.entry("kantata:time:77") is None


async def test_pages_of_a_thousand_and_racing_pages(store: SqlStore, make_entry: Make):
    page = [make_entry(n) for n in range(1200)]
    answers = await asyncio.gather(*(store.billing.take_in(page) for _ in range(4)))
    assert sum(answer.new for answer in answers) == 1200
    assert sum(answer.same for answer in answers) == 3600
    assert len(await store.billing.open_entries(PROJECT, up_to=END, limit=5000)) == 1200


async def test_newer_content_replaces_what_is_unbilled(store: SqlStore, make_entry: Make):
    await store.billing.take_in([make_entry()])
    newer = make_entry(quantity=minutes(90), content_hash="hash-b", version=LATER)
    assert await store.billing.take_in([newer]) == TakenIn(replaced=1)
    assert await store.billing.entry(newer.key) == newer
    assert await store.billing.take_in([newer]) == TakenIn(same=1)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (NOON, "the same version came with other content"),
        (NOON - timedelta(hours=1), "it is older than what is kept"),
        (None, "no version that says which is newer"),
    ],
)
async def test_other_content_that_is_not_newer_is_refused(
    store: SqlStore, make_entry: Make, version: Any, why: str
):
    first = make_entry()
    await store.billing.take_in([first])
    taken = await store.billing.take_in([make_entry(content_hash="hash-b", version=version), make_entry(2)])
    assert (taken.new, taken.same, taken.replaced) == (1, 0, 0)
    ((key, reason),) = taken.refused
    assert key == first.key
    assert why in reason
    assert await store.billing.entry(first.key) == first


async def test_what_an_invoice_covers_is_not_replaced(store: SqlStore, make_entry: Make, make_invoice: Make):
    first = make_entry()
    await store.billing.take_in([first])
    await store.billing.put_invoice(make_invoice())
    await store.billing.cover("invoice/acme/1", entries=[first.key])
    newer = make_entry(content_hash="hash-b", version=LATER)
    taken = await store.billing.take_in([newer])
    assert "after invoice invoice/acme/1 covered it" in dict(taken.refused)[first.key]
    await store.billing.release("invoice/acme/1")
    assert (await store.billing.take_in([newer])).replaced == 1


async def test_a_page_may_hold_an_entry_twice(store: SqlStore, make_entry: Make):
    newer = make_entry(content_hash="hash-b", version=LATER)
    assert await store.billing.take_in([make_entry(), newer, newer]) == TakenIn(new=1, same=1, replaced=1)
    assert await store.billing.entry(newer.key) == newer


async def test_the_same_content_with_a_newer_version_makes_late_old_content_old(
    store: SqlStore, make_entry: Make
):
    await store.billing.take_in([make_entry(version=NOON - timedelta(hours=2))])
    touched = make_entry(version=LATER)
    assert await store.billing.take_in([touched]) == TakenIn(same=1)
    late = make_entry(content_hash="hash-b")
    assert "older" in (await store.billing.take_in([late])).refused[0][1]
    assert await store.billing.entry(touched.key) == touched


async def test_a_reversal_is_an_entry_of_its_own(store: SqlStore, make_entry: Make):
    undo = make_entry(2, reverses="kantata:time:1", quantity=minutes(-60))
    assert await store.billing.take_in([make_entry(), undo]) == TakenIn(new=2)
    (line,) = await store.billing.unbilled(END)
    assert (line.entries, line.minutes) == (2, 0)


# -- adjusting


@pytest.fixture
async def kept(store: SqlStore, make_entry: Make, make_contract: Make) -> Billable:
    await store.billing.put_contract(make_contract())
    entry: Billable = make_entry()
    await store.billing.take_in([entry])
    return entry


async def test_a_decision_changes_an_entry_once(store: SqlStore, kept: Billable):
    await store.decisions.add(
        Decision(id="d1", actor="kim", role="operator", action="correct", process="p", at=NOON)
    )
    for _ in range(2):
        held = await store.billing.adjust(kept.key, decision="d1", held=True, hold_reason="asks")
        assert (held.held, held.hold_reason) == (True, "asks")
    await store.billing.adjust(kept.key, decision="d2", held=False, adjustment=DOWN)
    again = await store.billing.adjust(kept.key, decision="d1", held=True, hold_reason="asks")
    assert (again.held, again.adjustment) == (False, DOWN)
    assert again == await store.billing.entry(kept.key)
    with pytest.raises(StoreError, match="d1 has changed entry kantata:time:1 otherwise"):
        await store.billing.adjust(kept.key, decision="d1", held=False)
    with pytest.raises(StaleReference, match="entry nobody is not kept"):
        await store.billing.adjust("nobody", decision="d1", held=True)
    entries = [entry for entry in await store.audit.list(f"project:{PROJECT}") if entry.outcome == "adjusted"]
    assert [(entry.actor, entry.why) for entry in entries] == [("kim", "d1"), ("pm@acme.example", "d2")]
    assert (entries[0].before, entries[0].after) == (
        "held = False; hold_reason = ",
        "held = True; hold_reason = asks",
    )


async def test_an_entry_moves_to_a_line_and_to_a_project_that_are_there(
    store: SqlStore, kept: Billable, make_contract: Make
):
    await store.billing.put_contract(make_contract(project="US01-A", number="C-2", entity="US01"))
    moved = await store.billing.adjust(kept.key, decision="d1", line=2, narrative="secret")
    assert (moved.line, moved.narrative) == (2, "secret")
    with pytest.raises(StoreError, match="has no line 7; name one of its lines"):
        await store.billing.adjust(kept.key, decision="d2", line=7)
    with pytest.raises(StaleReference, match="XX has no contract"):
        await store.billing.adjust(kept.key, decision="d2", project="XX")
    moved = await store.billing.adjust(kept.key, decision="d2", project="US01-A", line=1)
    assert (moved.project, moved.entity, moved.line) == ("US01-A", "US01", 1)
    assert await store.billing.open_entries(PROJECT, up_to=END) == []
    assert await store.billing.open_entries("US01-A", up_to=END) == [moved]
    wrong = DOWN.model_copy(update={"amount": Money.of("-20", "USD")})
    with pytest.raises(StoreError, match=r"cannot be adjusted by -20\.00 USD"):
        await store.billing.adjust(kept.key, decision="d3", adjustment=wrong)
    assert "secret" not in str(await store.audit.list(f"project:{PROJECT}"))


@pytest.mark.parametrize("stage", ["posted", "paid", "credited"])
async def test_an_entry_in_the_ledger_is_not_adjusted(
    store: SqlStore, kept: Billable, make_invoice: Make, stage: Any
):
    row: InvoiceRow = make_invoice()
    await store.billing.put_invoice(row)
    await store.billing.cover(row.id, entries=[kept.key])
    reviewed = await store.billing.adjust(kept.key, decision="d1", adjustment=DOWN)
    assert reviewed.invoice == row.id
    with pytest.raises(StoreError, match="release it before it moves"):
        await store.billing.adjust(kept.key, decision="d2", project="US01-A")
    await store.billing.put_invoice(row.with_changes(stage=stage))
    with pytest.raises(StoreError, match=f"which is {stage}; credit it"):
        await store.billing.adjust(kept.key, decision="d3", held=True)
    assert await store.billing.entry(kept.key) == reviewed


async def test_a_replaced_entry_keeps_what_people_made_of_it_while_its_worth_stands(
    store: SqlStore, kept: Billable
):
    await store.billing.adjust(kept.key, decision="d1", held=True, adjustment=DOWN, line=2, narrative="ours")
    text = kept.with_changes(content_hash="hash-b", version=LATER, approved_by="eva")
    assert await store.billing.take_in([text]) == TakenIn(replaced=1)
    after = await store.billing.entry(kept.key)
    assert after == text.with_changes(held=True, adjustment=DOWN, line=2, narrative="ours")


async def test_an_adjustment_falls_with_the_worth_it_was_made_for(store: SqlStore, kept: Billable):
    await store.billing.adjust(kept.key, decision="d1", held=True, adjustment=DOWN, line=2, narrative="ours")
    newer = kept.with_changes(content_hash="b", version=LATER, quantity=minutes(61), narrative="theirs")
    taken = await store.billing.take_in([newer])
    assert taken.replaced == 1
    assert "its adjustment by -20.00 EUR (rework, pm@acme.example)" in dict(taken.cleared)[kept.key]
    after = await store.billing.entry(kept.key)
    assert after == newer.with_changes(held=True, line=2)
    (said,) = [e for e in await store.audit.list(f"project:{PROJECT}") if "fell" in e.what]
    assert said.before == dict(taken.cleared)[kept.key]


async def test_a_line_its_source_changes_is_the_sources_again(store: SqlStore, kept: Billable):
    await store.billing.adjust(kept.key, decision="d1", line=2)
    await store.billing.take_in([kept.with_changes(content_hash="b", version=LATER, project="DE01-OTHER")])
    after = await store.billing.entry(kept.key)
    assert after is not None
    assert (after.project, after.line) == ("DE01-OTHER", 1)


# -- problems


def problem(key: str = "kantata:time:1", **changes: Any) -> IntakeProblem:
    facts = {
        "key": key,
        "field": "line",
        "rule": "known_line",
        "problem": "no line 9",
        "owner": "delivery_operations",
        "project": PROJECT,
        "found_at": NOON,
    }
    return IntakeProblem.model_validate(facts | changes)


async def test_problems_are_kept_until_the_entry_comes_in(
    timed_store: SqlStore, clock: Any, make_entry: Make
):
    billing = timed_store.billing
    old, other = problem(), problem("kantata:time:2", owner="finance_systems", found_at=LATER)
    assert await billing.refuse([other, old]) == 2
    assert await billing.refuse([other, old]) == 0
    assert await billing.problems() == [old, other]
    assert await billing.problems(owner="finance_systems") == [other]
    assert await billing.problems(project="X") == []
    assert await billing.problems(limit=1) == [old]
    changed = problem(problem="no line 8", found_at=LATER)
    assert await billing.refuse([changed]) == 0
    assert (await billing.problems())[0] == changed.with_changes(found_at=NOON)

    clock.forward(hours=2)
    await billing.take_in([make_entry()])
    assert await billing.problems() == [other]
    assert await billing.refuse([old]) == 0  # a late repeat
    assert await billing.problems() == [other]
    assert await billing.refuse([problem(found_at=clock.forward(hours=1))]) == 1
    assert len(await billing.problems()) == 2


async def test_what_is_set_aside_comes_again_only_for_something_else(store: SqlStore):
    billing, ours = store.billing, problem(content_hash="a")
    await billing.refuse([ours, problem("kantata:time:2", found_at=LATER), problem("openair:time:1")])
    wish = SetAside(
        source="kantata", owner=OwnerGroup(ours.owner), process="time/f/kantata", decision="d1",
        decided_at=ours.found_at, actor="ines", reason="internal",
    )  # fmt: skip
    for _ in range(2):  # an activity is repeated
        await billing.set_aside(wish)
    left = ["openair:time:1", "kantata:time:2"]  # of another source, and found after it was decided
    assert [found.key for found in await billing.problems()] == left
    assert len(await store.audit.list("time/f/kantata")) == 1
    assert await billing.refuse([problem(content_hash="a", found_at=MUCH_LATER)]) == 0
    assert [found.key for found in await billing.problems()] == left
    for other in ({"content_hash": "b"}, {"content_hash": "a", "rule": "task.closed"}):
        again = problem(found_at=MUCH_LATER, **other)
        assert await billing.refuse([again]) == 1
        await billing.set_aside(wish.with_changes(decision="d2", decided_at=MUCH_LATER))


async def test_a_refused_change_heals_nothing(store: SqlStore, make_entry: Make):
    await store.billing.take_in([make_entry()])
    await store.billing.refuse([problem()])
    await store.billing.take_in([make_entry(content_hash="b")])
    assert len(await store.billing.problems()) == 1


# -- lists


async def test_open_entries_come_in_pages_in_order(store: SqlStore, make_entry: Make):
    page = [make_entry(n, work_date=date(2026, 2, 1 + n % 3)) for n in range(10)]
    page.append(make_entry("a/b", work_date=date(2026, 2, 2)))  # a key may hold slashes
    page += [make_entry(90, billable=False), make_entry(91, project="X"), make_entry(92, work_date=END)]
    await store.billing.take_in(page)
    await store.billing.adjust("kantata:time:4", decision="d", held=True)
    await store.billing.adjust("kantata:time:5", decision="d", parked=True)
    read: list[Billable] = []
    while True:
        after = f"{read[-1].work_date}/{read[-1].key}" if read else ""
        more = await store.billing.open_entries(PROJECT, up_to=date(2026, 2, 28), after=after, limit=4)
        read += more
        if len(more) < 4:
            break
    assert [(e.work_date, e.key) for e in read] == sorted((e.work_date, e.key) for e in page[:11])
    assert await store.billing.open_entries(PROJECT, line=2, up_to=END) == []
    with pytest.raises(StoreError, match="no place in the list"):
        await store.billing.open_entries(PROJECT, up_to=END, after="yesterday/x")


async def test_time_of_persons_on_days(store: SqlStore, make_entry: Make, make_expense: Make):
    day, other = date(2026, 2, 2), date(2026, 2, 3)
    await store.billing.take_in(
        [
            make_entry(1),
            make_entry(2, billable=False, quantity=Quantity(amount=Decimal("0.5"), unit="hours")),
            make_entry(3, resource="ben"),
            make_entry(4, work_date=other),
            make_entry(5, resource="ben", work_date=other),
            make_entry(6, source="other"),
            make_expense(7),
        ]
    )
    asked = [("anna", day), ("ben", other), ("anna", day)]
    found = await store.billing.worked("kantata", asked)
    assert [(time.key[-1], time.resource, time.work_date, time.minutes) for time in found] == [
        ("1", "anna", day, 60),
        ("2", "anna", day, 30),
        ("5", "ben", other, 60),
    ]
    assert {time.content_hash for time in found} == {"hash-a"}
    assert await store.billing.worked("kantata", []) == []


async def test_unbilled_by_cause(
    store: SqlStore, make_entry: Make, make_expense: Make, make_contract: Make, make_invoice: Make
):
    await store.billing.put_contract(make_contract())
    await store.billing.take_in(
        [
            make_entry(1, quantity=Quantity(amount=Decimal("1.5"), unit="hours")),
            make_entry(2, work_date=date(2026, 1, 31)),
            make_entry(3, held=True, parked=True, quantity=Quantity(amount=Decimal(2), unit="days")),
            make_entry(4, billable=False, held=True),
            make_entry(5),
            make_entry(6, work_date=date(2026, 3, 1)),
            make_entry(7, project="US01-X", entity="US01"),
            make_expense(1),
            make_expense(2, "0.90"),
            make_expense(3, "12", "JPY"),
        ]
    )
    await store.billing.put_invoice(make_invoice())
    await store.billing.cover("invoice/acme/1", entries=["kantata:time:5"])
    facts = {"project": PROJECT, "entity": "DE01", "currency": "EUR", "oldest": date(2026, 2, 2)}

    def line(cause: str, entries: int, **more: Any) -> UnbilledLine:
        return UnbilledLine.model_validate({**facts, "cause": cause, "entries": entries, **more})

    ours = [
        line("not_billable", 1, minutes=60),
        line("parked", 1),
        line("ready", 4, minutes=150, oldest=date(2026, 1, 31), expenses=Money.of("101", "EUR")),
        line("ready", 1, currency="JPY", expenses=Money.of("12", "JPY")),
    ]
    assert await store.billing.unbilled(date(2026, 2, 28), project=PROJECT) == ours
    everywhere = await store.billing.unbilled(date(2026, 2, 28))
    other = UnbilledLine(
        project="US01-X",
        entity="US01",
        currency="",
        cause="ready",
        entries=1,
        oldest=date(2026, 2, 2),
        minutes=60,
    )
    assert everywhere == [*ours, other]


async def test_late_approvals(timed_store: SqlStore, clock: Any, make_entry: Make):
    billing = timed_store.billing
    await billing.take_in([make_entry(1), make_entry(2, work_date=date(2026, 2, 27))])
    await billing.take_in([make_entry(3, approved_at=None)])
    assert [e.external_id for e in await billing.approved_after(3, NOON)] == ["1"]
    assert [e.external_id for e in await billing.approved_after(2, NOON)] == ["1", "2"]
    assert await billing.approved_after(2, NOON + timedelta(seconds=1)) == []


# -- contracts


async def test_contracts_by_revision(store: SqlStore, make_contract: Make):
    first: ProjectContract = make_contract()
    second = first.with_changes(revision=2, entity="US01", title="Rollout, extended")
    for _ in range(2):
        await store.billing.put_contract(first)
    await store.billing.put_contract(second)
    assert await store.billing.contract(PROJECT) == second
    assert await store.billing.contract(PROJECT, 1) == first
    assert await store.billing.contract(PROJECT, 3) is None
    assert await store.billing.contract("X") is None
    with pytest.raises(
        StoreError, match="revision 2 of contract C-0001 of project DE01-7K3QXW is already kept"
    ):
        await store.billing.put_contract(second.with_changes(title="other"))
    with pytest.raises(StoreError, match="a project bills in one currency"):
        await store.billing.put_contract(second.with_changes(revision=3, currency="USD"))
    assert [entry.key for entry in await store.audit.list(f"project:{PROJECT}")] == [
        f"contract/{PROJECT}/1",
        f"contract/{PROJECT}/2",
    ]


async def test_projects_in_pages_and_by_their_newest_entity(store: SqlStore, make_contract: Make):
    for project in ("c", "a", "b"):
        await store.billing.put_contract(make_contract(project=project))
    await store.billing.put_contract(make_contract(project="b", revision=2, entity="US01"))
    assert await store.billing.projects() == ["a", "b", "c"]
    assert await store.billing.projects(limit=2) == ["a", "b"]
    assert await store.billing.projects(after="b") == ["c"]
    assert await store.billing.projects("US01") == ["b"]
    assert await store.billing.projects("DE01") == ["a", "c"]
