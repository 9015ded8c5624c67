"""What a PSA is told of a person, and what is left to people: pure.

HR owns what is compared here. Its word is written where the PSA holds nothing, or what it was told last.
What the PSA holds otherwise somebody entered there: it is never overwritten, but becomes a difference for its
owner.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from domain.base import Value
from domain.people import UnavailableDay, Worker, WorkerSkill
from domain.psa_people import PersonFact, PsaPerson, PsaSkill, TimeOff
from domain.psa_people_commands import AddTimeOff, ChangeTimeOff, DayOff, KeepPerson, KeepRole, KeepSkill

Telling = KeepPerson | KeepRole | KeepSkill | AddTimeOff | ChangeTimeOff
SKILL = "skill "
"""Before the name of a skill among what was told."""


class Plan(Value):
    """What is to be written, what was agreed on without a write, and what a person settles."""

    writes: tuple[tuple[Telling, dict[str, str]], ...] = ()
    """Each with what is told once it has landed."""
    agreed: dict[str, str] = {}
    differences: dict[str, str] = {}
    """Field -> words."""


def wanted(worker: Worker) -> dict[PersonFact, str]:
    """What HR says of a person; empty where it says nothing, as of somebody who has left."""
    return {
        "role": worker.role,
        "title": f"{worker.grade} {worker.role}".strip() if worker.role else "",
        "entity": worker.entity,
        "region": worker.calendar,
        "last_day": worker.ends_on.isoformat() if worker.ends_on else "",
    }


def person_plan(
    worker: Worker, person: PsaPerson, told: Mapping[str, str], facts: Sequence[PersonFact]
) -> Plan:
    """The person as HR has them now, against what the PSA holds and what it was told last."""
    says = wanted(worker)
    agreed: dict[str, str] = {}
    changed: dict[PersonFact, str] = {}
    differences: dict[str, str] = {}
    for name in facts:
        want, held = says[name], person.fact(name)
        # A last day that was taken back is told too; of all else an empty word of HR is none.
        if want == held or (not want and (name != "last_day" or name not in told)):
            agreed[name] = held
        elif held in ("", told.get(name)):
            changed[name] = want
        else:
            differences[name] = (
                f"{name.replace('_', ' ')}: HR says {want or 'none'!r}, the PSA holds {held!r}"
            )
    skills = _skills(worker.skills, person, told)
    writes = [*_person_writes(person, changed), *skills.writes]
    return Plan(
        writes=tuple(writes),
        agreed={name: value for name, value in agreed.items() if value} | skills.agreed,
        differences=differences | skills.differences,
    )


def newcomer(worker: Worker) -> tuple[KeepPerson, dict[str, str]]:
    """The invitation of somebody the PSA does not have. Raises `ValueError` for what it lacks."""
    says = wanted(worker)
    command = KeepPerson(email=worker.email, name=worker.name, role=says["role"], title=says["title"])
    return command, {"role": says["role"], "title": says["title"]}


def days_plan(
    person: str, unavailable: Sequence[UnavailableDay], held: Sequence[TimeOff], told: Mapping[str, str]
) -> Plan:
    """Unavailable hours per day, against the days off the PSA holds."""
    wanted_hours = {day.day: day.hours for day in unavailable}
    shown = {entry.day: entry for entry in held}
    missing = [DayOff(day=day, hours=wanted_hours[day]) for day in sorted(wanted_hours.keys() - shown.keys())]
    writes: list[tuple[Telling, dict[str, str]]] = []
    if missing:
        said = {day.day.isoformat(): _text(day.hours) for day in missing}
        writes.append((AddTimeOff(person_external_id=person, days=tuple(missing)), said))
    agreed: dict[str, str] = {}
    foreign: list[date] = []
    for day, entry in sorted(shown.items()):
        want, name = wanted_hours.get(day, Decimal(0)), day.isoformat()
        if entry.hours == want:
            agreed[name] = _text(want)
        elif entry.ours and told.get(name) in (None, _text(entry.hours)):
            change = ChangeTimeOff(time_off_external_id=entry.external_id, hours=want)
            writes.append((change, {name: _text(want)}))
        else:
            foreign.append(day)
    words = f"unavailable hours: HR and PSA do not agree on {_days(foreign)}"
    return Plan(writes=tuple(writes), agreed=agreed, differences={"availability": words} if foreign else {})


def _person_writes(
    person: PsaPerson, changed: Mapping[PersonFact, str]
) -> list[tuple[Telling, dict[str, str]]]:
    writes: list[tuple[Telling, dict[str, str]]] = []
    facts = {name: value for name, value in changed.items() if name != "role"}
    if facts:
        # What is not changed is sent as it is held: a difference is not overwritten on the way.
        names: tuple[PersonFact, ...] = ("title", "entity", "region", "last_day")
        kept = {name: person.fact(name) for name in names}
        said: dict[str, str] = {str(name): value for name, value in (kept | facts).items()}
        command = KeepPerson.model_validate({**said, "person_external_id": person.external_id})
        writes.append((command, {str(name): value for name, value in facts.items()}))
    if "role" in changed:
        role = KeepRole(person_external_id=person.external_id, role=changed["role"], was=person.role)
        writes.append((role, {"role": changed["role"]}))
    return writes


def _skills(skills: Sequence[WorkerSkill], person: PsaPerson, told: Mapping[str, str]) -> Plan:
    held = {skill.name.casefold(): skill for skill in person.skills}
    writes: list[tuple[Telling, dict[str, str]]] = []
    agreed: dict[str, str] = {}
    differences: dict[str, str] = {}
    for skill in skills:
        shown, level = held.get(skill.name.casefold()), int(skill.level or 0)
        name = f"{SKILL}{skill.name}"
        if shown is None:
            command = KeepSkill(person_external_id=person.external_id, skill=skill.name, level=level)
            writes.append((command, {name: str(level)}))
        elif level in (0, shown.level):
            agreed[name] = str(shown.level)
        elif shown.level == 0 or told.get(name) == str(shown.level):
            writes.append((_level(person, shown, level), {name: str(level)}))
        else:
            differences[name] = f"{name}: HR says level {level}, the PSA holds {shown.level}"
    known = {skill.name.casefold() for skill in skills}
    surplus = sorted(skill.name for skill in person.skills if skill.name.casefold() not in known)
    if surplus:
        differences["skills"] = f"skills: the PSA shows {', '.join(surplus)}, which HR does not"
    return Plan(writes=tuple(writes), agreed=agreed, differences=differences)


def _level(person: PsaPerson, shown: PsaSkill, level: int) -> KeepSkill:
    return KeepSkill(
        person_external_id=person.external_id,
        skill=shown.name,
        level=level,
        skill_external_id=shown.external_id,
        was=shown.level,
    )


def _text(hours: Decimal) -> str:
    return f"{hours.normalize() + 0:f}"


def _days(days: Sequence[date]) -> str:
    more = f" and {len(days) - 1} more days" if len(days) > 1 else ""
    return f"{days[0]}{more}" if days else ""
