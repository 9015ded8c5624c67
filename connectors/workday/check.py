"""`fairlead systems check` for Workday: what our user sees of each service, in the versions set up.

A valid token may still show nothing: the user's security group needs the domain and the API client the
scope. So each line asks for rows, and none at all is red where a firm always has some.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from connectors.errors import ConnectorError
from connectors.http.auth import Clock
from connectors.ports import Check
from connectors.workday import skills
from connectors.workday.calendars import work_calendars
from connectors.workday.get_workers import Query, get_workers
from connectors.workday.rest import Rest
from connectors.workday.soap import Soap

OPERATION = "check"
UNSEEN = "none is visible: our user's security group lacks the domain, or the API client the scope"
Answer = tuple[bool, str]


async def inspect(rest: Rest, soap: Soap, clock: Clock) -> Sequence[Check]:
    """One line per ability. Without workers the rest is not asked for."""
    rows: list[dict[str, Any]] = []
    access = await _line("access", partial(_access, rest, rows))
    if not access.ok:
        return [access]
    worker = str(rows[0].get("id"))
    return [
        access,
        await _line("workers in bulk", partial(_bulk, soap, clock)),
        await _line("skills", partial(_skills, rest, worker)),
        await _line("absences", partial(_absences, rest, worker, clock)),
        await _line("projects and resource plan", partial(_projects, rest)),
        await _line("work calendars", partial(_calendars, rest)),
    ]


async def _line(name: str, ask: Callable[[], Awaitable[Answer]]) -> Check:
    try:
        ok, detail = await ask()
    except ConnectorError as error:
        return Check(name=name, ok=False, detail=error.message)
    return Check(name=name, ok=ok, detail=detail)


async def _access(rest: Rest, rows: list[dict[str, Any]]) -> Answer:
    found, total = await rest.first_rows("staffing", "workers", 1, OPERATION)
    rows += found
    return bool(found), f"{total} active workers" if found else f"workers: {UNSEEN}"


async def _bulk(soap: Soap, clock: Clock) -> Answer:
    now = clock()
    found = await get_workers(soap, Query(entered_by=now, effective=now.date(), count=1), OPERATION)
    return found.total > 0, f"{found.total} workers, leavers included" if found.total else UNSEEN


async def _skills(rest: Rest, worker: str) -> Answer:
    held = await skills.skills(rest, worker)
    return True, f"can be read ({len(held)} of the first worker)"


async def _absences(rest: Rest, worker: str, clock: Clock) -> Answer:
    today = clock().date()
    span = {"fromDate": today.isoformat(), "toDate": (today + timedelta(days=30)).isoformat()}
    for name in ("timeOffDetails", "leavesOfAbsence"):
        await rest.first_rows("absenceManagement", f"workers/{worker}/{name}", 1, OPERATION, **span)
    return True, "time off and leaves can be read"


async def _projects(rest: Rest) -> Answer:
    settings = rest.settings
    projects, total = await rest.first_rows("projects", "projects", 1, OPERATION)
    if not projects:
        return False, f"projects: {UNSEEN}"
    project = str(projects[0].get("id"))
    for path, name in (
        (settings.assignment_path, settings.assignment_project_param),
        (settings.utilization_path, settings.utilization_project_param),
    ):
        await rest.first_rows("projects", path, 1, OPERATION, **{name: project})
    return True, f"{total} projects, their plan lines and time transactions"


async def _calendars(rest: Rest) -> Answer:
    if not rest.settings.calendar_report:
        return True, "no report is named; working days are those of the region"
    found = await work_calendars(rest)
    return bool(found), ", ".join(one.code for one in found) or f"the report is empty: {UNSEEN}"
