"""Who could take a demand: people of the role with free hours in its dates, the best first, and why.

Left out are those of another role, those who are not employed on any day of the range, and those without a
free hour in it. The others are ranked by the skills they have at the level asked for, by how much of the
hours they could take, by grade, by entity, and by their number, so that the order is always the same.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from domain.base import Value
from domain.money import Exact
from domain.rules.availability import Availability, total


class SkillNeed(Value):
    """A skill with the level that is needed; zero where any will do."""

    name: str
    level: int = 0

    @classmethod
    def parse(cls, text: str) -> "SkillNeed":
        """`Python` or `Python:3`. What stands behind the colon and is no level belongs to the name."""
        name, _, level = text.rpartition(":")
        if name and level.strip().isdigit():
            return cls(name=name.strip(), level=min(int(level), 5))
        return cls(name=text.strip())


class Need(Value):
    """What is demanded."""

    role: str
    starts_on: date
    ends_on: date
    hours: Exact
    grade: str = ""
    entity: str = ""
    skills: tuple[SkillNeed, ...] = ()


class Candidate(Value):
    """One person for a demand."""

    number: str
    name: str
    email: str
    entity: str
    grade: str
    free_hours: Exact
    covers_percent: int
    """Of the hours demanded."""
    skills_met: int
    reasons: tuple[str, ...]


def candidates(need: Need, people: Iterable[Availability], limit: int = 5) -> tuple[Candidate, ...]:
    """The best `limit` people for `need`."""
    found = [one for person in people if (one := _candidate(need, person)) is not None]
    found.sort(key=lambda one: _rank(need, one))
    return tuple(found[:limit])


def _candidate(need: Need, person: Availability) -> Candidate | None:
    worker = person.worker
    if worker.role.casefold() != need.role.casefold():
        return None
    free = total(person.free(need.starts_on, need.ends_on))
    if free <= 0:
        return None
    met, skill_reasons = _skills(need, person)
    covers = 100 if free >= need.hours else int(free * 100 / need.hours)
    return Candidate(
        number=worker.number,
        name=worker.name,
        email=worker.email,
        entity=worker.entity,
        grade=worker.grade,
        free_hours=free,
        covers_percent=covers,
        skills_met=met,
        reasons=(*skill_reasons, *_reasons(need, person, free)),
    )


def _skills(need: Need, person: Availability) -> tuple[int, list[str]]:
    held = {skill.name.casefold(): skill.level for skill in person.worker.skills}
    met, reasons = 0, []
    for skill in need.skills:
        level = held.get(skill.name.casefold(), Decimal(-1))
        if skill.name.casefold() not in held:
            reasons.append(f"lacks {skill.name}")
        elif skill.level and (level is None or level < skill.level):
            shown = "no level" if level is None else f"level {level.normalize():f}"
            reasons.append(f"{skill.name} at {shown}, {skill.level} is asked")
        else:
            met += 1
            reasons.append(f"has {skill.name}" + (f" {level.normalize():f}" if level else ""))
    return met, reasons


def _reasons(need: Need, person: Availability, free: Decimal) -> list[str]:
    worker = person.worker
    reasons = [f"{free.normalize() + 0:f} of {need.hours.normalize() + 0:f} h free"]
    if need.grade and worker.grade:
        same = worker.grade.casefold() == need.grade.casefold()
        reasons.append(worker.grade if same else f"{worker.grade}, not {need.grade}")
    if need.entity and worker.entity != need.entity:
        reasons.append(f"of {worker.entity}")
    if worker.ends_on is not None and worker.ends_on < need.ends_on:
        reasons.append(f"leaves {worker.ends_on}")
    if worker.hired_on > need.starts_on:
        reasons.append(f"begins {worker.hired_on}")
    return reasons


def _rank(need: Need, one: Candidate) -> tuple[int, int, bool, bool, str]:
    return (
        -one.skills_met,
        -one.covers_percent,
        one.grade.casefold() != need.grade.casefold(),
        one.entity != need.entity,
        one.number,
    )
