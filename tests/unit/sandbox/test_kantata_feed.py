"""The emulator's change feed, its seeded account, and state that outlives a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.core import clock
from sandbox.kantata.feed import KEPT_SECONDS
from tests.unit.sandbox.kantata_account import KantataAccount, first, ids, reference


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KantataAccount]:
    account = KantataAccount(tmp_path, monkeypatch)
    yield account
    await account.aclose()


async def events(account: KantataAccount, **params: str) -> list[tuple[str, str]]:
    body = await account.get("/subscribed_events", **params)
    rows = [body["subscribed_events"][id] for id in ids(body)]
    return [(row["event_type"], row["subject_id"]) for row in rows]


async def test_changes_appear_in_the_feed(account: KantataAccount) -> None:
    workspace = await account.workspace()
    story = {"workspace_id": workspace, "title": "T", "story_type": "task"}
    made = await account.write("POST", "/stories", {"story": story})
    await account.write("PUT", f"/stories/{made['id']}", {"story": {"title": "T2"}})
    await account.write("PUT", f"/stories/{made['id']}", {"story": {"title": "T2"}})
    await account.call("DELETE", f"/stories/{made['id']}")
    project = str(workspace)
    assert await events(account) == [
        ("workspace:created", project),
        ("story:created", made["id"]),
        ("story:updated", made["id"]),
        ("story:deleted", made["id"]),
    ]
    assert await events(account, event_types="workspace:created,workspace:deleted") == [
        ("workspace:created", project)
    ]
    assert await events(account, created_after="2099-01-01T00:00:00Z") == []
    assert (await events(account, order="created_at:desc"))[0][0] == "story:deleted"


async def test_bounds_are_whole_seconds_and_exclusive(account: KantataAccount) -> None:
    workspace = await account.workspace()
    stamp = first(await account.get(f"/workspaces/{workspace}"))["updated_at"]
    assert str(workspace) not in ids(await account.get("/workspaces", updated_after=stamp))
    assert str(workspace) in ids(await account.get("/workspaces", updated_after="2020-01-01T00:00:00+00:00"))


async def test_events_are_forgotten_after_nine_days(account: KantataAccount) -> None:
    old = {"event_type": "workspace:created", "subject_type": "Workspace", "subject_id": "1"}
    stamp = clock.now() - KEPT_SECONDS - 60
    account.store.create("subscribed_events", old, at=stamp, derived=True)
    workspace = await account.workspace()
    assert await events(account) == [("workspace:created", str(workspace))]


async def test_the_catalogue_names_the_kinds(account: KantataAccount) -> None:
    _, body = await account.call("GET", "/subscribed_events/event_types")
    assert "workspace_allocation:deleted" in body["event_types"]
    assert "resource_request:created" not in body["event_types"]


async def test_the_seeded_account_is_ready_for_a_project(account: KantataAccount) -> None:
    fields = (await account.get("/custom_fields", only="9001,9002"))["custom_fields"]
    assert {id: field["name"] for id, field in fields.items()} == {
        "9001": "Fairlead key",
        "9002": "Fairlead demand",
    }
    internal = first(await account.get("/workspaces"))
    assert internal["title"].startswith("INTERNAL-1")
    assert internal["status"]["message"] == "Active"
    assert await account.effects() == []


async def test_records_and_effects_outlive_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = KantataAccount(tmp_path, monkeypatch)
    workspace = await before.workspace(external_reference=reference("a/1/project/1"))
    await before.aclose()
    after = KantataAccount(tmp_path, monkeypatch)
    asked = {"external_reference_service_model_refs": "a/1/project/1"}
    assert ids(await after.get("/workspaces", **asked)) == [str(workspace)]
    assert (await after.effects())[0]["count"] == 1
    assert await after.workspace() == workspace + 1
    await after.aclose()
