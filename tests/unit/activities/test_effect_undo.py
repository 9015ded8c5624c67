"""Undo of an effect: reversed once, and "never happened" is a finding."""

from datetime import timedelta

import pytest

from activities.effects import EffectContext
from connectors.errors import Ambiguous, Conflict, Rejected, Transient
from domain.commands import Command, PlannedTask, PlanProject, Record
from tests.unit.activities.effect_bench import (
    ACTIVE,
    CONTEXT,
    KEY,
    LIMIT,
    PROCESS,
    Bench,
    KeepingSystem,
    WorkerDied,
    cancelled,
    dying_at,
)

UNDO_KEY = f"{KEY}/undo"


async def undo(bench: Bench, **options: object) -> Record | None:
    runner = bench.runner(**options)  # type: ignore[arg-type]
    return await runner.undo(ACTIVE, KEY, cancelled, CONTEXT)


async def test_what_never_began_is_nothing_to_undo(bench: Bench) -> None:
    assert await undo(bench) is None
    assert (bench.port.landed, bench.port.looked_up) == ([], [])


async def test_a_confirmed_effect_is_reversed_once(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    reversed_by = await undo(bench)
    assert reversed_by is not None
    assert bench.port.landed == [(KEY, ACTIVE), (UNDO_KEY, cancelled("r1"))]
    assert [(await bench.row(key)).state for key in (KEY, UNDO_KEY)] == ["undone", "confirmed"]
    assert await undo(bench) is None
    assert bench.port.times(UNDO_KEY) == 1


async def test_the_reverse_is_built_from_the_id_the_system_gave(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    asked: list[str] = []

    def reverse(external_id: str) -> Command:
        asked.append(external_id)
        return cancelled(external_id)

    await bench.runner().undo(ACTIVE, KEY, reverse, CONTEXT)
    assert asked == ["r1"]


async def test_a_refused_effect_is_nothing_to_undo(bench: Bench) -> None:
    bench.port.before = [Rejected("no", system="salesforce")]
    with pytest.raises(Rejected):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert await undo(bench) is None
    assert bench.port.landed == []


async def test_an_intent_without_outcome_is_looked_up_after_the_commit_limit(bench: Bench) -> None:
    with pytest.raises(WorkerDied):
        await bench.runner(dying_at("before_call")).write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(timedelta(seconds=10))
    with pytest.raises(Ambiguous) as early:
        await undo(bench)
    assert early.value.retry_after == 50.0
    bench.clock.forward(LIMIT)
    assert await undo(bench) is None
    row = await bench.row()
    assert (row.state, row.note, bench.port.looked_up) == (
        "undone",
        "looked up: it never happened",
        [KEY],
    )


@pytest.mark.parametrize("shows", [{}, {"status": "Not Started"}], ids=["as sent", "altered since"])
async def test_an_intent_that_did_land_is_found_and_reversed(bench: Bench, shows: dict[str, str]) -> None:
    bench.port.after = [Ambiguous("lost", system="salesforce")]
    with pytest.raises(Ambiguous):
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.clock.forward(LIMIT)
    find, bench.port.shows = bench.port.find, shows

    async def find_then_show_as_sent(command: Command, key: str) -> Record | None:
        found = await find(command, key)
        bench.port.shows = {}
        return found

    bench.port.find = find_then_show_as_sent  # type: ignore[method-assign]
    assert await undo(bench) is not None
    assert (await bench.row()).state == "undone"
    assert [key for key, _ in bench.port.landed] == [KEY, UNDO_KEY]


@pytest.mark.parametrize("point", ["before_call", "after_answer", "after_record"])
async def test_a_worker_that_dies_in_an_undo_reverses_once(bench: Bench, point: str) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    with pytest.raises(WorkerDied):
        await undo(bench, crash_point=dying_at(point))
    bench.clock.forward(LIMIT)
    await undo(bench)
    assert (bench.port.times(UNDO_KEY), (await bench.row()).state) == (1, "undone")


async def test_an_undo_that_is_refused_leaves_the_effect_standing(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.port.before = [Rejected("has transactions", system="salesforce")]
    with pytest.raises(Rejected):
        await undo(bench)
    assert [(await bench.row(key)).state for key in (KEY, UNDO_KEY)] == ["confirmed", "rejected"]
    assert await undo(bench) is not None, "once its owner has cleared the way"


async def test_an_undone_effect_comes_back_only_in_a_new_generation(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    await undo(bench)
    with pytest.raises(Conflict) as caught:
        await bench.runner().write(ACTIVE, KEY, CONTEXT)
    assert caught.value.rule == "effect.undone"
    next_key = KEY.removesuffix("1") + "2"
    assert (await bench.runner().write(ACTIVE, next_key, CONTEXT)).external_id == "r3"


# -- batches ----------------------------------------------------------------------------------------

PLAN_KEY = f"{PROCESS}/psa.plan/1"
PLAN = PlanProject(
    project_external_id="p1", tasks=tuple(PlannedTask(ref=str(n), title=f"Task {n}") for n in range(1, 5))
)


class BatchSystem(KeepingSystem):
    """Takes a batch in part, as the port's contract of bulk commands says: the next write completes it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = []
        self.takes = 2

    async def find(self, command: Command, key: str) -> Record | None:
        self.looked_up.append(key)
        assert isinstance(command, PlanProject)
        return self._all(command) if len(self.rows) >= command.task_count else None

    async def apply(self, command: Command, key: str) -> Record:
        assert isinstance(command, PlanProject)
        missing = [task.ref for task in command.tasks if task.ref not in self.rows]
        self.rows += missing[: self.takes]
        if len(missing) > self.takes:
            raise Ambiguous("2 of 4 rows landed", system=self.system, rule="bulk.partial")
        return self._all(command)

    def _all(self, command: PlanProject) -> Record:
        return Record(external_id=command.project_external_id, fields={"task_count": str(len(self.rows))})


async def test_a_partial_batch_is_completed_and_doubles_no_row(bench: Bench) -> None:
    bench.port = system = BatchSystem()
    context = EffectContext(process=PROCESS, step="psa.plan")
    with pytest.raises(Ambiguous):
        await bench.runner().write(PLAN, PLAN_KEY, context)
    assert ((await bench.row(PLAN_KEY)).state, system.rows) == ("ambiguous", ["1", "2"])
    bench.clock.forward(LIMIT)
    await bench.runner().write(PLAN, PLAN_KEY, context)
    assert ((await bench.row(PLAN_KEY)).state, system.rows) == ("confirmed", ["1", "2", "3", "4"])


async def test_a_system_that_is_down_during_an_undo_is_asked_again(bench: Bench) -> None:
    await bench.runner().write(ACTIVE, KEY, CONTEXT)
    bench.port.before = [Transient("connection refused", system="salesforce")]
    with pytest.raises(Transient):
        await undo(bench)
    assert await undo(bench) is not None
    assert bench.port.times(UNDO_KEY) == 1
