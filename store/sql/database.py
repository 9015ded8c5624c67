"""Transactions on threads of their own, so that no event loop of a worker stalls."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from store.ports import StoreError
from store.sql.address import Address
from store.sql.connect import engine_of, thread_counts
from store.sql.failures import failure, lost_race

T = TypeVar("T")
Work = Callable[[Connection], T]
Clock = Callable[[], datetime]

LOST_RACES = 8
"""How often a transaction may lose to other processes before that is an error."""
_PAUSE_SECONDS = 0.005
"""Before a transaction that lost runs again; longer each time, so that those who contend spread out."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """Runs functions of a connection, each in one transaction: all of it lands, or nothing.

    SQLite has one writer thread (it allows one writer anyway, and a queue in here is fairer and cheaper
    than its lock) beside a few readers; PostgreSQL has several of both.
    """

    def __init__(self, where: Address, *, busy_timeout: float, clock: Clock = utc_now) -> None:
        self.where = where
        self.now = clock
        self._closed = False
        self._writer = engine_of(where, writes=True, busy_timeout=busy_timeout)
        self._reader = engine_of(where, writes=False, busy_timeout=busy_timeout)
        writers, readers = thread_counts(where)
        self._write_threads = ThreadPoolExecutor(writers, "store-write")
        self._read_threads = ThreadPoolExecutor(readers, "store-read")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a writing transaction. A cancelled caller does not undo it: it still lands."""
        return await self._run(self._write_threads, self._writer, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent snapshot."""
        return await self._run(self._read_threads, self._reader, work)

    async def aclose(self) -> None:
        """Finish what is queued, then let go of threads and connections. Repeatable."""
        self._closed = True
        await asyncio.to_thread(self._close)

    async def _run(self, threads: ThreadPoolExecutor, engine: Engine, work: Work[T]) -> T:
        if self._closed:
            raise StoreError(f"the store ({self.where}) is already closed; open it again")
        return await asyncio.get_running_loop().run_in_executor(threads, self._until_won, engine, work)

    def _until_won(self, engine: Engine, work: Work[T]) -> T:
        """Run `work` until it does not lose a race. On SQLite, where writers queue, it runs once."""
        race = 0
        while True:
            try:
                return self._transact(engine, work)
            except (SQLAlchemyError, UnicodeEncodeError) as error:
                race += 1
                if race == LOST_RACES or not lost_race(error):
                    raise failure(error, self.where) from error
            time.sleep(race * _PAUSE_SECONDS)

    @staticmethod
    def _transact(engine: Engine, work: Work[T]) -> T:
        with engine.begin() as connection:
            return work(connection)

    def _close(self) -> None:
        for threads in (self._write_threads, self._read_threads):
            threads.shutdown(wait=True)
        for engine in (self._reader, self._writer):
            engine.dispose()
