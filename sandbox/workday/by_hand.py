"""What people do in the tenant's screens: hire, change a job, end an employment, enter absences.

| `POST /_control/workday/…` | with |
|---|---|
| `workers` | first_name, last_name, email, entity, job_profile, grade, hire_date; also kind, supplier |
| `workers/{id or number}` | termination_date; or effective, fields of the job; or rescind: Terminate |
| `timeOffDetails` | worker, date, quantity; also unit (Days), status (Approved), type |
| `leavesOfAbsence` | worker, first; also last, status (Approved), type, works |
| `projects` | projectId, name |
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.workday import history, projects, seeding
from sandbox.workday.ids import new_wid, ref, wid

_JOB = {"entity": "company", "grade": "level"}
_FIELDS = (
    *("entity", "organization", "job_profile", "grade", "location", "country", "weekly_hours", "manager"),
    *("supplier", "contract_end"),
)


def add(store: RecordStore, object_name: str, fields: Mapping[str, Any]) -> Record:
    """A person creates a record. Raises ValueError for bad fields."""
    given = dict(fields)
    if object_name == history.WORKERS:
        return _hire(store, given)
    if object_name == seeding.PROJECTS:
        _needed(given, "projectId", "name")
        return store.create(seeding.PROJECTS, given, id=wid("project", given["projectId"]))
    if object_name == seeding.TIME_OFF:
        return _time_off(store, given)
    if object_name == seeding.LEAVES:
        return _leave(store, given)
    if object_name in (projects.LINES, projects.TRANSACTIONS):
        return projects.by_hand(store, object_name, given)
    raise ValueError(f"{object_name} cannot be created by hand")


def edit(store: RecordStore, object_name: str, id: str, fields: Mapping[str, Any]) -> Record:
    """A person edits a record. Raises KeyError, ValueError."""
    if object_name != history.WORKERS:
        return store.update(object_name, id, dict(fields))
    worker = history.find(store, id)
    if worker is None:
        raise KeyError(f"there is no worker {id}")
    given = dict(fields)
    if "rescind" in given:
        _rescind(store, worker, str(given["rescind"]))
    elif "termination_date" in given:
        last = _day(given, "termination_date")
        left = {"terminated": True, "termination_date": last.isoformat()}
        history.enter(store, worker.id, history.TERMINATION, last, left)
    else:
        effective = _day(given, "effective") if "effective" in given else history.today()
        given.pop("effective", None)
        history.enter(store, worker.id, history.CHANGE, effective, _job(store, given))
    return worker


def _hire(store: RecordStore, given: dict[str, Any]) -> Record:
    _needed(given, "first_name", "last_name", "entity", "job_profile", "grade", "hire_date")
    name = {"first_name": given.pop("first_name"), "last_name": given.pop("last_name")}
    kind, first = given.pop("kind", "employee"), _day(given, "hire_date")
    number = given.pop("number", None) or f"W-{store.next_number('hired', 9001)}"
    identity = {"number": number, "kind": kind, "email": given.pop("email", ""), **name}
    del given["hire_date"]
    entity = str(given["entity"])
    job = {
        "organization": f"SUP-{entity}-DLV",
        "location": f"LOC-{entity}",
        "country": entity[:2],
        "weekly_hours": "40",
        "manager": None,
        **_job(store, given),
        "hire_date": first.isoformat(),
    }
    worker = store.create(history.WORKERS, identity, id=new_wid(), natural_key=str(number))
    what = history.CONTRACT if kind == "contingent" else history.HIRE
    history.enter(store, worker.id, what, first, job)
    return worker


def _job(store: RecordStore, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        raise ValueError(f"{unknown[0]} is no field of a job; known: {', '.join(_FIELDS)}")
    changes = {_JOB.get(name, name): value for name, value in given.items()}
    if changes.get("manager"):
        changes["manager"] = _worker(store, changes["manager"]).id
    return changes


def _rescind(store: RecordStore, worker: Record, kind: str) -> None:
    events = [e for e in store.find(history.EVENTS, "worker", worker.id) if e["type"] == kind]
    standing = [event for event in events if event["rescinded"] is None]
    if not standing:
        raise ValueError(f"{worker['number']} has no {kind} to take back")
    history.rescind(store, standing[-1])


def _time_off(store: RecordStore, given: dict[str, Any]) -> Record:
    _needed(given, "worker", "date", "quantity")
    data = {
        "worker": _worker(store, given["worker"]).id,
        "date": _day(given, "date").isoformat(),
        "quantity": str(given["quantity"]),
        "unit": ref("unit", given.get("unit", "Days")),
        "timeOffType": ref("timeOffType", given.get("type", "Vacation")),
        "status": ref("status", given.get("status", "Approved")),
    }
    return store.create(seeding.TIME_OFF, data, natural_key=f"{data['worker']} {data['date']}")


def _leave(store: RecordStore, given: dict[str, Any]) -> Record:
    _needed(given, "worker", "first")
    ends = {"estimatedLastDayOfLeave": _day(given, "last").isoformat()} if given.get("last") else {}
    data: dict[str, Any] = {
        "worker": _worker(store, given["worker"]).id,
        "firstDayOfLeave": _day(given, "first").isoformat(),
        **ends,
        "leaveType": ref("leaveType", given.get("type", "Parental")),
        "status": ref("status", given.get("status", "Approved")),
        "leaveImpactFields": {"schedulingEffect": bool(given.get("works", False))},
    }
    return store.create(seeding.LEAVES, data, natural_key=data["worker"])


def _worker(store: RecordStore, id: Any) -> Record:
    worker = history.find(store, str(id))
    if worker is None:
        raise ValueError(f"there is no worker {id}")
    return worker


def _needed(given: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise ValueError(f"{', '.join(missing)} must be given")


def _day(given: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(given[name]))
    except ValueError:
        raise ValueError(f"{name} must be a date, such as 2026-12-31") from None
