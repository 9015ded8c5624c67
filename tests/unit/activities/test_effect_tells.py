"""What is told of an effect: with its confirmation, once, wherever a worker dies or an answer is lost."""

from collections.abc import Sequence

import pytest

from connectors.errors import Ambiguous, Conflict, Rejected
from domain.commands import Record
from domain.outbound import OutboxNote
from tests.unit.activities.effect_bench import (
    ACTIVE,
    CONTEXT,
    KEY,
    LIMIT,
    OTHER,
    Bench,
    WorkerDied,
    cancelled,
    dying_at,
)


def published(record: Record) -> Sequence[OutboxNote]:
    return (OutboxNote(type="demand.published", key=KEY, subject=record.external_id, data={}),)


def withdrawn(record: Record) -> Sequence[OutboxNote]:
    return (OutboxNote(type="demand.withdrawn", key=KEY, subject=record.external_id, data={}),)


async def told(bench: Bench) -> list[tuple[str, str]]:
    return [(row.type, row.subject) for row in reversed(await bench.store.outbox.list())]


@pytest.mark.parametrize("point", ["before_call", "after_answer", "after_record"])
async def test_a_worker_that_dies_anywhere_leaves_it_told_once(bench: Bench, point: str) -> None:
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at(point)).write(ACTIVE, KEY, CONTEXT, tells=published)
    assert await told(bench) == ([("demand.published", "r1")] if point == "after_record" else [])
    bench.clock.forward(LIMIT)
    for _ in range(2):
        await bench.runner().write(ACTIVE, KEY, CONTEXT, tells=published)
    assert await told(bench) == [("demand.published", "r1")]


async def test_a_lost_answer_is_told_when_it_was_found(bench: Bench) -> None:
    bench.port.after = [Ambiguous("lost", system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT, tells=published)
    assert await told(bench) == []
    bench.clock.forward(LIMIT)
    await bench.runner().write(ACTIVE, KEY, CONTEXT, tells=published)
    assert (await told(bench), bench.port.times()) == ([("demand.published", "r1")], 1)


async def test_what_was_refused_or_landed_otherwise_is_not_told(bench: Bench) -> None:
    bench.port.before = [Rejected("no", system="salesforce")]
    with pytest.raises(Rejected):
        await bench.runner().write(ACTIVE, KEY, CONTEXT, tells=published)
    bench.port.after = [Ambiguous("lost", system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(OTHER, KEY, CONTEXT, tells=published)
    bench.clock.forward(LIMIT)
    with pytest.raises(Conflict):
        await bench.runner().write(ACTIVE, KEY, CONTEXT, tells=published)
    assert await told(bench) == []


async def test_an_undo_tells_of_the_record_that_is_undone_once(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT, tells=published)
    for _ in range(2):
        await bench.runner().undo(ACTIVE, KEY, cancelled, CONTEXT, tells=withdrawn)
    assert await told(bench) == [("demand.published", "r1"), ("demand.withdrawn", "r1")]


async def test_what_never_happened_is_not_taken_back_before_others(bench: Bench) -> None:
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at("before_call")).write(ACTIVE, KEY, CONTEXT, tells=published)
    bench.clock.forward(LIMIT)
    assert await bench.runner().undo(ACTIVE, KEY, cancelled, CONTEXT, tells=withdrawn) is None
    assert await told(bench) == []
