"""Fixtures for all tests."""

import gc
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from local.temporal_server import find_binary, tuning_flags
from runtime.plugin import FairleadPlugin
from runtime.visibility import add, register
from store.sql import migrate
from store.sql.address import sqlite_url
from store.sql.engine import SqlStore, open_store
from tests.support.postgresql import Databases, NoPostgresql, databases

NO_POSTGRESQL = "no PostgreSQL: "
STARTS = 3
"""Attempts to start the dev server."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was not tried on PostgreSQL is said in every run, not only with `-rs`."""
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report.longrepr[2] for report in reports if isinstance(report.longrepr, tuple)]
    reasons = [text.partition(NO_POSTGRESQL)[2] for text in skipped if NO_POSTGRESQL in text]
    if reasons:
        terminalreporter.write_line(f"{len(reasons)} tests skipped, {NO_POSTGRESQL}{reasons[0]}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """A PostgreSQL server to make databases on; a test that needs it is skipped where there is none."""
    try:
        with databases() as found:
            yield found
    except NoPostgresql as error:
        pytest.skip(f"{NO_POSTGRESQL}{error}")


def pytest_configure() -> None:
    """Collecting makes hundreds of thousands of objects that stay: to look through them is a waste."""
    gc.disable()


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs on a PostgreSQL server belongs to the long proofs."""
    for item in items:
        given = getattr(item, "callspec", None)
        kinds = given.params.values() if given else ()
        if "postgresql" in (
            *getattr(item, "fixturenames", ()),
            *(kind for kind in kinds if kind == "postgresql"),
        ):
            item.add_marker(pytest.mark.proof)


def pytest_collection_finish() -> None:
    """What is loaded by now is never looked through again: a quarter of the suite's processor time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store file: to copy it takes a millisecond, to migrate a new one a hundred."""
    path = tmp_path_factory.mktemp("store-template") / "store.db"
    migrate.upgrade(sqlite_url(path))
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
        opened.append(open_store(sqlite_url(path), **options))
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


@pytest.fixture(scope="session")
async def temporal_env() -> AsyncIterator[WorkflowEnvironment]:
    """A real dev server with the measured settings and our search attributes, shared by all tests.

    Each test uses workflow ids and a task queue of its own. Any exception in workflow code fails the run.
    """
    from workflows.shared.search_attributes import ATTRIBUTES

    async with await _dev_server() as environment:
        await register(environment.client, ATTRIBUTES)
        yield environment


async def _dev_server() -> WorkflowEnvironment:
    """The SDK waits five seconds for it, which may be too short while everything starts at once."""
    for attempt in range(STARTS):
        try:
            return await WorkflowEnvironment.start_local(
                plugins=[FairleadPlugin(failure_types=[Exception])],
                dev_server_existing_path=str(find_binary()),
                dev_server_log_level="error",
                dev_server_extra_args=tuning_flags(),
            )
        except RuntimeError:
            if attempt == STARTS - 1:
                raise
    raise AssertionError("unreachable")


@pytest.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server of its own that skips time while a result is awaited: one workflow tree per test.

    Set a `run_timeout`, await one result at a time, and cancel or terminate only as the last act.
    """
    from workflows.shared.search_attributes import ATTRIBUTES

    environment = await WorkflowEnvironment.start_time_skipping(
        plugins=[FairleadPlugin(failure_types=[Exception])],
        test_server_existing_path=str(find_binary("temporal-test-server")),
    )
    async with environment:
        await add(environment.client, ATTRIBUTES)  # this server cannot list them
        yield environment
