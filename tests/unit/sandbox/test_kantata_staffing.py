"""The emulator's resource requests, and what a person decides in the vendor's screens."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sandbox.kantata_account import KantataAccount, first, ids, reference


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KantataAccount]:
    account = KantataAccount(tmp_path, monkeypatch)
    yield account
    await account.aclose()


async def ask(account: KantataAccount, seat: int, **fields: Any) -> dict[str, Any]:
    body = {
        "resource_id": seat,
        "approver_ids": [2],
        "workspace_allocation_start_date": "2026-12-01",
        "workspace_allocation_end_date": "2026-12-04",
        "workspace_allocation_percentage": 50,
        **fields,
    }
    return await account.write("POST", "/resource_requests", {"resource_request": body}, include="resource")


async def decide(account: KantataAccount, request: str, **fields: Any) -> Any:
    return await account.http.post(f"/_control/kantata/resource_requests/{request}", json=fields)


async def test_a_seat_is_unnamed_and_hidden_by_default(account: KantataAccount) -> None:
    workspace = await account.workspace()
    seat = await account.seat(workspace, external_reference=reference("a/1/seats/1#1"))
    assert ids(await account.get("/workspace_resources", workspace_id=workspace)) == []
    asked = {"workspace_id": workspace, "include_unnamed": "true", "include": "user,role"}
    shown = first(await account.get("/workspace_resources", **asked))
    assert shown["id"] == str(seat)
    assert (shown["user_id"], shown["role_name"], shown["workspace_id"]) == (None, "Test Pilot", workspace)


async def test_a_request_writes_its_custom_fields_to_the_seat(account: KantataAccount) -> None:
    seat = await account.seat(await account.workspace())
    asked = await ask(account, seat, custom_fields=[{"custom_field_id": 9001, "value": "a/1/staff/1"}])
    assert (asked["status"], asked["resource_id"]) == ("new", str(seat))
    body = await account.get(f"/workspace_resources/{seat}", include="custom_field_values")
    value = body["custom_field_values"][first(body)["custom_field_value_ids"][0]]
    assert (value["custom_field_name"], value["value"]) == ("Fairlead key", "a/1/staff/1")
    (effect,) = await account.effects(object="resource_requests")
    assert (effect["effect_key"], effect["count"]) == ("a/1/staff/1", 1)


async def test_a_request_asks_for_a_soft_allocation(account: KantataAccount) -> None:
    workspace = await account.workspace()
    seat = await account.seat(workspace)
    await ask(account, seat)
    allocation = first(await account.get("/workspace_allocations", workspace_ids=workspace))
    assert (allocation["hard"], allocation["minutes"]) == (False, 4 * 480 * 50 // 100)


async def test_approving_names_a_person(account: KantataAccount) -> None:
    workspace = await account.workspace()
    asked = await ask(account, await account.seat(workspace))
    person = first(await account.get("/users", on_my_account="true", search="Stella"))
    nobody = await decide(account, asked["id"], request_resolution_status="approve")
    assert nobody.status_code == 400
    unknown = await decide(account, asked["id"], request_resolution_status="approve", user="Nobody")
    assert "no user has the id, email address or full name Nobody" in unknown.text
    done = await decide(account, asked["id"], request_resolution_status="approve", user="Stella Brandt")
    assert done.json()["status"] == "approved"
    seat = first(await account.get("/workspace_resources", workspace_id=workspace, include="user"))
    assert (seat["user_id"], seat["full_name"]) == (person["id"], "Stella Brandt")
    allocation = first(await account.get("/workspace_allocations", workspace_ids=workspace, type="hard"))
    assert allocation["hard"] is True
    assert await account.effects(object="resource_requests", operation="action") == []
    assert len(await account.effects(object="resource_requests", origin="ui")) == 1


async def test_a_decision_is_made_once(account: KantataAccount) -> None:
    asked = await ask(account, await account.seat(await account.workspace()))
    await decide(account, asked["id"], request_resolution_status="reject")
    cancel = {"resource_request": {"request_resolution_status": "cancel"}}
    status, error = await account.refused("PUT", f"/resource_requests/{asked['id']}", cancel)
    assert (status, error["message"]) == (422, "the request has already been rejected")


async def test_cancelling_logs_the_correlation_of_the_caller(account: KantataAccount) -> None:
    workspace = await account.workspace()
    asked = await ask(account, await account.seat(workspace))
    account.http.headers["X-Correlation-Id"] = "a/1/withdraw/1"
    cancel = {"resource_request": {"request_resolution_status": "cancel"}}
    done = await account.write("PUT", f"/resource_requests/{asked['id']}.json", cancel)
    assert done["status"] == "cancelled"
    assert ids(await account.get("/workspace_allocations", workspace_ids=workspace)) == []
    (effect,) = await account.effects(effect_key="a/1/withdraw/1")
    assert (effect["operation"], effect["count"]) == ("action", 1)


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"approver_ids": []}, 422, "approver_ids"),
        ({"approver_ids": [9999]}, 422, "approver_ids"),
        ({"resource_id": 9999}, 422, "resource_id"),
        ({"resource_workspace_id": 1, "resource_role_id": 1}, 422, "resource_id"),
        ({"workspace_allocation_end_date": "2026-11-01"}, 422, "workspace_allocation_end_date"),
        ({"workspace_allocation_percentage": 101}, 422, "workspace_allocation_percentage"),
        ({"custom_fields": [{"custom_field_id": 9001, "value": 5}]}, 422, "custom_fields"),
        ({"external_reference": reference("1")}, 400, None),
    ],
)
async def test_a_request_is_validated(
    account: KantataAccount, fields: dict[str, Any], status: int, field: str | None
) -> None:
    seat = await account.seat(await account.workspace())
    body = {
        "resource_id": seat,
        "approver_ids": [2],
        "workspace_allocation_start_date": "2026-12-01",
        "workspace_allocation_end_date": "2026-12-04",
        **fields,
    }
    got, error = await account.refused("POST", "/resource_requests", {"resource_request": body})
    assert (got, error.get("field")) == (status, field)


async def test_a_request_can_make_its_seat(account: KantataAccount) -> None:
    workspace = await account.workspace()
    body = {"approver_ids": [2], "resource_workspace_id": workspace, "resource_role_id": account.role}
    asked = await account.write(
        "POST", "/resource_requests", {"resource_request": body}, include="resource,approvers"
    )
    assert asked["approver_ids"] == ["2"]
    seats = await account.get("/workspace_resources", workspace_id=workspace, include_unnamed="true")
    assert ids(seats) == [asked["resource_id"]]


async def test_requests_are_listed_by_state_approver_and_age(account: KantataAccount) -> None:
    workspace = await account.workspace()
    one = await ask(account, await account.seat(workspace))
    two = await ask(account, await account.seat(workspace), approver_ids=[3])
    await decide(account, one["id"], request_resolution_status="reject")
    assert ids(await account.get("/resource_requests", pending_requests_only="true")) == [two["id"]]
    assert ids(await account.get("/resource_requests", requests_for_approver="3")) == [two["id"]]
    assert ids(await account.get("/resource_requests", only=f"{two['id']},999")) == [two["id"]]
    assert ids(await account.get("/resource_requests", created_after="2099-01-01T00:00:00Z")) == []
    assert len(ids(await account.get("/resource_requests", created_after="2020-01-01T00:00:00Z"))) == 2
    assert (await account.refused("GET", "/resource_requests", workspace_id="1"))[0] == 400
