"""Failures in one sentence: which database, what is wrong, what cures it, and no credentials."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from store.ports import EffectIntent, StoreError
from store.sql import migrate
from store.sql.address import address
from store.sql.database import LOST_RACES, Database
from store.sql.engine import SqlStore, open_store


@pytest.fixture
def store_kind() -> str:
    """Files, and what SQLite says of them; `test_store_postgresql.py` is the other half."""
    return "sqlite"


def test_missing_file_is_not_created_in_silence(tmp_path: Path):
    path = tmp_path / "store.db"
    with pytest.raises(StoreError, match=r"SQLite file .*store\.db\) does not exist; run `fairlead up`"):
        open_store(f"sqlite:///{path}")
    assert not path.exists()
    with pytest.raises(
        StoreError, match="cannot be opened: it is missing or out of reach; run `fairlead up`"
    ):
        migrate.current(f"sqlite:///{path}")
    assert not path.exists()


def test_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be created: .*; correct the folder's rights"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'store.db'}", create=True)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:store.db?uri=true"])
def test_store_in_memory_is_refused(url: str):
    with pytest.raises(StoreError, match="name a file"):
        open_store(url, create=True)


def test_options_in_the_url_are_refused():
    with pytest.raises(StoreError, match=r"has options after '\?' \(mode\)"):
        open_store("sqlite:////tmp/store.db?mode=ro")


def test_what_is_no_url_is_refused_without_repeating_it():
    with pytest.raises(StoreError, match="the store's URL cannot be read") as caught:
        open_store("s3cret in the wrong place")
    assert "s3cret" not in str(caught.value)


async def test_locked(
    store_factory: Callable[..., SqlStore], tmp_path: Path, make_intent: Callable[[], EffectIntent]
):
    store = store_factory(tmp_path / "store.db", busy_timeout=0.05)
    intent = make_intent()
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"is locked by another process .* run `fairlead doctor`"):
            await store.effects.begin(intent)
        assert await store.effects.get(intent.key) is None  # readers do not wait for a writer
        other.execute("ROLLBACK")
    assert (await store.effects.begin(intent)).fresh
    await store.aclose()


async def test_not_a_database(tmp_path: Path):
    path = tmp_path / "store.db"
    path.write_bytes(b"this is not a database at all" * 100)
    store = open_store(f"sqlite:///{path}")
    with pytest.raises(
        StoreError, match="is not a database file; put back a copy, then run `fairlead doctor`"
    ):
        await store.ready()
    with pytest.raises(StoreError, match="is not a database file"):
        migrate.upgrade(f"sqlite:///{path}")
    await store.aclose()


async def test_damaged(store_factory: Callable[..., SqlStore], tmp_path: Path):
    path = tmp_path / "store.db"
    await store_factory(path).aclose()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    store = open_store(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="is damaged; put back a copy"):
        await store.processes.open("k", "activation", "r")
    await store.aclose()


async def test_missing_schema(tmp_path: Path):
    path = tmp_path / "store.db"
    sqlite3.connect(path).close()
    path.touch()
    store = open_store(f"sqlite:///{path}")
    with pytest.raises(StoreError, match=r"has no current schema \(no such table: .*run `fairlead up`"):
        await store.processes.get("k")
    with pytest.raises(StoreError, match="has no schema; run `fairlead up`"):
        await store.ready()
    await store.aclose()


async def test_readers_cannot_write(store_template: Path):
    database = Database(address(f"sqlite:///{store_template}"), busy_timeout=1)
    with pytest.raises(StoreError, match="may not be written"):
        await database.read(lambda connection: connection.exec_driver_sql("DELETE FROM cursors").rowcount)
    await database.aclose()


async def test_closed_store_says_so_and_closes_again(store_factory: Callable[..., SqlStore]):
    store = store_factory()
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="is already closed"):
        await store.cursors.get("deals")


async def test_a_lost_race_runs_again_and_a_lasting_one_is_an_error(store_template: Path):
    database = Database(address(f"sqlite:///{store_template}"), busy_timeout=1)
    runs: list[int] = []

    def lose(times: int) -> int:
        runs.append(1)
        if len(runs) <= times:
            raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))
        return len(runs)

    assert await database.write(lambda _: lose(LOST_RACES - 1)) == LOST_RACES
    runs.clear()
    with pytest.raises(StoreError, match="contradicts another"):
        await database.write(lambda _: lose(LOST_RACES))
    await database.aclose()
