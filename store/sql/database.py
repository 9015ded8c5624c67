"""Transactions on threads of their own, so that no event loop of a worker stalls."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from store.ports import StoreError
from store.sql.address import Address
from store.sql.connect import POOL, READERS, other_engine, sqlite_engine
from store.sql.failures import failure

T = TypeVar("T")
Work = Callable[[Connection], T]
Clock = Callable[[], datetime]

LOST_RACES = 3
"""How often a transaction may lose an insert to another process before that is an error."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """Runs functions of a connection, each in one transaction: all of it lands, or nothing.

    SQLite has one writer thread (it allows one writer anyway, and a queue in here is fairer and cheaper
    than its lock) beside a few readers; any other database has one pool for both.
    """

    def __init__(self, where: Address, *, busy_timeout: float, clock: Clock = utc_now) -> None:
        self.where = where
        self.now = clock
        self._closed = False
        if where.path is not None:
            self._writer = sqlite_engine(where, writes=True, busy_timeout=busy_timeout)
            self._reader = sqlite_engine(where, writes=False, busy_timeout=busy_timeout)
            self._write_threads = ThreadPoolExecutor(1, "store-write")
            self._read_threads = ThreadPoolExecutor(READERS, "store-read")
        else:
            self._writer = self._reader = other_engine(where)
            self._write_threads = self._read_threads = ThreadPoolExecutor(POOL, "store")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a writing transaction. A cancelled caller does not undo it: it still lands."""
        return await self._run(self._write_threads, self._write, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent snapshot."""
        return await self._run(self._read_threads, self._read, work)

    async def aclose(self) -> None:
        """Finish what is queued, then let go of threads and connections. Repeatable."""
        self._closed = True
        await asyncio.to_thread(self._close)

    async def _run(self, threads: ThreadPoolExecutor, run: Callable[[Work[T]], T], work: Work[T]) -> T:
        if self._closed:
            raise StoreError(f"the store ({self.where}) is already closed; open it again")
        return await asyncio.get_running_loop().run_in_executor(threads, run, work)

    def _write(self, work: Work[T]) -> T:
        for race in range(LOST_RACES):
            try:
                return self._transact(self._writer, work)
            except IntegrityError as error:
                # Only a database with row locks gets here: another process inserted the same key between
                # our look and our insert. Run again, the look now finds it.
                if race == LOST_RACES - 1:
                    raise failure(error, self.where) from error
            except (SQLAlchemyError, UnicodeEncodeError) as error:
                raise failure(error, self.where) from error
        raise AssertionError("unreachable")

    def _read(self, work: Work[T]) -> T:
        try:
            return self._transact(self._reader, work)
        except (SQLAlchemyError, UnicodeEncodeError) as error:
            raise failure(error, self.where) from error

    @staticmethod
    def _transact(engine: Engine, work: Work[T]) -> T:
        with engine.begin() as connection:
            return work(connection)

    def _close(self) -> None:
        for threads in (self._write_threads, self._read_threads):
            threads.shutdown(wait=True)
        for engine in (self._reader, self._writer):
            engine.dispose()
