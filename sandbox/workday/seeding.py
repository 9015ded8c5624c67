"""The seeded tenant: the firm's workers with what happened to them, their skills and absences; projects.

Most are hired and stay. Some were promoted this year, a few have left or will, one leave is without an end,
and one worker is hired for next month.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.core.records import RecordStore
from sandbox.seed.dates import in_month
from sandbox.seed.people import skill_level
from sandbox.workday import history
from sandbox.workday.ids import ref, wid

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm, Worker

SKILLS, TIME_OFF, LEAVES, PROJECTS = "workerSkills", "timeOffDetails", "leavesOfAbsence", "projects"
CALENDARS = "workCalendars"
KINDS = ("Vacation", "Sick Leave", "Care Leave")
LEAVER_EVERY, LEAVERS_FROM, LEAVE_EVERY, RAISED_EVERY = 23, 40, 37, 9
_SKILL_VENDOR = "Skills Cloud"


def seed(plan: "Firm", store: RecordStore) -> None:
    """Fill the empty tenant."""
    for number, worker in enumerate(plan.workers, 1):
        id = wid("worker", worker.key)
        store.create(history.WORKERS, _identity(worker), id=id, natural_key=worker.key)
        _employment(plan, store, worker, number)
        _skills(store, worker, id)
        _absences(plan, store, id, number)
    _newcomer(plan, store)
    for entity in plan.entities:
        hours = next((w.weekly_hours for w in plan.workers if w.entity == entity.code), 40)
        data = {"code": entity.region, "country": entity.country, "weekly_hours": str(hours)}
        store.create(CALENDARS, data, id=entity.region)
    for key, name in (
        ("INTERNAL-1", "Administration and training"),
        ("INTERNAL-2", "Business development"),
        ("CLIENT-WORK", "Work for customers"),
    ):
        store.create(PROJECTS, {"projectId": key, "name": name}, id=wid("project", key))


def entered_on(day: date) -> float:
    """Epoch seconds of a seeded entry: noon of the day."""
    return datetime.combine(day, time(12), UTC).timestamp()


def _identity(worker: "Worker") -> dict[str, Any]:
    name = {"first_name": worker.first_name, "last_name": worker.last_name, "email": worker.email}
    return {"number": worker.key, "kind": worker.kind, **name}


def _employment(plan: "Firm", store: RecordStore, worker: "Worker", number: int) -> None:
    id, today = wid("worker", worker.key), plan.today
    kind = history.CONTRACT if worker.kind == "contingent" else history.HIRE
    changes: dict[str, Any] = _job(plan, worker) | {"hire_date": worker.hired_on.isoformat()}
    if worker.supplier:
        ends = (today + timedelta(days=120 + 15 * (number % 8))).isoformat()
        changes |= {"supplier": worker.supplier, "contract_end": ends}
    on = in_month(today, number % 10 - 10)
    raised = number % RAISED_EVERY == 0 and worker.hired_on < on
    before = {"job_profile": "Associate"} if raised else {}
    at = entered_on(worker.hired_on - timedelta(days=14))
    history.enter(store, id, kind, worker.hired_on, changes | before, at)
    if raised:
        after = {"job_profile": worker.role}
        history.enter(store, id, history.CHANGE, on, after, entered_on(on - timedelta(days=5)))
    if number >= LEAVERS_FROM and number % LEAVER_EVERY == 0 and worker.kind == "employee":
        last = today + timedelta(days=38) if number % 2 else today - timedelta(days=24)
        left = {"terminated": True, "termination_date": last.isoformat()}
        history.enter(store, id, history.TERMINATION, last, left, entered_on(today - timedelta(days=40)))


def _job(plan: "Firm", worker: "Worker") -> dict[str, Any]:
    return {
        "company": worker.entity,
        "organization": f"SUP-{worker.entity}-{worker.practice}",
        "job_profile": worker.role,
        "level": worker.grade,
        "location": f"LOC-{worker.entity}",
        "country": plan.entity(worker.entity).country,
        "weekly_hours": str(worker.weekly_hours),
        "manager": wid("worker", worker.manager) if worker.manager else None,
    }


def _skills(store: RecordStore, worker: "Worker", id: str) -> None:
    for skill in worker.skills:
        rated = skill_level(worker.key, skill)
        level = str(rated) if rated else None
        data = {"worker": id, "skillItem": ref("skill", skill), "remoteID": f"ext-{skill}", "level": level}
        store.create(SKILLS, {**data, "vendor": _SKILL_VENDOR}, id=wid(f"skill/{id}", skill))


def _absences(plan: "Firm", store: RecordStore, id: str, number: int) -> None:
    first = plan.today + timedelta(days=7 + 7 * (number % 6))
    for offset in range(2 + number % 4):
        day = first + timedelta(days=offset)
        status = "Submitted" if number % 11 == 0 else "Approved"
        half = offset == 0 and number % 3 == 0
        unit, quantity = ("Hours", "4") if half else ("Days", "1")
        time_off(store, id, day, quantity, unit, KINDS[number % 3], status)
    if number % LEAVE_EVERY == 0:
        begins, ends = plan.today - timedelta(days=10), plan.today + timedelta(days=90)
        open_end = number == LEAVE_EVERY
        leave(store, id, begins, None if open_end else ends, "Parental", "Successfully Completed")


def time_off(
    store: RecordStore, worker: str, day: date, quantity: str, unit: str, kind: str, status: str
) -> None:
    """One entry of one day."""
    data = {"worker": worker, "date": day.isoformat(), "quantity": quantity, "unit": ref("unit", unit)}
    more = {"timeOffType": ref("timeOffType", kind), "status": ref("status", status)}
    store.create(TIME_OFF, data | more, natural_key=f"{worker} {day}")


def leave(store: RecordStore, worker: str, first: date, last: date | None, kind: str, status: str) -> None:
    """One leave, during which nobody may be scheduled."""
    data = {"worker": worker, "firstDayOfLeave": first.isoformat(), "leaveType": ref("leaveType", kind)}
    ends = {"estimatedLastDayOfLeave": last.isoformat()} if last else {}
    impact = {"leaveImpactFields": {"schedulingEffect": False, "inactivateWorker": False}}
    store.create(LEAVES, {**data, **ends, **impact, "status": ref("status", status)}, natural_key=worker)


def _newcomer(plan: "Firm", store: RecordStore) -> None:
    """Somebody hired for next month: known, and not here yet."""
    if not plan.workers:
        return
    model, begins = plan.workers[-1], plan.today + timedelta(days=24)
    key = f"W-{len(plan.workers) + 1:04d}"
    name = {"first_name": "Marit", "last_name": "Solberg", "email": "marit.solberg@fairlead.example"}
    id = wid("worker", key)
    store.create(history.WORKERS, {"number": key, "kind": "employee", **name}, id=id, natural_key=key)
    changes = _job(plan, model) | {"hire_date": begins.isoformat()}
    history.enter(store, id, history.HIRE, begins, changes, entered_on(plan.today - timedelta(days=6)))
