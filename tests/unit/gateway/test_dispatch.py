"""One inbox row to the process it concerns, in every state the process and Temporal can be in."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import structlog
from temporalio.service import RPCError, RPCStatusCode

from domain.attention import EventRef
from gateway.dispatch import LONGEST_RETRY, WAITING_LIMIT, Dispatcher
from gateway.sweeper import BATCH, Sweeper
from store.ports import InboxRow, ProcessState, StoreError
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import (
    DEAL,
    NOW,
    Clock,
    RecordingTemporal,
    decided,
    event,
    inbox_row,
)

KEY = f"activation/acme/{DEAL}"
PROJECT = "DE01-7K3QXW"


async def keep(store: SqlStore, body: Mapping[str, Any], **changes: Any) -> InboxRow:
    row = inbox_row(body, **changes)
    assert await store.inbox.put(row)
    return row


async def again(store: SqlStore, row: InboxRow) -> InboxRow:
    found = await store.inbox.get(row.id)
    assert found is not None
    return found


async def process(store: SqlStore, state: ProcessState, *, project: str = PROJECT, key: str = KEY) -> None:
    """A process row in this state."""
    await store.processes.open(key, "activation", "run-1")
    await store.processes.update(key, project=project)
    if state != "running":
        await store.processes.close(key, 1, state)


@pytest.mark.parametrize("type", ["deal.signed", "deal.changed"])
@pytest.mark.parametrize("state", [None, "running", "failed"])
async def test_a_deal_starts_or_joins_its_activation(
    timed_store: SqlStore,
    dispatcher: Dispatcher,
    temporal: RecordingTemporal,
    type: str,
    state: ProcessState | None,
) -> None:
    if state is not None:
        await process(timed_store, state)
    row = await keep(timed_store, event(type))
    await dispatcher.dispatch(row)
    (start,) = temporal.starts
    assert start["workflow_id"] == KEY
    assert start["requested_by"] == f"event {row.id}"
    assert start["event"] == EventRef(id=row.id, type=type)
    after = await again(timed_store, row)
    assert (after.state, after.process, after.attempts) == ("dispatched", KEY, 1)
    assert after.next_at == NOW + timedelta(seconds=60)


async def test_a_deal_that_is_active_needs_nothing(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    await process(timed_store, "done")
    row = await keep(timed_store, event())
    await dispatcher.dispatch(row)
    after = await again(timed_store, row)
    assert (after.state, after.note, after.next_at) == ("applied", f"already active as {PROJECT}", None)
    assert temporal.starts == []


@pytest.mark.parametrize(("minutes", "starts"), [(-1, 0), (0, 0), (1, 1)])
async def test_after_a_cancel_only_a_later_version_starts_anew(
    timed_store: SqlStore,
    dispatcher: Dispatcher,
    temporal: RecordingTemporal,
    minutes: int,
    starts: int,
) -> None:
    await process(timed_store, "cancelled")
    row = await keep(timed_store, event(at=NOW + timedelta(minutes=minutes)))
    await dispatcher.dispatch(row)
    assert len(temporal.starts) == starts
    after = await again(timed_store, row)
    assert after.state == ("dispatched" if starts else "applied")
    assert starts or after.note == "cancelled after this version of the deal"


async def test_what_is_older_than_the_applied_version_is_dropped(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    newer = await keep(timed_store, event("deal.changed", "new", at=NOW))
    await timed_store.inbox.mark(newer.id, "applied")
    older = await keep(timed_store, event(id="old", at=NOW - timedelta(seconds=1)))
    same = await keep(timed_store, event(id="same", at=NOW))
    for row in (older, same):
        await dispatcher.dispatch(row)
    assert (await again(timed_store, older)).state == "applied"
    assert "older than" in (await again(timed_store, older)).note
    assert [start["event"].id for start in temporal.starts] == [same.id]


async def test_what_the_workflow_applied_first_stays_applied(
    timed_store: SqlStore,
    dispatcher: Dispatcher,
    temporal: RecordingTemporal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = temporal.start

    async def fast_workflow(*args: Any, **named: Any) -> Any:
        started = await start(*args, **named)
        await timed_store.inbox.mark(named["event"].id, "applied", process=KEY)
        return started

    monkeypatch.setattr(dispatcher, "_start", fast_workflow)
    row = await keep(timed_store, event())
    await dispatcher.dispatch(row)
    assert (await again(timed_store, row)).state == "applied"


async def test_without_temporal_the_event_stays_received(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    temporal.away = True
    row = await keep(timed_store, event())
    with structlog.testing.capture_logs() as logs:
        await dispatcher.dispatch(row)
    after = await again(timed_store, row)
    assert (after.state, after.attempts) == ("received", 1)
    assert after.next_at == NOW + timedelta(seconds=10)
    assert "No Temporal server answers" in logs[0]["reason"] == after.note
    temporal.away = False
    clock.forward(timedelta(seconds=11))
    assert await Sweeper(timed_store, dispatcher.dispatch, now=clock).sweep() == 1
    assert (await again(timed_store, row)).state == "dispatched"
    assert len(temporal.starts) == 1


async def test_an_unapplied_event_is_sent_again_with_growing_pauses(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    row = await keep(timed_store, event())
    pauses = []
    for _ in range(7):
        await dispatcher.dispatch(await again(timed_store, row))
        due = (await again(timed_store, row)).next_at
        assert due is not None
        pauses.append(due - clock())
        clock.at = due
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (60, 120, 240, 480)]
    assert pauses[-1] == LONGEST_RETRY
    assert len(temporal.starts) == 7
    assert len({start["workflow_id"] for start in temporal.starts}) == 1


async def test_a_staffing_decision_reaches_the_activation_of_its_project(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    await process(timed_store, "running", key="activation/acme/other", project="US01-AAAAAA")
    await process(timed_store, "running")
    row = await keep(timed_store, decided())
    await dispatcher.dispatch(row)
    assert temporal.signals == [(KEY, "event_received", EventRef(id=row.id, type="staffing.decided"))]
    after = await again(timed_store, row)
    assert (after.state, after.process) == ("dispatched", KEY)
    assert temporal.starts == []


async def test_a_staffing_decision_waits_for_its_process_and_then_becomes_an_exception(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    row = await keep(timed_store, decided())
    rounds = 0
    while (current := await again(timed_store, row)).state in ("received", "waiting"):
        await dispatcher.dispatch(current)
        clock.at = (await again(timed_store, row)).next_at or clock.at
        rounds += 1
    assert clock.at == NOW + WAITING_LIMIT
    assert 10 < rounds < 400
    assert (await again(timed_store, row)).state == "poison"
    (item,) = await timed_store.attention.list()
    assert item.owner == "delivery_operations"
    assert item.raised_at == clock.at
    assert item.due_at > item.raised_at
    assert "it waited 72 hours" in item.detail
    assert "fairlead events replay" in item.detail
    assert temporal.signals == []


async def test_a_waiting_decision_is_told_once_its_process_runs(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    row = await keep(timed_store, decided())
    await dispatcher.dispatch(row)
    assert (await again(timed_store, row)).state == "waiting"
    await process(timed_store, "running")
    clock.forward(timedelta(seconds=11))
    await Sweeper(timed_store, dispatcher.dispatch, now=clock).sweep()
    assert len(temporal.signals) == 1
    assert (await again(timed_store, row)).state == "dispatched"


async def test_a_process_that_ended_meanwhile_is_not_told(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    await process(timed_store, "running")
    temporal.signal_error = RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
    row = await keep(timed_store, decided())
    await dispatcher.dispatch(row)
    assert (await again(timed_store, row)).state == "waiting"
    await timed_store.processes.close(KEY, 1, "done")
    await dispatcher.dispatch(await again(timed_store, row))
    after = await again(timed_store, row)
    assert (after.state, after.process) == ("applied", KEY)
    assert "already ended" in after.note


async def test_a_signal_that_temporal_does_not_take_is_repeated(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    await process(timed_store, "running")
    temporal.signal_error = RPCError("deadline", RPCStatusCode.UNAVAILABLE, b"")
    row = await keep(timed_store, decided())
    await dispatcher.dispatch(row)
    assert (await again(timed_store, row)).state == "received"


@pytest.mark.parametrize(
    "body",
    [
        {**event(), "type": "deal.teleported"},
        {**event(), "dataschema": "urn:fairlead:event:deal.signed:2"},
        {**event(), "data": {"deal": 5}},
        {**event(), "specversion": "9"},
    ],
)
async def test_what_cannot_be_understood_is_poison_with_an_owner(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, body: dict[str, Any]
) -> None:
    row = await keep(timed_store, body, version=NOW)
    with structlog.testing.capture_logs() as logs:
        await dispatcher.dispatch(row)
    after = await again(timed_store, row)
    assert (after.state, after.next_at) == ("poison", None)
    (item,) = await timed_store.attention.list(owner="enterprise_architecture")
    assert item.process == row.id
    assert item.facts["event"] == row.id
    assert logs[0]["event"] == "event_poisoned"
    assert logs[0]["reason"] == after.note
    assert temporal.starts == []


async def test_a_cured_event_closes_its_exception(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    row = await keep(timed_store, decided(), at=NOW - WAITING_LIMIT)
    await dispatcher.dispatch(row)
    assert (await again(timed_store, row)).state == "poison"
    await process(timed_store, "running")
    await timed_store.inbox.replay([row.id])
    assert await Sweeper(timed_store, dispatcher.dispatch, now=clock).sweep() == 1
    assert await timed_store.attention.list() == []
    (item,) = await timed_store.attention.list(state=None)
    assert (item.state, item.resolution) == ("resolved", f"told {KEY}")


async def test_a_fault_of_ours_is_repeated_and_in_the_end_has_an_owner(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    temporal.start_error = KeyError("a bug")
    row = await keep(timed_store, event())
    with structlog.testing.capture_logs() as logs:
        await dispatcher.dispatch(row)
    assert logs[0]["event"] == "dispatch_failed"
    after = await again(timed_store, row)
    assert (after.state, after.next_at) == ("received", NOW + timedelta(seconds=10))
    clock.forward(WAITING_LIMIT)
    await dispatcher.dispatch(after)
    assert (await again(timed_store, row)).state == "poison"
    (item,) = await timed_store.attention.list()
    assert item.owner == "platform_engineering"


async def test_the_same_row_twice_at_once_is_handled_once(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    row = await keep(timed_store, event())
    await asyncio.gather(*(dispatcher.dispatch(row) for _ in range(10)))
    assert len(temporal.starts) == 1


async def test_temporal_is_not_asked_anew_for_every_event_while_it_is_away(
    timed_store: SqlStore, temporal: RecordingTemporal, dispatcher: Dispatcher, clock: Clock
) -> None:
    temporal.away = True
    dispatcher._temporal._pause = 60
    for number in range(30):
        await keep(timed_store, event(id=f"evt-{number}", subject=f"006{number:012}"))
    await Sweeper(timed_store, dispatcher.dispatch, now=clock).sweep()
    assert temporal.connects == 1
    assert {row.state for row in await timed_store.inbox.list()} == {"received"}


async def test_a_sweep_survives_a_row_that_breaks_and_a_store_that_fails(
    timed_store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await keep(timed_store, event(id=f"evt-{number}"))
    handled: list[str] = []
    enough = asyncio.Event()

    async def handle(row: InboxRow) -> None:
        if row.event_id == "evt-1":
            raise StoreError("locked")
        handled.append(row.event_id)
        await timed_store.inbox.mark(row.id, "applied")
        if len(handled) == 2:
            enough.set()

    due, failures = timed_store.inbox.due, iter([StoreError("unreachable"), RuntimeError("odd")])

    async def sometimes(now: Any, limit: int = BATCH) -> Any:
        for failure in failures:
            raise failure
        return await due(now, limit)

    monkeypatch.setattr(timed_store.inbox, "due", sometimes)
    sweeping = asyncio.create_task(Sweeper(timed_store, handle, interval=0.001, now=clock).run())
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(10):
            await enough.wait()
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
    assert sorted(handled) == ["evt-0", "evt-2"]
    assert [log["event"] for log in logs[:2]] == ["sweep_failed", "sweep_failed"]
    assert ("dispatch_failed", "crm:evt-1") in {(log["event"], log.get("event_id")) for log in logs[2:]}


async def test_more_than_a_batch_is_swept_without_waiting_for_the_next_interval(
    timed_store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sweeper.BATCH", 10)
    monkeypatch.setattr("gateway.sweeper.NEXT_BATCH", 0.001)
    for number in range(25):
        await keep(timed_store, event(id=f"evt-{number}"))
    left, done = 25, asyncio.Event()

    async def handle(row: InboxRow) -> None:
        nonlocal left
        await timed_store.inbox.mark(row.id, "applied")
        left -= 1
        if not left:
            done.set()

    sweeping = asyncio.create_task(Sweeper(timed_store, handle, interval=3600, now=clock).run())
    async with asyncio.timeout(10):
        await done.wait()
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
