"""The audit log on SQL (`store.ports.AuditLog`)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, String, cast, select

from store.ports import AuditEntry, AuditFault
from store.sql.chain import ENTRIES, HEADS, append, standing
from store.sql.database import Database
from store.sql.verification import Head, first_fault

_PAGE = 1000
"""Entries fetched at a time while verifying."""
_AS_WRITTEN = [cast(column, String).label("at") if column.name == "at" else column for column in ENTRIES.c]
"""The columns with the time as text: verification must survive one that is no time any more."""


_NONSENSE: dict[str, Any] = {
    "schema_version": 0,
    "at": datetime.max.replace(tzinfo=UTC),
    "actor": "",
    "what": "",
}
"""No hash holds for schema version 0."""


class SqlAuditLog:
    """One hash chain per process."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(
        self,
        process: str,
        *,
        actor: str,
        what: str,
        why: str = "",
        outcome: str = "",
        key: str = "",
        object: str = "",
        before: str = "",
        after: str = "",
    ) -> AuditEntry:
        """Append; a repeat with the same non-empty (process, key, outcome) returns the first entry."""
        content = {
            "actor": actor,
            "what": what,
            "why": why,
            "outcome": outcome,
            "key": key,
            "object": object,
            "before": before,
            "after": after,
        }
        return await self._db.write(
            lambda connection: (
                standing(connection, process, key, outcome)
                or append(connection, process, self._db.now(), **content)
            )
        )

    async def list(self, process: str) -> Sequence[AuditEntry]:
        """The chain of a process, in order."""
        return await self._db.read(lambda connection: _chain(connection, process))

    async def verify(self, process: str | None = None) -> tuple[int, Sequence[AuditFault]]:
        """Entries checked, and the first fault of each chain that is not whole.

        What cannot be seen from inside the database: a chain whose entries and head were all rewritten
        together. A copy of the heads kept elsewhere shows that.
        """
        return await self._db.read(lambda connection: _verify(connection, process))


def _chain(connection: Connection, process: str) -> Sequence[AuditEntry]:
    query = select(ENTRIES).where(ENTRIES.c.process == process).order_by(ENTRIES.c.number)
    return [AuditEntry.model_validate(row._asdict()) for row in connection.execute(query)]


def _verify(connection: Connection, process: str | None) -> tuple[int, Sequence[AuditFault]]:
    heads = _heads(connection, process)
    checked, faults = 0, []
    for name, entries in _chains(connection, process):
        checked += len(entries)
        fault = first_fault(name, entries, heads.pop(name, None))
        if fault:
            faults.append(fault)
    # Heads left over stand for chains of which no entry is left.
    faults += [fault for name, head in heads.items() if (fault := first_fault(name, [], head))]
    return checked, sorted(faults, key=lambda fault: fault.process)


def _heads(connection: Connection, process: str | None) -> dict[str, Head]:
    query = select(HEADS.c.process, HEADS.c.number, HEADS.c.hash)
    if process is not None:
        query = query.where(HEADS.c.process == process)
    return {name: Head(number, hash) for name, number, hash in connection.execute(query)}


def _chains(connection: Connection, process: str | None) -> Iterator[tuple[str, Sequence[AuditEntry]]]:
    """Every chain, one in memory at a time."""
    query = select(*_AS_WRITTEN).order_by(ENTRIES.c.process, ENTRIES.c.number)
    if process is not None:
        query = query.where(ENTRIES.c.process == process)
    rows = connection.execution_options(yield_per=_PAGE).execute(query)
    for name, chain in groupby(rows, key=lambda row: str(row.process)):
        yield name, [_as_found(row) for row in chain]


def _as_found(row: Row[Any]) -> AuditEntry:
    """The entry as it stands; one that was edited into nonsense keeps its number and fails its hash."""
    try:
        at = datetime.fromisoformat(row.at)
        values = {**row._asdict(), "at": at if at.tzinfo else at.replace(tzinfo=UTC)}
        return AuditEntry.model_validate(values)
    except (TypeError, ValueError):
        return AuditEntry.model_construct(None, **{**_NONSENSE, "process": row.process, "number": row.number})
