"""The schema on both kinds of database: what migrations make is what the code reads, up, down and at once."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from store.ports import EffectIntent, StoreError
from store.sql import migrate
from store.sql.address import address
from store.sql.engine import SqlStore, open_store
from store.sql.tables import METADATA

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory.from_config(migrate._config()).walk_revisions()))
]
"""Oldest first."""


@pytest.fixture
def url(store_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without a schema."""
    if store_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    made: str = request.getfixturevalue("postgresql").empty()
    return made


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(address(url).url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def names(url: str) -> dict[str, set[str]]:
    """Each table with its columns, indexes and constraints, as the database has them."""
    with connected(url) as connection:
        found = inspect(connection)
        keys = found.get_multi_pk_constraint()
        made = {table: {str(key["name"])} for (_, table), key in keys.items() if table != "alembic_version"}
        for every in (found.get_multi_columns, found.get_multi_indexes, found.get_multi_unique_constraints):
            for (_, table), parts in every().items():
                made.get(table, set()).update(str(part["name"]) for part in parts)
    return made


def conditions(connection: Connection) -> dict[str, str]:
    """Each partial index with its condition, in words that both databases share."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
    else:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '% WHERE %'"
        query += " AND schemaname = 'public'"
    return {name: plain(sql.partition(" WHERE ")[2]) for name, sql in connection.execute(text(query))}


def plain(condition: str) -> str:
    return re.sub(r"::(text|character varying)|[()]", "", condition).replace("<>", "!=")


def test_the_migrated_schema_is_that_of_the_code(url: str) -> None:
    migrate.upgrade(url)
    with connected(url) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
        written = {
            str(index.name): plain(str(index.dialect_options["sqlite"]["where"]))
            for table in METADATA.tables.values()
            for index in table.indexes
            if index.dialect_options["sqlite"]["where"] is not None
        }
        assert conditions(connection) == written
    there = names(url)
    for table in METADATA.sorted_tables:
        keys = {str(part.name) for part in table.constraints | table.indexes if part.name}
        assert keys <= there[table.name], table.name


def test_partial_indexes_say_the_same_to_both_databases() -> None:
    for table in METADATA.tables.values():
        for index in table.indexes:
            sqlite, other = (index.dialect_options[name]["where"] for name in ("sqlite", "postgresql"))
            assert str(sqlite) == str(other), index.name


def test_each_revision_goes_up_down_and_up_again(url: str) -> None:
    before, standing = "base", names(url)
    for revision in REVISIONS:
        migrate.upgrade(url, to=revision)
        made = names(url)
        migrate.downgrade(url, to=before)
        assert names(url) == standing, f"{revision} leaves something behind"
        migrate.upgrade(url, to=revision)
        before, standing = revision, names(url)
        assert standing == made
    assert migrate.is_current(url)


def test_several_at_once_upgrade_once(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: migrate.upgrade(url), range(4)))
    assert migrate.is_current(url)


async def test_what_was_kept_by_an_older_revision_stays(
    url: str, make_intent: Callable[..., EffectIntent]
) -> None:
    """Rows as the first revision took them, read by the newest code."""
    migrate.upgrade(url, to=REVISIONS[0])
    with connected(url) as connection:
        connection.execute(
            text("INSERT INTO cursors (name, mark) VALUES ('deals', '2026-03-02 12:00:00.000000')")
        )
    migrate.upgrade(url)
    store = open_store(url)
    await store.ready()
    mark = await store.cursors.get("deals")
    assert mark is not None
    assert mark.isoformat() == "2026-03-02T12:00:00+00:00"
    assert (await store.effects.begin(make_intent())).fresh
    await store.aclose()


async def test_a_schema_that_is_not_current_is_named_with_its_cure(
    url: str, store_factory: Callable[..., SqlStore], store_path: Path, raw: Any
) -> None:
    migrate.upgrade(url)
    migrate.downgrade(url)
    empty = open_store(url)
    with pytest.raises(StoreError, match="has no schema; run `fairlead up`"):
        await empty.ready()
    with pytest.raises(StoreError, match="has no current schema"):
        await empty.cursors.get("deals")
    await empty.aclose()

    store = store_factory(store_path)
    for revision, words in ((REVISIONS[0], "run `fairlead up` to upgrade it"), ("9999", "a newer one")):
        with raw() as database:
            database.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        with pytest.raises(StoreError, match=words):
            await store.ready()


async def test_a_newer_schema_is_not_touched(
    store_url: Callable[[Path], str], store_path: Path, raw: Any
) -> None:
    standing = store_url(store_path)
    with raw() as database:
        database.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="a newer one made it"):
        migrate.upgrade(standing)
    assert migrate.current(standing) == "9999"
