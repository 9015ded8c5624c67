"""One Workday tenant, emulated: sign-in, three REST services, Get_Workers by SOAP, one custom report.

Paths are those of the tenant's host below `/workday`. Source: Workday REST API; Workday Web Services,
Human_Resources; Reports as a Service.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.core.call import Answer, Call
from sandbox.core.emulator import Context, Emulator, Route
from sandbox.core.records import Index, Record, RecordStore
from sandbox.workday import (
    absence,
    by_hand,
    get_workers,
    history,
    oauth,
    projects,
    reports,
    seeding,
    staffing,
)
from sandbox.workday.errors import WorkdayErrors, as_fault
from sandbox.workday.rest import Handler, versioned

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm

SOAP = "/ccx/service/"
WORKER = "workers/{id}"


def build(context: Context) -> "WorkdayEmulator":
    """The emulator over its part of the sandbox's state."""
    return WorkdayEmulator(context)


class WorkdayEmulator(Emulator):
    """Workers with their history, skills, absences, projects."""

    name = "workday"
    errors = WorkdayErrors()
    unknown_field = "unexpectedField"
    missing_fields = ("skillItem", "status", "hours", "startDate", "id")
    enum_fields = ("descriptor",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        history.define(self.store)
        for name in (seeding.SKILLS, seeding.TIME_OFF, seeding.LEAVES):
            self.store.define(name, Index("worker"))
        for name in (projects.LINES, projects.TRANSACTIONS):
            self.store.define(name, Index("project", projects.define_keys))

    def routes(self) -> Sequence[Route]:
        people = get_workers.HumanResources(self.settings.workday_tenant)
        token = oauth.TokenEndpoint(self.settings, self.tokens)
        return [
            Route("POST", oauth.PATH, token.answer, kind="token"),
            Route("POST", get_workers.PATH, people.answer, kind="read"),
            Route("GET", reports.PATH, reports.work_calendars),
            self._rest("GET", "staffing", "workers", staffing.list_workers),
            self._rest("GET", "staffing", WORKER, staffing.show_worker),
            self._rest("GET", "staffing", f"{WORKER}/serviceDates", staffing.service_dates),
            self._rest("GET", "staffing", f"{WORKER}/explicitSkills", staffing.explicit_skills),
            self._rest("GET", "staffing", f"{WORKER}/externalSkillLevel", staffing.external_skill_level),
            self._rest("GET", "absenceManagement", f"{WORKER}/timeOffDetails", absence.time_off_details),
            self._rest("GET", "absenceManagement", f"{WORKER}/leavesOfAbsence", absence.leaves_of_absence),
            self._rest("GET", "absenceManagement", "values/timeOff/status", absence.time_off_status),
            self._rest("GET", "projects", "projects", projects.list_projects),
            self._rest("GET", "projects", projects.LINES, projects.list_lines),
            self._rest("POST", "projects", projects.LINES, projects.create_line),
            self._rest("GET", "projects", f"{projects.LINES}/{{id}}", projects.show_line),
            self._rest("PATCH", "projects", f"{projects.LINES}/{{id}}", projects.change_line),
            self._rest("GET", "projects", projects.TRANSACTIONS, projects.list_transactions),
            self._rest("POST", "projects", projects.TRANSACTIONS, projects.create_transaction),
        ]

    def finish(self, call: Call, answer: Answer) -> None:
        """The web services answer in XML and with 500, whatever the core refuses for."""
        if call.path.startswith(SOAP) and "customreport2" not in call.path and isinstance(answer.body, dict):
            fault = as_fault(answer)
            answer.status, answer.body, answer.media_type = fault.status, fault.body, fault.media_type

    def records_in(self, body: Any) -> Iterator[dict[str, Any]]:
        """Rows of a list with their statuses, or a single record."""
        if not isinstance(body, dict):
            return
        rows = body.get("data", body.get("Report_Entry"))
        for row in rows if isinstance(rows, list) else [body] if "id" in body else []:
            yield row
            if isinstance(row.get("status"), dict):
                yield row["status"]

    def seed(self, plan: "Firm", store: RecordStore) -> None:
        seeding.seed(plan, store)

    def add(self, object_name: str, fields: Mapping[str, Any]) -> Record:
        """A person creates a record, see by_hand.py."""
        return by_hand.add(self.store, object_name, fields)

    def edit(self, object_name: str, record_id: str, fields: Mapping[str, Any]) -> Record:
        """A person edits a record, see by_hand.py."""
        return by_hand.edit(self.store, object_name, record_id, fields)

    def shown(self, record: Record) -> dict[str, Any]:
        """A worker with what holds today."""
        own = {"id": record.id, **record.data}
        if record.object != history.WORKERS:
            return own
        return {**own, **(history.state_now(self.store, record.id) or {})}

    def _rest(self, method: str, service: str, resource: str, handler: Handler) -> Route:
        checked = versioned(service, self.settings.workday_tenant, handler)
        return Route(method, f"/ccx/api/{service}/{{version}}/{{tenant}}/{resource}", checked)
