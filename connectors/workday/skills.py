"""Skills of one worker with their levels.

Workday's own skills carry no level; where an outside source loads levels, they stand in a list of their own,
from 1 to 5, joined by the id of the skill at its source or by its name.

Source: Workday REST, staffing: /workers/{ID}/explicitSkills, /workers/{ID}/externalSkillLevel.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.workday.models import ExplicitSkill, ExternalSkillLevel
from connectors.workday.rest import Rest
from domain.people import WorkerSkill

OPERATION = "read skills"


async def skills(rest: Rest, worker: str) -> Sequence[WorkerSkill]:
    """Skills of a worker by Workday id. Raises `NotFound`."""
    id = rest.workday_id(worker, "worker", OPERATION)
    rows = await rest.rows(
        "staffing",
        f"workers/{id}/explicitSkills",
        {},
        identity=lambda row: row.get("id"),
        operation=OPERATION,
    )
    held = [rest.read(ExplicitSkill, row, "explicitSkills", OPERATION) for row in rows]
    levels = await _levels(rest, worker) if held and rest.settings.skill_levels else {}
    return [_skill(skill, levels) for skill in held]


async def _levels(rest: Rest, worker: str) -> Mapping[str, Decimal]:
    rows = await rest.rows(
        "staffing",
        f"workers/{worker}/externalSkillLevel",
        {},
        identity=lambda row: row.get("id"),
        operation=OPERATION,
    )
    levels: dict[str, Decimal] = {}
    for row in rows:
        level = rest.read(ExternalSkillLevel, row, "externalSkillLevel", OPERATION)
        for name in (level.externalSkillId, level.externalSkillName):
            if name:
                levels[name] = level.externalSkillLevel
    return levels


def _skill(skill: ExplicitSkill, levels: Mapping[str, Decimal]) -> WorkerSkill:
    name = skill.skillItem.descriptor or skill.skillItem.id
    level = levels.get(skill.remoteID or "", levels.get(name))
    within = level if level is not None and 1 <= level <= 5 else None
    return WorkerSkill(name=name, external_id=skill.skillItem.id, level=within)
