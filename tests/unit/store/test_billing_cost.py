"""What billing costs: few statements however many entries, and no search that grows with the table."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from domain.billable import IntakeProblem
from store.sql.address import address
from store.sql.database import Database
from store.sql.engine import SqlStore

Make = Callable[..., Any]
PROJECT = "DE01-7K3QXW"
END = date(2026, 12, 31)
PAGE = 200


class Watched:
    """A store whose statements are seen: (first word and table, rows at once, text, parameters)."""

    def __init__(self, path: Path) -> None:
        self.database = Database(address(f"sqlite:///{path}"), busy_timeout=1)
        self.store = SqlStore(self.database)
        self.seen: list[tuple[str, int, str, Any]] = []
        for engine in (self.database._writer, self.database._reader):
            event.listen(engine, "before_cursor_execute", self._see)

    def _see(self, _c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        self.seen.append((statement.split()[0], len(parameters) if many else 1, statement, parameters))

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The kinds of statement within."""
        self.seen.clear()
        kinds: list[str] = []
        yield kinds
        kinds += [kind for kind, *_ in self.seen]

    async def plans(self) -> list[str]:
        """How SQLite finds the rows of every search seen so far."""
        searches = [(sql, parameters) for kind, _, sql, parameters in self.seen if kind == "SELECT"]

        def explain(connection: Any) -> list[str]:
            return [
                str(row[3])
                for sql, parameters in searches
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            ]

        return await self.database.read(explain)


@pytest.fixture
async def watched(store_template: Path, tmp_path: Path) -> AsyncIterator[Watched]:
    path = tmp_path / "store.db"
    shutil.copyfile(store_template, path)
    watched = Watched(path)
    yield watched
    await watched.store.aclose()


async def test_a_page_is_taken_in_by_a_handful_of_statements(watched: Watched, make_entry: Make):
    billing = watched.store.billing
    page = [make_entry(n) for n in range(PAGE)]
    with watched.counted() as kinds:
        await billing.take_in(page)
    assert kinds == ["SELECT", "INSERT", "SELECT"]  # what stands, what is new, what it heals
    assert watched.seen[1][1] == PAGE
    with watched.counted() as kinds:
        await billing.take_in(page)
    assert kinds == ["SELECT", "SELECT"]
    newer = [e.with_changes(content_hash="b", version=e.version + timedelta(hours=1)) for e in page]
    with watched.counted() as kinds:
        await billing.take_in(newer)
    assert kinds == ["SELECT", "UPDATE", "SELECT"]
    problems = [
        IntakeProblem(key=e.key, field="f", rule="r", problem="p", owner="o", found_at=e.version)
        for e in page
    ]
    with watched.counted() as kinds:
        await billing.refuse(problems)
    assert kinds == ["SELECT", "INSERT"]


async def test_covering_and_releasing_take_few_statements(
    watched: Watched, make_entry: Make, make_invoice: Make
):
    billing = watched.store.billing
    await billing.take_in([make_entry(n) for n in range(PAGE)])
    await billing.put_invoice(make_invoice("i"))
    with watched.counted() as kinds:
        await billing.cover("i", entries=[f"kantata:time:{n}" for n in range(PAGE)])
    assert len(kinds) <= 8, kinds
    with watched.counted() as kinds:
        await billing.release("i")
    assert len(kinds) <= 9, kinds


async def test_no_search_reads_a_whole_table(
    watched: Watched, make_entry: Make, make_contract: Make, make_event: Make, make_invoice: Make
):
    billing = watched.store.billing
    await billing.put_contract(make_contract())
    await billing.take_in([make_entry(n) for n in range(3)])
    await billing.add_event(make_event())
    await billing.put_invoice(make_invoice("i"))
    watched.seen.clear()
    await billing.take_in([make_entry(n) for n in range(2)])
    await billing.refuse([])
    await billing.problems(owner="o")
    await billing.entry("kantata:time:1")
    await billing.open_entries(PROJECT, up_to=END, after="2026-01-01/x")
    await billing.adjust("kantata:time:1", decision="d", line=1)
    await billing.cover("i", entries=["kantata:time:1"], events=[f"{PROJECT}/1/M1/1"])
    await billing.entries_of("i")
    await billing.worked("kantata", [("anna", END), ("ben", END)])
    await billing.release("i", entries=["kantata:time:1"])
    await billing.events(PROJECT, open_only=True)
    await billing.invoices(project=PROJECT)
    await billing.documents(PROJECT)
    await billing.documents(PROJECT, credits="i")
    await billing.totals(PROJECT)
    await billing.unbilled(END, project=PROJECT)
    await billing.approved_after(3, make_entry().version)
    plans = await watched.plans()
    # Problems are listed by their index of the unhealed alone, which is short.
    scans = [plan for plan in plans if plan.startswith("SCAN") and "unhealed" not in plan]
    assert not scans, "\n".join(plans)
    used = "\n".join(plans)
    for index in (
        *("ix_billables_reviewable", "COVERING INDEX ix_billables_free", "uq_coverage_live"),
        "ix_billables_resource_work_date",
        *("ix_billables_taken_at_approval_days", "ix_intake_problems_unhealed", "ix_invoices_project"),
    ):
        assert index in used, used


async def test_pages_cost_the_same_in_a_large_table(watched: Watched, make_entry: Make):
    """Steps of SQLite's machine, not time: the same work whether 1,000 or 21,000 entries are there."""
    billing = watched.store.billing

    async def fill(first: int, count: int) -> None:
        for start in range(first, first + count, 1000):
            await billing.take_in([make_entry(n) for n in range(start, start + 1000)])

    def steps_of(connection: Any) -> int:
        raw, steps = connection.connection.driver_connection, [0]
        raw.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 10)
        query = "SELECT key FROM billables WHERE project = :p AND invoice = '' AND cause != 'not_billable'"
        connection.execute(text(f"{query} ORDER BY work_date, key LIMIT 200"), {"p": PROJECT}).all()
        raw.set_progress_handler(None, 0)
        return steps[0]

    await fill(0, 1000)
    small = await watched.database.read(steps_of)
    with watched.counted() as before:
        await billing.take_in([make_entry(f"a{n}") for n in range(PAGE)])
    await fill(1000, 20_000)
    with watched.counted() as after:
        await billing.take_in([make_entry(f"b{n}") for n in range(PAGE)])
    assert before == after
    assert await watched.database.read(steps_of) <= small * 1.2 + 5
