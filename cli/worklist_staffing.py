"""The work list of staffing: unanswered demand with who could take it, the bench, and what does not agree.

Names stand here and nowhere else; of an absence only that hours are not there, and never pay.
"""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cli import staffing_reads

if TYPE_CHECKING:
    from cli.context import Session
    from domain.staffing_demand import StaffingRequest

BENCH = timedelta(weeks=4)
_DIFFERENCES = 1000
_CANDIDATES = 3


async def gather(session: "Session") -> dict[str, Any]:
    """Of the whole firm."""
    from domain.rules.candidates import candidates
    from domain.rules.capacity import bench

    now = datetime.now(UTC)
    today = now.date()
    demand = await staffing_reads.open_demand(session)
    last = max([today + BENCH, *(asked.ends_on for asked, _ in demand)])
    people = await staffing_reads.people(session, today, last)
    free = bench(people, today, today + BENCH)
    return {
        "as_of": now,
        "demand": [
            _line(session, asked, now) | {"candidates": candidates(_still(asked, today), people, _CANDIDATES)}
            for asked, _ in demand
        ],
        "bench": [
            {
                "person": person.worker.number,
                "name": person.worker.name,
                "role": person.worker.role,
                "grade": person.worker.grade,
                "entity": person.worker.entity,
                "free_hours": hours,
                "free_percent": percent,
            }
            for person, hours, percent in free
        ],
        "differences": await _differences(session),
    }


def _still(asked: "StaffingRequest", today: date) -> Any:
    """The demand from today on: nobody is looked for in the past."""
    need = staffing_reads.need(asked)
    return need.with_changes(starts_on=max(need.starts_on, today)) if need.ends_on >= today else need


def _line(session: "Session", asked: "StaffingRequest", now: datetime) -> dict[str, Any]:
    return {
        "process": asked.process,
        "project": asked.project,
        "entity": asked.entity,
        "ref": asked.ref,
        "role": asked.role,
        "grade": asked.grade,
        "skills": asked.skills,
        "hours": asked.hours,
        "starts_on": asked.starts_on,
        "ends_on": asked.ends_on,
        "revision": asked.revision,
        "asked_at": asked.asked_at,
        "age_days": (now - asked.asked_at).days,
        "due_at": asked.asked_at + timedelta(hours=_sla_hours(session, asked.entity)),
    }


def _sla_hours(session: "Session", entity: str) -> int:
    """Hours that the staffing gate of the entity's region gives for an answer."""
    from domain.readiness import Gate
    from firm.policies import snapshot

    policies = snapshot(session.firm)
    known = policies.entity(entity)
    rules = policies.profile(known.region if known else None)
    return rules.rule_for(Gate.STAFFING, "before_opening").sla_hours


async def _differences(session: "Session") -> list[dict[str, Any]]:
    hr = session.firm.parts.roles.hr
    if hr is None:
        return []
    found = await (await session.store()).people.differences(hr, limit=_DIFFERENCES)
    return [
        {
            "person": one.person,
            "field": one.field,
            "problem": one.problem,
            "owner": one.owner.value,
            "found_at": one.found_at,
        }
        for one in found
    ]
