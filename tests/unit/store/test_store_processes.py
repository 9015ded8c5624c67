"""Process rows: opened once, reopened as the generation rules say, closed once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from store.ports import AuditNote, StaleReference, StoreError
from store.sql.engine import SqlStore

KEY = "activation/acme/0065g"


async def test_open_creates_generation_one_and_repeats_quietly(timed_store: SqlStore, clock: Any):
    row = await timed_store.processes.open(KEY, "activation", "run-1", "Alpenglow managed services")
    assert (row.generation, row.state, row.run_id, row.title) == (
        *(1, "running", "run-1"),
        "Alpenglow managed services",
    )
    assert row.started_at == row.updated_at == clock.now
    clock.forward(seconds=1)
    assert await timed_store.processes.open(KEY, "activation", "run-1") == row
    assert await timed_store.processes.get(KEY) == row


async def test_running_takes_the_newest_run_and_ignores_the_old_one(store: SqlStore):
    await store.processes.open(KEY, "activation", "run-1")
    newer = await store.processes.open(KEY, "activation", "run-2")
    assert (newer.run_id, newer.generation) == ("run-2", 1)
    assert await store.processes.open(KEY, "activation", "run-1") == newer


async def test_done_is_answered_as_it_is(store: SqlStore):
    await store.processes.open(KEY, "activation", "run-1")
    await store.processes.close(KEY, 1, "done", '{"project": "DE01"}')
    row = await store.processes.open(KEY, "activation", "run-2")
    assert (row.state, row.run_id, row.result_json) == ("done", "run-1", '{"project": "DE01"}')


async def test_cancelled_reopens_one_generation_higher_once_per_run(timed_store: SqlStore, clock: Any):
    processes = timed_store.processes
    await processes.open(KEY, "activation", "run-1")
    await processes.close(KEY, 1, "cancelled")
    assert (await processes.open(KEY, "activation", "run-1")).state == "cancelled"

    reopened_at = clock.forward(days=1)
    again = await processes.open(KEY, "activation", "run-2")
    assert (again.generation, again.state, again.run_id) == (2, "running", "run-2")
    assert (again.started_at, again.ended_at, again.result_json) == (reopened_at, None, "")
    assert await processes.open(KEY, "activation", "run-2") == again

    await processes.close(KEY, 2, "cancelled")
    for late in ("run-1", "run-2"):
        assert (await processes.open(KEY, "activation", late)).generation == 2
    assert (await processes.open(KEY, "activation", "run-3")).generation == 3


async def test_failed_reopens_in_the_same_generation(store: SqlStore):
    await store.processes.open(KEY, "activation", "run-1")
    await store.processes.close(KEY, 1, "failed")
    row = await store.processes.open(KEY, "activation", "run-2", "new title")
    assert (row.generation, row.state, row.run_id, row.title) == (1, "running", "run-2", "new title")
    assert row.ended_at is None


async def test_a_key_belongs_to_one_kind(store: SqlStore):
    await store.processes.open(KEY, "activation", "run-1")
    with pytest.raises(StoreError, match="is of kind 'activation', not 'billing'"):
        await store.processes.open(KEY, "billing", "run-1")


async def test_update_sets_facts_by_name(timed_store: SqlStore, clock: Any):
    await timed_store.processes.open(KEY, "activation", "run-1")
    changed_at = clock.forward(seconds=1)
    await timed_store.processes.update(KEY, stage="gates", entity="DE01")
    await timed_store.processes.update(KEY)
    row = await timed_store.processes.get(KEY)
    assert row is not None
    assert (row.stage, row.entity, row.customer) == ("gates", "DE01", "")
    assert row.updated_at == changed_at


async def test_update_refuses_what_is_no_fact_and_unknown_keys(store: SqlStore):
    await store.processes.open(KEY, "activation", "run-1")
    with pytest.raises(StoreError, match=r"has no fact generation, state; those it has are customer,"):
        await store.processes.update(KEY, state="done", generation="7")
    with pytest.raises(StaleReference, match="process lost is not in the store"):
        await store.processes.update("lost", stage="gates")
    with pytest.raises(StaleReference, match="process lost is not in the store"):
        await store.processes.close("lost", 1, "done")


async def test_close_repeats_quietly_and_refuses_contradictions(timed_store: SqlStore, clock: Any):
    processes = timed_store.processes
    await processes.open(KEY, "activation", "run-1")
    with pytest.raises(StoreError, match="is at generation 1, so generation 2 cannot close it"):
        await processes.close(KEY, 2, "done")
    with pytest.raises(StoreError, match="cannot be closed as running"):
        await processes.close(KEY, 1, "running")
    ended_at = clock.forward(seconds=1)
    await processes.close(KEY, 1, "done", "{}")
    closed = await processes.get(KEY)
    clock.forward(seconds=1)
    await processes.close(KEY, 1, "done", "{}")
    assert await processes.get(KEY) == closed
    assert closed is not None
    assert closed.ended_at == ended_at
    with pytest.raises(StoreError, match="already ended done, it cannot end cancelled"):
        await processes.close(KEY, 1, "cancelled")


async def test_list_filters_and_shows_the_last_changed_first(timed_store: SqlStore, clock: Any):
    processes = timed_store.processes
    for number in range(4):
        clock.forward(seconds=1)
        await processes.open(f"k{number}", "billing" if number == 3 else "activation", "run")
    clock.forward(seconds=1)
    await processes.close("k1", 1, "done")

    async def keys(**asked: Any) -> list[str]:
        return [row.key for row in await processes.list(**asked)]

    assert await keys() == ["k1", "k3", "k2", "k0"]
    assert await keys(limit=2) == ["k1", "k3"]
    assert await keys(kind="activation") == ["k1", "k2", "k0"]
    assert await keys(kind="activation", state="running") == ["k2", "k0"]
    assert await processes.get("k9") is None


async def test_times_are_aware_utc(store: SqlStore):
    before = datetime.now(UTC)
    row = await store.processes.open(KEY, "activation", "run-1")
    kept = await store.processes.get(KEY)
    assert kept is not None
    assert before <= kept.started_at == row.started_at <= datetime.now(UTC)
    assert kept.started_at.tzinfo is UTC


async def test_a_process_is_audited_once_where_it_opens_and_ends(store: SqlStore):
    for _ in range(2):  # Temporal repeats activities
        row = await store.processes.open(
            KEY, "activation", "run-1", requested_by="ana", policy_hash="h", policy_json='{"a": 1}'
        )
        note = AuditNote(what="gates green", key="gates/1", outcome="green")
        await store.processes.update(KEY, stage="gates", audit=note)
    for _ in range(2):
        await store.processes.close(KEY, 1, "done", "{}", summary="project active", stage="active")
    assert (row.policy_hash, row.policy_json) == ("h", '{"a": 1}')
    entries = await store.audit.list(KEY)
    assert [(entry.actor, entry.what, entry.outcome) for entry in entries] == [
        ("ana", "activation started, generation 1", "started"),
        ("fairlead", "gates green", "green"),
        ("fairlead", "project active", "done"),
    ]
    ended = await store.processes.get(KEY)
    assert ended is not None
    assert (ended.state, ended.stage) == ("done", "active")
    # What ended is answered as it is: asking for it again is no new start.
    await store.processes.open(KEY, "activation", "run-2", policy_hash="h2", policy_json="{}")
    assert len(await store.audit.list(KEY)) == 3
