"""The connector on answers as a vendor might give them: drift, ids, names, the feed's bounds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import Ambiguous, Conflict, Rejected, Transient, Unauthenticated
from connectors.kantata.client import KantataClient, build
from connectors.kantata.envelope import NotAnEnvelope, rows
from connectors.kantata.memory import Memory
from connectors.kantata.settings import KantataSettings
from domain.commands import (
    AddSeats,
    CancelProject,
    CreateCustomer,
    OpenProject,
    PlannedTask,
    PlanProject,
    RequestStaffing,
    Seat,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "activation/acme/0065g/psa.customer/1"
CUSTOMER = CreateCustomer(name="Acme", crm_id="001", entity="DE01")
SEAT = Seat(ref="1", role="Architect", hours=Decimal(8), starts_on=NOW.date(), ends_on=NOW.date())
Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler, **changes: Any) -> KantataClient:
    settings = KantataSettings(base_url="https://api.example/api/v1", token="t" * 20, **changes)
    return build("psa", settings, transport=httpx.MockTransport(handler), clock=lambda: NOW)


def envelope(collection: str, *records: dict[str, Any], **sides: Any) -> httpx.Response:
    results = [{"key": collection, "id": record["id"]} for record in records]
    meta = {"count": len(records), "page_count": 1, "page_number": 1, "page_size": 200}
    held = {record["id"]: record for record in records}
    body = {"count": len(records), "meta": meta, "results": results, collection: held, **sides}
    return httpx.Response(200, json=body)


def test_rows_follow_results_and_leave_side_loaded_ones_out() -> None:
    body = {
        "results": [{"key": "stories", "id": "2"}, {"key": "stories", "id": "1"}],
        "stories": {"1": {"id": "1"}, "2": {"id": "2"}, "3": {"id": "3"}},
    }
    assert [row["id"] for row in rows(body, "stories")] == ["2", "1"]
    assert rows({"results": [{"key": "users", "id": "1"}]}, "stories") == []


@pytest.mark.parametrize("body", [None, "text", {}, {"results": [{"key": "stories", "id": "1"}]}])
def test_what_is_no_envelope_is_named(body: Any) -> None:
    with pytest.raises(NotAnEnvelope):
        rows(body, "stories")


async def test_references_that_are_not_shown_are_not_taken_for_absent() -> None:
    client = client_of(lambda request: envelope("workspace_groups", {"id": "9", "name": "Acme"}))
    with pytest.raises(Rejected) as drift:
        await client.find(CUSTOMER, KEY)
    assert drift.value.rule == "schema.missing_field"
    assert drift.value.field == "external_reference_ids"


async def test_a_filter_the_vendor_ignores_finds_nothing_of_ours() -> None:
    other = {"id": "5", "service_name": "fairlead", "service_model_ref": "activation/other/1"}
    group = {"id": "9", "name": "Other", "external_reference_ids": ["5"]}
    answer = envelope("workspace_groups", group, external_references={"5": other})
    client = client_of(lambda request: answer)
    assert await client.find(CUSTOMER, KEY) is None


async def test_an_accepted_write_without_a_record_is_ambiguous() -> None:
    client = client_of(lambda request: envelope("workspace_groups"))
    with pytest.raises(Ambiguous, match="holds no record"):
        await client.apply(CUSTOMER, KEY)
    client = client_of(lambda request: envelope("workspace_groups", {"id": "9"}))
    with pytest.raises(Ambiguous, match=r"workspace_groups\.name"):
        await client.apply(CUSTOMER, KEY)


async def test_the_key_travels_as_reference_and_correlation() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return envelope("workspace_groups", {"id": "9", "name": "Acme"})

    record = await client_of(answer).apply(CUSTOMER, KEY)
    assert (record.external_id, record.fields) == ("9", {"name": "Acme"})
    assert seen[0].headers["X-Correlation-Id"] == KEY
    assert f'"service_model_ref":"{KEY}"' in seen[0].content.decode()


@pytest.mark.parametrize("id", ["", "abc", "1/../2", "12 ", "٣"])
async def test_an_id_that_is_no_number_is_refused_before_any_call(id: str) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"called {request.url}")

    client = client_of(never)
    for command in (OpenProject(project_external_id=id), CancelProject(project_external_id=id)):
        for call in (client.find, client.apply):
            with pytest.raises(Rejected, match="is not a Kantata id"):
                await call(command, KEY)


@pytest.mark.parametrize("count", [0, 301])
async def test_a_bulk_beyond_the_vendors_limit_is_refused_before_any_call(count: int) -> None:
    tasks = tuple(PlannedTask(ref=str(n), title="T") for n in range(count))
    client = client_of(lambda request: httpx.Response(500))
    with pytest.raises(Rejected, match="1 to 300 stories"):
        await client.apply(PlanProject(project_external_id="17", tasks=tasks), KEY)
    twice = (PlannedTask(ref="1", title="A"), PlannedTask(ref="1", title="B"))
    with pytest.raises(Rejected, match="more than one row"):
        await client.apply(PlanProject(project_external_id="17", tasks=twice), KEY)


async def test_a_seat_that_is_not_visible_yet_is_waited_for() -> None:
    command = RequestStaffing(
        project_external_id="17", seats_key=KEY, seat=SEAT, approver_email="lead@example.com"
    )
    client = client_of(lambda request: envelope("workspace_resources"))
    assert await client.find(command, "activation/acme/0065g/psa.staff/1") is None
    with pytest.raises(Transient, match="no seat carries"):
        await client.apply(command, "activation/acme/0065g/psa.staff/1")
    nobody = command.with_changes(approver_email=None)
    with pytest.raises(Rejected, match="default_approver_email"):
        await client.apply(nobody, "activation/acme/0065g/psa.staff/1")


async def test_a_read_back_that_fails_after_the_write_is_ambiguous() -> None:
    """`Transient` would say that nothing was written, and the request would be made twice."""
    seat = {"id": "31", "created_at": NOW.isoformat(), "external_reference_ids": ["5"]}
    reference = {"id": "5", "service_name": "fairlead", "service_model_ref": f"{KEY}#1"}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            made = {"id": "8", "status": "new", "resource_id": "31", "updated_at": NOW.isoformat()}
            return envelope("resource_requests", made)
        if request.url.path.endswith("/workspace_resources/31"):
            return httpx.Response(500)
        if request.url.path.endswith("/users"):
            return envelope("users", {"id": "3"})
        return envelope("workspace_resources", seat, external_references={"5": reference})

    command = RequestStaffing(
        project_external_id="17", seats_key=KEY, seat=SEAT, approver_email="lead@example.com"
    )
    with pytest.raises(Ambiguous, match="request 8 is made"):
        await client_of(answer).apply(command, "activation/acme/0065g/psa.staff/1")


async def test_two_open_requests_on_a_seat_are_a_conflict() -> None:
    key = "activation/acme/0065g/psa.staff/1"
    seat = {
        "id": "31",
        "created_at": NOW.isoformat(),
        "external_reference_ids": ["5"],
        "custom_field_value_ids": ["6"],
    }
    sides = {
        "external_references": {
            "5": {"id": "5", "service_name": "fairlead", "service_model_ref": f"{KEY}#1"}
        },
        "custom_field_values": {"6": {"id": "6", "custom_field_id": "9001", "value": key}},
    }
    made = [
        {"id": id, "status": "new", "resource_id": "31", "updated_at": NOW.isoformat()} for id in ("8", "9")
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        if "resource_requests" in request.url.path:
            return envelope("resource_requests", *made)
        return envelope("workspace_resources", seat, **sides)

    command = RequestStaffing(project_external_id="17", seats_key=KEY, seat=SEAT)
    with pytest.raises(Conflict, match="2 open requests"):
        await client_of(answer).find(command, key)


async def test_names_are_remembered_for_a_while_and_asked_for_again_when_new() -> None:
    names = ["Architect"]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rsplit("/", 1)[1])
        if request.url.path.endswith("/roles"):
            return envelope("roles", *({"id": str(n), "name": name} for n, name in enumerate(names, 1)))
        return envelope("workspace_resources")

    client = client_of(answer)
    for role in ("Architect", "architect "):
        with pytest.raises(Ambiguous):
            await client.apply(AddSeats(project_external_id="17", seats=(SEAT.with_changes(role=role),)), KEY)
    assert asked.count("roles") == 1
    names.append("Tester")
    with pytest.raises(Ambiguous):
        await client.apply(AddSeats(project_external_id="17", seats=(SEAT.with_changes(role="Tester"),)), KEY)
    assert asked.count("roles") == 2


async def test_changes_before_the_feeds_retention_are_polled() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return envelope(request.url.path.rsplit("/", 1)[1])

    client = client_of(answer)
    assert await client.changes(NOW - timedelta(days=8)) == []
    assert await client.changes(NOW - timedelta(hours=1)) == []
    paths = [(url.path.rsplit("/", 1)[1], url.params.get("created_after")) for url in asked]
    assert paths == [("workspaces", None), ("subscribed_events", "2026-11-23T10:59:55+00:00")]
    assert asked[0].params["include_archived"] == "true"
    with pytest.raises(ValueError, match="time zone"):
        await client.changes(datetime(2026, 11, 23))  # noqa: DTZ001  the point of the test


async def test_changes_are_given_once_and_from_since_on() -> None:
    def event(id: str, seconds: int) -> dict[str, Any]:
        at = (NOW + timedelta(seconds=seconds)).isoformat()
        return {"id": id, "event_type": "story:updated", "subject_id": id, "created_at": at}

    events = [event("1", -3), event("2", 0), event("3", 0), event("4", 1), event("5", 1), event("6", 2)]
    client = client_of(lambda request: envelope("subscribed_events", *events))
    assert [change.event_id for change in await client.changes(NOW)] == ["2", "3", "4", "5", "6"]
    some = await client.changes(NOW + timedelta(milliseconds=400), limit=1)
    assert [change.event_id for change in some] == ["2", "3", "4", "5"]


async def test_other_failures_of_the_feed_are_not_taken_for_its_absence() -> None:
    client = client_of(lambda request: httpx.Response(401, json={"errors": []}))
    with pytest.raises(Unauthenticated):
        await client.changes(NOW)
    client = client_of(lambda request: httpx.Response(400, json={"errors": []}))
    with pytest.raises(Rejected):
        await client.changes(NOW)


async def test_a_failed_check_says_why_and_stops() -> None:
    client = client_of(lambda request: httpx.Response(401, json={"errors": [{"message": "Invalid"}]}))
    (check,) = await client.check()
    assert not check.ok
    assert "refuses the access token" in check.detail


def test_memory_forgets_the_oldest() -> None:
    memory = Memory(kept=2)
    for name in ("a", "b", "a", "c"):
        memory[name] = name
    assert (memory["a"], memory["b"], memory["c"]) == ("a", None, "c")


def test_settings_hide_the_token_and_refuse_what_they_do_not_know() -> None:
    settings = KantataSettings(base_url="https://api.example/api/v1", token="secret-of-the-account")
    assert "secret-of-the-account" not in repr(settings)
    with pytest.raises(ValueError, match="tokn"):
        KantataSettings.model_validate({"base_url": "https://api.example", "token": "x", "tokn": "y"})
