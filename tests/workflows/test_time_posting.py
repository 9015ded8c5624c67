"""Time posting on a real dev server: coalesced wakes, resumed drains, routed refusals, continue-as-new."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Rejected, Transient
from domain.attention import EventRef
from domain.ticks import IntakeTick
from runtime.schedules import intake_id, keep_intake
from store.ports import InboxRow
from tests.support.intake_firm import (
    NOW,
    PROJECT,
    PSA,
    IntakeFirm,
    activated,
    expense,
    minutes,
    running_intake,
    time_entry,
)
from workflows.intake_tick import WakeTimePosting

LATE_DAY = datetime(2027, 12, 31, tzinfo=UTC).date()


@pytest.fixture
async def firm(temporal_env: WorkflowEnvironment, store: Any) -> AsyncIterator[IntakeFirm]:
    async with running_intake(temporal_env.client, store) as firm:
        await activated(store)
        yield firm


def entries(*ids: str, **changes: Any) -> list[Any]:
    return [time_entry(id, resource=f"u-{id}", **changes) for id in ids]


async def keys(firm: IntakeFirm) -> list[str]:
    found = await firm.store.billing.open_entries(PROJECT, up_to=LATE_DAY)
    return sorted(entry.external_id for entry in found)


async def open_items(firm: IntakeFirm) -> list[Any]:
    return list(await firm.store.attention.list(process=firm.process))


async def test_what_is_approved_comes_in_with_the_first_drain(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries("a", "b", "c"), expense("x1"))
    await firm.start()
    view = await firm.drained()
    assert view.last is not None
    assert (view.last.counts.came_in, view.last.counts.pages, view.drains) == (4, 3, 1)
    assert view.stage == "waiting for approved work"
    assert await keys(firm) == ["a", "b", "c", "x1"]
    row = await firm.store.processes.get(firm.process)
    assert (row.kind, row.state, row.title) == ("time", "running", "time and expenses of kantata")


async def test_many_wakes_during_a_drain_are_one_more(firm: IntakeFirm) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    first_page = firm.psa.approved_time

    async def held(position: Any, limit: int = 200) -> Any:
        reached.set()
        await go_on.wait()
        return await first_page(position, limit)

    firm.psa.approved_time = held  # type: ignore[method-assign]
    await firm.start()
    await asyncio.wait_for(reached.wait(), 20)
    for _ in range(25):
        await firm.wake()
    firm.psa.approve(*entries("a"))
    go_on.set()
    view = await firm.until(lambda view: view.served == 26)
    assert view.drains == 2
    assert await keys(firm) == ["a"]


async def test_a_wake_while_it_waits_drains_once_more(firm: IntakeFirm) -> None:
    await firm.start()
    await firm.drained()
    firm.psa.approve(*entries("a"))
    await firm.wake()
    view = await firm.until(lambda view: view.served == 2)
    assert (view.drains, view.total.new) == (2, 1)


async def test_a_retry_goes_on_at_the_page_that_failed(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries("a", "b", "c", "d", "e"))
    firm.psa.failures[3] = Transient("connection reset", system=PSA)
    await firm.start()
    view = await firm.drained()
    assert [position.page for position in firm.psa.asked] == ["", "2", "4", "4"]
    assert view.last is not None
    assert view.last.counts.new == 5


async def test_a_feed_that_cannot_be_read_waits_for_its_owner_and_goes_on_in_place(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries("a", "b", "c"))
    firm.psa.failures[1] = Rejected("the scope time:read is missing", system=PSA)
    await firm.start()
    view = await firm.until(lambda view: view.blocked)
    (item,) = view.attention
    assert (item.step, item.owner.value) == ("time", "delivery_operations")
    assert item.detail == "the scope time:read is missing"
    assert [action.value for action in item.actions] == ["retry", "hand_over"]
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("compensate", item.id)
    assert "correct an entry at its source, then retry" in str(caught.value.cause)
    await firm.decide("retry", item.id)
    view = await firm.drained()
    assert (view.blocked, view.attention) == (False, ())
    assert await keys(firm) == ["a", "b", "c"]


# -- what was refused -------------------------------------------------------------------------------


async def test_refused_entries_are_one_exception_per_owner_that_goes_when_they_come_in(
    firm: IntakeFirm,
) -> None:
    firm.psa.approve(
        *entries("a", "b", "c", "d", task_open=False),
        *entries("late", work_date=LATE_DAY),
        *entries("fine"),
    )
    await firm.start()
    await firm.drained()
    items = {item.owner.value: item for item in await open_items(firm)}
    assert set(items) == {"delivery_operations", "finance_systems"}
    item = items["delivery_operations"]
    assert item.headline == "4 entries of approved work refused, 32.00 h"
    assert item.detail.count("task 2 is closed") == 3, "the three oldest"
    assert item.facts["all of them"] == "fairlead worklist delivery_operations"
    firm.psa.edit(time_entry("e", task_open=False))
    await firm.wake()
    await firm.until(lambda view: view.served == 2)
    again = {item.owner.value: item for item in await open_items(firm)}
    assert again["delivery_operations"].id == item.id, "changed in place, not multiplied"
    assert again["delivery_operations"].headline == "5 entries of approved work refused, 40.00 h"
    for at in range(len(firm.psa.time)):  # the task is open again: no stamp moves
        stamp, entry = firm.psa.time[at]
        firm.psa.time[at] = (stamp, entry.model_copy(update={"task_open": True}))
    await firm.decide("retry", item.id)
    await firm.until(lambda view: view.served == 3)
    assert [one.owner.value for one in await open_items(firm)] == ["finance_systems"]
    resolved = await firm.store.attention.get(item.id)
    assert (resolved.state, resolved.resolution) == ("resolved", "all of it has come in")
    assert await keys(firm) == ["a", "b", "c", "d", "e", "fine"]


async def test_what_is_none_of_ours_is_set_aside_by_two_persons_until_it_changes(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries("a", "b", project="internal"))
    await firm.start()
    await firm.drained()
    (item,) = await open_items(firm)
    first = await firm.decide("skip", item.id, reason="internal work is not billed")
    assert [one.state for one in await open_items(firm)] == ["awaiting_second_person"]
    await firm.decide("second", first, actor="karl@firm.example")
    await firm.until(lambda view: not view.attention)
    resolved = await firm.store.attention.get(item.id)
    assert (resolved.state, resolved.resolution.split(":")[0]) == (
        "resolved",
        "set aside by ines@firm.example",
    )
    assert await firm.store.billing.problems() == []
    said = [entry.what for entry in await firm.store.audit.list(firm.process)]
    assert "2 refused entries set aside" in said
    # Met again as they were, they stay aside; what is changed at its source is refused anew.
    firm.psa.edit(*entries("b", project="internal", quantity=minutes(60)))
    await firm.wake(again=True)
    await firm.until(lambda view: view.served == 2)
    assert [one.external_id for one in await firm.store.billing.problems()] == ["b"]
    assert len(await open_items(firm)) == 1


async def test_an_unchanged_problem_is_shown_once(firm: IntakeFirm) -> None:
    firm.psa.approve(time_entry(task_open=False))
    await firm.start()
    await firm.drained()
    for count in (2, 3):
        await firm.wake()
        await firm.until(lambda view, count=count: view.served == count)  # type: ignore[misc]
    history = await firm.handle.fetch_history()
    shown = [
        event
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "attention.put"
    ]
    assert len(shown) == 1


async def test_what_stays_refused_is_looked_at_again_after_a_while(
    time_skipping: WorkflowEnvironment, store: Any
) -> None:
    """Nobody tells that a task is open again: a drain an hour later goes back to it."""
    async with running_intake(time_skipping.client, store) as firm:
        await activated(store)
        firm.psa.approve(*entries("a", "b", "c", "d", "e", "f"))
        with time_skipping.auto_time_skipping_disabled():
            await firm.start(run_timeout=timedelta(days=30), overlap_seconds=0)
            await firm.drained()
            firm.psa.approve(time_entry("old", task_open=False), *entries("g"))
            await firm.wake()
            await firm.until(lambda view: view.served == 2)
            firm.psa.approve(*entries("h"))
            await firm.wake()
            await firm.until(lambda view: view.served == 3)
            stamp, entry = firm.psa.time[6]
            firm.psa.time[6] = (stamp, entry.model_copy(update={"task_open": True}))
            await firm.wake()
            assert (await firm.until(lambda view: view.served == 4)).attention
        await time_skipping.sleep(timedelta(minutes=61))
        with time_skipping.auto_time_skipping_disabled():
            await firm.wake()
            view = await firm.until(lambda view: view.served == 5)
            assert view.attention == ()
            assert "old" in await keys(firm)


# -- runs and histories -----------------------------------------------------------------------------


async def test_continue_as_new_in_the_middle_of_a_drain_keeps_its_place(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries(*"abcdefghij"), time_entry("closed", task_open=False))
    handle = await firm.start(slice_pages=1, slices_per_run=2)
    view = await firm.drained()
    assert view.last is not None
    assert (view.last.counts.new, view.last.counts.pages, view.drains) == (10, 7, 1)
    assert len({position.page for position in firm.psa.asked}) == len(firm.psa.asked), "no page twice"
    first = firm.client.get_workflow_handle(firm.process, run_id=handle.first_execution_run_id)
    assert (await first.describe()).status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    (item,) = await open_items(firm)
    assert item.id == f"{firm.process}/refused.delivery_operations/1"


async def test_a_wish_to_look_again_outlives_a_drain_that_continues_as_new(firm: IntakeFirm) -> None:
    firm.psa.approve(time_entry("closed", task_open=False), *entries(*"abcdefgh"))
    await firm.start(overlap_seconds=0)
    await firm.drained()
    reached, go_on = asyncio.Event(), asyncio.Event()
    read = firm.psa.approved_time

    async def held(position: Any, limit: int = 200) -> Any:
        reached.set()
        await go_on.wait()
        return await read(position, limit)

    await firm.handle.terminate()
    firm.psa.approved_time = held  # type: ignore[method-assign]
    firm.psa.approve(*entries(*"ijklmnop"))
    await firm.start(overlap_seconds=0, slice_pages=1, slices_per_run=2)
    await asyncio.wait_for(reached.wait(), 20)
    stamp, entry = firm.psa.time[0]
    firm.psa.time[0] = (stamp, entry.model_copy(update={"task_open": True}))
    await firm.wake(again=True)
    go_on.set()
    view = await firm.until(lambda view: view.served == 2)
    assert (view.drains, view.attention) == (2, ())
    assert "closed" in await keys(firm)


async def test_exceptions_travel_into_the_next_run_and_are_resolved_there(firm: IntakeFirm) -> None:
    firm.psa.approve(time_entry("closed", task_open=False))
    await firm.start(slices_per_run=2)
    await firm.until(lambda view: view.drains == 1 and bool(view.attention))
    (item,) = await open_items(firm)
    firm.psa.edit(time_entry("closed"))
    await firm.wake()
    await firm.until(lambda view: view.drains == 2 and not view.attention)
    assert await open_items(firm) == []
    firm.psa.edit(time_entry("closed", task_open=False, version=NOW + timedelta(days=1), note="more"))
    await firm.wake()
    await firm.until(lambda view: view.drains == 3 and bool(view.attention))
    (again,) = await open_items(firm)
    assert (item.id[-2:], again.id[-2:]) == ("/1", "/2"), "an id is never used twice"


async def test_history_does_not_grow_with_the_number_of_entries(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries(*(f"e{number}" for number in range(400))))
    await firm.start(slice_pages=500)
    view = await firm.drained()
    assert view.last is not None
    assert view.last.counts.new == 400
    history = await firm.handle.fetch_history()
    assert len(history.events) < 30
    assert max(event.ByteSize() for event in history.events) < 16_384


async def test_the_notes_of_an_entry_never_reach_a_history(firm: IntakeFirm) -> None:
    firm.psa.approve(time_entry(note="secret merger"), time_entry("b", note="secret merger", task_open=False))
    await firm.start()
    await firm.drained()
    assert "secret merger" not in (await firm.handle.fetch_history()).to_json()


async def test_a_temporal_cancel_closes_the_process_and_the_next_start_opens_it_again(
    firm: IntakeFirm,
) -> None:
    handle = await firm.start()
    await firm.drained()
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert (await firm.store.processes.get(firm.process)).state == "cancelled"
    firm.psa.approve(*entries("a"))
    await firm.start()
    await firm.drained()
    row = await firm.store.processes.get(firm.process)
    assert (row.state, row.generation) == ("running", 2)


# -- who wakes it -----------------------------------------------------------------------------------


async def tick(firm: IntakeFirm) -> str:
    result: str = await firm.client.execute_workflow(
        WakeTimePosting.run,
        IntakeTick(firm=firm.firm, system=PSA),
        id=f"tick/post-time/{firm.firm}/{datetime.now(UTC).timestamp()}",
        task_queue=firm.queue,
    )
    return result


async def test_a_tick_starts_it_and_later_ticks_wake_it(firm: IntakeFirm) -> None:
    firm.psa.approve(*entries("a"))
    assert await tick(firm) == "started"
    await firm.drained()
    firm.psa.approve(*entries("b"))
    assert await tick(firm) == "woken"
    view = await firm.until(lambda view: view.served == 2)
    assert view.total.new == 2
    assert (await firm.handle.describe()).status is WorkflowExecutionStatus.RUNNING, "it outlives its starter"


async def test_the_schedule_of_the_firms_file_is_made_changed_and_removed(firm: IntakeFirm) -> None:
    tick = IntakeTick(firm=firm.firm, system=PSA)
    handle = firm.client.get_schedule_handle(intake_id(firm.firm, PSA))
    for every in (15, 60):
        await keep_intake(firm.client, firm.queue, tick, timedelta(minutes=every))
        described = await handle.describe()
        assert described.schedule.spec.intervals[0].every == timedelta(minutes=every)
    for _ in range(2):
        await keep_intake(firm.client, firm.queue, tick, None)
    with pytest.raises(RPCError):
        await handle.describe()


async def test_an_event_is_applied_and_wakes_it(firm: IntakeFirm) -> None:
    await firm.start()
    await firm.drained()
    firm.psa.approve(*entries("a"))
    row = InboxRow(
        id="psa:e1", source="psa", event_id="e1", type="time.approved", subject=PROJECT, version=NOW,
        body={}, received_at=NOW,
    )  # fmt: skip
    await firm.store.inbox.put(row)
    await firm.handle.signal("event_received", EventRef(id=row.id, type=row.type))
    await firm.until(lambda view: view.served == 2)
    assert await keys(firm) == ["a"]
    found = await firm.store.inbox.get(row.id)
    assert (found.state, found.process) == ("applied", firm.process)


async def test_a_drain_is_one_heartbeating_activity_per_feed(firm: IntakeFirm) -> None:
    await firm.start()
    await firm.drained()
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in (await firm.handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    assert [one.activity_type.name for one in scheduled] == ["psa.drain", "psa.drain"]
    assert all(one.heartbeat_timeout.ToTimedelta() == timedelta(seconds=2) for one in scheduled)
