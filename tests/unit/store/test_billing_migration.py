"""The revision of billing goes up over a store in use, and down again without touching the rest."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from store.ports import EffectIntent
from store.sql import migrate
from store.sql.address import sqlite_url
from store.sql.engine import open_store
from store.sql.tables import METADATA

BILLING = {
    *("contracts", "billables", "intake_problems", "adjustments", "billing_events", "coverage"),
    *("invoices", "invoice_movements"),
}


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def effects(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM effects").fetchall()


async def test_up_and_down_with_data(
    store_factory: Callable[..., Any],
    tmp_path: Path,
    make_intent: Callable[..., EffectIntent],
    make_entry: Callable[..., Any],
    make_invoice: Callable[..., Any],
):
    path = tmp_path / "store.db"
    url = sqlite_url(path)
    migrate.upgrade(url, to="0001")
    assert not BILLING & tables(path)
    assert f"needs '{migrate.head()}'; run `fairlead up`" in migrate.problem(migrate.current(url))
    store = open_store(url)
    await store.effects.begin(make_intent())
    await store.aclose()
    before = effects(path)

    migrate.upgrade(url)
    store = open_store(url)
    await store.ready()
    await store.billing.take_in([make_entry()])
    await store.billing.put_invoice(make_invoice("i"))
    await store.billing.cover("i", entries=[make_entry().key])
    await store.aclose()
    assert effects(path) == before

    migrate.downgrade(url, to="0001")
    assert not BILLING & tables(path)
    assert effects(path) == before
    migrate.upgrade(url)
    store = open_store(url)
    assert await store.billing.entry(make_entry().key) is None
    assert len(await store.audit.list("i")) == 2  # what happened is not forgotten
    assert await store.audit.verify() == (3, [])
    await store.aclose()


def test_partial_indexes_are_partial_on_postgresql_too():
    written = {
        str(index.name): str(CreateIndex(index).compile(dialect=postgresql.dialect()))
        for name in BILLING
        for index in METADATA.tables[name].indexes
    }
    assert written["uq_coverage_live"] == (
        "CREATE UNIQUE INDEX uq_coverage_live ON coverage (kind, item) WHERE released_at IS NULL"
    )
    assert written["ix_billables_reviewable"].endswith("WHERE invoice = '' AND cause != 'not_billable'")
    assert written["ix_billables_free"].endswith("WHERE invoice = ''")
    assert written["ix_intake_problems_unhealed"].endswith("WHERE healed_at IS NULL")
