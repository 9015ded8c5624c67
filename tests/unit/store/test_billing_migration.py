"""The revision of billing goes up over a store in use, and down again without touching the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from store.ports import EffectIntent
from store.sql import migrate
from store.sql.engine import open_store
from store.sql.tables import EffectRecord, table

BILLING = {
    *("contracts", "billables", "intake_problems", "adjustments", "billing_events", "coverage"),
    *("invoices", "invoice_movements"),
}


def tables(raw: Any) -> set[str]:
    with raw() as database:
        return set(inspect(database).get_table_names())


def effects(raw: Any) -> list[Any]:
    with raw() as database:
        return list(database.execute(table(EffectRecord).select()).all())


async def test_up_and_down_with_data(
    store_url: Callable[[Path], str],
    store_path: Path,
    raw: Any,
    make_intent: Callable[..., EffectIntent],
    make_entry: Callable[..., Any],
    make_invoice: Callable[..., Any],
):
    url = store_url(store_path)
    migrate.downgrade(url, to="0001")
    assert not BILLING & tables(raw)
    assert f"needs '{migrate.head()}'; run `fairlead up`" in migrate.problem(migrate.current(url))
    store = open_store(url)
    await store.effects.begin(make_intent())
    await store.aclose()
    before = effects(raw)

    migrate.upgrade(url)
    store = open_store(url)
    await store.ready()
    await store.billing.take_in([make_entry()])
    await store.billing.put_invoice(make_invoice("i"))
    await store.billing.cover("i", entries=[make_entry().key])
    await store.aclose()
    assert effects(raw) == before

    migrate.downgrade(url, to="0001")
    assert not BILLING & tables(raw)
    assert effects(raw) == before
    migrate.upgrade(url)
    store = open_store(url)
    assert await store.billing.entry(make_entry().key) is None
    assert len(await store.audit.list("i")) == 2  # what happened is not forgotten
    assert await store.audit.verify() == (3, [])
    await store.aclose()
