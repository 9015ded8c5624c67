"""The seeded account: the firm's people, roles, skills, rate cards, project templates and custom fields,
and its internal project.

Custom fields have fixed ids, since an installation is told them; everything else is numbered as it comes.
"""

from typing import TYPE_CHECKING

from sandbox.core.records import RecordStore
from sandbox.kantata import people, rates, writing
from sandbox.kantata.staffing import KEY_FIELD
from sandbox.seed.people import skill_level

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm, Practice

KEY_FIELD_ID = "9001"
DEMAND_FIELD_ID = "9002"
ENTITY_FIELD_ID, REGION_FIELD_ID = "9003", "9004"
PERSON_FIELDS = ((ENTITY_FIELD_ID, "Legal entity"), (REGION_FIELD_ID, "Region"), ("9005", "Last day"))
INTEGRATION_EMAIL = "integration@fairlead-sandbox.example"
STAFFING_APPROVERS = (("Stella Brandt", "staffing"), ("Ravi Menon", "practice.lead"))
"""People who decide resource requests: full name, local part of the address."""


def seed(plan: "Firm", store: RecordStore) -> None:
    """Fill the empty account."""
    _custom_fields(store)
    roles = _roles(plan, store)
    skills = _skills(plan, store)
    _users(plan, store, roles, skills)
    rates.seed(plan, store, roles)
    _templates(plan, store, roles)
    _internal_project(plan, store)


def _custom_fields(store: RecordStore) -> None:
    seats = ((KEY_FIELD_ID, KEY_FIELD), (DEMAND_FIELD_ID, "Fairlead demand"))
    for subject, fields in (("WorkspaceResource", seats), ("User", PERSON_FIELDS)):
        for id, name in fields:
            data = {"name": name, "value_type": "string", "subject_type": subject}
            store.create("custom_fields", data, id=id)


def _roles(plan: "Firm", store: RecordStore) -> dict[str, str]:
    named = {rate.role for rate in plan.rate_roles} | {worker.role for worker in plan.workers}
    named |= {line.role for deal in plan.deals for line in deal.lines if line.role}
    return {name: store.create("roles", {"name": name}).id for name in sorted(named)}


def _skills(plan: "Firm", store: RecordStore) -> dict[str, str]:
    named = {skill for worker in plan.workers for skill in worker.skills}
    return {name: store.create("skills", {"name": name, "max_level": 5}).id for name in sorted(named)}


def _users(plan: "Firm", store: RecordStore, roles: dict[str, str], skills: dict[str, str]) -> None:
    domain = plan.workers[0].email.partition("@")[2] if plan.workers else "fairlead-sandbox.example"
    people.enter(
        store, name="Fairlead Integration", email=INTEGRATION_EMAIL, headline="Integration", role_id=None
    )
    for name, local in STAFFING_APPROVERS:
        people.enter(store, name=name, email=f"{local}@{domain}", headline="Staffing", role_id=None)
    for worker in plan.workers:
        user = people.enter(
            store,
            name=f"{worker.first_name} {worker.last_name}",
            email=worker.email,
            headline=f"{worker.grade} {worker.role}",
            role_id=roles[worker.role],
            workday_hours=worker.weekly_hours / 5,
        )
        for skill in worker.skills:
            level = skill_level(worker.key, skill)
            given = {"skill_id": skills[skill], "user_id": user.id}
            people.give_skill(store, given | ({"level": level} if level else {}))


def _internal_project(plan: "Firm", store: RecordStore) -> None:
    """The project every firm has: where people book what no customer pays."""
    group = {"name": plan.name, "company": True, "notes": "The firm itself"}
    data = {
        **writing.DEFAULTS["workspaces"],
        "title": "INTERNAL-1 Administration and training",
        "currency": plan.entities[0].currency if plan.entities else "USD",
        "start_date": f"{plan.today.year}-01-01",
        "due_date": f"{plan.today.year + 1}-12-31",
        "status_key": 300,
        "tasks_default_non_billable": True,
        "workspace_group_ids": [store.create("workspace_groups", group).id],
    }
    store.create("workspaces", data)


def _templates(plan: "Firm", store: RecordStore, roles: dict[str, str]) -> None:
    for practice in plan.practices:
        _template(store, practice.template, practice.name, _phase_stories(practice), roles)
    for region in sorted({entity.region for entity in plan.entities}):
        _template(store, f"Standard {region}", f"Projects delivered from {region}", _STANDARD, roles)


def _template(
    store: RecordStore, title: str, description: str, names: tuple[str, ...], roles: dict[str, str]
) -> None:
    stories = [
        {
            "title": name,
            "story_type": "milestone" if number == len(names) - 1 else "task",
            "starts_after_days": 14 * number,
            "due_after_days": 14 * number + 11,
            "billable": number > 0,
        }
        for number, name in enumerate(names)
    ]
    data = {
        "title": title,
        "description": description,
        "stories": stories,
        "role_ids": sorted(roles.values())[:2],
    }
    store.create("project_templates", data)


_STANDARD = ("Kick-off", "Set-up and access", "Delivery", "Project closed")


def _phase_stories(practice: "Practice") -> tuple[str, ...]:
    phases = tuple(name for name, _ in practice.phases)
    return (*phases[:3], "Project closed") if phases else _STANDARD
