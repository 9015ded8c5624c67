"""REST service staffing: workers, their service dates, skills and levels.

A list of workers leaves out those who have left, unless `includeTerminatedWorkers` asks for them; `search`
takes words, any of which may match the name or the number. A worker row names no manager, no cost centre and
no termination.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.core.records import Record
from sandbox.workday import history, rest
from sandbox.workday.errors import not_found
from sandbox.workday.ids import ref, wid
from sandbox.workday.seeding import SKILLS


def list_workers(call: Call) -> Answer:
    """`GET /workers`."""
    all_of_them = call.query.get("includeTerminatedWorkers") == "true"
    words = call.query.get("search", "").lower().split()
    rows = [
        _shown(record, state)
        for record, state in _current(call)
        if (all_of_them or not state.get("terminated")) and _matches(record, words)
    ]
    return rest.page(call, rows, "search", "includeTerminatedWorkers")


def show_worker(call: Call) -> Answer:
    """`GET /workers/{ID}`: also of who has left."""
    record, state = _one(call)
    return Answer(200, _shown(record, state))


def service_dates(call: Call) -> Answer:
    """`GET /workers/{ID}/serviceDates`."""
    record, state = _one(call)
    hired = state["hire_date"]
    return Answer(200, {"id": record.id, "hireDate": hired, "continuousServiceDate": hired})


def explicit_skills(call: Call) -> Answer:
    """`GET /workers/{ID}/explicitSkills`: without any level."""
    record, _ = _one(call)
    rows = [
        {
            "id": row.id,
            "descriptor": row["skillItem"]["descriptor"],
            "skillItem": row["skillItem"],
            "remoteID": row["remoteID"],
            "skillSources": [],
        }
        for row in call.store.find(SKILLS, "worker", record.id)
    ]
    return rest.page(call, rows, "skill", "skillSource")


def external_skill_level(call: Call) -> Answer:
    """`GET /workers/{ID}/externalSkillLevel`: levels from 1 to 5 that an outside source has loaded."""
    record, _ = _one(call)
    rows = [
        {
            "id": wid("level", row.id),
            "externalSkillId": row["remoteID"],
            "externalSkillName": row["skillItem"]["descriptor"],
            "externalSkillLevel": Decimal(row["level"]),
            "skillVendorName": row["vendor"],
        }
        for row in call.store.find(SKILLS, "worker", record.id)
        if row["level"] is not None
    ]
    return rest.page(call, rows)


def existing(call: Call) -> Record:
    """The worker in the path. Raises Refused for one who is not there, or not yet."""
    return _one(call)[0]


def _one(call: Call) -> tuple[Record, dict[str, Any]]:
    record = call.store.get(history.WORKERS, call.params["id"])
    state = history.state_now(call.store, record.id) if record else None
    if record is None or state is None:
        raise not_found("worker", call.params["id"])
    return record, state


def _current(call: Call) -> Iterator[tuple[Record, dict[str, Any]]]:
    for record in call.store.rows(history.WORKERS):
        state = history.state_now(call.store, record.id)
        if state is not None:
            yield record, state


def _matches(record: Record, words: list[str]) -> bool:
    text = f"{record['first_name']} {record['last_name']} {record['number']}".lower()
    return not words or any(word in text for word in words)


def _shown(record: Record, state: dict[str, Any]) -> dict[str, Any]:
    name = f"{record['first_name']} {record['last_name']}"
    kind = "Contingent Worker" if record["kind"] == "contingent" else "Employee"
    country = ref("country", state["country"])
    return {
        "id": record.id,
        "descriptor": name,
        "workerId": record["number"],
        "workerType": ref("workerType", kind),
        "person": {"id": wid("person", record.id), "email": record["email"]},
        "primaryJob": {
            "id": wid("position", record.id),
            "businessTitle": state["job_profile"],
            "jobProfile": ref("jobProfile", state["job_profile"]),
            "supervisoryOrganization": ref("organization", state["organization"]),
            "location": {**ref("location", state["location"]), "country": country},
        },
        "additionalJobs": [],
    }
