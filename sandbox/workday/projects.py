"""REST service projects: projects, lines of their resource plans, ad hoc time transactions.

Making or changing a plan line starts a business process, whose objections come in an answer of 2xx under
`businessEventRecords[].businessEventValidation[]`: nothing is kept then. The effect key is the last word of
`memo`.
"""

from datetime import date
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import Record, RecordStore
from sandbox.workday import history, rest
from sandbox.workday.errors import invalid, not_found
from sandbox.workday.ids import new_wid, ref, wid
from sandbox.workday.seeding import PROJECTS

LINES, TRANSACTIONS = "resourcePlanLines", "adHocProjectTimeTransactions"
LINE_FIELDS = ("workers", "startDate", "endDate", "estimatedHours", "percentAllocation", "role", "memo")
TRANSACTION_FIELDS = ("project", "worker", "transactionDate", "hours", "memo", "includeCost")
LONGEST_MEMO = 1000


def list_projects(call: Call) -> Answer:
    """`GET /projects`; `search` finds a word in number or name."""
    word = call.query.get("search", "").lower()
    rows = [
        {"id": row.id, "descriptor": f"{row['projectId']} {row['name']}", **row.data}
        for row in call.store.rows(PROJECTS)
        if word in f"{row['projectId']} {row['name']}".lower()
    ]
    return rest.page(call, rows, "search")


def list_lines(call: Call) -> Answer:
    """`GET /resourcePlanLines`: of one project."""
    rows = call.store.find(LINES, "project", call.query.get("project", ""))
    return rest.page(call, [_shown(row) for row in rows], "project", "projectResourcePlan")


def show_line(call: Call) -> Answer:
    """`GET /resourcePlanLines/{id}`."""
    return Answer(200, _shown(_line(call)))


def create_line(call: Call) -> Answer:
    """`POST /resourcePlanLines`."""
    body = call.json_object()
    rest.only_known(body, "project", *LINE_FIELDS)
    project = _project(call.store, body)
    data = {"project": {"id": project.id}, **_line_data(call, body)}
    for name in ("workers", "startDate", "endDate"):
        if name not in data:
            raise invalid(name, f"Specify {name}.", "A552")
    _plan_sound(data)
    record = _kept(call, data, "")
    return Answer(201, {**_shown(record), **_event([])})


def change_line(call: Call) -> Answer:
    """`PATCH /resourcePlanLines/{id}`: the edit event; the project stays."""
    before, body = _line(call), call.json_object()
    rest.only_known(body, *LINE_FIELDS)
    data = {**before.data, **_line_data(call, body)}
    _plan_sound(data)
    record = _kept(call, data, before.id)
    return Answer(200, {**_shown(record), **_event([])})


def list_transactions(call: Call) -> Answer:
    """`GET /adHocProjectTimeTransactions`: all, or of one project."""
    project = call.query.get("projectOrProjectHierarchy")
    found = call.store.find(TRANSACTIONS, "project", project) if project else call.store.rows(TRANSACTIONS)
    return rest.page(call, [_shown(row) for row in found], "projectOrProjectHierarchy")


def create_transaction(call: Call) -> Answer:
    """`POST /adHocProjectTimeTransactions`."""
    body = call.json_object()
    rest.only_known(body, *TRANSACTION_FIELDS)
    project, worker = _project(call.store, body), _worker(call.store, body.get("worker"), "worker")
    hours = rest.checked_number(body.get("hours"), "hours")
    if hours == 0:
        raise invalid("hours", "Hours may not be zero.", "A550")
    day = rest.checked_day(body.get("transactionDate"), "transactionDate")
    data: dict[str, Any] = {"project": {"id": project.id}, "worker": {"id": worker.id}}
    data |= {"transactionDate": day}
    data |= {"hours": hours, "memo": _memo(body), "includeCost": body.get("includeCost", True)}
    data |= {"billingStatus": ref("billingStatus", "Do Not Bill")}
    return Answer(201, _shown(_created(call.store, TRANSACTIONS, data, f"{worker['number']} {day}")))


def by_hand(store: RecordStore, object_name: str, fields: dict[str, Any]) -> Record:
    """A person makes a line or a transaction; references are `{"id"}`, as in the API."""
    return _created(store, object_name, fields, str(fields.get("memo", "")))


def define_keys(row: dict[str, Any]) -> list[str]:
    """The project a line or a transaction belongs to, for an index."""
    return [row["project"]["id"]] if row.get("project") else []


def _kept(call: Call, data: dict[str, Any], id: str) -> Record:
    """Store a line unless the business process objects. Raises Refused with its 200 answer."""
    problems = _objections(call.store, data)
    if problems:
        raise Refused(Answer(200, {**data, "id": id or new_wid(), **_event(problems)}))
    if not id:
        return _created(call.store, LINES, data, f"plan line {data['startDate']}")
    return call.store.update(LINES, id, data, effect_key=_key(data), natural_key=id)


def _objections(store: RecordStore, data: dict[str, Any]) -> list[str]:
    found = []
    for worker in data["workers"]:
        held = store.get(history.WORKERS, worker["id"])
        starts = date.fromisoformat(data["startDate"])
        if held is not None and not history.employed_on(store, held.id, starts):
            found.append(f"{held['number']} is not employed on {data['startDate']}.")
    return found


def _event(problems: list[str]) -> dict[str, Any]:
    validations = [{"id": wid("rule", text), "descriptor": text} for text in problems]
    status = ref("eventStatus", "Not Started" if problems else "Successfully Completed")
    return {"businessEventRecords": [{"status": status, "businessEventValidation": validations}]}


def _line_data(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if "workers" in body:
        if not isinstance(body["workers"], list) or not body["workers"]:
            raise invalid("workers", "Specify at least one worker.", "A549")
        data["workers"] = [{"id": _worker(call.store, one, "workers").id} for one in body["workers"]]
    for name in ("startDate", "endDate"):
        if name in body:
            data[name] = rest.checked_day(body[name], name)
    for name in ("estimatedHours", "percentAllocation"):
        if name in body:
            data[name] = rest.checked_number(body[name], name)
            if data[name] < 0 or (name == "percentAllocation" and data[name] > 100):
                raise invalid(name, f"{name} is out of range.", "A550")
    if "role" in body:
        data["role"] = str(body["role"])
    return data | ({"memo": _memo(body)} if "memo" in body else {})


def _plan_sound(data: dict[str, Any]) -> None:
    if data["endDate"] < data["startDate"]:
        raise invalid("endDate", "The end date is before the start date.", "A119")
    if "estimatedHours" not in data and "percentAllocation" not in data:
        raise invalid("estimatedHours", "Specify estimated hours or an allocation.", "A550")


def _memo(body: dict[str, Any]) -> str:
    memo = body.get("memo") or ""
    if not isinstance(memo, str) or len(memo) > LONGEST_MEMO:
        raise invalid("memo", f"memo must be text of up to {LONGEST_MEMO} characters.")
    return memo


def _key(data: dict[str, Any]) -> str | None:
    words = str(data.get("memo", "")).split()
    return words[-1] if words else None


def _created(store: RecordStore, object_name: str, data: dict[str, Any], natural: str) -> Record:
    return store.create(object_name, data, id=new_wid(), natural_key=natural, effect_key=_key(data))


def _line(call: Call) -> Record:
    record = call.store.get(LINES, call.params["id"])
    if record is None:
        raise not_found("resourcePlanLine", call.params["id"])
    return record


def _project(store: RecordStore, body: dict[str, Any]) -> Record:
    id = rest.checked_reference(body.get("project"), "project")
    record = store.get(PROJECTS, id)
    if record is None:
        raise invalid("project", f"There is no project {id}.", "A116")
    return record


def _worker(store: RecordStore, value: Any, field: str) -> Record:
    id = rest.checked_reference(value, field)
    record = store.get(history.WORKERS, id)
    if record is None:
        raise invalid(field, f"There is no worker {id}.", "A549")
    return record


def _shown(row: Record) -> dict[str, Any]:
    """Fields without a value are left out."""
    return {"id": row.id, **{name: value for name, value in row.data.items() if value not in (None, "")}}
