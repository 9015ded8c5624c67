"""The emulated Get_Workers: schema, paging frozen in time, faults, and what a view shows of a worker."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.workday.ids import wid
from tests.unit.sandbox.workday_tenant import WORKER, Tenant, texts

JOB = (
    "<wd:Response_Group><wd:Include_Reference>true</wd:Include_Reference>"
    "<wd:Include_Employment_Information>true</wd:Include_Employment_Information></wd:Response_Group>"
)
ONE = '<wd:Request_References wd:Skip_Non_Existing_Instances="{skip}"><wd:Worker_Reference>{id}'
ONE += "</wd:Worker_Reference></wd:Request_References>"


@pytest.fixture
async def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    tenant = Tenant(tmp_path, monkeypatch)
    await tenant.login()
    yield tenant
    await tenant.aclose()


def now(**later: int) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


def day(**later: int) -> str:
    return (datetime.now(UTC) + timedelta(**later)).date().isoformat()


def one(id: str, kind: str = "WID", skip: str = "true") -> str:
    return ONE.format(id=f'<wd:ID wd:type="{kind}">{id}</wd:ID>', skip=skip)


def view(effective: str = "", entered: str = "", page: int = 1, count: int = 100) -> str:
    inside = f"<wd:As_Of_Effective_Date>{effective}</wd:As_Of_Effective_Date>" if effective else ""
    inside += f"<wd:As_Of_Entry_DateTime>{entered}</wd:As_Of_Entry_DateTime>" if entered else ""
    inside += f"<wd:Page>{page}</wd:Page><wd:Count>{count}</wd:Count>"
    return f"<wd:Response_Filter>{inside}</wd:Response_Filter>"


async def test_pages_count_from_one(tenant: Tenant) -> None:
    status, root = await tenant.soap(view(page=3, count=5) + JOB)
    assert status == 200
    assert [texts(root, name)[0] for name in ("Total_Results", "Total_Pages", "Page_Results", "Page")] == [
        *("12", "3", "2", "3")
    ]
    assert len(texts(root, "Worker_ID")) == 2


@pytest.mark.parametrize(
    ("inside", "version", "words"),
    [
        (view(page=0), "v44.1", "Page must be 1 or more"),
        (view(count=1000), "v44.1", "Count must be between 1-999"),
        ("<wd:Response_Group/><wd:Response_Filter/>", "v44.1", "Response_Filter is out of sequence"),
        (
            "<wd:Response_Filter><wd:Count>1</wd:Count><wd:Page>1</wd:Page></wd:Response_Filter>",
            "v44.1",
            "out of sequence",
        ),
        ("<wd:Surprise/>", "v44.1", "Surprise is not valid"),
        ("<wd:Request_Criteria/>" + one(WORKER), "v44.1", "out of sequence"),
        (one(WORKER) + "<wd:Request_Criteria/>", "v44.1", "are alternatives"),
        (one("W-9999", "Employee_ID", skip="false"), "v44.1", "is not a valid ID value"),
        ("", "v45.0", "wd:version must be v44.1"),
    ],
)
async def test_what_breaks_the_schema_is_a_validation_fault(
    tenant: Tenant, inside: str, version: str, words: str
) -> None:
    status, root = await tenant.soap(inside, version, address="v44.1")
    assert status == 500
    assert words in texts(root, "Message")[0]
    assert texts(root, "Xpath")[0].startswith("/")


async def test_a_body_with_a_document_type_is_refused(tenant: Tenant) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    answer = await tenant.http.post("/ccx/service/fairlead_dpt1/Human_Resources/v44.1", content=bomb)
    assert answer.status_code == 500
    assert "Validation_Fault" in answer.text


async def test_a_reading_is_frozen_at_its_entry_moment(tenant: Tenant) -> None:
    before = now()
    hired = {"first_name": "A", "last_name": "B", "entity": "DE01", "job_profile": "Architect"}
    await tenant.by_hand("workers", {**hired, "grade": "Senior", "hire_date": day()})
    _, root = await tenant.soap(view(entered=before) + JOB)
    assert texts(root, "Total_Results") == ["12"]
    _, root = await tenant.soap(view(entered=now(seconds=1)) + JOB)
    assert texts(root, "Total_Results") == ["13"]


async def test_a_future_termination_shows_in_a_view_of_its_day_only(tenant: Tenant) -> None:
    await tenant.by_hand("workers/W-0003", {"termination_date": day(days=10)})
    _, today = await tenant.soap(one(WORKER) + view(effective=day()) + JOB)
    assert (texts(today, "Terminated"), texts(today, "Termination_Date")) == (["0"], [])
    assert texts(today, "Job_Profile_Name")
    _, then = await tenant.soap(one(WORKER) + view(effective=day(days=10)) + JOB)
    assert texts(then, "Terminated") == ["1"]
    assert texts(then, "Termination_Date") == [day(days=10)]
    assert texts(then, "Job_Profile_Name") == [], "who has left has no job"


async def test_who_has_left_is_listed_unless_left_out(tenant: Tenant) -> None:
    await tenant.by_hand("workers/W-0003", {"termination_date": day(days=-3)})
    left_out = "<wd:Request_Criteria><wd:Exclude_Inactive_Workers>true</wd:Exclude_Inactive_Workers>"
    _, active = await tenant.soap(f"{left_out}</wd:Request_Criteria>" + view() + JOB)
    _, everybody = await tenant.soap(view() + JOB)
    assert (texts(active, "Total_Results"), texts(everybody, "Total_Results")) == (["11"], ["12"])


@pytest.mark.parametrize(("by", "found"), [("Updated", ["W-0003"]), ("Effective", [])])
async def test_transactions_are_found_by_entry_or_by_effect(
    tenant: Tenant, by: str, found: list[str]
) -> None:
    await tenant.by_hand("workers/W-0003", {"effective": day(days=40), "grade": "Principal"})
    span = f"<wd:{by}_From>{now(minutes=-5)}</wd:{by}_From><wd:{by}_Through>{now(days=2)}</wd:{by}_Through>"
    data = f"<wd:Transaction_Date_Range_Data>{span}</wd:Transaction_Date_Range_Data>"
    criteria = f"<wd:Transaction_Log_Criteria_Data>{data}</wd:Transaction_Log_Criteria_Data>"
    _, root = await tenant.soap(f"<wd:Request_Criteria>{criteria}</wd:Request_Criteria>" + view() + JOB)
    assert texts(root, "Worker_ID") == found


async def test_a_rescinded_transaction_never_was_and_is_told(tenant: Tenant) -> None:
    await tenant.by_hand("workers/W-0003", {"termination_date": day(days=-3)})
    await tenant.by_hand("workers/W-0003", {"rescind": "Terminate"})
    _, root = await tenant.soap(one(WORKER) + view() + JOB)
    assert texts(root, "Terminated") == ["0"]


async def test_only_the_parts_asked_for_are_shown(tenant: Tenant) -> None:
    _, root = await tenant.soap(one("W-0003", "Employee_ID") + view())
    assert texts(root, "Worker_ID") == ["W-0003"]
    assert not list(root.iter("{urn:com.workday/bsvc}Worker_Reference"))
    assert not list(root.iter("{urn:com.workday/bsvc}Personal_Data"))
    _, root = await tenant.soap(one(WORKER) + view() + JOB)
    assert texts(root, "ID")[0] == wid("worker", "W-0003")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle", 500, "SOAP-ENV:Server"),
        ("server_error", 500, "SOAP-ENV:Server.processingFault"),
        ("unavailable", 503, "SOAP-ENV:Server"),
        ("token_expired", 500, "SOAP-ENV:Client.authenticationError"),
    ],
)
async def test_faults_come_as_the_service_gives_them(
    tenant: Tenant, kind: str, status: int, code: str
) -> None:
    await tenant.arm(kind, count=1)
    answered, root = await tenant.soap(view())
    assert (answered, root.findtext(".//faultcode")) == (status, code)
    validation = list(root.iter("{urn:com.workday/bsvc}Validation_Fault"))
    assert validation == []
