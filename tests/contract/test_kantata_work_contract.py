"""Kantata's feeds of approved work and invoices: nothing is lost, whatever moves, however late it comes."""

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import Rejected
from connectors.http import exact_json
from connectors.kantata.client import KantataClient, build
from connectors.kantata.settings import KantataSettings
from domain.billing_commands import CancelBillingRecord, RecordBilling
from domain.intake import FeedPosition
from domain.money import Money
from sandbox.settings import SandboxSettings
from tests.contract.bench import Bench
from tests.contract.kantata_work import (
    Place,
    age,
    approve,
    approved,
    drain,
    new_place,
    of,
    spend,
    write,
)

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    home = tmp_path_factory.mktemp("kantata-work")
    bench = Bench(SandboxSettings(home=home, quiet=True, deals=0, customers=1, workers=12), "kantata")
    yield bench
    await bench.aclose()


@pytest.fixture
async def bench(shared_bench: Bench) -> AsyncIterator[Bench]:
    await shared_bench.add("account", {"approval_bumps_entries": False})
    yield shared_bench
    await shared_bench.calm()


def client_of(
    bench: Bench, transport: httpx.AsyncBaseTransport | None = None, **changes: Any
) -> KantataClient:
    settings = KantataSettings(
        **{
            "base_url": f"{bench.base_url}/api/v1",
            "token": bench.settings.kantata_token,
            "page_size": 25,
            **changes,
        }
    )
    return build("kantata", settings, transport=transport or bench.transport)


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[KantataClient]:
    client = client_of(bench)
    yield client
    await client.aclose()


@pytest.fixture
async def place(bench: Bench, client: KantataClient) -> Place:
    return await new_place(bench, client, f"work-{next(_numbers)}")


def days_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


# ---- what an entry says


async def test_an_entry_says_who_worked_on_what_and_who_approved(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    id = await write(bench, place, "7.5")
    assert of((await drain(client, days_ago(1))).entries, place) == [], "submitted is not approved"
    await approve(bench, place)
    (entry,) = of((await drain(client, days_ago(1))).entries, place)
    approver = next(
        user["id"]
        for user in (await bench.get("/_control/kantata/users"))["records"]
        if user["email_address"] == place.approver
    )
    assert (entry.id, entry.source, entry.project, entry.task) == (
        id,
        "kantata",
        place.workspace,
        place.story,
    )
    assert (entry.task_ref, entry.task_open, entry.resource) == ("1", True, place.person)
    assert entry.role
    assert (str(entry.quantity), entry.billable, entry.approved) == ("450 minutes", True, True)
    assert [(step.outcome, step.by) for step in entry.approvals] == [
        ("submitted", place.person),
        ("approved", approver),
    ]
    assert entry.version is not None


async def test_a_closed_task_is_told(bench: Bench, client: KantataClient, place: Place) -> None:
    await approved(bench, place, 1)
    await bench.edit("stories", place.story, {"state": "completed"})
    (entry,) = of((await drain(client, None)).entries, place)
    assert not entry.task_open


async def test_a_task_we_did_not_plan_has_no_reference(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    story = await bench.add(
        "stories", {"workspace_id": int(place.workspace), "title": "Ad hoc", "story_type": "task"}
    )
    other = Place(place.workspace, story["id"], place.person, place.approver)
    await approved(bench, other, 1)
    (entry,) = of((await drain(client, None)).entries, place)
    assert (entry.task, entry.task_ref) == (story["id"], "")


# ---- the approval trap


@pytest.mark.parametrize("bumps", [False, True])
async def test_an_approval_long_after_the_last_edit_is_found_once(
    bench: Bench, client: KantataClient, place: Place, bumps: bool
) -> None:
    await bench.add("account", {"approval_bumps_entries": bumps})
    ids = [await write(bench, place) for _ in range(3)]
    for id in ids:
        age(bench, "time_entries", id, days=40)
    assert of((await drain(client, days_ago(1))).entries, place) == []
    await approve(bench, place)
    found = of((await drain(client, days_ago(1))).entries, place)
    assert sorted(entry.id for entry in found) == sorted(ids), "each once"


async def test_a_project_without_approvals_is_found(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    await bench.edit("workspaces", place.workspace, {"require_time_approvals": False})
    id = await write(bench, place)
    (entry,) = of((await drain(client, days_ago(1))).entries, place)
    assert (entry.id, entry.approved) == (id, True)
    assert [step.by for step in entry.approvals] == ["no approval required"]


async def test_archived_projects_are_not_forgotten(bench: Bench, client: KantataClient, place: Place) -> None:
    (id,) = await approved(bench, place, 1)
    await bench.edit("workspaces", place.workspace, {"archived": True})
    assert [entry.id for entry in of((await drain(client, days_ago(1))).entries, place)] == [id]


async def test_an_edit_after_approval_is_a_newer_version(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    (id,) = await approved(bench, place, 1)
    age(bench, "time_entries", id, days=2)
    (before,) = of((await drain(client, None)).entries, place)
    await bench.edit("time_entries", id, {"time_in_minutes": 60})
    (after,) = of((await drain(client, days_ago(1))).entries, place)
    assert before.version is not None
    assert after.version is not None
    assert after.version > before.version
    assert (str(before.quantity), str(after.quantity)) == ("480 minutes", "60 minutes")


# ---- paging


async def bulk(bench: Bench, place: Place, entries: int, days: int = 20) -> set[str]:
    """That many approved entries of the project; their ids."""
    await bench.add("bulk_time", {"entries": entries, "days": days, "workspace_ids": [place.workspace]})
    rows = (await bench.get("/_control/kantata/time_entries"))["records"]
    return {row["id"] for row in rows if row["workspace_id"] == place.workspace}


async def test_a_drain_has_everything_in_order_and_once(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    expected = await bulk(bench, place, 170)
    drained = await drain(client, None)
    found = of(drained.entries, place)
    assert [entry.id for entry in found] == list(dict.fromkeys(entry.id for entry in found))
    assert {entry.id for entry in found} == expected
    versions = [entry.version for entry in drained.entries if entry.version]
    assert versions == sorted(versions)
    assert all(page.mark is None for page in drained.pages[:-1]), "no mark before the end"
    assert drained.mark is not None
    again = await drain(client, drained.mark)
    overlap = drained.mark - timedelta(seconds=10)
    newest = [max(entry.version or overlap, entry.approvals[-1].at) for entry in again.entries]
    assert all(stamp >= overlap for stamp in newest), "only what changed or was approved since"


@pytest.mark.parametrize("moved", [1, 19, 30, 70])
async def test_rows_that_move_between_pages_hide_none(
    bench: Bench, client: KantataClient, place: Place, moved: int
) -> None:
    """More rows leave their place between two pages than a page repeats."""
    expected = await bulk(bench, place, 170)
    first = await drain(client, None, at_most=3)
    for id in first.ids[:moved]:
        await bench.edit("time_entries", id, {"notes": f"moved {next(_numbers)}"})
    rest = await drain(client, None, page=first.pages[-1].next_page)
    came = {entry.id for entry in of([*first.entries, *rest.entries], place)}
    assert came == expected
    newest = {entry.id: entry.note for entry in of(rest.entries, place)}
    assert all(newest.get(id, "").startswith("moved") for id in first.ids[:moved] if id in expected)


async def test_all_in_one_second_move_on(bench: Bench, client: KantataClient, place: Place) -> None:
    """No stamp tells them apart, and their number is above a page's."""
    expected = await bulk(bench, place, 90)
    store = bench.app.state.world.database.store("kantata")
    at = days_ago(3).timestamp()
    with bench.app.state.world.database.transaction():
        for id in expected:
            store.update("time_entries", id, {"crowded": True}, at=at, derived=True)
    found = of((await drain(client, days_ago(4), limit=10)).entries, place)
    assert {entry.id for entry in found} == expected


async def test_the_bound_follows_in_long_lists(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kantata.window.FOLLOW_AFTER", 60)
    expected = await bulk(bench, place, 170)
    before = len(await bench.requests())
    client = client_of(bench)
    found = of((await drain(client, None)).entries, place)
    assert {entry.id for entry in found} == expected
    offsets = [
        int(dict(httpx.QueryParams(request["path"].partition("?")[2])).get("offset", 0))
        for request in (await bench.requests())[before:]
        if "time_entries" in request["path"]
    ]
    assert max(offsets) < 120, "offsets stay small"
    await client.aclose()


@pytest.mark.parametrize("expenses", [False, True])
async def test_after_a_crash_the_rest_comes(
    bench: Bench, client: KantataClient, place: Place, expenses: bool
) -> None:
    if expenses:
        expected = {await spend(bench, place, 100 + n) for n in range(60)}
        await approve(bench, place)
    else:
        expected = await bulk(bench, place, 100)
    since = days_ago(30)
    first = await drain(client, since, expenses=expenses, at_most=2)
    assert first.pages[-1].next_page
    restarted = client_of(bench)
    page = first.pages[-1].next_page
    rest = await drain(restarted, since, page=page, expenses=expenses)
    same = await drain(restarted, since, page=page, expenses=expenses)
    assert same.ids == rest.ids, "the same position gives the same page"
    both = [*first.entries, *rest.entries] if not expenses else [*first.expenses, *rest.expenses]
    ids = {getattr(item, "id", None) or getattr(item, "report", None) for item in both}
    assert expected <= ids
    assert rest.mark is not None
    await restarted.aclose()


@pytest.mark.parametrize("rows", [7, -9, -60])
async def test_pages_that_shift_hide_none(
    bench: Bench, client: KantataClient, place: Place, rows: int
) -> None:
    expected = await bulk(bench, place, 120)
    await bench.arm("page_shift", rows=rows, **({"count": 1} if rows < -20 else {}))
    found = of((await drain(client, None)).entries, place)
    assert {entry.id for entry in found} == expected


async def test_duplicated_and_reordered_rows_are_taken_as_they_come(bench: Bench, place: Place) -> None:
    expected = await bulk(bench, place, 60)

    def doubled(body: Any) -> Any:
        return {**body, "results": [*reversed(body["results"]), *body["results"]]}

    client = client_of(bench, transport=_Changed(bench, "/time_entries", doubled))
    found = of((await drain(client, None)).entries, place)
    assert {entry.id for entry in found} == expected
    await client.aclose()


async def test_an_entry_approved_while_the_drain_runs_comes_with_the_next(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    await bulk(bench, place, 60)
    late = [await write(bench, place) for _ in range(2)]
    for id in late:
        age(bench, "time_entries", id, days=19)
    first = await drain(client, days_ago(30), at_most=2)
    await approve(bench, place)
    rest = await drain(client, days_ago(30), page=first.pages[-1].next_page)
    following = await drain(client, rest.mark)
    assert set(late) <= {*first.ids, *rest.ids, *following.ids}


async def test_a_submission_with_many_lines_is_given_whole(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    ids = [await write(bench, place, submit=False) for _ in range(40)]
    report = {"workspace_id": int(place.workspace), "user_id": int(place.person)}
    await bench.add("timesheet_submissions", {**report, "line_item_ids": [int(id) for id in ids]})
    for id in ids:
        age(bench, "time_entries", id, days=5)
    await approve(bench, place)
    found = of((await drain(client, days_ago(1), limit=10)).entries, place)
    assert {entry.id for entry in found} == set(ids)


async def test_a_page_of_another_feed_is_refused(client: KantataClient) -> None:
    with pytest.raises(Rejected, match="not a page of this feed") as refused:
        await client.approved_time(FeedPosition(page="17"))
    assert refused.value.rule == "feed.page"


async def test_what_was_invoiced_may_be_left_out(bench: Bench, client: KantataClient, place: Place) -> None:
    billed, open_ = await approved(bench, place, 2)
    command = record_command(place, [billed])
    await client.apply(command, f"billing/{next(_numbers)}/record/1")
    assert {entry.id for entry in of((await drain(client, None)).entries, place)} == {billed, open_}
    sparing = client_of(bench, read_invoiced=False)
    assert [entry.id for entry in of((await drain(sparing, None)).entries, place)] == [open_]
    await sparing.aclose()


# ---- what cannot be read


async def imported(bench: Bench, place: Place, **fields: Any) -> str:
    entry = {
        "collection": "time_entries",
        "workspace_id": place.workspace,
        "user_id": place.person,
        "story_id": place.story,
        "date_performed": (date(2010, 1, 1) + timedelta(days=next(_numbers))).isoformat(),
        "time_in_minutes": 60,
    }
    return str((await bench.add("imported", {**entry, **fields}))["id"])


async def test_unreadable_entries_are_named_once_and_stop_nothing(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    zero = await imported(bench, place, time_in_minutes=0)
    long = await imported(bench, place, time_in_minutes=1500)
    coin = await imported(bench, place, currency="XBT")
    undated = await imported(bench, place, date_performed=None)
    own = await write(bench, place)
    sheets = (await bench.get("/_control/kantata/timesheet_submissions"))["records"]
    mine = next(sheet["id"] for sheet in sheets if own in sheet["time_entry_ids"])
    await bench.edit("timesheet_submissions", mine, {"resolution": "approve", "approver": place.person})
    good = await approved(bench, place, 2)
    drained = await drain(client, days_ago(1))
    assert {entry.id for entry in of(drained.entries, place)} == set(good)
    mine_only = [bad for bad in drained.unreadable if bad.project_external_id == place.workspace]
    assert {bad.external_id: bad.field for bad in mine_only} == {
        zero: "time_in_minutes",
        long: "time_in_minutes",
        coin: "currency",
        undated: "date_performed",
        own: "active_submission",
    }
    assert len(mine_only) == 5, "each once"
    problems = {bad.external_id: bad.problem for bad in mine_only}
    assert "0 minutes" in problems[zero]
    assert "XBT" in problems[coin]
    assert f"approved by {place.person}" in problems[own]
    assert all(bad.kind == "time" and bad.version for bad in mine_only)
    for bad in (zero, long, coin, undated):  # leave the account readable for the other tests
        day = (date(2009, 1, 1) + timedelta(days=next(_numbers))).isoformat()
        await bench.edit("time_entries", bad, {"date_performed": day, "time_in_minutes": 1})


async def test_a_field_that_is_gone_is_drift(bench: Bench, client: KantataClient, place: Place) -> None:
    await approved(bench, place, 1)
    await bench.arm("missing_field", field="time_in_minutes", path="time_entries")
    with pytest.raises(Rejected) as drift:
        await drain(client, None)
    assert drift.value.rule == "schema.missing_field"
    assert "time_in_minutes" in drift.value.field


async def test_lines_that_are_not_shown_are_drift(bench: Bench, client: KantataClient, place: Place) -> None:
    await approved(bench, place, 1)
    await bench.arm("missing_field", field="time_entry_ids", path="timesheet_submissions")
    with pytest.raises(Rejected, match="does not show the lines"):
        await drain(client, days_ago(1))


# ---- expenses


@pytest.mark.parametrize(
    ("currency", "cents", "amount"), [("EUR", 12345, "123.45"), ("JPY", 5000, "5000"), ("BHD", 1005, "1.005")]
)
async def test_expenses_are_exact(
    bench: Bench, client: KantataClient, currency: str, cents: int, amount: str
) -> None:
    place = await new_place(bench, client, f"spent-{next(_numbers)}", currency)
    id = await spend(bench, place, cents)
    assert (await drain(client, days_ago(1), expenses=True)).expenses == [] or id not in {
        expense.report for expense in (await drain(client, days_ago(1), expenses=True)).expenses
    }
    await approve(bench, place)
    found = (await drain(client, days_ago(1), expenses=True)).expenses
    (expense,) = [item for item in found if item.report == id]
    assert expense.gross == expense.net == Money.of(amount, currency)
    assert (expense.line, expense.category, expense.paid_by) == (1, "Travel", "employee")
    assert expense.approvals[-1].outcome == "approved"


async def test_a_late_approval_of_an_expense_is_found(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    id = await spend(bench, place, 700, reimbursable=False)
    age(bench, "expenses", id, days=40)
    await approve(bench, place)
    found = (await drain(client, days_ago(1), expenses=True)).expenses
    (expense,) = [item for item in found if item.report == id]
    assert expense.paid_by == "firm_card"


async def test_expenses_nobody_can_read_are_named(bench: Bench, client: KantataClient, place: Place) -> None:
    sent = {
        "collection": "expenses",
        "workspace_id": place.workspace,
        "user_id": place.person,
        "date": "2019-05-02",
        "amount_in_cents": 100,
        "currency": "XBT",
    }
    id = str((await bench.add("imported", sent))["id"])
    drained = await drain(client, days_ago(1), expenses=True)
    (bad,) = [bad for bad in drained.unreadable if bad.external_id == id]
    assert (bad.kind, bad.field) == ("expense", "currency")


# ---- invoices


def record_command(place: Place, ids: list[str], **changes: Any) -> RecordBilling:
    number = f"INV-{next(_numbers)}"
    command = RecordBilling(
        invoice=f"invoice/acme/{number}",
        project_external_id=place.workspace,
        currency="EUR",
        number=number,
        erp_external_id="4711",
        dated=date(2026, 11, 23),
        net=Money.of("100", "EUR"),
        time_entry_ids=tuple(ids),
    )
    return command.with_changes(**changes) if changes else command


async def test_a_record_covers_its_entries_until_it_is_cancelled(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    ids = await approved(bench, place, 2)
    spent = await spend(bench, place, 4200)
    await approve(bench, place)
    other = Money.of("145.83", "EUR")
    command = record_command(
        place, ids, expense_ids=(spent,), other=other, other_text="Milestone", net=Money.of("1000", "EUR")
    )
    record = await client.apply(command, f"billing/{command.number}/record/1")
    assert (record.number, record.fields) == (command.number, {"entry_count": "3"})
    shown = await bench.get(f"/_control/kantata/invoices/{record.external_id}")
    assert (shown["draft"], shown["payment_schedule"], shown["due_date"]) == (False, 30, "2026-12-23")
    assert (await bench.get(f"/_control/kantata/time_entries/{ids[0]}"))["is_invoiced"] is True
    items = (await bench.get("/_control/kantata/additional_items"))["records"]
    assert items[-1]["notes"] == "Milestone: 145.83 EUR"
    assert items[-1]["amount_in_cents"] == 14600, "items are in whole units; the note is exact"
    await client.apply(
        CancelBillingRecord(record_external_id=record.external_id), f"billing/{command.number}/undo/1"
    )
    assert (await bench.get(f"/_control/kantata/time_entries/{ids[0]}"))["is_invoiced"] is False
    again = await client.apply(command, f"billing/{command.number}/record/2")
    assert again.external_id != record.external_id


async def test_an_entry_on_a_live_invoice_is_refused(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    ids = await approved(bench, place, 1)
    await client.apply(record_command(place, ids), f"billing/{next(_numbers)}/record/1")
    key = f"billing/{next(_numbers)}/record/1"
    with pytest.raises(Rejected, match="already on invoice") as refused:
        await client.apply(record_command(place, ids), key)
    assert refused.value.field == "time_entry_ids"
    assert await bench.landed(key) == 0


async def test_a_record_of_nothing_is_refused_before_any_call(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    before = len(await bench.requests())
    with pytest.raises(Rejected, match="nothing to record"):
        await client.apply(record_command(place, []), "billing/empty/record/1")
    assert len(await bench.requests()) == before
    milestone = record_command(place, [], other=Money.of("2500", "EUR"))
    record = await client.apply(milestone, f"billing/{milestone.number}/record/1")
    assert record.fields == {"entry_count": "0"}


async def test_cancelling_what_a_person_cancelled_is_done(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    ids = await approved(bench, place, 1)
    record = await client.apply(record_command(place, ids), f"billing/{next(_numbers)}/record/1")
    await bench.edit("invoices", record.external_id, {"status": "cancelled"})
    command = CancelBillingRecord(record_external_id=record.external_id)
    assert (await client.apply(command, f"billing/{next(_numbers)}/undo/1")).fields == {"cancelled": "true"}


async def test_released_invoices_tell_ours_from_theirs(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    one, two = await approved(bench, place, 2)
    ours = await client.apply(record_command(place, [one]), f"billing/{next(_numbers)}/record/1")
    spent = await spend(bench, place, 999)
    await approve(bench, place)
    milestone = await bench.add(
        "billing_milestones",
        {"workspace_id": int(place.workspace), "title": "Go-live", "amount_in_cents": 250_000},
    )
    theirs = await bench.add(
        "invoices",
        {
            "workspace_id": int(place.workspace),
            "payment_schedule": 14,
            "time_entry_ids": [int(two)],
            "expense_ids": [int(spent)],
            "billing_milestone_ids": [int(milestone["id"])],
            "fixed_fee_items": [{"notes": "Set-up", "amount": 50}],
        },
    )
    draft = await bench.add(
        "invoices",
        {
            "workspace_id": int(place.workspace),
            "payment_schedule": 14,
            "draft": True,
            "additional_items": [{"notes": "Later", "amount": 1}],
        },
    )
    found = {invoice.external_id: invoice for invoice in await client.released_invoices(since)}
    assert draft["id"] not in found
    assert (found[ours.external_id].ours, found[ours.external_id].number) == (True, ours.number)
    released = found[theirs["id"]]
    entry = await bench.get(f"/_control/kantata/time_entries/{two}")
    price = Money.rounded(Decimal(entry["time_in_minutes"]) * entry["rate_in_cents"] / 6000, "EUR")
    assert not released.ours
    assert {line.kind: line.net for line in released.lines} == {
        "time": price,
        "expense": Money.of("9.99", "EUR"),
        "milestone": Money.of("2500", "EUR"),
        "other": Money.of("50", "EUR"),
    }
    assert released.net == price + Money.of("2559.99", "EUR")
    assert [line.entry_ids for line in released.lines if line.kind == "time"] == [(two,)]
    assert (released.state, released.project_external_id) == ("released", place.workspace)
    await bench.edit("invoices", theirs["id"], {"status": "cancelled"})
    states = {row.external_id: row.state for row in await client.released_invoices(since)}
    assert states[theirs["id"]] == "cancelled"


@pytest.mark.parametrize(("currency", "amount", "net"), [("JPY", 5000, "5000"), ("BHD", 7, "7.000")])
async def test_invoices_are_exact_in_every_currency(
    bench: Bench, client: KantataClient, currency: str, amount: int, net: str
) -> None:
    place = await new_place(bench, client, f"currency-{next(_numbers)}", currency)
    made = await bench.add(
        "invoices",
        {
            "workspace_id": int(place.workspace),
            "payment_schedule": 14,
            "additional_items": [{"notes": "Fee", "amount": amount}],
        },
    )
    found = {invoice.external_id: invoice for invoice in await client.released_invoices(days_ago(1), 1000)}
    assert found[made["id"]].net == Money.of(net, currency)


async def test_invoices_go_on_from_the_last_one_seen(
    bench: Bench, client: KantataClient, place: Place
) -> None:
    made = []
    for number in range(30):
        item = {"additional_items": [{"notes": "Fee", "amount": number + 1}]}
        invoice = {"workspace_id": int(place.workspace), "payment_schedule": 14, **item}
        made.append((await bench.add("invoices", invoice))["id"])
    everything = {invoice.external_id for invoice in await client.released_invoices(None, 10_000)}
    assert set(made) <= everything
    seen: set[str] = set()
    since: datetime | None = days_ago(1)
    for _ in range(60):
        batch = await client.released_invoices(since, 5)
        seen |= {invoice.external_id for invoice in batch}
        if not batch or batch[-1].version == since:
            break
        since = batch[-1].version
    assert set(made) <= seen


class _Changed(httpx.AsyncBaseTransport):
    """The account, with the body of one list changed on its way."""

    def __init__(self, bench: Bench, path: str, change: Callable[[Any], Any]) -> None:
        self._inner, self._path, self._change = bench.transport, path, change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if not request.url.path.endswith(self._path):
            return answer
        body = self._change(exact_json.decode(await answer.aread()))
        return httpx.Response(answer.status_code, content=exact_json.encode(body))
