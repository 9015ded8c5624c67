"""The emulator's time entries, expenses and their approval: what it refuses, filters and tells."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kantata.time_order import Slice, count
from tests.unit.sandbox.kantata_account import KantataAccount, first, ids, reference
from tests.unit.sandbox.kantata_hours import approve, entry, logged, place, submitted


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KantataAccount]:
    account = KantataAccount(tmp_path, monkeypatch)
    yield account
    await account.aclose()


async def test_an_entry_knows_its_rate_and_waits_for_approval(account: KantataAccount) -> None:
    workspace, story = await place(account)
    person = next(user for user in account.store.rows("users") if user.get("role_id"))
    made = await logged(account, entry(workspace, story, user_id=int(person.id)))
    role = account.store.get("roles", made["role_id"])
    assert role is not None
    assert role["name"] in person["headline"]
    cards = [card.id for card in account.store.rows("rate_cards") if card["currency"] == "USD"]
    rates = account.store.find("rate_card_roles", "card_role", (cards[0], made["role_id"]))
    assert made["rate_in_cents"] in {rate["rate_in_cents"] for rate in rates}
    assert made["rate_in_cents"] > made["cost_rate_in_cents"] > 0
    assert (made["approved"], made["is_invoiced"], made["billable"]) == (False, False, True)
    assert (made["currency"], made["currency_base_unit"]) == ("USD", 100)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"time_in_minutes": 0}, "time_in_minutes"),
        ({"time_in_minutes": -30}, "time_in_minutes"),
        ({"time_in_minutes": 1441}, "time_in_minutes"),
        ({"date_performed": "20.11.2026"}, "date_performed"),
        ({"story_id": 9999}, "story_id"),
        ({"date_performed": None}, "date_performed"),
    ],
)
async def test_an_entry_is_validated(account: KantataAccount, fields: dict[str, Any], field: str) -> None:
    workspace, story = await place(account)
    body = {"time_entry": {**entry(workspace, story), **fields}}
    status, error = await account.refused("POST", "/time_entries", body)
    assert (status, error["field"]) == (422, field)


async def test_a_day_has_24_hours_over_all_projects(account: KantataAccount) -> None:
    one, other = await place(account), await place(account)
    made = await logged(account, entry(*one, 900))
    status, error = await account.refused("POST", "/time_entries", {"time_entry": entry(*other, 541)})
    assert (status, error["field"]) == (422, "time_in_minutes")
    assert "900 minutes are logged" in error["message"]
    await logged(account, entry(*other, 540))
    rows = [entry(*one, 700, date_performed="2026-11-21"), entry(*other, 800, date_performed="2026-11-21")]
    assert (await account.refused("POST", "/time_entries", {"time_entries": rows}))[0] == 422
    assert len(list(account.store.rows("time_entries"))) == 2, "a bulk create is all or nothing"
    changed = {"time_entry": {"time_in_minutes": 901}}
    assert (await account.refused("PUT", f"/time_entries/{made['id']}", changed))[0] == 422
    await account.write("PUT", f"/time_entries/{made['id']}", {"time_entry": {"time_in_minutes": 899}})


async def test_closed_places_take_no_time(account: KantataAccount) -> None:
    workspace, story = await place(account)
    for changes in ({"state": "completed"}, {"state": "started", "archived": True}):
        await account.write("PUT", f"/stories/{story}", {"story": changes})
        status, error = await account.refused(
            "POST", "/time_entries", {"time_entry": entry(workspace, story)}
        )
        assert (status, error["message"]) == (422, "the task is closed for time")
    await account.write("PUT", f"/stories/{story}", {"story": {"archived": False}})
    other, _ = await place(account)
    assert (await account.refused("POST", "/time_entries", {"time_entry": entry(other, story)}))[1][
        "field"
    ] == "story_id"
    await account.write("PUT", f"/workspaces/{workspace}", {"workspace": {"status_key": 400}})
    status, error = await account.refused("POST", "/time_entries", {"time_entry": entry(workspace, story)})
    assert (status, error["field"]) == (422, "workspace_id")


async def test_entries_in_bulk_are_one_effect(account: KantataAccount) -> None:
    workspace, story = await place(account)
    rows = [entry(workspace, story, 60, external_reference=reference(f"k/1#{n}")) for n in range(3)]
    status, body = await account.call("POST", "/time_entries", {"time_entries": rows})
    assert (status, len(ids(body))) == (200, 3)
    assert (await account.effects(effect_key="k/1"))[0]["count"] == 1
    assert (await account.refused("POST", "/time_entries", {"time_entries": [{}] * 101}))[0] == 400


@pytest.mark.parametrize("bumps", [False, True])
async def test_approving_changes_the_entrys_stamp_only_where_told_so(
    account: KantataAccount, bumps: bool
) -> None:
    await account.http.post("/_control/kantata/account", json={"approval_bumps_entries": bumps})
    workspace, story = await place(account)
    made = await logged(account, entry(workspace, story))
    account.store.update("time_entries", made["id"], {"location": "x"}, at=1_000_000.0, derived=True)
    sheet = await submitted(account, workspace, made["id"])
    decided = await approve(account, sheet)
    assert (decided["status"], decided["current_resolution_creator_id"]) == ("approved", "1")
    shown = first(await account.get(f"/time_entries/{made['id']}", include="active_submission"))
    assert (shown["approved"], shown["active_submission_id"]) == (True, sheet)
    assert (shown["updated_at"] > "1970-01-13") is bumps


async def test_a_submission_is_of_one_project_and_decided_once(account: KantataAccount) -> None:
    one, other = await place(account), await place(account)
    mine = (await logged(account, entry(*one, 60)))["id"]
    theirs = (await logged(account, entry(*other, 60)))["id"]
    mixed = {"workspace_id": one[0], "line_item_ids": [int(mine), int(theirs)]}
    status, error = await account.refused("POST", "/timesheet_submissions", {"timesheet_submission": mixed})
    assert (status, error["field"]) == (422, "line_item_ids")
    sheet = await submitted(account, one[0], mine)
    again = {"workspace_id": one[0], "line_item_ids": [int(mine)]}
    assert (await account.refused("POST", "/timesheet_submissions", {"timesheet_submission": again}))[
        0
    ] == 422
    await approve(account, sheet)
    status, error = await account.refused("PUT", f"/timesheet_submissions/{sheet}/reject", {})
    assert (status, error["message"]) == (422, "the submission has already been approved")
    await account.write("PUT", f"/timesheet_submissions/{sheet}/cancel", {})
    assert first(await account.get(f"/time_entries/{mine}"))["approved"] is False
    body = {"decision": "approve"}
    assert (await account.refused("PUT", f"/timesheet_submissions/{sheet}/approve", body))[0] == 400


async def test_submissions_are_filtered_by_status(account: KantataAccount) -> None:
    workspace, story = await place(account)
    sheets = []
    for day in ("2026-11-18", "2026-11-17", "2026-11-16"):
        made = await logged(account, entry(workspace, story, date_performed=day))
        sheets.append(await submitted(account, workspace, made["id"]))
    await approve(account, sheets[0])
    await account.write("PUT", f"/timesheet_submissions/{sheets[1]}/reject", {})
    assert ids(await account.get("/timesheet_submissions", statuses="approved")) == sheets[:1]
    assert ids(await account.get("/timesheet_submissions", statuses="new,rejected")) == sheets[1:]
    assert ids(await account.get("/timesheet_submissions", order="date:asc")) == sheets[::-1]
    assert (await account.refused("GET", "/timesheet_submissions", order="updated_at:asc"))[0] == 400
    shown = await account.get("/timesheet_submissions", statuses="approved", include="time_entries")
    assert list(shown["time_entries"]) == first(shown)["time_entry_ids"]


async def test_presence_of_a_flag_means_true(account: KantataAccount) -> None:
    workspace, story = await place(account)
    waiting = (await logged(account, entry(workspace, story)))["id"]
    done = (await logged(account, entry(workspace, story, date_performed="2026-11-19")))["id"]
    await approve(account, await submitted(account, workspace, done))
    for order in ({}, {"order": "updated_at:asc"}, {"order": "created_at:asc"}):
        assert ids(await account.get("/time_entries", approved="false", **order)) == [done]
        assert ids(await account.get("/time_entries", uninvoiced="", **order)) == [waiting, done]
        assert ids(await account.get("/time_entries", invoiced="true", **order)) == []
    assert ids(await account.get("/time_entries", date_performed_between="2026-11-19:2026-11-19")) == [done]
    assert ids(await account.get("/time_entries", workspace_ids=f"{workspace},77")) == [waiting, done]
    assert (await account.refused("GET", "/time_entries", aproved="true"))[0] == 400


async def test_entries_of_archived_projects_have_to_be_asked_for(account: KantataAccount) -> None:
    workspace, story = await place(account)
    made = (await logged(account, entry(workspace, story)))["id"]
    await account.write("PUT", f"/workspaces/{workspace}", {"workspace": {"archived": True}})
    for order in ({}, {"order": "updated_at:asc"}):
        assert ids(await account.get("/time_entries", **order)) == []
        assert ids(await account.get("/time_entries", from_archived_workspaces="true", **order)) == [made]


async def test_the_order_of_change_is_kept_through_edits_refusals_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = KantataAccount(tmp_path, monkeypatch)
    workspace, story = await place(account)
    made = [
        (await logged(account, entry(workspace, story, date_performed=f"2026-11-{day}")))["id"]
        for day in (10, 11, 12)
    ]
    for n, id in enumerate(made):
        account.store.update("time_entries", id, {"location": "x"}, at=1_000_000.0 + n, derived=True)
    await account.write("PUT", f"/time_entries/{made[0]}", {"time_entry": {"notes": "again"}})
    await account.refused("PUT", f"/time_entries/{made[1]}", {"time_entry": {"time_in_minutes": 0}})
    await account.call("DELETE", f"/time_entries/{made[2]}")
    await account.aclose()
    after = KantataAccount(tmp_path, monkeypatch)
    ordered = {"order": "updated_at:asc", "from_archived_workspaces": "true"}
    assert ids(await after.get("/time_entries", **ordered)) == [made[1], made[0]]
    late = await after.get("/time_entries", updated_after="1970-01-13T00:00:00Z", **ordered)
    assert ids(late) == [made[0]]
    assert ids(await after.get("/time_entries", order="updated_at:desc")) == [made[0], made[1]]
    await after.aclose()


async def test_very_many_entries_are_read_by_index(account: KantataAccount) -> None:
    answer = await account.http.post(
        "/_control/kantata/bulk_time", json={"entries": 3000, "projects": 30, "days": 10}
    )
    assert answer.json()["entries"] == 3000
    asked = {"approved": "true", "uninvoiced": "true", "order": "updated_at:asc", "limit": "200"}
    page = await account.get("/time_entries", offset="2800", from_archived_workspaces="true", **asked)
    assert (page["count"], len(ids(page))) == (3000, 200)
    everything = account.store.rows("time_entries")
    days: dict[tuple[str, str], int] = {}
    for row in everything:
        day = (row["user_id"], row["date_performed"])
        days[day] = days.get(day, 0) + row["time_in_minutes"]
    assert max(days.values()) <= 1440
    wanted = Slice(after=1.0, before=None, approved=True, invoiced=False, descending=False)
    assert count(account.store.database, wanted) == 3000
    plan = account.store.database.read(
        "EXPLAIN QUERY PLAN SELECT id FROM kantata_time_order WHERE approved = 1 AND invoiced = 0"
        " AND second > 5 ORDER BY second, id LIMIT 200 OFFSET 2000"
    )
    assert "USING COVERING INDEX" in str(plan)
    assert "TEMP B-TREE" not in str(plan), "no sorting"
    assert await account.effects() == []


async def test_people_write_and_approve_in_the_screens(account: KantataAccount) -> None:
    workspace, story = await place(account)
    person = next(user for user in account.store.rows("users") if user.get("role_id"))
    body = {"user": person["full_name"], "story": story, "date": "2026-11-20", "hours": 7.5}
    made = (await account.http.post("/_control/kantata/worked_time", json=body)).json()
    assert (made["time_in_minutes"], made["approved"]) == (450, False)
    act = {"workspace": workspace, "approver": "Stella Brandt"}
    done = (await account.http.post("/_control/kantata/approvals", json=act)).json()
    assert len(done["timesheet_submissions"]) == 1
    assert first(await account.get(f"/time_entries/{made['id']}"))["approved"] is True
    assert await account.effects(object="time_entries") == []
    for wrong, words in (
        ({**body, "hours": "7.123"}, "whole in minutes"),
        ({**body, "story": 999}, "story 999 does not exist"),
        ({**body, "user": "Nobody"}, "no user has the id"),
        ({**body, "hour": 8}, "hour is not known here"),
    ):
        answer = await account.http.post("/_control/kantata/worked_time", json=wrong)
        assert answer.status_code == 400
        assert words in answer.text


async def test_work_is_told_in_the_change_feed(account: KantataAccount) -> None:
    workspace, story = await place(account)
    made = await logged(account, entry(workspace, story))
    await approve(account, await submitted(account, workspace, made["id"]))
    names = "time_entry:created,timesheet:created,timesheet:updated"
    body = await account.get("/subscribed_events", event_types=names)
    assert [row["event_type"] for row in body["subscribed_events"].values()] == names.split(",")
    assert (
        "expense_report:updated"
        in (await account.call("GET", "/subscribed_events/event_types"))[1]["event_types"]
    )
