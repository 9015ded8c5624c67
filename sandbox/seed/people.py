"""The firm's workers: roles and grades as on the rate cards, skills, calendars, a manager each."""

import hashlib
import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from sandbox.seed.catalogue import ENTITIES, PRACTICES
from sandbox.seed.firm import Entity, RateRole, Supplier, Worker
from sandbox.seed.material import names, rate_card

SKILLS = {
    "Program Manager": ("Governance", "Contract management", "Risk management"),
    "Project Manager": ("Planning", "Scrum", "Budget control"),
    "Business Analyst": ("Requirements", "Process modelling", "SQL"),
    "Architect": ("Cloud", "Integration", "Security"),
    "Software Engineer": ("Python", "Java", "TypeScript", "Kubernetes"),
    "QA Analyst": ("Test automation", "Performance testing", "Accessibility"),
    "Web Developer": ("React", "HTML", "CSS"),
    "Product Manager": ("Roadmaps", "User stories"),
    "Interaction Designer": ("Prototyping", "Figma"),
    "User Researcher": ("Interviews", "Usability tests"),
    "Content Designer": ("Plain language", "Editing"),
    "Administrative Assistant": ("Scheduling", "Reporting"),
}
_ENTITY_OF = (0, 1, 2, 0, 1, 0, 2, 1, 0, 1)
"""Which entity each tenth of the staff belongs to: four in the US, four in Germany, two in India."""
_WEIGHTS = {
    "Software Engineer": 6,
    "Business Analyst": 3,
    "QA Analyst": 3,
    "Architect": 2,
    "Web Developer": 2,
}
_WEEKLY = {"US": Decimal(40), "DE": Decimal("38.5"), "IN": Decimal(45)}
_CONTINGENT_EVERY = 12


def workers(chance: Random, count: int, lenders: tuple[Supplier, ...]) -> tuple[Worker, ...]:
    """`count` workers; the first of each entity leads it, the second is a project manager there."""
    seen: dict[str, list[Worker]] = {entity.code: [] for entity in ENTITIES}
    found: list[Worker] = []
    emails: set[str] = set()
    for number in range(1, count + 1):
        entity = ENTITIES[_ENTITY_OF[(number - 1) % 10]]
        worker = _worker(chance, number, entity, seen[entity.code], lenders, emails)
        seen[entity.code].append(worker)
        found.append(worker)
    return tuple(found)


def skill_level(worker: str, skill: str) -> int | None:
    """From 2 to 5, the same in every system; None for the fifth of all skills that nobody has rated."""
    chance = int(hashlib.sha256(f"{worker}/{skill}".encode()).hexdigest()[:6], 16)
    return None if chance % 5 == 0 else 2 + chance % 4


def _worker(
    chance: Random,
    number: int,
    entity: Entity,
    colleagues: list[Worker],
    lenders: tuple[Supplier, ...],
    emails: set[str],
) -> Worker:
    line = _position(chance, entity, len(colleagues))
    first, last = (chance.choice(words) for words in names(entity.country))
    skills = SKILLS[line.role]
    lender = None
    if number % _CONTINGENT_EVERY == 0 and len(colleagues) > 2:
        local = [supplier for supplier in lenders if supplier.country == entity.country]
        lender = chance.choice(local) if local else None
    return Worker(
        key=f"W-{number:04d}",
        first_name=first,
        last_name=last,
        email=_email(first, last, emails),
        entity=entity.code,
        practice=PRACTICES[number % len(PRACTICES)].code,
        role=line.role,
        grade=line.grade,
        skills=tuple(sorted(chance.sample(skills, min(2, len(skills))))),
        calendar=entity.region,
        weekly_hours=_WEEKLY[entity.country],
        hired_on=date(2015, 1, 1) + timedelta(days=chance.randint(0, 3900)),
        cost_rate=line.cost_rate,
        manager=colleagues[0].key if colleagues else None,
        kind="contingent" if lender else "employee",
        supplier=lender.key if lender else None,
    )


def _position(chance: Random, entity: Entity, place: int) -> RateRole:
    lines = rate_card(entity.rate_card)
    if place == 0:
        return next(line for line in lines if line.role == "Program Manager")
    if place in (1, 2):
        return next(line for line in lines if line.role == "Project Manager")
    return chance.choices(lines, weights=[_WEIGHTS.get(line.role, 1) for line in lines])[0]


def _email(first: str, last: str, taken: set[str]) -> str:
    text = f"{first}.{last}".lower().replace("ü", "ue").replace("ö", "oe").replace("ä", "ae")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    email, lap = f"{plain}@fairlead.example", 2
    while email in taken:
        email, lap = f"{plain}{lap}@fairlead.example", lap + 1
    taken.add(email)
    return email
