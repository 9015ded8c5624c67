"""The drill of billing: from approved time to the posted invoice and its credit note, under attack.

    1. fault-free     what should happen, seen in the systems themselves
    2. crash points   the worker killed at four points around every kind of write, in the middle of intake
                      pages, and around what is written into our own store
    3. faults         every fault kind of the sandbox, at random, over all projects at once
    4. refusals       every write refused for good once (`drill.billing_refusals`)

Each part compares the end with the fault-free run, and holds it against what always holds.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from drill.billing_cast import HOURS, UNDONE
from drill.billing_firm import PAGE, Firm, broken, play, staged, stand
from drill.billing_refusals import refuse_everything
from drill.billing_state import effects_of, gaps
from drill.effects import Effect, difference, landed
from drill.lane import Lane
from drill.planted import COVERAGE, take_guard_out
from drill.report import PAIRS, Plan, Report
from runtime.store_crash_points import store_key

_UNDO = "/undo"
_PAGE_UNANSWERED = "page_unanswered"
"""A point beside those of a write: a page of the feed was asked for, and its answer is on the way."""
_ON_INTAKE = ("page_shift", "stale_read", "unknown_field", "missing_field", "unavailable", "reset_before")
"""Faults that strike the intake too; all of them strike what follows."""


@dataclass(frozen=True)
class Normal:
    """One project's fault-free run."""

    effects: Mapping[Effect, int]
    end: Mapping[str, Any]


@dataclass(frozen=True)
class Calm:
    """The fault-free run of a day, and what did not hold even then."""

    today: date
    normals: Mapping[str, Normal]
    differences: Sequence[str]


async def run(plan: Plan, known: Calm | None = None) -> Report:
    """The whole drill. Raises nothing for a failed drill: the report says so.

    `known` is a fault-free run of the same day, where there was one before.
    """
    report = Report(plan.seed, "billing")
    plan.say("billing, fault-free run: what should happen")
    calm = known or await fault_free()
    today, normals = calm.today, calm.normals
    report.differences += calm.differences
    units = _units(normals, plan)
    report.crash_points = sum(len(unit) for unit in units)
    plan.say(f"{len(normals)} projects, {report.crash_points} points to attack")
    gate = asyncio.Semaphore(plan.lanes)

    async def limited(job: Awaitable[None]) -> None:
        async with gate:
            await job

    jobs = [limited(_kill(unit, normals, today, plan, report)) for unit in units]
    if plan.planted_bug == COVERAGE:
        jobs.append(_without_guard(normals, today, report))
    elif not plan.planted_bug:
        # Beside the lanes: it waits most of the time.
        jobs.append(_under_faults(normals, today, plan, report))
    await asyncio.gather(*jobs)
    return report


async def _judge(firm: Firm, normals: Mapping[str, Normal], today: date, report: Report) -> None:
    """Hold the end against the fault-free one and against the rules."""
    found, standings = await landed(firm.lane.sandbox), await stand(firm)
    report.differences += await broken(firm, standings, today)
    for one in standings:
        number, normal = one.project.number, normals[one.project.number]
        mine = effects_of(number, found)
        report.effects += sum(mine.values())
        gap = difference(normal.effects, mine)
        report.lost += [f"{number}: {effect}" for effect in gap.lost]
        report.doubled += [f"{number}: {effect}" for effect in gap.doubled]
        report.differences += [f"{number}: {line}" for line in gaps(normal.end, one.comparable())]
        report.documents += len(one.documents)
    report.worker_kills += firm.lane.kills
    report.differences += firm.lane.other_ends
    report.decisions += firm.lane.decided


# -- 1. fault-free --------------------------------------------------------------------------------


async def fault_free() -> Calm:
    """What should happen. Raises `RuntimeError` when a story does not come to its end."""
    today = datetime.now(UTC).date()
    async with staged(today) as firm:
        stuck = await play(firm, today)
        found, standings = await landed(firm.lane.sandbox), await stand(firm)
        if stuck:
            raise RuntimeError(f"the fault-free run did not come to its end: {'; '.join(stuck)}")
        ends = {one.project.number: one for one in standings}
        normals = {
            number: Normal(effects_of(number, found), one.comparable()) for number, one in ends.items()
        }
        return Calm(today, normals, await broken(firm, standings, today))


# -- 2. crash points ------------------------------------------------------------------------------


def _units(normals: Mapping[str, Normal], plan: Plan) -> list[list[tuple[str, str]]]:
    """(point, key) of each attacked run, spread so that runs take about equal time."""
    if plan.planted_bug == COVERAGE:
        return []
    targets = _writes(normals, plan)
    parts = 1 if plan.quick or plan.planted_bug else 2
    pieces = [(pair, targets[part::parts]) for pair in PAIRS for part in range(parts)]
    units = [[(point, target) for target in piece for point in pair] for pair, piece in pieces]
    if not plan.planted_bug:
        for number, point in enumerate(_own_points(normals, plan)):
            units[number % len(units)].append(point)
    return units


def _writes(normals: Mapping[str, Normal], plan: Plan) -> list[str]:
    """One write of each kind; in a quick drill the draft and a seeded one."""
    first = _first_invoice(normals, HOURS)
    credit = _key(normals, HOURS, f"{first.split('/', 2)[2]}:", "/erp.credit/").rsplit("/", 2)[0]
    draft, record = f"{first}/erp.draft/1", f"{first}/psa.billing/1"
    if plan.planted_bug:
        return [record, f"{credit}/erp.credit/1"]
    rest = [
        record,
        f"{first}/erp.post/1",
        f"{first}/crm.billing/1",
        f"{credit}/erp.credit/1",
        f"{first}/psa.billing/1{_UNDO}",
        f"{credit}/psa.billing/1",
        _key(normals, UNDONE, "/erp.draft/", _UNDO),
    ]
    return [draft, _rng(plan).choice(rest)] if plan.quick else [draft, *rest]


def _own_points(normals: Mapping[str, Normal], plan: Plan) -> list[tuple[str, str]]:
    """In the middle of an intake page, and around the writes into our own store."""
    first, gone = _first_invoice(normals, HOURS), _first_invoice(normals, UNDONE)
    entries = sorted(normals[HOURS].end["entries"], key=lambda key: (":time:" not in key, _number(key)))
    keys = [
        store_key("take_in", entries[PAGE]),
        store_key("cover", f"{first}/entries"),
        store_key("settle", first),
        store_key("release", gone),
    ]
    points = [(point, key) for key in keys for point in ("before_call", "after_record")]
    points.append((_PAGE_UNANSWERED, "/time_entries"))
    return sorted(_rng(plan).sample(points, 2)) if plan.quick else points


async def _kill(
    unit: Sequence[tuple[str, str]], normals: Mapping[str, Normal], today: date, plan: Plan, report: Report
) -> None:
    async with staged(today, plan.planted_bug) as firm:
        firm.only({key for _, key in unit})
        for number, (point, key) in enumerate(unit):
            await _arm(firm.lane, number, point, key)
        report.differences += await play(firm, today, in_turn=True)
        await _judge(firm, normals, today, report)
        report.crash_points_hit += firm.lane.hits()
        missed = [f"{point} of {key}" for point, key in unit if firm.lane.is_armed(point, key)]
        report.differences += [f"not reached: {one}" for one in missed]
        plan.say(
            f"crash points {report.crash_points_hit}/{report.crash_points}, kills {report.worker_kills}, "
            f"lost {len(report.lost)}, doubled {len(report.doubled)}"
        )


async def _arm(attacked: Lane, number: int, point: str, key: str) -> None:
    if point == _PAGE_UNANSWERED:
        await attacked.arm_held_answer(number, only="reads", path=f"{key}$", methods=["GET"])
    elif point == "applied_unanswered" and key.endswith(_UNDO):
        # Deleting and cancelling carry no key; here each of them comes first for what is meant.
        path, method = ("/invoice/", "DELETE") if "/erp.draft/" in key else ("/cancel$", "PUT")
        await attacked.arm_held_answer(number, only="writes", path=path, methods=[method])
    elif point == "applied_unanswered":
        await attacked.arm_held_answer(number, key)
    else:
        attacked.arm_crash(point, key)


# -- 3. faults, and a guard taken out -------------------------------------------------------------


async def _under_faults(normals: Mapping[str, Normal], today: date, plan: Plan, report: Report) -> None:
    async with staged(today) as firm:
        faults = plan.faults({"kind": "period_closed", "rate": 0.3, "count": 2, "system": "netsuite"})
        for fault in faults:
            if fault["kind"] in _ON_INTAKE:
                await firm.lane.arm_fault(**fault)
        report.differences += await play(firm, today, faults)
        fired = Counter(await firm.lane.faults_fired())
        fired.pop("reject", None)  # it belongs to the story
        report.faults_injected += fired
        await _judge(firm, normals, today, report)
        plan.say(f"faults injected {sum(report.faults_injected.values())}, decisions {report.decisions}")
        await refuse_everything(firm.lane, firm.systems, today, plan, report)


async def _without_guard(normals: Mapping[str, Normal], today: date, report: Report) -> None:
    async with staged(today) as firm:
        await take_guard_out(firm.lane)
        report.differences += await play(firm, today)
        await _judge(firm, normals, today, report)


# -- small things ---------------------------------------------------------------------------------


def _first_invoice(normals: Mapping[str, Normal], project: str) -> str:
    """Id of the first invoice that was drafted."""
    drafts = sorted(effect.key for effect in normals[project].effects if "/erp.draft" in effect.key)
    return next(key for key in drafts if "rebill" not in key).split("/erp.draft")[0]


def _key(normals: Mapping[str, Normal], project: str, *parts: str) -> str:
    """The first effect of `project` whose key has all `parts`."""
    keys = sorted(effect.key for effect in normals[project].effects)
    return next(key for key in keys if all(part in key for part in parts))


def _rng(plan: Plan) -> random.Random:
    return random.Random(plan.seed)  # noqa: S311 - reproducible, not secret


def _number(key: str) -> int:
    return int(key.rsplit(":", 1)[1])
