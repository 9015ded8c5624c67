"""The emulator's invoices and payments: amounts, membership, what it refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sandbox.kantata_account import KantataAccount, first, ids, reference
from tests.unit.sandbox.kantata_hours import approve, entry, logged, place, submitted


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KantataAccount]:
    account = KantataAccount(tmp_path, monkeypatch)
    yield account
    await account.aclose()


async def worked(
    account: KantataAccount, workspace: int, story: int, *days: int, minutes: int = 50
) -> list[int]:
    """Approved entries of 175.00 an hour."""
    made = []
    for day in days:
        body = entry(workspace, story, 50, date_performed=f"2026-11-{day}", rate_in_cents=17500)
        made.append((await logged(account, body))["id"])
    await approve(account, await submitted(account, workspace, *made))
    return [int(id) for id in made]


async def invoiced(account: KantataAccount, workspace: int, **fields: Any) -> dict[str, Any]:
    body = {"workspace_id": workspace, "payment_schedule": 30, **fields}
    return await account.write(
        "POST", "/invoices", {"invoice": body}, include="time_entries,additional_items"
    )


async def test_an_invoice_comes_to_its_lines(account: KantataAccount) -> None:
    workspace, story = await place(account)
    times = await worked(account, workspace, story, 18, 19)
    items = [{"notes": "Licence", "amount": 20}]
    made = await invoiced(account, workspace, time_entry_ids=times, additional_items=items)
    assert made["balance_in_cents"] == 14583 * 2 + 2000, "50 minutes at 175.00 are 145.83 each"
    assert (made["status"], made["draft"], made["currency_base_unit"]) == ("new", False, 100)
    assert made["time_entry_ids"] == [str(id) for id in times]
    assert ids(await account.get("/time_entries", invoiced="true")) == made["time_entry_ids"]
    (effect,) = await account.effects(object="invoices")
    assert effect["count"] == 1


async def test_an_entry_is_on_one_live_invoice(account: KantataAccount) -> None:
    workspace, story = await place(account)
    times = await worked(account, workspace, story, 18)
    made = await invoiced(account, workspace, time_entry_ids=times, external_reference=reference("b/1"))
    body = {"invoice": {"workspace_id": workspace, "payment_schedule": 30, "time_entry_ids": times}}
    status, error = await account.refused("POST", "/invoices", body)
    assert (status, error["field"]) == (422, "time_entry_ids")
    assert f"already on invoice {made['id']}" in error["message"]
    path = f"/time_entries/{times[0]}"
    assert (await account.refused("PUT", path, {"time_entry": {"notes": "x"}}))[0] == 422
    assert (await account.refused("DELETE", path))[0] == 422
    account.http.headers["X-Correlation-Id"] = "b/1/undo"
    cancelled = await account.write("PUT", f"/invoices/{made['id']}/cancel", {})
    assert cancelled["status"] == "cancelled"
    assert (await account.effects(effect_key="b/1/undo"))[0]["count"] == 1
    assert (await account.refused("PUT", f"/invoices/{made['id']}/cancel", {}))[0] == 422
    await account.write("PUT", path, {"time_entry": {"notes": "x"}})
    await invoiced(account, workspace, time_entry_ids=times)


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({}, 422, "base"),
        ({"payment_schedule": None, "additional_items": [{"amount": 1}]}, 422, "payment_schedule"),
        ({"workspace_id": None, "additional_items": [{"amount": 1}]}, 422, "workspace_id"),
        ({"time_entry_ids": [9999]}, 422, "time_entry_ids"),
        ({"additional_items": [{"notes": "x"}]}, 422, "additional_items"),
        ({"additional_items": [{"amount": "1.50"}]}, 422, "additional_items"),
        ({"additional_items": [{"amount": 1, "price": 2}]}, 400, None),
        ({"total": 5}, 400, None),
    ],
)
async def test_an_invoice_is_validated(
    account: KantataAccount, fields: dict[str, Any], status: int, field: str | None
) -> None:
    workspace, _ = await place(account)
    body = {"workspace_id": workspace, "payment_schedule": 30, **fields}
    sent = {name: value for name, value in body.items() if value is not None}
    got, error = await account.refused("POST", "/invoices", {"invoice": sent})
    assert (got, error.get("field")) == (status, field)
    assert await account.effects(object="invoices") == []


async def test_only_what_is_approved_billable_and_here_can_be_invoiced(account: KantataAccount) -> None:
    workspace, story = await place(account)
    other = await place(account)
    waiting = int((await logged(account, entry(workspace, story)))["id"])
    free = (await logged(account, entry(workspace, story, 60, date_performed="2026-11-19", billable=False)))[
        "id"
    ]
    await approve(account, await submitted(account, workspace, free))
    (elsewhere,) = await worked(account, *other, 17)
    for id, words in ((waiting, "not approved"), (int(free), "not billable"), (elsewhere, "another project")):
        body = {"workspace_id": workspace, "payment_schedule": 30, "time_entry_ids": [id]}
        status, error = await account.refused("POST", "/invoices", {"invoice": body})
        assert status == 422
        assert words in error["message"]


async def test_a_short_list_of_ids_drops_lines(account: KantataAccount) -> None:
    workspace, story = await place(account)
    one, two, three = await worked(account, workspace, story, 17, 18, 19)
    made = await invoiced(account, workspace, time_entry_ids=[one, two], draft=True)
    changed = {"invoice": {"time_entry_ids": [two, three]}}
    after = await account.write("PUT", f"/invoices/{made['id']}", changed, include="time_entries")
    assert after["time_entry_ids"] == [str(two), str(three)]
    assert ids(await account.get("/time_entries", uninvoiced="1")) == [str(one)]


async def test_drafts_are_deleted_and_others_cancelled(account: KantataAccount) -> None:
    workspace, story = await place(account)
    (time,) = await worked(account, workspace, story, 18)
    draft = await invoiced(account, workspace, time_entry_ids=[time], draft=True)
    assert (await account.refused("PUT", f"/invoices/{draft['id']}/cancel", {}))[0] == 422
    assert ids(await account.get("/invoices", without_drafts="true")) == []
    assert (await account.call("DELETE", f"/invoices/{draft['id']}"))[0] == 204
    final = await invoiced(account, workspace, time_entry_ids=[time])
    assert (await account.refused("DELETE", f"/invoices/{final['id']}"))[0] == 422


async def test_a_payment_pays_an_invoice_in_full(account: KantataAccount) -> None:
    workspace, story = await place(account)
    made = await invoiced(account, workspace, time_entry_ids=await worked(account, workspace, story, 18))
    body = {"workspace_id": workspace, "invoice_id": int(made["id"]), "message": "bank 7"}
    paid = await account.write("POST", "/external_payments", {"external_payment": body})
    assert paid["amount_in_cents"] == 14583
    after = first(await account.get(f"/invoices/{made['id']}"))
    assert (after["status"], after["balance_in_cents"]) == ("accepted payment", 0)
    assert (await account.refused("POST", "/external_payments", {"external_payment": body}))[0] == 422
    assert (await account.refused("PUT", f"/invoices/{made['id']}/cancel", {}))[0] == 422
    assert ids(await account.get("/invoices", paid="true")) == [made["id"]]
    assert ids(await account.get("/invoices", pending="true")) == []


@pytest.mark.parametrize(("currency", "cents"), [("JPY", 7), ("BHD", 7000), ("USD", 700)])
async def test_items_are_written_in_whole_units(account: KantataAccount, currency: str, cents: int) -> None:
    workspace, _ = await place(account, currency=currency)
    made = await invoiced(account, workspace, additional_items=[{"notes": "Fee", "amount": 7}])
    assert made["balance_in_cents"] == cents


async def test_expenses_are_submitted_approved_and_invoiced(account: KantataAccount) -> None:
    workspace, _ = await place(account)
    body = {"workspace_id": workspace, "date": "2026-11-20", "category": "Travel", "amount_in_cents": 1234}
    made = await account.write("POST", "/expenses", {"expense": body})
    assert (made["is_billable"], made["currency_base_unit"], made["is_invoiced"]) == (True, 100, False)
    assert ids(await account.get("/expenses", approved="true")) == []
    report = {"workspace_id": workspace, "line_item_ids": [int(made["id"])]}
    sent = await account.write(
        "POST", "/expense_report_submissions", {"expense_report_submission": report}, include="expenses"
    )
    assert sent["expense_ids"] == [made["id"]]
    await account.write("PUT", f"/expense_report_submissions/{sent['id']}/approve", {})
    assert ids(await account.get("/expenses", approved="true")) == [made["id"]]
    assert (await account.refused("GET", "/expenses", order="updated_at:asc"))[0] == 400
    invoice = await invoiced(account, workspace, expense_ids=[int(made["id"])])
    assert invoice["balance_in_cents"] == 1234
    assert ids(await account.get("/expenses", invoiced="true")) == [made["id"]]
