"""The drill of the activation: kill at every point around every external write, break what can break.

    1. fault-free     what should happen, seen in the systems themselves
    2. crash points   the worker killed at four points around every write
    3. faults         every fault kind of the sandbox, at random, over several deals at once
    4. refusals       every write refused for good once: nothing is left behind
    5. taking back    the worker killed at four points around the withdrawal of a requisition

Each part compares what the systems say (`/_effects`) with the fault-free run.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

from domain.activation_process import ActivationResult
from drill.effects import Effect, difference, landed
from drill.lane import Lane, lane
from drill.report import PAIRS, POINTS, Plan, Report

_QUICK_DEALS = 2


@dataclass(frozen=True)
class Normal:
    """One deal's fault-free run: the effects in order, how often each landed, and the end."""

    deal: str
    keys: tuple[str, ...]
    effects: Counter[Effect]
    result: ActivationResult


async def run(plan: Plan) -> Report:
    """The whole drill. Raises nothing for a failed drill: the report says so."""
    report = Report(plan.seed, "activation")
    plan.say("fault-free run: what should happen")
    normals = await _fault_free(plan)
    chosen = _covering(normals, plan.seed)
    steps = sum(len(normal.keys) for normal in chosen)
    plan.say(f"{len(normals)} deals, {steps} writes to attack in {', '.join(n.deal for n in chosen)}")
    units = _quick_units(chosen[0], plan) if plan.quick else _units(chosen)
    report.crash_points = sum(len(unit.points) for unit in units)
    gate = asyncio.Semaphore(plan.lanes)

    async def limited(job: Coroutine[object, object, None]) -> None:
        async with gate:
            await job

    jobs = [_kill(unit, plan, report) for unit in units]
    if not plan.planted_bug:
        jobs.append(_under_faults(normals, plan, report))
        jobs.append(_refuse_everything(chosen[0], plan, report))
        bought = next((normal for normal in normals if _requisition(normal)), None)
        if bought is not None:
            report.crash_points += len(POINTS)
            jobs.append(_kill_withdrawal(bought, plan, report))
    await asyncio.gather(*(limited(job) for job in jobs))
    return report


# -- 1. fault-free --------------------------------------------------------------------------------


async def _fault_free(plan: Plan) -> list[Normal]:
    async with lane() as calm:
        deals = await _clean_deals(calm, _QUICK_DEALS if plan.quick else 2 + plan.deals_under_faults)
        results = await asyncio.gather(*(calm.activate(deal) for deal in deals))
        normals = []
        for deal, result in zip(deals, results, strict=True):
            if result is None or result.state != "active":
                raise RuntimeError(f"the fault-free activation of {deal} did not end active: {result}")
            rows = await calm.store.effects.list(f"activation/{calm.firm}/{deal}")
            effects = await landed(calm.sandbox, deal)
            keys = tuple(row.key for row in rows)
            normals.append(
                Normal(deal, keys, Counter({e: c for e, c in effects.items() if e.key in keys}), result)
            )
        return normals


async def _clean_deals(calm: Lane, limit: int) -> list[str]:
    """Signed deals of the seed that pass every gate: the first of the seed's plan are."""
    answer = await calm.sandbox.get("/_control/salesforce/Opportunity")
    answer.raise_for_status()
    rows = answer.json()["records"]
    signed = [row["Id"] for row in rows if row.get("StageName") == "Closed Won" and row.get("ContractId")]
    return sorted(signed)[:limit]


def _covering(normals: Sequence[Normal], seed: int) -> list[Normal]:
    """Few deals whose runs together contain every kind of write; the seed breaks ties."""
    shuffled = list(normals)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - reproducible, not secret
    wanted = {_kind(key) for normal in normals for key in normal.keys}
    chosen: list[Normal] = []
    while wanted:
        best = max(shuffled, key=lambda n: len(wanted & {_kind(key) for key in n.keys}))
        chosen.append(best)
        wanted -= {_kind(key) for key in best.keys}
    return chosen


def _kind(key: str) -> str:
    """The kind of write: `psa.request.3` and `psa.request.4` are one."""
    return ".".join(key.split("/")[-2].split(".")[:2])


# -- 2. crash points ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """One activation in a lane of its own, with the points at which its worker dies."""

    normal: Normal
    points: tuple[tuple[str, str], ...]
    """(point, effect key)."""


def _units(chosen: Sequence[Normal]) -> list[Unit]:
    """Every point of every write, spread over activations so that lanes take about equal time."""
    units = []
    covered: set[str] = set()
    for normal in chosen:
        keys = [key for key in normal.keys if key.startswith("activation/") or _kind(key) not in covered]
        if normal is not chosen[0]:
            keys = [key for key in keys if _kind(key) not in covered]
        covered |= {_kind(key) for key in keys}
        units += _spread(normal, keys)
    return units


def _quick_units(normal: Normal, plan: Plan) -> list[Unit]:
    """The project's creation, and one write per system chosen by the seed, at all four points.

    The creation is always there: without the look-up it doubles, which is enough to find a planted bug.
    """
    created = next(key for key in normal.keys if _kind(key) == "psa.project")
    if plan.planted_bug:
        return _spread(normal, [created])
    rng = random.Random(plan.seed)  # noqa: S311 - reproducible, not secret
    by_system: dict[str, list[str]] = {}
    for effect in sorted(normal.effects):
        if effect.key.startswith("activation/"):
            by_system.setdefault(effect.system, []).append(effect.key)
    return _spread(normal, sorted({created, *(rng.choice(keys) for _, keys in sorted(by_system.items()))}))


def _spread(normal: Normal, keys: Sequence[str]) -> list[Unit]:
    """All four points around each of `keys`, over four activations that take about equal time."""
    halves = [(pair, keys[half::2]) for pair in PAIRS for half in (0, 1)]
    return [
        Unit(normal, tuple((point, key) for key in half for point in pair)) for pair, half in halves if half
    ]


async def _kill(unit: Unit, plan: Plan, report: Report) -> None:
    async with lane(planted_bug=plan.planted_bug) as attacked:
        for number, (point, key) in enumerate(unit.points):
            if point == "applied_unanswered":
                await attacked.arm_held_answer(number, key)
            else:
                attacked.arm_crash(point, key)
        result = await attacked.activate(unit.normal.deal)
        found = await landed(attacked.sandbox, unit.normal.deal)
        report.crash_points_hit += attacked.hits()
        report.worker_kills += attacked.kills
        report.differences += attacked.other_ends
        report.decisions += attacked.decided
        _judge(unit.normal, result, found, report)
        plan.say(
            f"crash points {report.crash_points_hit}/{report.crash_points}, kills {report.worker_kills}, "
            f"lost {len(report.lost)}, doubled {len(report.doubled)}"
        )


def _judge(normal: Normal, result: ActivationResult | None, found: Counter[Effect], report: Report) -> None:
    """Compare one deal's effects and end with the fault-free run."""
    mine = Counter({effect: count for effect, count in found.items() if effect.key in normal.keys or
                    f"/{normal.deal}/" in effect.key})  # fmt: skip
    report.effects += sum(mine.values())
    gap = difference(normal.effects, mine)
    report.lost += [f"{normal.deal}: {effect}" for effect in gap.lost]
    report.doubled += [f"{normal.deal}: {effect}" for effect in gap.doubled]
    if result is None:
        report.differences.append(f"{normal.deal}: did not end")
    elif (result.state, result.project) != (normal.result.state, normal.result.project):
        report.differences.append(f"{normal.deal}: ended {result.state} as {result.project}")


# -- 3. faults ------------------------------------------------------------------------------------


async def _under_faults(normals: Sequence[Normal], plan: Plan, report: Report) -> None:
    async with lane() as attacked:
        for fault in plan.faults():
            await attacked.arm_fault(**fault)
        deals = normals[: _QUICK_DEALS if plan.quick else plan.deals_under_faults]
        results = await asyncio.gather(*(attacked.activate(normal.deal) for normal in deals))
        report.faults_injected += Counter(await attacked.faults_fired())
        report.decisions += attacked.decided
        found = await landed(attacked.sandbox)
        for normal, result in zip(deals, results, strict=True):
            _judge(normal, result, found, report)
        plan.say(f"faults injected {sum(report.faults_injected.values())}, decisions {report.decisions}")


# -- 4. refusals ----------------------------------------------------------------------------------


async def _refuse_everything(normal: Normal, plan: Plan, report: Report) -> None:
    """One activation per write, each refused there for good and cancelled; the next is a new generation."""
    async with lane() as attacked:
        steps = [key.rsplit("/", 1)[0] for key in normal.keys]
        if plan.quick:
            steps = steps[:: max(1, len(steps) // 4)]
        for step in steps:
            await attacked.sandbox.delete("/_faults")
            await attacked.arm_fault(kind="reject", match=f"{step}/")
            result = await attacked.activate(normal.deal, on_attention="compensate")
            report.refusals += 1
            if result is None or result.state != "cancelled":
                report.differences.append(f"{step}: refused for good, but ended {result and result.state}")
        await attacked.sandbox.delete("/_faults")
        left = await _left_behind(attacked, normal.deal)
        report.differences += [f"left behind: {key}" for key in left]
        plan.say(f"refusals {report.refusals}, left behind {len(left)}")


# -- 5. taking back -------------------------------------------------------------------------------


def _requisition(normal: Normal) -> str:
    """Step of the deal's first requisition; empty where no supplier delivers."""
    keys = (key.rsplit("/", 1)[0] for key in normal.keys)
    return next((key for key in keys if ".request." in key and "/procurement." in key), "")


async def _kill_withdrawal(normal: Normal, plan: Plan, report: Report) -> None:
    """Two activations that end in an undo, each with a pair of points around the requisition's."""
    step = _requisition(normal)
    async with lane() as attacked:
        await attacked.arm_fault(kind="reject", match=f"activation/{attacked.firm}/{normal.deal}/erp.open/")
        for generation, pair in enumerate(PAIRS, start=1):
            undo = f"{step}/{generation}/undo"
            for point in pair:
                if point == "applied_unanswered":
                    await attacked.arm_held_answer(generation, undo)
                else:
                    attacked.arm_crash(point, undo)
            result = await attacked.activate(normal.deal, on_attention="compensate")
            if result is None or result.state != "cancelled":
                report.differences.append(f"{undo}: ended {result and result.state}")
        found = await landed(attacked.sandbox, normal.deal)
        report.crash_points_hit += attacked.hits()
        report.worker_kills += attacked.kills
        report.differences += attacked.other_ends
        report.decisions += attacked.decided
        for generation in range(1, len(PAIRS) + 1):
            undo = f"{step}/{generation}/undo"
            times = sum(count for effect, count in found.items() if effect.key == undo)
            report.effects += times
            report.lost += [f"{normal.deal}: {undo}"] if times == 0 else []
            report.doubled += [f"{normal.deal}: {undo}"] if times > 1 else []
        left = await _left_behind(attacked, normal.deal)
        report.differences += [f"left behind: {key}" for key in left]
        plan.say(f"withdrawals {len(PAIRS)}, left behind {len(left)}")


_UNDONE = (
    *("psa.project", "erp.project", "psa.request", "procurement.request"),
    *("erp.billing_schedule", "crm.active"),
)
"""Steps with an undo of their own; plan, seats and opening go with their project, customers stay."""


async def _left_behind(attacked: Lane, deal: str) -> list[str]:
    """What landed in a system and was not undone there."""
    effects = await landed(attacked.sandbox, deal)
    keys = {effect.key for effect in effects}
    made = [key for key in keys if not key.endswith("/undo") and key.startswith("activation/")]
    doubtful = [key for key in made if _kind(key) in _UNDONE and f"{key}/undo" not in keys]
    left = [key for key in doubtful if not await _gone(attacked, key)]
    return sorted(left)


async def _gone(attacked: Lane, key: str) -> bool:
    """Whether the journal knows the effect as undone; a deleted record carries no key to look for."""
    row = await attacked.store.effects.get(key)
    return row is not None and row.state == "undone"
