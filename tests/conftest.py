"""Fixtures for all tests."""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from store.sql import migrate
from store.sql.engine import SqlStore, open_store


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store file: to copy it takes a millisecond, to migrate a new one a hundred."""
    path = tmp_path_factory.mktemp("store-template") / "store.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
async def store_factory(
    store_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[..., SqlStore]]:
    """`store_factory()` opens a fresh, migrated store; `store_factory(path)` opens the one at `path`,
    made fresh if there is none. Other options go to `open_store`. All are closed at the end."""
    folder, numbers = tmp_path_factory.mktemp("stores"), itertools.count()
    opened: list[SqlStore] = []

    def fresh(path: Path | None = None, **options: Any) -> SqlStore:
        path = path or folder / f"{next(numbers)}.db"
        if not path.exists():
            shutil.copyfile(store_template, path)
        opened.append(open_store(f"sqlite:///{path}", **options))
        return opened[-1]

    yield fresh
    for store in opened:
        await store.aclose()


@pytest.fixture
async def store(store_factory: Callable[..., SqlStore]) -> AsyncIterator[SqlStore]:
    """A fresh store, closed after the test."""
    fresh = store_factory()
    yield fresh
    await fresh.aclose()
