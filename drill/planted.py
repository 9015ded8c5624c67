"""Guards that a drill takes out, to prove that it can fail without them."""

import asyncio
import sqlite3
from pathlib import Path

from drill.lane import Lane
from store.sql.address import sqlite_file

COVERAGE = "coverage"
"""The guard that an entry is on one live invoice."""
FIND_BEFORE_CREATE = "find-before-create"
"""The look-up before a doubtful write is repeated: a setting of the worker."""

_TAKE_OUT = """
DROP INDEX uq_coverage_live;
CREATE TRIGGER planted_bug AFTER UPDATE OF stage ON invoices WHEN NEW.stage = 'posted' BEGIN
    UPDATE billables SET invoice = '' WHERE invoice = NEW.id;
END;
"""


async def take_guard_out(lane: Lane) -> None:
    """Our code has no way around the guard, so it is taken out of the lane's database: no unique index, and
    what is billed looks free again."""
    file = sqlite_file(lane.settings.store_url, "a planted bug")
    await asyncio.to_thread(_execute, file)


def _execute(file: Path) -> None:
    connection = sqlite3.connect(file, timeout=10)
    try:
        connection.executescript(_TAKE_OUT)
    finally:
        connection.close()
