"""The projection of exceptions on SQL (`store.ports.Attention`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from domain.attention import AttentionItem, AttentionState
from domain.outbound import OutboxNote
from store.ports import AuditNote
from store.sql.chain import note
from store.sql.database import Database
from store.sql.outbox import tell
from store.sql.tables import AttentionRecord, table

ATTENTION = table(AttentionRecord)

UNRESOLVED = tuple(state for state in get_args(AttentionState) if state != "resolved")
"""By name, so that the index on the state serves: what is resolved is kept and grows."""

_BY_ID = select(ATTENTION).where(ATTENTION.c.id == bindparam("of"))
_INSERT = insert(ATTENTION)
_REPLACE = update(ATTENTION).where(ATTENTION.c.id == bindparam("of"))


class SqlAttention:
    """Exceptions as lists and alerts need them; the truth is in the workflow's state."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, item: AttentionItem, *, tells: Sequence[OutboxNote] = ()) -> None:
        """Insert or replace by id; each state, and each escalation, is audited once."""

        def work(connection: Connection) -> None:
            now = self._db.now()
            _put(connection, item, now)
            tell(connection, item.process, now, tells)

        await self._db.write(work)

    async def get(self, id: str) -> AttentionItem | None:
        def work(connection: Connection) -> AttentionItem | None:
            found = connection.execute(_BY_ID, {"of": id}).first()
            return _item(found) if found else None

        return await self._db.read(work)

    async def list(
        self,
        *,
        state: str | None = "open",
        owner: str | None = None,
        process: str | None = None,
        limit: int = 200,
    ) -> Sequence[AttentionItem]:
        """`state="open"` means everything unresolved; `None` means all. Oldest due first."""
        query = select(ATTENTION).order_by(ATTENTION.c.due_at, ATTENTION.c.id).limit(limit)
        if state == "open":
            query = query.where(ATTENTION.c.state.in_(UNRESOLVED))
        elif state is not None:
            query = query.where(ATTENTION.c.state == state)
        if owner is not None:
            query = query.where(ATTENTION.c.owner == owner)
        if process is not None:
            query = query.where(ATTENTION.c.process == process)
        return await self._db.read(lambda connection: [_item(found) for found in connection.execute(query)])


def _put(connection: Connection, item: AttentionItem, now: datetime) -> None:
    row = {
        "process": item.process,
        "state": item.state,
        "owner": item.owner.value,
        "due_at": item.due_at,
        "item": item.model_dump_json(),
    }
    if not connection.execute(_REPLACE, {"of": item.id, **row}).rowcount:
        connection.execute(_INSERT, {"id": item.id, **row})
    note(connection, item.process, now, _audited(item))


def _audited(item: AttentionItem) -> AuditNote:
    return AuditNote(
        what=f"exception {item.state.replace('_', ' ')}: {item.headline}",
        why=item.resolution or item.detail,
        object=item.object,
        key=f"attention/{item.id}/{item.escalations}",
        outcome=item.state,
    )


def _item(found: Row[Any]) -> AttentionItem:
    return AttentionItem.model_validate_json(found.item)
