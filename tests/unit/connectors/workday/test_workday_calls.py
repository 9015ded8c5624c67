"""How the connector calls Workday: faults told apart by their detail, one new token, pages, keys, checks."""

from datetime import date
from typing import Any

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from connectors.errors import Conflict, ConnectorError, Rejected, Transient, Unauthenticated
from connectors.http.paging import PageRequest
from connectors.workday.rest import TotalPages
from domain.intake import FeedPosition
from domain.people_commands import RecordAssignment, RecordUtilization
from tests.unit.connectors.workday.workday_sample import (
    WID,
    Answers,
    client,
    envelope,
    fault,
    response,
    worker_xml,
    xml,
)

WD = 'xmlns:wd="urn:com.workday/bsvc"'
VALIDATION = (
    f"<wd:Validation_Fault {WD}><wd:Validation_Error><wd:Message>Page must be 1 or more.</wd:Message>"
    "<wd:Detail_Message>Page must be 1 or more.</wd:Detail_Message><wd:Xpath>/wd:Page</wd:Xpath>"
    "</wd:Validation_Error></wd:Validation_Fault>"
)
PROCESSING = f"<wd:Processing_Fault {WD}><wd:Detail_Message>Busy.</wd:Detail_Message></wd:Processing_Fault>"
LINE = "f" * 32
KEY = "resources/acme/W-1/hr.assignment/1"


def assignment(**changes: Any) -> RecordAssignment:
    command = RecordAssignment(
        worker_external_id=WID,
        project_external_id="a" * 32,
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 1, 31),
        hours="80",
    )
    return command.with_changes(**changes)


def row(**changes: Any) -> dict[str, Any]:
    """A plan line as the vendor shows it."""
    line = {
        "id": LINE,
        "project": {"id": "a" * 32, "descriptor": "P"},
        "workers": [{"id": WID, "descriptor": "Ada"}],
        "startDate": "2026-12-01",
        "endDate": "2027-01-31",
        "estimatedHours": 80,
        "memo": KEY,
    }
    return {**line, **changes}


async def read_workers(answers: Answers) -> Any:
    workday = client(answers)
    try:
        return await workday.workers(FeedPosition())
    finally:
        await workday.aclose()


# ---- SOAP


@pytest.mark.parametrize(
    ("status", "text", "error", "facts"),
    [
        (500, fault("SOAP-ENV:Client.validationError", VALIDATION), Rejected, {"field": "/wd:Page"}),
        (500, fault("SOAP-ENV:Server.processingFault", PROCESSING), Transient, {"code": "Processing_Fault"}),
        (500, fault("SOAP-ENV:Server"), Transient, {}),
        (500, "", Transient, {}),
        (503, "<html><body>Service Unavailable</body></html>", Transient, {}),
        (200, fault("SOAP-ENV:Client.validationError", VALIDATION), Rejected, {"field": "/wd:Page"}),
        (200, "<html><body>Maintenance", Transient, {}),
        (429, '{"error": "too many requests"}', ConnectorError, {"status": 429}),
        (200, envelope("<other/>"), Rejected, {"rule": "schema.missing_field"}),
        (200, response().replace("<wd:Total_Pages>1</wd:Total_Pages>", ""), Rejected, {}),
    ],
)
async def test_what_an_answer_of_the_web_service_is(
    status: int, text: str, error: type[ConnectorError], facts: dict[str, Any]
) -> None:
    with pytest.raises(error) as raised:
        await read_workers(Answers(xml(text, status)))
    assert {name: getattr(raised.value, name) for name in facts} == facts
    assert raised.value.system == "hr"


async def test_a_document_type_in_an_answer_is_not_read() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + envelope("<x>&a;</x>").partition("?>")[2]
    with pytest.raises(Transient, match="not XML"):
        await read_workers(Answers(xml(bomb)))


async def test_a_fault_for_the_token_gets_one_new_one() -> None:
    refused = xml(fault("SOAP-ENV:Client.authenticationError", words="invalid username or password"), 500)
    answers = Answers(refused, xml(response(worker_xml())))
    page = await read_workers(answers)
    assert [worker.number for worker in page.workers] == ["21001"]
    sent = [request.headers["authorization"] for request in answers.requests]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    with pytest.raises(Unauthenticated, match="invalid username"):
        await read_workers(Answers(refused))


async def test_the_request_keeps_the_order_of_the_schema() -> None:
    answers = Answers(xml(response(worker_xml())))
    await read_workers(answers)
    root = fromstring(answers.requests[0].content)
    request = root[0][0]
    assert [node.tag.rpartition("}")[2] for node in request] == [
        *("Request_Criteria", "Response_Filter", "Response_Group"),
    ]
    shown = {node.tag.rpartition("}")[2]: node.text for node in request[2]}
    assert shown["Include_Employment_Information"] == "true"
    assert "Include_Compensation" not in shown
    assert [node.tag.rpartition("}")[2] for node in request[1]] == [
        *("As_Of_Effective_Date", "As_Of_Entry_DateTime", "Page", "Count"),
    ]
    assert answers.requests[0].headers["content-type"].startswith("text/xml")


# ---- REST


def test_pages_follow_the_total_and_overlap() -> None:
    pages = TotalPages(size=100, overlap=10)
    first = pages.first(PageRequest("/x"))
    second = pages.following(first, {"total": 150}, [0] * 100)
    assert second is not None
    assert second.params["offset"] == 90
    assert pages.following(second, {"total": 150}, [0] * 60) is None
    clamped = pages.following(first, {"total": 150}, [0] * 50)
    assert clamped is not None, "a server that gives fewer rows than asked for has not ended"
    assert clamped.params["offset"] == 40
    assert pages.following(first, {}, [0] * 99) is None, "without a total a short page is the last"
    short = pages.following(first, {"total": 150}, [0] * 5)
    assert short is not None
    assert short.params["offset"] == 1, "ahead, whatever the overlap"


async def test_a_list_without_data_is_named() -> None:
    workday = client(Answers(httpx.Response(200, json={"total": 0})))
    with pytest.raises(Rejected, match="explicitSkills has no data"):
        await workday.skills(WID)
    await workday.aclose()


# ---- what is written


async def test_an_assignment_is_sent_with_ids_only() -> None:
    answers = Answers(httpx.Response(201, json=row()))
    workday = client(answers)
    record = await workday.apply(assignment(role="Architect"), KEY)
    (sent,) = answers.requests
    assert sent.method == "POST"
    assert sent.url.path == "/ccx/api/projects/v1/acme/resourcePlanLines"
    body = httpx.Response(200, content=sent.content).json()
    assert body["workers"] == [{"id": WID}]
    assert (body["project"], body["memo"], body["role"]) == ({"id": "a" * 32}, KEY, "Architect")
    assert record.differences(assignment(role="Architect")) == {}
    await workday.aclose()


async def test_fields_and_paths_are_those_of_the_tenant() -> None:
    answers = Answers(httpx.Response(200, json={"total": 1, "data": [{**row(), "note": f"x {KEY}"}]}))
    workday = client(
        answers,
        services={"projects": "v3"},
        assignment_path="projectPlanLines",
        assignment_project_param="projectPlan",
        assignment_fields={"key": "note"},
    )
    assert await workday.find(assignment(), KEY) is not None
    url = answers.requests[0].url
    assert url.path == "/ccx/api/projects/v3/acme/projectPlanLines"
    assert url.params["projectPlan"] == "a" * 32
    await workday.aclose()


async def test_a_change_keeps_the_key_of_the_making() -> None:
    changed = "resources/acme/W-1/hr.assignment/2"
    answers = Answers(httpx.Response(200, json=row(memo=f"{KEY} {changed}", estimatedHours=60)))
    workday = client(answers)
    command = assignment(hours="60", line_external_id=LINE, line_key=KEY)
    assert (await workday.apply(command, changed)).differences(command) == {}
    assert answers.requests[0].method == "PATCH"
    assert f'"memo":"{KEY} {changed}"' in answers.requests[0].content.decode()
    for key in (KEY, changed):
        assert await workday.find(command, key) is not None
    assert await workday.find(command, "resources/acme/W-1/hr.assignment/3") is None
    await workday.aclose()


async def test_a_key_is_a_word_of_its_own() -> None:
    listed = {"total": 1, "data": [row(memo=f"{KEY}0")]}
    workday = client(Answers(httpx.Response(200, json=listed)))
    assert await workday.find(assignment(), KEY) is None
    await workday.aclose()


async def test_two_records_under_one_key_are_a_conflict() -> None:
    listed = {"total": 2, "data": [row(), row(id="e" * 32)]}
    workday = client(Answers(httpx.Response(200, json=listed)))
    with pytest.raises(Conflict, match="2 records carry the key"):
        await workday.find(assignment(), KEY)
    await workday.aclose()


async def test_an_id_that_is_none_is_not_put_into_a_path() -> None:
    answers = Answers(httpx.Response(200, json=row()))
    workday = client(answers)
    command = assignment(line_external_id="../projects")
    for call in (workday.find, workday.apply):
        with pytest.raises(Rejected, match="not the Workday id of a plan line"):
            await call(command, KEY)
    assert answers.requests == []
    await workday.aclose()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"startDate": None}, "resourcePlanLines.startDate"),
        ({"endDate": "soon"}, "resourcePlanLines.endDate"),
        ({"estimatedHours": "many"}, "resourcePlanLines.estimatedHours"),
        ({"workers": ["Ada"]}, "resourcePlanLines.workers"),
    ],
)
async def test_a_line_that_is_not_as_documented_is_named(change: dict[str, Any], field: str) -> None:
    listed = {"total": 1, "data": [row(**change)]}
    workday = client(Answers(httpx.Response(200, json=listed)))
    with pytest.raises(Rejected) as drift:
        await workday.find(assignment(), KEY)
    assert drift.value.field == field
    await workday.aclose()


async def test_utilization_figures_no_cost() -> None:
    made = {"id": LINE, "project": {"id": "a" * 32}, "worker": {"id": WID}, "memo": KEY}
    answers = Answers(httpx.Response(201, json={**made, "transactionDate": "2026-11-30", "hours": 37.5}))
    workday = client(answers)
    command = RecordUtilization(
        worker_external_id=WID,
        project_external_id="a" * 32,
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 30),
        hours="37.50",
    )
    assert (await workday.apply(command, KEY)).differences(command) == {}
    assert '"includeCost":false' in answers.requests[0].content.decode()
    await workday.aclose()


# ---- the check


async def test_a_token_that_shows_nobody_is_red() -> None:
    workday = client(Answers(httpx.Response(200, json={"total": 0, "data": []})))
    (line,) = await workday.check()
    assert not line.ok
    assert "security group" in line.detail
    await workday.aclose()


async def test_a_service_in_another_version_is_red() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "absenceManagement" in request.url.path:
            return httpx.Response(400, json={"error": "invalid request: version"})
        if "Human_Resources" in request.url.path:
            return xml(response(worker_xml()))
        return httpx.Response(200, json={"total": 1, "data": [{"id": WID, "skillItem": {"id": "s"}}]})

    workday = client(Answers(answer), skill_levels=False)
    lines = {line.name: line for line in await workday.check()}
    assert [name for name, line in lines.items() if not line.ok] == ["absences"]
    assert "version" in lines["absences"].detail
    await workday.aclose()
