"""Engines: how connections to each kind of database are made.

SQLite: write-ahead log (readers never wait for the writer), synchronous=NORMAL (a commit survives the
death of the process; a power cut may lose the last moments, which look-ups by effect key heal), and
`BEGIN IMMEDIATE` for whatever writes: the lock is taken before reading, so that no transaction finds
out at its end that another process was faster.
"""

import sqlite3
import time

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from store.ports import StoreError
from store.sql.address import Address

READERS = 3
"""Reading connections (SQLite), each on its own thread."""
POOL = 8
"""Connections to any other database, shared by readers and writers."""


def sqlite_engine(where: Address, *, writes: bool, busy_timeout: float) -> Engine:
    """An engine whose transactions all write (one connection) or all read.

    A missing file is an error at the first use, never silently a new and empty store. `busy_timeout` is
    in seconds.
    """
    assert where.path is not None  # noqa: S101  the caller chose this engine by the path
    uri = f"{where.path.as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, writes, busy_timeout)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        pool_size=1 if writes else READERS,
        max_overflow=0,
        pool_reset_on_return=None,
        poolclass=QueuePool,
    )
    _begin_with(engine, "BEGIN IMMEDIATE" if writes else "BEGIN")
    return engine


def other_engine(where: Address) -> Engine:
    """An engine for any other database. Raises `StoreError` when its driver is not installed."""
    try:
        return create_engine(where.url, pool_size=POOL, max_overflow=0, pool_pre_ping=True)
    except (ImportError, ArgumentError) as error:
        raise StoreError(
            f"the store ({where}) needs a driver that is not installed ({error});"
            " install it, then run `fairlead doctor`"
        ) from error


def _begin_with(engine: Engine, statement: str) -> None:
    """Begin every transaction of `engine` with `statement`.

    By the dialect's own hook: listening to the engine's `begin` event would do the same, but an engine
    with a listener looks for listeners at every statement, a tenth of the store's cost.
    """

    def begin(connection: PoolProxiedConnection) -> None:
        connection.cursor().execute(statement)

    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]


def _prepare(connection: sqlite3.Connection, writes: bool, busy_timeout: float) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
    if writes:
        _use_write_ahead_log(connection, busy_timeout)
    else:
        connection.execute("PRAGMA query_only=ON")


def _use_write_ahead_log(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Switch the file to WAL. SQLite does not wait for others here, so several first starts take turns."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
