"""Human decisions on SQL (`store.ports.Decisions`).

A decision is kept as text with the SHA-256 of that text: one whose actor, role or payload was edited in
the database is refused, and a field that a later version adds does not change the hash of old rows.
"""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from domain.attention import Decision
from domain.identity import content_hash
from store.ports import AuditNote, StoreError
from store.sql.chain import note
from store.sql.database import Database
from store.sql.tables import DecisionRecord, table

DECISIONS = table(DecisionRecord)

_BY_ID = select(DECISIONS).where(DECISIONS.c.id == bindparam("of")).with_for_update()
_READ = select(DECISIONS).where(DECISIONS.c.id == bindparam("of"))
_INSERT = insert(DECISIONS)
_REPLACE = update(DECISIONS).where(DECISIONS.c.id == bindparam("of"))
_SPEND = update(DECISIONS).where(DECISIONS.c.id == bindparam("of"))


class SqlDecisions:
    """Decisions, each spent by one process at most."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, decision: Decision) -> None:
        """Keep a decision. A repeat changes nothing; other content under its id raises `StoreError`."""
        await self._db.write(lambda connection: _add(connection, decision))

    async def claim(self, id: str, process: str) -> Decision:
        """The decision, marked spent by `process`; again for the same process returns it again.

        Raises `StoreError` for an unknown, altered or otherwise spent one, or one for another process.
        """
        return await self._db.write(lambda connection: _claim(connection, id, process, self._db.now()))

    async def get(self, id: str) -> Decision | None:
        """The decision, spent or not. Raises `StoreError` when it was altered."""

        def work(connection: Connection) -> Decision | None:
            found = connection.execute(_READ, {"of": id}).first()
            return _decision(found) if found else None

        return await self._db.read(work)


def _add(connection: Connection, decision: Decision) -> None:
    found = connection.execute(_BY_ID, {"of": decision.id}).first()
    if found is not None:
        if _decision(found).without_confidential() != decision.without_confidential():
            raise StoreError(f"decision {decision.id} is already kept with other content; give it a new id")
        return
    body = decision.model_dump_json()
    row = {"id": decision.id, "process": decision.process, "body": body, "body_hash": content_hash(body)}
    connection.execute(_INSERT, {**row, "at": decision.at, "spent_by": "", "spent_at": None})


def _claim(connection: Connection, id: str, process: str, now: datetime) -> Decision:
    found = connection.execute(_BY_ID, {"of": id}).first()
    if found is None:
        raise StoreError(f"decision {id} is unknown; decide again with `fairlead exceptions resolve`")
    decision = _decision(found)
    if decision.process != process:
        raise StoreError(f"decision {id} is meant for {decision.process}, not for {process}")
    if found.spent_by and found.spent_by != process:
        raise StoreError(f"decision {id} is already spent by {found.spent_by}")
    if not found.spent_by:
        connection.execute(_SPEND, {"of": id, "spent_by": process, "spent_at": now})
        note(connection, process, now, _audited(decision))
    return decision


def keep_hash_only(connection: Connection, id: str) -> None:
    """What is confidential in a decision has gone where it belongs: from now on its row holds the hash."""
    found = connection.execute(_BY_ID, {"of": id}).first()
    if found is None:
        return
    decision = _decision(found)
    if decision != decision.without_confidential():
        body = decision.without_confidential().model_dump_json()
        connection.execute(_REPLACE, {"of": id, "body": body, "body_hash": content_hash(body)})


def _audited(decision: Decision) -> AuditNote:
    decision = decision.without_confidential()
    return AuditNote(
        actor=decision.actor,
        what=f"decided: {decision.action.replace('_', ' ')} {decision.target}".strip(),
        why=decision.reason,
        key=f"decision/{decision.id}",
        outcome="claimed",
        after="; ".join(f"{path} = {value}" for path, value in decision.payload.items()),
    )


def _decision(found: Row[Any]) -> Decision:
    if content_hash(found.body) != found.body_hash:
        raise _altered(found)
    try:
        decision = Decision.model_validate_json(found.body)
    except ValidationError:
        raise _altered(found) from None
    if (decision.id, decision.process) != (found.id, found.process):
        raise _altered(found)
    return decision


def _altered(found: Row[Any]) -> StoreError:
    return StoreError(
        f"decision {found.id} was altered after it was made; decide again, and run `fairlead audit verify`"
    )
