"""What the store costs: it is on the path of every external write."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from store.ports import EffectIntent
from store.sql.address import address
from store.sql.database import Database
from store.sql.engine import SqlStore

BATCH = 50


@pytest.fixture
def store_kind() -> str:
    """Figures of the store on one machine."""
    return "sqlite"


async def test_begin_and_confirm_take_few_statements(
    store_template: Path, tmp_path: Path, make_intent: Callable[..., EffectIntent]
):
    """Effect read and written, chain head read, entry appended, head moved: five each."""
    path = tmp_path / "store.db"
    shutil.copyfile(store_template, path)
    database = Database(address(f"sqlite:///{path}"), busy_timeout=1)
    store, statements = SqlStore(database), list[str]()

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement.split()[0])

    event.listen(database._writer, "before_cursor_execute", count)
    intent = make_intent()
    await store.effects.begin(intent)
    assert statements == ["SELECT", "INSERT", "SELECT", "INSERT", "INSERT"]
    statements.clear()
    await store.effects.confirm(intent.key, external_id="4711")
    assert statements == ["SELECT", "UPDATE", "SELECT", "INSERT", "UPDATE"]
    statements.clear()
    await store.effects.begin(intent)
    assert statements == ["SELECT"]
    await store.aclose()


async def test_begin_and_confirm_cost_little_processor_time(
    store: SqlStore, make_intent: Callable[..., EffectIntent]
):
    """About 1.0 ms in all threads on a quiet machine, twice that on a crowded one: five is a regression."""
    costs = []
    for batch in range(6):
        began = time.process_time()
        for number in range(BATCH):
            intent = make_intent(f"step{number}", process=f"activation/acme/{batch}")
            await store.effects.begin(intent)
            await store.effects.confirm(intent.key, external_id=f"{batch}-{number}", number="DE01")
        costs.append((time.process_time() - began) / BATCH)
    assert min(costs) < 0.005


async def test_a_fresh_store_opens_fast(store_factory: Callable[..., SqlStore]):
    costs = []
    for _ in range(5):
        began = time.process_time()
        store = store_factory()
        await store.ready()
        costs.append(time.process_time() - began)
        await store.aclose()
    assert min(costs) < 0.06
