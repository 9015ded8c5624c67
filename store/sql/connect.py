"""Engines: how connections to each kind of database are made.

SQLite: write-ahead log (readers never wait for the writer), synchronous=NORMAL (a commit survives the
death of the process; a power cut may lose the last moments, which look-ups by effect key heal), and
`BEGIN IMMEDIATE` for whatever writes: the lock is taken before reading, so that no transaction finds
out at its end that another process was faster.

PostgreSQL: writers run READ COMMITTED and lock the rows they decide by (`FOR UPDATE`), unique indexes
decide who was first to insert; readers run REPEATABLE READ, read only, so that an audit chain and its head
are of one moment. Connections are not tried before each use: one that broke is found by the statement that
meets it, and `Database` runs the transaction again.
"""

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from store.ports import StoreError
from store.sql.address import Address

READERS = 3
"""Reading connections, each on its own thread; on PostgreSQL at most half of the pool."""

_CONNECT_SECONDS = 10
_RECYCLE_SECONDS = 1800
"""Before a firewall forgets a connection that rests."""
_IDLE_SECONDS = 60
"""A transaction that its process left open (the machine froze) gives its locks back after this."""
_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A server that vanished without a word is noticed within a minute, by libpq's own means."""
_MIGRATING = 4_606_316_101
"""Key of the advisory lock under which the schema is changed: any number that nobody else uses."""


def thread_counts(where: Address) -> tuple[int, int]:
    """How many connections write and how many read, each on a thread of its own."""
    if where.path is not None:
        return 1, READERS
    readers = min(READERS, where.pool // 2)
    return where.pool - readers, readers


def engine_of(where: Address, *, writes: bool, busy_timeout: float) -> Engine:
    """An engine whose transactions all write or all read. `busy_timeout` is in seconds.

    Raises `StoreError` when PostgreSQL's driver is not installed, or does not know an option of the URL.
    """
    if where.path is not None:
        return sqlite_engine(where, writes=writes, busy_timeout=busy_timeout)
    return postgresql_engine(where, writes=writes, busy_timeout=busy_timeout)


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


def postgresql_engine(where: Address, *, writes: bool, busy_timeout: float) -> Engine:
    """As `engine_of`; a row that another transaction holds is waited for as long as `busy_timeout`."""
    try:
        engine = create_engine(
            where.url,
            isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
            pool_size=thread_counts(where)[0 if writes else 1],
            max_overflow=0,
            pool_recycle=_RECYCLE_SECONDS,
            connect_args=_connect_args(where, busy_timeout),
        )
    except (ImportError, ArgumentError) as error:
        raise StoreError(
            f"the store ({where}) needs a driver that is not installed ({error});"
            " install fairlead with its extra `postgres`, then run `fairlead doctor`"
        ) from error
    _check_options(where)
    # Many rows in one statement: less to and fro than the driver's own way, and nothing is left half sent
    # where one of them is refused.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    if not writes:
        event.listen(engine, "connect", _read_only)
    return engine


def hold_schema(connection: Connection) -> None:
    """Let nobody else change the schema until the transaction ends. SQLite's writer is alone anyway.

    Raises `StoreError` for a database that cannot keep every text.
    """
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SELECT current_setting('server_encoding')")).scalar()
    if encoding != "UTF8":
        raise StoreError(
            f"the store's database has the encoding {encoding}; make it anew with ENCODING 'UTF8',"
            " then run `fairlead up`"
        )
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})


def _connect_args(where: Address, busy_timeout: float) -> dict[str, Any]:
    """What we ask of a connection; an option of the URL stands before ours of the same name."""
    given = where.url.query
    session = {
        "timezone": "UTC",
        "lock_timeout": f"{int(busy_timeout * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
    }
    ours = " ".join(f"-c {name}={value}" for name, value in session.items())
    asked = {"connect_timeout": _CONNECT_SECONDS, "application_name": "fairlead", **_ALIVE}
    asked = {name: value for name, value in asked.items() if name not in given}
    return {**asked, "options": f"{ours} {given.get('options', '')}".strip()}


def _check_options(where: Address) -> None:
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo(**dict.fromkeys(where.url.query, ""))
    except ProgrammingError as error:
        raise StoreError(
            f"the store's URL ({where}) cannot be used: {where.without_secrets(str(error)).strip()};"
            " correct it, then run `fairlead doctor`"
        ) from None


def _read_only(connection: Any, _record: Any) -> None:
    connection.read_only = True


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
