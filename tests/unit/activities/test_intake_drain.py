"""The drain of a feed: every entry once, whatever is read again, fails in between or heals later."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.boundary import Boundary
from activities.intake import IntakeActivities
from activities.intake_problems import IntakeProblemActivities
from connectors.errors import Transient
from domain.intake import FeedPosition
from domain.time_posting import Counts, DrainInput, DrainProgress, ProblemsOf
from store.sql.engine import SqlStore
from tests.support.intake_firm import (
    NOW,
    PROJECT,
    PSA,
    FeedPsa,
    activated,
    contract,
    expense,
    minutes,
    time_entry,
    unreadable,
)

TIME = DrainInput(feed="time", page_size=2, pages=10)
WITHOUT_OVERLAP = TIME.with_changes(overlap_seconds=0)


class CardsOfTheFirm:
    def card(self, code: str) -> None:
        return None


class Intake:
    """The activity over a fake PSA and a real store."""

    def __init__(self, store: SqlStore) -> None:
        self.psa, self.store = FeedPsa(), store
        self.activities = IntakeActivities(
            self.psa,  # type: ignore[arg-type]
            store,
            Boundary(clock=lambda: NOW),
            CardsOfTheFirm(),
            clock=lambda: NOW,
        )
        self.beats: list[tuple[Any, ...]] = []

    async def drain(self, input: DrainInput = TIME, *, told: tuple[Any, ...] = ()) -> DrainProgress:
        """One attempt; `told` are the heartbeat details of the one before."""
        env = ActivityEnvironment()
        env.info = dataclasses.replace(env.info, heartbeat_details=list(told), heartbeat_timeout=None)
        env.on_heartbeat = lambda *details: self.beats.append(details)
        return await env.run(self.activities.drain, input)

    async def keys(self) -> list[str]:
        found = await self.store.billing.open_entries(PROJECT, up_to=date(2027, 12, 31))
        return sorted(entry.external_id for entry in found)

    async def problems(self) -> list[tuple[str, str]]:
        return [(one.external_id, one.rule) for one in await self.store.billing.problems()]


@pytest.fixture
async def intake(store_factory: Callable[..., SqlStore]) -> Intake:
    return Intake(store_factory(clock=lambda: NOW))


def entries(*ids: str, **changes: Any) -> list[Any]:
    return [time_entry(id, resource=f"u-{id}", **changes) for id in ids]


async def test_a_drain_takes_in_every_page_and_moves_the_cursor_at_its_end(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a", "b", "c", "d", "e"))
    found = await intake.drain()
    assert found.finished
    assert found.counts == Counts(pages=3, new=5, unpriced=5)
    assert await intake.keys() == ["a", "b", "c", "d", "e"]
    assert await intake.store.cursors.get("kantata.approved_time") == NOW + timedelta(minutes=5)


async def test_the_next_drain_begins_an_overlap_earlier_and_keeps_nothing_twice(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a", "b", "c", "d", "e", "f", "g", "h"))
    await intake.drain()
    intake.psa.approve(*entries("i"))
    found = await intake.drain()
    assert found.counts == Counts(pages=4, new=1, same=6, unpriced=7)
    assert intake.psa.asked[-1].since == NOW + timedelta(minutes=8) - timedelta(seconds=300)
    assert await intake.keys() == list("abcdefghi")


async def test_a_psa_with_a_history_is_read_from_the_day_the_firm_names(intake: Intake) -> None:
    from_now = WITHOUT_OVERLAP.with_changes(begin_on=NOW.date())
    await intake.drain(from_now)
    assert intake.psa.asked[-1].since == datetime.combine(NOW.date(), time.min, UTC)
    intake.psa.approve(*entries("a"))  # of no project of ours: what waits for it is looked for again
    await intake.drain(from_now)
    await activated(intake.store)
    await intake.drain(from_now)
    assert all(position.since is not None for position in intake.psa.asked), "never from its beginning"
    assert await intake.keys() == ["a"]


async def test_a_slice_stops_after_its_pages_and_the_next_goes_on(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a", "b", "c", "d", "e"))
    first = await intake.drain(TIME.with_changes(pages=2))
    assert (first.finished, first.counts.new) == (False, 4)
    assert await intake.store.cursors.get("kantata.approved_time") is None
    last = await intake.drain(TIME.with_changes(pages=2, progress=first))
    assert (last.finished, last.counts) == (True, Counts(pages=3, new=5, unpriced=5))


async def test_a_retry_begins_at_the_page_that_the_failed_attempt_had(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a", "b", "c", "d", "e"))
    intake.psa.failures[3] = Transient("connection reset", system=PSA)
    with pytest.raises(ApplicationError, match="connection reset"):
        await intake.drain()
    since, progress = intake.beats[-1]
    assert since == NOW.isoformat()
    told = (since, progress.model_dump(mode="json"))
    found = await intake.drain(told=told)
    assert [position.page for position in intake.psa.asked] == ["", "2", "4", "4"]
    assert (found.finished, found.counts) == (True, Counts(pages=3, new=5, unpriced=5))


async def test_an_attempt_that_dies_before_its_first_page_hands_the_position_on(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a", "b", "c"))
    intake.psa.failures[1] = Transient("down", system=PSA)
    position = {"position": {"page": "2"}, "counts": {"pages": 1, "new": 2}}
    with pytest.raises(ApplicationError):
        await intake.drain(told=(NOW.isoformat(), position))
    assert intake.beats[-1] == (NOW.isoformat(), position)


async def test_a_feed_that_does_not_move_is_a_defect_and_no_endless_loop(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a", "b", "c"))
    stuck = DrainProgress(position=FeedPosition(page="-2"))
    intake.psa.time = intake.psa.time * 2

    async def same(position: FeedPosition, limit: int = 200) -> Any:
        page = await FeedPsa.approved_time(intake.psa, FeedPosition(), limit)
        return page.with_changes(next_page=position.page)

    intake.psa.approved_time = same  # type: ignore[method-assign]
    with pytest.raises(ApplicationError, match="the same page again"):
        await intake.drain(TIME.with_changes(progress=stuck))


# -- what changes on its way ------------------------------------------------------------------------


async def test_approved_twice_is_one_entry(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(*entries("a"), *entries("a"))
    assert (await intake.drain()).counts == Counts(pages=1, new=1, same=1, unpriced=2)
    assert await intake.keys() == ["a"]


async def test_an_edit_after_approval_replaces_what_is_not_billed(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(time_entry())
    await intake.drain()
    intake.psa.edit(time_entry(quantity=minutes(300), version=NOW + timedelta(hours=1)))
    assert (await intake.drain()).counts.replaced == 1
    kept = await intake.store.billing.entry("kantata:time:t1")
    assert kept is not None
    assert kept.quantity == minutes(300)


async def test_other_content_under_the_same_version_is_refused_and_the_first_stands(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(time_entry())
    await intake.drain()
    intake.psa.edit(time_entry(quantity=minutes(300)))
    assert (await intake.drain()).counts.refused == 1
    (problem,) = await intake.store.billing.problems()
    assert (problem.rule, problem.owner, problem.amount) == ("entry.changed", "finance_systems", "5.00 h")
    intake.psa.edit(time_entry())
    await intake.drain()
    assert await intake.problems() == []


async def test_a_task_closed_after_its_time_came_in_is_no_problem(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(time_entry())
    await intake.drain()
    intake.psa.edit(time_entry(task_open=False))
    assert (await intake.drain()).counts == Counts(pages=1, same=1)
    assert await intake.problems() == []
    intake.psa.edit(time_entry(task_open=False, quantity=minutes(60), version=NOW + timedelta(hours=1)))
    await intake.drain()
    assert await intake.problems() == [("t1", "task.closed")]


async def test_the_day_is_summed_with_what_came_in_before(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(time_entry("a", quantity=minutes(900)))
    await intake.drain()
    intake.psa.approve(time_entry("b", quantity=minutes(600)))
    await intake.drain()
    assert await intake.problems() == [("b", "quantity.day_full")]
    intake.psa.edit(time_entry("a", quantity=minutes(480), version=NOW + timedelta(hours=1)))
    intake.psa.edit(time_entry("b", quantity=minutes(600)))
    await intake.drain()
    assert await intake.keys() == ["a", "b"]


async def test_expenses_have_a_feed_and_a_cursor_of_their_own(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(expense("x1"), expense("x2", source="concur"), time_entry())
    found = await intake.drain(DrainInput(feed="expenses"))
    assert found.counts == Counts(pages=1, new=1, refused=1)
    assert await intake.problems() == [("x2", "expense.not_owner")]
    assert await intake.store.cursors.get("kantata.approved_time") is None
    assert await intake.store.cursors.get("kantata.approved_expenses") == NOW + timedelta(minutes=2)


# -- what heals -------------------------------------------------------------------------------------


async def test_time_of_a_project_that_is_activated_later_comes_in_by_itself(intake: Intake) -> None:
    intake.psa.approve(*entries("a", "b", "c"))
    assert (await intake.drain(WITHOUT_OVERLAP)).counts == Counts(pages=2, refused=3)
    assert await intake.problems() == [(id, "project.unknown") for id in "abc"]
    intake.psa.approve(*entries("later", project="77"))
    await intake.drain(WITHOUT_OVERLAP)
    reads = len(intake.psa.asked)
    await intake.drain(WITHOUT_OVERLAP)
    assert all(position.since is not None for position in intake.psa.asked[reads:]), "nothing to go back for"
    await activated(intake.store)
    await intake.drain(WITHOUT_OVERLAP)
    assert await intake.keys() == ["a", "b", "c"]
    assert await intake.problems() == [("later", "project.unknown")]


async def test_a_lost_contract_that_is_kept_again_lets_its_time_in(intake: Intake) -> None:
    await intake.store.references.put(f"project:{PROJECT}", PSA, "project", "9001")
    intake.psa.approve(time_entry())
    await intake.drain(WITHOUT_OVERLAP)
    intake.psa.approve(*entries("later", project="77"))
    await intake.drain(WITHOUT_OVERLAP)
    assert ("t1", "project.no_contract") in await intake.problems()
    await intake.store.billing.put_contract(contract())
    await intake.drain(WITHOUT_OVERLAP)
    assert await intake.keys() == ["t1"]


async def test_a_reopened_task_heals_when_somebody_asks_again(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(time_entry("old", resource="u0"))
    await intake.drain()
    intake.psa.approve(time_entry(task_open=False), *entries(*"abcdefgh"))
    await intake.drain()
    intake.psa.time[1] = (intake.psa.time[1][0], time_entry())  # reopened: its stamp does not move
    await intake.drain()
    assert await intake.problems() == [("t1", "task.closed")]
    await intake.drain(TIME.with_changes(again=True))
    assert await intake.problems() == []
    assert "t1" in await intake.keys()


async def test_going_back_does_not_make_a_problem_older(intake: Intake) -> None:
    """Else one old problem would draw all later ones back to its own position."""
    await activated(intake.store)
    intake.psa.approve(*entries(*"abcdefgh"))
    await intake.drain()
    intake.psa.approve(time_entry("first", task_open=False), *entries(*"ijklmnop"))
    await intake.drain()
    intake.psa.approve(time_entry("second", task_open=False))
    await intake.drain()
    before = {one.key: one.since for one in await intake.store.billing.problems()}
    assert len(set(before.values())) == 2
    await intake.drain(TIME.with_changes(again=True))
    assert {one.key: one.since for one in await intake.store.billing.problems()} == before


async def test_an_unreadable_record_is_reported_once_and_heals_when_it_can_be_read(intake: Intake) -> None:
    await activated(intake.store)
    intake.psa.approve(unreadable("t1"), time_entry("t2"))
    for _ in range(2):
        await intake.drain()
    assert await intake.problems() == [("t1", "entry.unreadable")]
    intake.psa.time.pop(0)
    intake.psa.approve(time_entry("t1"))
    await intake.drain()
    assert await intake.problems() == []


# -- problems by owner ------------------------------------------------------------------------------


async def test_problems_are_counted_by_owner_with_the_three_oldest(intake: Intake) -> None:
    await activated(intake.store)
    refused = entries(*"abcd", task_open=False)
    intake.psa.approve(*refused, time_entry("late", work_date=date(2027, 4, 1)))
    await intake.drain()
    activities = IntakeProblemActivities(intake.store)
    found = await ActivityEnvironment().run(activities.problems, ProblemsOf(source=PSA))
    by_owner = {one.owner.value: one for one in found.owners}
    assert {name: (one.count, one.amounts) for name, one in by_owner.items()} == {
        "delivery_operations": (4, "32.00 h"),
        "finance_systems": (1, "8.00 h"),
    }
    assert [old.external_id for old in by_owner["delivery_operations"].oldest] == ["a", "b", "c"]
    assert by_owner["delivery_operations"].spoken == "4 entries"
    assert by_owner["finance_systems"].spoken == "1 entry"
    other = await ActivityEnvironment().run(activities.problems, ProblemsOf(source="another"))
    assert other.owners == ()
