"""High-water marks of polling on SQL (`store.ports.Cursors`)."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from store.sql.database import Database
from store.sql.tables import CursorRecord, table

CURSORS = table(CursorRecord)

_MARK = select(CURSORS.c.mark).where(CURSORS.c.name == bindparam("of"))
_INSERT = insert(CURSORS)
_MOVE = update(CURSORS).where(CURSORS.c.name == bindparam("of"), CURSORS.c.mark < bindparam("to"))


class SqlCursors:
    """One mark per poll."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, name: str) -> datetime | None:
        return await self._db.read(lambda connection: connection.execute(_MARK, {"of": name}).scalar())

    async def put(self, name: str, mark: datetime) -> None:
        """Never moves backwards."""
        await self._db.write(lambda connection: _put(connection, name, mark))


def _put(connection: Connection, name: str, mark: datetime) -> None:
    if connection.execute(_MOVE, {"of": name, "to": mark, "mark": mark}).rowcount:
        return
    if connection.execute(_MARK, {"of": name}).first() is None:
        connection.execute(_INSERT, {"name": name, "mark": mark})
