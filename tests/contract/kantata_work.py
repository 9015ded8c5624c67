"""Work in the Kantata sandbox as people do it: projects open for time, hours written, submitted, approved."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.kantata.client import KantataClient
from domain.commands import CreateCustomer, CreateProject, OpenProject, PlannedTask, PlanProject
from domain.delivery import Expense, TimeEntry
from domain.intake import FeedPosition, Unreadable, WorkPage
from domain.money import Money
from tests.contract.bench import Bench

START, END = date(2026, 12, 1), date(2027, 3, 31)
_days = itertools.count()


@dataclass(frozen=True)
class Place:
    """A project open for time, with one planned task, and a person to work on it."""

    workspace: str
    story: str
    person: str
    approver: str


async def new_place(bench: Bench, client: KantataClient, tag: str, currency: str = "EUR") -> Place:
    customer = CreateCustomer(name=f"Kontor {tag}", crm_id=f"001{tag}", currency=currency, entity="DE01")
    group = (await client.apply(customer, f"prepare/{tag}/customer/2")).external_id
    project = CreateProject(
        number=f"DE01-{tag}",
        title="Service desk",
        customer_external_id=group,
        entity="DE01",
        currency=currency,
        budget=Money.of("1000", currency),
        starts_on=START,
        ends_on=END,
    )
    workspace = (await client.apply(project, f"prepare/{tag}/project/2")).external_id
    await client.apply(OpenProject(project_external_id=workspace), f"prepare/{tag}/open/2")
    tasks = (PlannedTask(ref="1", title="Operation"),)
    await client.apply(PlanProject(project_external_id=workspace, tasks=tasks), f"prepare/{tag}/plan/2")
    stories = (await bench.get("/_control/kantata/stories"))["records"]
    story = next(row["id"] for row in stories if row["workspace_id"] == workspace)
    users = (await bench.get("/_control/kantata/users"))["records"]
    person = next(user["id"] for user in users if user["role_id"])
    return Place(workspace, story, person, approver=users[1]["email_address"])


async def write(bench: Bench, place: Place, hours: object = 8, *, submit: bool = True) -> str:
    """Hours on a day of their own, submitted; the id of the entry."""
    day = date(2020, 1, 1) + timedelta(days=next(_days))
    fields = {"user": place.person, "story": place.story, "date": day.isoformat(), "hours": hours}
    return str((await bench.add("worked_time", {**fields, "submit": submit}))["id"])


async def approve(bench: Bench, place: Place) -> None:
    await bench.add("approvals", {"workspace": place.workspace, "approver": place.approver})


async def approved(bench: Bench, place: Place, count: int) -> list[str]:
    """Ids of that many approved entries."""
    ids = [await write(bench, place) for _ in range(count)]
    await approve(bench, place)
    return ids


async def spend(bench: Bench, place: Place, cents: int, **fields: Any) -> str:
    """An expense, submitted; its id."""
    sent = {
        "workspace_id": int(place.workspace),
        "user_id": int(place.person),
        "date": "2026-11-20",
        "category": "Travel",
        "amount_in_cents": cents,
        "reimbursable": True,
        **fields,
    }
    expense = str((await bench.add("expenses", sent))["id"])
    report = {
        "workspace_id": int(place.workspace),
        "user_id": int(place.person),
        "line_item_ids": [int(expense)],
    }
    await bench.add("expense_report_submissions", report)
    return expense


def age(bench: Bench, collection: str, id: str, *, days: int) -> None:
    """Set back when a record was last changed."""
    store = bench.app.state.world.database.store("kantata")
    at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    with bench.app.state.world.database.transaction():
        store.update(collection, id, {"aged_by": days}, at=at, derived=True)


@dataclass
class Drained:
    """What a drain brought, in order."""

    entries: list[TimeEntry]
    expenses: list[Expense]
    unreadable: list[Unreadable]
    pages: list[WorkPage]

    @property
    def ids(self) -> list[str]:
        return [entry.id for entry in self.entries]

    @property
    def mark(self) -> datetime | None:
        return self.pages[-1].mark


async def drain(
    client: KantataClient,
    since: datetime | None,
    *,
    page: str = "",
    limit: int = 200,
    expenses: bool = False,
    at_most: int = 500,
) -> Drained:
    """Page after page, to the end or `at_most` pages."""
    read = client.approved_expenses if expenses else client.approved_time
    drained = Drained([], [], [], [])
    for _ in range(at_most):
        came = await read(FeedPosition(since=since, page=page), limit)
        drained.pages.append(came)
        drained.entries += came.entries
        drained.expenses += came.expenses
        drained.unreadable += came.unreadable
        page = came.next_page
        if not page:
            break
    return drained


def of(entries: Sequence[TimeEntry], place: Place) -> list[TimeEntry]:
    """Those of one project."""
    return [entry for entry in entries if entry.project == place.workspace]
