"""The one SQLite file of a sandbox, and its transactions.

    database = Database(path)
    store = database.store("kantata")            # a RecordStore, see records.py
    with database.transaction():                 # the core opens one around every request
        store.create("workspaces", {...})        # rows and effects land together
        with database.savepoint():               # one row of a bulk call: undone alone when it raises
            store.create("stories", {...})

A commit reaches the operating system before the answer leaves, so `kill -9` of the process loses nothing
that was answered (WAL, synchronous=NORMAL: a power cut may lose the last moments, which a sandbox may).
A read-only request never begins a transaction.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.core.records import RecordStore

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    system TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
    seq INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (system, object, id));
CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, object TEXT NOT NULL,
    operation TEXT NOT NULL, natural_key TEXT NOT NULL, effect_key TEXT, digest TEXT NOT NULL,
    fields TEXT NOT NULL, record_id TEXT NOT NULL, origin TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sequences (
    system TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (system, name));
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, system TEXT NOT NULL, subject TEXT NOT NULL, issued REAL NOT NULL,
    expires REAL, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS webhooks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL,
    scheme TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
STATE_TABLES = ("records", "effects", "sequences", "tokens", "webhooks", "meta")


class Database:
    """Connection, transactions with undo of what is held in memory, and the writer's origin."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.executescript(SCHEMA)
        self.origin = "api"
        """Who writes now: `api` (a client), `ui` (a person in the vendor's screens), `seed` (not logged)."""
        self.horizon: float | None = None
        """While set, reads show the state as of this stamp (the `stale_read` fault)."""
        self._undo: list[Callable[[], None]] = []
        self._stores: dict[str, RecordStore] = {}
        self._begun = False
        self._depth = 0

    def store(self, system: str) -> "RecordStore":
        """The record store of one system; the same object at every call."""
        from sandbox.core.records import RecordStore

        if system not in self._stores:
            self._stores[system] = RecordStore(self, system)
        return self._stores[system]

    def write(self, sql: str, parameters: tuple[Any, ...], undo: Callable[[], None] | None = None) -> None:
        """Run one writing statement; `undo` reverts the matching change in memory on rollback."""
        if self._depth and not self._begun:
            self.connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        self.connection.execute(sql, parameters)
        if undo is not None and self._depth:
            self._undo.append(undo)

    def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside lands together, or, when it raises, not at all (the error goes on)."""
        if self._depth:
            with self.savepoint():
                yield
            return
        self._depth = 1
        try:
            yield
        except BaseException:
            self._revert(0)
            if self._begun:
                self.connection.execute("ROLLBACK")
            raise
        else:
            if self._begun:
                self.connection.execute("COMMIT")
        finally:
            self._depth, self._begun = 0, False
            self._undo.clear()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction that is undone alone when it raises (the error goes on)."""
        if not self._begun:
            self.connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        mark, name = len(self._undo), f"s{self._depth}"
        self._depth += 1
        self.connection.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self._revert(mark)
            self.connection.execute(f"ROLLBACK TO {name}")
            raise
        finally:
            self.connection.execute(f"RELEASE {name}")
            self._depth -= 1

    @contextmanager
    def writing_as(self, origin: str) -> Iterator[None]:
        """Mark the writes inside as made by `ui` or `seed` instead of a client of the API."""
        before, self.origin = self.origin, origin
        try:
            yield
        finally:
            self.origin = before

    @contextmanager
    def as_of(self, stamp: float | None) -> Iterator[None]:
        """Reads inside show the state at `stamp`; None changes nothing."""
        before, self.horizon = self.horizon, stamp
        try:
            yield
        finally:
            self.horizon = before

    def wipe(self) -> None:
        """Empty every table and forget what is held in memory."""
        for table in STATE_TABLES:
            self.write(f"DELETE FROM {table}", ())  # noqa: S608  fixed names
        for store in self._stores.values():
            store.forget()

    def meta(self, key: str) -> str | None:
        """A remembered setting of this file, or None."""
        rows = self.read("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Remember a setting in this file."""
        self.write("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def close(self) -> None:
        """Close the file; the sandbox can no longer answer."""
        self.connection.close()

    def _revert(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()
