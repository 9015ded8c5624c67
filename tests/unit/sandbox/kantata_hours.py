"""Hours in a small Kantata account: a place to write them, and their way to approval, over the public API."""

from typing import Any

from tests.unit.sandbox.kantata_account import KantataAccount


async def place(account: KantataAccount, **fields: Any) -> tuple[int, int]:
    """A project open for time, and a task on it."""
    workspace = await account.workspace(status_key=300, **fields)
    story = {"workspace_id": workspace, "title": "Operation", "story_type": "task"}
    return workspace, int((await account.write("POST", "/stories", {"story": story}))["id"])


def entry(workspace: int, story: int, minutes: int = 480, **fields: Any) -> dict[str, Any]:
    return {
        "workspace_id": workspace,
        "story_id": story,
        "date_performed": "2026-11-20",
        "time_in_minutes": minutes,
        **fields,
    }


async def logged(account: KantataAccount, body: dict[str, Any]) -> dict[str, Any]:
    return await account.write("POST", "/time_entries", {"time_entry": body}, include="user,role,story")


async def submitted(account: KantataAccount, workspace: int, *entries: str, user: int = 1) -> str:
    body = {"workspace_id": workspace, "user_id": user, "line_item_ids": [int(id) for id in entries]}
    sheet = await account.write("POST", "/timesheet_submissions", {"timesheet_submission": body})
    return str(sheet["id"])


async def approve(account: KantataAccount, sheet: str) -> dict[str, Any]:
    return await account.write("PUT", f"/timesheet_submissions/{sheet}/approve", {})
