"""The emulated REST services: as strict as the vendor's, with its shapes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sandbox.workday_tenant import PROJECT, WORKER, Tenant

LINE = {
    "project": {"id": PROJECT},
    "workers": [{"id": WORKER}],
    "startDate": "2040-12-01",
    "endDate": "2041-01-31",
    "estimatedHours": Decimal("120.50"),
    "memo": "a/b/c/1",
}
HOURS = {
    "project": {"id": PROJECT},
    "worker": {"id": WORKER},
    "transactionDate": "2026-11-30",
    "hours": Decimal("37.25"),
    "memo": "a/b/d/1",
    "includeCost": False,
}


@pytest.fixture
async def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    tenant = Tenant(tmp_path, monkeypatch)
    await tenant.login()
    yield tenant
    await tenant.aclose()


# ---- lists


async def test_a_page_has_twenty_rows_and_a_hundred_at_most(tenant: Tenant) -> None:
    for day in range(1, 29):
        entry = {"worker": WORKER, "date": f"2029-02-{day:02}", "quantity": 1}
        await tenant.by_hand("timeOffDetails", entry)
    path = f"workers/{WORKER}/timeOffDetails"
    body = await tenant.get("absenceManagement", path, fromDate="2029-01-01")
    assert (len(body["data"]), body["total"]) == (20, 28)
    rest = await tenant.get("absenceManagement", path, fromDate="2029-01-01", limit=100, offset=20)
    assert rest["data"][0]["date"] == "2029-02-21"
    for wrong in ({"limit": 101}, {"limit": 0}, {"offset": -1}, {"page": 2}, {"fromDate": "1.1.2029"}):
        status, refused = await tenant.call("GET", "absenceManagement", path, **wrong)
        assert status == 400, wrong
        assert refused["error"].startswith("invalid request")


async def test_versions_tenants_and_tokens_are_checked(tenant: Tenant) -> None:
    status, body = await tenant.call("GET", "staffing", "workers", version="v5")
    assert (status, body["error"]) == (400, "invalid request: version v5 of staffing is not supported")
    other = await tenant.http.get("/ccx/api/staffing/v6/somebody_else/workers")
    assert other.status_code == 404
    tenant.http.headers["Authorization"] = "Bearer nonsense"
    assert (await tenant.call("GET", "staffing", "workers"))[0] == 401


# ---- workers


async def test_who_has_left_is_not_listed_unless_asked_for(tenant: Tenant) -> None:
    before = (await tenant.get("staffing", "workers"))["total"]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    await tenant.by_hand("workers/W-0005", {"termination_date": yesterday})
    assert (await tenant.get("staffing", "workers"))["total"] == before - 1
    everybody = await tenant.get("staffing", "workers", includeTerminatedWorkers="true")
    assert everybody["total"] == before
    assert (await tenant.get("staffing", "workers", search="W-0005"))["total"] == 0


async def test_search_takes_any_of_its_words(tenant: Tenant) -> None:
    found = await tenant.get("staffing", "workers", search="W-0003 W-0004")
    assert [row["workerId"] for row in found["data"]] == ["W-0003", "W-0004"]


async def test_a_worker_shows_no_manager_and_no_termination(tenant: Tenant) -> None:
    body = await tenant.get("staffing", f"workers/{WORKER}")
    assert set(body) == {
        "id",
        "descriptor",
        "workerId",
        "workerType",
        "person",
        "primaryJob",
        "additionalJobs",
    }
    assert (await tenant.call("GET", "staffing", f"workers/{'0' * 32}"))[0] == 404


async def test_skills_have_no_level_of_their_own(tenant: Tenant) -> None:
    (first, *_) = (await tenant.get("staffing", f"workers/{WORKER}/explicitSkills"))["data"]
    assert set(first) == {"id", "descriptor", "skillItem", "remoteID", "skillSources"}
    levels = (await tenant.get("staffing", f"workers/{WORKER}/externalSkillLevel"))["data"]
    assert all(1 <= row["externalSkillLevel"] <= 5 for row in levels)


# ---- absences


async def test_time_off_is_found_by_range_and_status(tenant: Tenant) -> None:
    for day, status in (("2029-03-01", "Approved"), ("2029-03-02", "Submitted")):
        entry = {"worker": "W-0003", "date": day, "quantity": "0.5", "status": status}
        await tenant.by_hand("timeOffDetails", entry)
    path = f"workers/{WORKER}/timeOffDetails"
    span = {"fromDate": "2029-03-01", "toDate": "2029-03-02"}
    rows = (await tenant.get("absenceManagement", path, **span))["data"]
    assert [(row["quantity"], row["status"]["descriptor"]) for row in rows] == [
        (Decimal("0.5"), "Approved"),
        (Decimal("0.5"), "Submitted"),
    ]
    approved = rows[0]["status"]["id"]
    assert (await tenant.get("absenceManagement", path, **span, status=approved))["total"] == 1
    assert (await tenant.get("absenceManagement", path, fromDate="2029-04-01"))["total"] == 0


async def test_a_leave_is_found_while_it_lasts(tenant: Tenant) -> None:
    await tenant.by_hand("leavesOfAbsence", {"worker": "W-0003", "first": "2029-03-01"})
    path = f"workers/{WORKER}/leavesOfAbsence"
    later = await tenant.get("absenceManagement", path, fromDate="2031-01-01", toDate="2031-01-31")
    assert [row["firstDayOfLeave"] for row in later["data"]] == ["2029-03-01"]
    before = await tenant.get("absenceManagement", path, fromDate="2029-01-01", toDate="2029-02-28")
    assert before["total"] == 0


# ---- resource plan


async def test_a_line_is_kept_exactly_with_its_key(tenant: Tenant) -> None:
    status, made = await tenant.call("POST", "projects", "resourcePlanLines", LINE)
    assert status == 201
    assert made["estimatedHours"] == Decimal("120.50")
    listed = await tenant.get("projects", "resourcePlanLines", project=PROJECT)
    assert [row["id"] for row in listed["data"]] == [made["id"]]
    (effect,) = await tenant.effects()
    assert (effect["effect_key"], effect["operation"]) == ("a/b/c/1", "create")


async def test_a_change_is_an_event_under_the_last_key(tenant: Tenant) -> None:
    _, made = await tenant.call("POST", "projects", "resourcePlanLines", LINE)
    path = f"resourcePlanLines/{made['id']}"
    change = {"estimatedHours": 80, "memo": "a/b/c/1 a/b/c/2"}
    status, changed = await tenant.call("PATCH", "projects", path, change)
    assert (status, changed["estimatedHours"], changed["startDate"]) == (200, 80, "2040-12-01")
    assert [effect["effect_key"] for effect in await tenant.effects()] == ["a/b/c/1", "a/b/c/2"]
    assert (await tenant.call("PATCH", "projects", path, {"project": {"id": PROJECT}}))[0] == 400
    assert (await tenant.call("PATCH", "projects", f"resourcePlanLines/{'0' * 32}", change))[0] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"project": {"id": "0" * 32}}, "project"),
        ({"project": PROJECT}, "project"),
        ({"project": {"id": PROJECT, "descriptor": "x"}}, "project"),
        ({"workers": []}, "workers"),
        ({"workers": [{"id": "0" * 32}]}, "workers"),
        ({"workers": [{"id": "W-0003"}]}, "workers"),
        ({"startDate": "12-01-2040"}, "startDate"),
        ({"endDate": "2040-11-30"}, "endDate"),
        ({"estimatedHours": "120"}, "estimatedHours"),
        ({"percentAllocation": 101}, "percentAllocation"),
        ({"memo": "x" * 1001}, "memo"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_a_line_that_is_not_sound_is_refused(
    tenant: Tenant, change: dict[str, Any], field: str
) -> None:
    status, body = await tenant.call("POST", "projects", "resourcePlanLines", {**LINE, **change})
    assert status == 400
    assert body["errors"][0]["field"] == field
    assert body["errors"][0]["code"].startswith("A")
    assert await tenant.effects() == []


async def test_the_process_objects_in_an_answer_of_success(tenant: Tenant) -> None:
    early = {**LINE, "startDate": "1999-01-01"}
    status, body = await tenant.call("POST", "projects", "resourcePlanLines", early)
    assert status == 200
    (record,) = body["businessEventRecords"]
    words = record["businessEventValidation"][0]["descriptor"]
    assert words == "W-0003 is not employed on 1999-01-01."
    assert (await tenant.get("projects", "resourcePlanLines", project=PROJECT))["total"] == 0


# ---- time transactions


async def test_hours_are_kept_exactly(tenant: Tenant) -> None:
    status, made = await tenant.call("POST", "projects", "adHocProjectTimeTransactions", HOURS)
    assert (status, made["hours"], made["memo"]) == (201, Decimal("37.25"), "a/b/d/1")
    of_project = {"projectOrProjectHierarchy": PROJECT}
    assert (await tenant.get("projects", "adHocProjectTimeTransactions", **of_project))["total"] == 1
    elsewhere = {"projectOrProjectHierarchy": "0" * 32}
    assert (await tenant.get("projects", "adHocProjectTimeTransactions", **elsewhere))["total"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [({"hours": 0}, "hours"), ({"worker": {"id": "1"}}, "worker"), ({"date": "2026-11-30"}, "date")],
)
async def test_hours_that_are_not_sound_are_refused(
    tenant: Tenant, change: dict[str, Any], field: str
) -> None:
    status, body = await tenant.call("POST", "projects", "adHocProjectTimeTransactions", {**HOURS, **change})
    assert (status, body["errors"][0]["field"]) == (400, field)


# ---- report


async def test_the_report_is_whole_and_all_text(tenant: Tenant) -> None:
    path = "/ccx/service/customreport2/fairlead_dpt1/ISU_Fairlead/Fairlead_Work_Calendars"
    entries = (await tenant.http.get(path, params={"format": "json"})).json()["Report_Entry"]
    assert {entry["Calendar_ID"]: entry["Weekly_Hours"] for entry in entries} == {
        "US": "40",
        "DE": "38.5",
        "IN": "45",
    }
    assert (await tenant.http.get(path)).status_code == 400
    other = path.replace("Calendars", "Salaries")
    assert (await tenant.http.get(other, params={"format": "json"})).status_code == 404


# ---- by hand


@pytest.mark.parametrize(
    ("thing", "fields", "words"),
    [
        ("workers", {"first_name": "A"}, "last_name, entity"),
        ("workers/W-0003", {"salary": 1}, "salary is no field of a job"),
        ("workers/W-0003", {"termination_date": "soon"}, "must be a date"),
        ("workers/W-0003", {"rescind": "Terminate"}, "no Terminate to take back"),
        ("timeOffDetails", {"worker": "W-9999", "date": "2029-01-01", "quantity": 1}, "no worker W-9999"),
        ("payslips", {}, "cannot be created by hand"),
    ],
)
async def test_what_a_person_cannot_do(
    tenant: Tenant, thing: str, fields: dict[str, Any], words: str
) -> None:
    answer = await tenant.http.post(f"http://sandbox/_control/workday/{thing}", json=fields)
    assert answer.status_code == 400
    assert words in answer.text
