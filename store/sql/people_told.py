"""What another system was told last of a person, an assignment, a month of hours."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from store.people_ports import Told
from store.sql.billing_rows import batches
from store.sql.people_tables import ToldRecord
from store.sql.tables import table

TOLD = table(ToldRecord)


def told(connection: Connection, keys: Sequence[str]) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for batch in batches(sorted(set(keys))):
        for row in connection.execute(select(TOLD).where(TOLD.c.key.in_(batch))):
            found[row.key] = _told(row)
    return found


def tell(connection: Connection, now: Told) -> None:
    """See `store.people_ports.People.tell`."""
    row = connection.execute(select(TOLD.c.revision).where(TOLD.c.key == now.key).with_for_update()).first()
    values = {"external_id": now.external_id, "revision": now.revision, "body": now.model_dump_json()}
    if row is None:
        connection.execute(insert(TOLD), {"key": now.key, **values})
    elif now.revision >= row.revision:
        connection.execute(update(TOLD).where(TOLD.c.key == now.key), values)


def _told(row: Row[Any]) -> Told:
    return Told.model_validate_json(row.body)
