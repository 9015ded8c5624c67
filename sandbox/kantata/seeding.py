"""The seeded account: the firm's people, roles, skills, rate cards, project templates and custom fields,
and its internal project.

Custom fields have fixed ids, since an installation is told them; everything else is numbered as it comes.
"""

from typing import TYPE_CHECKING

from sandbox.core.records import RecordStore
from sandbox.kantata import rates, writing
from sandbox.kantata.staffing import KEY_FIELD

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm, Practice

KEY_FIELD_ID = "9001"
DEMAND_FIELD_ID = "9002"
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
    for id, name in ((KEY_FIELD_ID, KEY_FIELD), (DEMAND_FIELD_ID, "Fairlead demand")):
        data = {"name": name, "value_type": "string", "subject_type": "WorkspaceResource"}
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
    _user(store, "Fairlead Integration", INTEGRATION_EMAIL, "Integration", None, [])
    for name, local in STAFFING_APPROVERS:
        _user(store, name, f"{local}@{domain}", "Staffing", None, [])
    for worker in plan.workers:
        _user(
            store,
            f"{worker.first_name} {worker.last_name}",
            worker.email,
            f"{worker.grade} {worker.role}",
            roles[worker.role],
            [skills[skill] for skill in worker.skills],
        )


def _user(
    store: RecordStore, name: str, email: str, headline: str, role_id: str | None, skill_ids: list[str]
) -> None:
    data = {"full_name": name, "email_address": email, "headline": headline, "photo_path": ""}
    store.create("users", {**data, "role_id": role_id, "skill_ids": skill_ids, "disabled": False})


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
