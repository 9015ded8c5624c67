"""Exactly once: what the runner does when answers are lost, workers die and content changes."""

from datetime import timedelta

import pytest

from connectors.errors import Ambiguous, Conflict, ConnectorError, Rejected, Throttled, Transient
from domain.commands import Command, MarkDeal
from store.ports import EffectIntent, EffectRow
from tests.unit.activities.effect_bench import (
    ACTIVE,
    CONTEXT,
    KEY,
    LIMIT,
    OTHER,
    PROCESS,
    Bench,
    WorkerDied,
    dying_at,
    refusal,
)

LOST = "no answer after 30 s"


async def test_a_fresh_write_lands_once_and_is_answered_from_the_journal_from_then_on(bench: Bench) -> None:
    made = await bench.runner().write(ACTIVE, KEY, CONTEXT)
    again = await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (made.external_id, again.external_id, again.request_id) == ("r1", "r1", "req-1")
    assert bench.port.landed == [(KEY, ACTIVE)]
    assert bench.port.looked_up == []
    assert await bench.outcomes() == ["intent", "confirmed"]


async def test_a_key_of_another_process_is_refused_before_anything_is_sent(bench: Bench) -> None:
    intent = EffectIntent(
        key=KEY,
        process="activation/acme/other",
        step="crm.active",
        system="salesforce",
        noun="deal status",
        command_hash="h",
    )
    await bench.store.effects.begin(intent)
    with pytest.raises(Conflict) as caught:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert "belongs to process" in str(caught.value)
    assert bench.port.landed == []


# -- lost answers -----------------------------------------------------------------------------------


async def test_a_lost_answer_waits_for_the_commit_limit_before_anything_else(bench: Bench) -> None:
    bench.port.after = [Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous) as lost:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert lost.value.retry_after == LIMIT.total_seconds()
    assert (await bench.row()).state == "ambiguous"

    bench.clock.forward(timedelta(seconds=45))
    with pytest.raises(Ambiguous) as early:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert early.value.retry_after == 15.0
    assert (bench.port.times(), bench.port.looked_up) == (1, [])


async def test_a_lost_answer_of_a_write_that_landed_is_found(bench: Bench) -> None:
    bench.port.after = [Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    made = await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (made.external_id, bench.port.times()) == ("r1", 1)
    row = await bench.row()
    assert (row.state, row.note) == ("confirmed", "found by look-up")


async def test_a_lost_answer_of_a_write_that_never_landed_is_sent_again(bench: Bench) -> None:
    bench.port.before = [Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (bench.port.times(), bench.port.looked_up) == (1, [KEY])
    assert await bench.outcomes() == ["intent", "ambiguous", "resent", "confirmed"]


async def test_the_commit_limit_counts_from_the_last_attempt(bench: Bench) -> None:
    bench.port.before = [Ambiguous(LOST, system="salesforce"), Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(timedelta(seconds=20))
    with pytest.raises(Ambiguous) as early:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert early.value.retry_after == 40.0
    assert bench.port.looked_up == [KEY]


async def test_the_planted_bug_doubles_what_the_look_up_would_have_found(bench: Bench) -> None:
    """The drill's switch must be able to turn the drill red."""
    bench.port.after = [Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    await bench.runner(find_before_create=False).write(ACTIVE, KEY, CONTEXT)
    assert (bench.port.times(), bench.port.looked_up) == (2, [])


# -- dead workers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("point", "landed"), [("before_call", 0), ("after_answer", 1), ("after_record", 1)])
async def test_a_worker_that_dies_at_a_crash_point_costs_and_doubles_nothing(
    bench: Bench, point: str, landed: int
) -> None:
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at(point)).write(ACTIVE, KEY, CONTEXT)
    assert bench.port.times() == landed
    if point == "after_record":
        assert (await bench.row()).state == "confirmed"
    else:
        assert (await bench.row()).state == "intent"
        with pytest.raises(Ambiguous):
            await bench.runner().write(ACTIVE, KEY, CONTEXT)
        bench.clock.forward(LIMIT)
    made = await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (made.external_id, bench.port.times()) == ("r1", 1)
    assert (await bench.row()).state == "confirmed"


async def test_a_worker_that_dies_with_the_request_on_its_way_doubles_nothing(bench: Bench) -> None:
    bench.port.after = [WorkerDied("applied but unanswered")]
    with pytest.raises(WorkerDied):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert bench.port.times() == 1


async def test_dying_again_and_again_still_ends_in_one_effect(bench: Bench) -> None:
    for point in ("before_call", "after_answer", "after_record"):
        with pytest.raises(WorkerDied):
            await bench.runner(dying_at(point)).write(ACTIVE, KEY, CONTEXT)
        bench.clock.forward(LIMIT)
    assert (await bench.runner().write(ACTIVE, KEY, CONTEXT)).external_id == "r1"
    assert bench.port.times() == 1


# -- refusals and waiting ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        Rejected("Period is closed", system="salesforce", request_id="req-9"),
        Throttled("wait", system="salesforce", retry_after=3.0),
        Transient("connection refused", system="salesforce"),
    ],
    ids=lambda error: error.kind,
)
async def test_what_was_refused_left_nothing_and_is_sent_again_at_once(
    bench: Bench, error: ConnectorError
) -> None:
    bench.port.before = [error]
    with pytest.raises(type(error)) as caught:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert refusal(caught.value) == refusal(error)
    row = await bench.row()
    assert (row.state, row.note, row.request_id) == (
        "rejected",
        f"{error.kind}: {error.message}",
        error.request_id,
    )
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (bench.port.times(), bench.port.looked_up) == (1, [])


# -- other content ----------------------------------------------------------------------------------


async def test_a_refused_payload_is_replaced_by_its_correction(bench: Bench) -> None:
    bench.port.before = [Rejected("unknown number", system="salesforce")]
    with pytest.raises(Rejected):
        await bench.runner().write(OTHER, KEY, CONTEXT)
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    row = await bench.row()
    assert (row.state, row.revision, bench.port.landed) == ("confirmed", 2, [(KEY, ACTIVE)])


async def test_what_is_confirmed_is_never_overwritten(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    with pytest.raises(Conflict) as caught:
        await bench.runner().write(OTHER, KEY, CONTEXT)
    assert (caught.value.rule, "r1" in str(caught.value)) == ("effect.other_content", True)
    assert bench.port.landed == [(KEY, ACTIVE)]


@pytest.mark.parametrize("doubt", [WorkerDied("killed"), Ambiguous(LOST, system="salesforce")])
async def test_content_that_changed_in_doubt_becomes_a_new_revision_when_nothing_landed(
    bench: Bench, doubt: Exception
) -> None:
    bench.port.before = [doubt]
    with pytest.raises(type(doubt)):
        await bench.runner().write(OTHER, KEY, CONTEXT)
    former = await bench.row()
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (await bench.row()).command_hash == former.command_hash, "not before the look-up"

    bench.clock.forward(LIMIT)
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    row = await bench.row()
    assert (row.state, row.revision, bench.port.landed) == ("confirmed", 2, [(KEY, ACTIVE)])
    assert row.command_hash != former.command_hash
    again = await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (again.external_id, bench.port.times()) == ("r1", 1)


async def test_a_worker_that_dies_over_changed_content_doubles_nothing(bench: Bench) -> None:
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at("before_call")).write(OTHER, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at("after_answer")).write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert bench.port.landed == [(KEY, ACTIVE)]


async def test_content_that_changed_in_doubt_is_a_conflict_when_the_old_one_landed(bench: Bench) -> None:
    bench.port.after = [Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(OTHER, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            await bench.runner().write(ACTIVE, KEY, CONTEXT)
        assert (caught.value.rule, "r1" in str(caught.value)) == ("effect.other_content", True)
    assert bench.port.landed == [(KEY, OTHER)]
    assert (await bench.row()).state == "confirmed", "what landed can be undone"


async def test_a_field_that_an_upgrade_adds_leaves_old_content_as_it_is(bench: Bench) -> None:
    class MarkDealOfNextVersion(MarkDeal):
        channel: str = ""

    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    upgraded = MarkDealOfNextVersion(**dict(ACTIVE))
    assert (await bench.runner().write(upgraded, KEY, CONTEXT)).external_id == "r1"
    with pytest.raises(Conflict):
        await bench.runner().write(MarkDealOfNextVersion(**dict(ACTIVE), channel="web"), KEY, CONTEXT)


# -- reading back -----------------------------------------------------------------------------------


async def test_a_system_that_keeps_something_else_is_a_conflict_that_names_the_field(bench: Bench) -> None:
    bench.port.shows = {"project_number": "DE01-7K3"}
    with pytest.raises(Conflict) as caught:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert caught.value.field == "project_number"
    assert "sent 'DE01-7K3QXW', found 'DE01-7K3'" in str(caught.value)
    row = await bench.row()
    assert (row.state, "r1" in row.note) == ("ambiguous", True), "it is there, though not as sent"

    bench.port.shows = {}  # its owner has put it right in the system
    bench.clock.forward(LIMIT)
    assert (await bench.runner().write(ACTIVE, KEY, CONTEXT)).external_id == "r1"
    assert bench.port.times() == 1


async def test_what_the_look_up_finds_is_compared_too(bench: Bench) -> None:
    bench.port.after = [Ambiguous(LOST, system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    bench.port.shows = {"status": "Not Started"}
    with pytest.raises(Conflict) as caught:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert (caught.value.field, bench.port.times()) == ("status", 1)


# -- shared records ---------------------------------------------------------------------------------

SHARED_KEY = "customer/acme/001A/erp.customer/1"
SECOND = CONTEXT.with_changes(process="activation/acme/second")


async def test_a_shared_record_stands_as_the_first_process_made_it(bench: Bench) -> None:
    first = await bench.runner().write(ACTIVE, SHARED_KEY, CONTEXT, shared=True)
    second = await bench.runner().write(OTHER, SHARED_KEY, SECOND, shared=True)
    assert (first.external_id, second.external_id) == ("r1", "r1")
    assert bench.port.landed == [(SHARED_KEY, ACTIVE)]


@pytest.mark.parametrize("command", [ACTIVE, OTHER], ids=["same content", "other content"])
async def test_a_process_takes_over_a_shared_record_whose_maker_died(bench: Bench, command: Command) -> None:
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at("after_answer")).write(ACTIVE, SHARED_KEY, CONTEXT, shared=True)
    with pytest.raises(Ambiguous):
        await bench.runner().write(command, SHARED_KEY, SECOND, shared=True)
    bench.clock.forward(LIMIT)
    made = await bench.runner().write(command, SHARED_KEY, SECOND, shared=True)
    assert (made.external_id, bench.port.landed) == ("r1", [(SHARED_KEY, ACTIVE)])
    assert (await bench.row(SHARED_KEY)).process == PROCESS


async def test_a_shared_record_that_was_refused_to_one_process_is_made_for_another(bench: Bench) -> None:
    bench.port.before = [Rejected("tax id missing", system="salesforce")]
    with pytest.raises(Rejected):
        await bench.runner().write(OTHER, SHARED_KEY, CONTEXT, shared=True)
    await bench.runner().write(ACTIVE, SHARED_KEY, SECOND, shared=True)
    assert bench.port.landed == [(SHARED_KEY, ACTIVE)]


async def test_two_processes_that_begin_a_shared_record_at_once_join(bench: Bench) -> None:
    """The second saw no row, and then met the first one's intent."""
    runner, get = bench.runner(), bench.store.effects.get
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at("after_answer")).write(ACTIVE, SHARED_KEY, CONTEXT, shared=True)
    early = [None]

    async def get_before_the_other(key: str) -> EffectRow | None:
        return early.pop() if early else await get(key)

    bench.store.effects.get = get_before_the_other  # type: ignore[method-assign]
    with pytest.raises(Transient) as joined:
        await runner.write(ACTIVE, SHARED_KEY, SECOND, shared=True)
    assert "at the same moment" in str(joined.value)
    bench.clock.forward(LIMIT)
    await runner.write(ACTIVE, SHARED_KEY, SECOND, shared=True)
    assert bench.port.times(SHARED_KEY) == 1
