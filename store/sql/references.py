"""Cross-references on SQL (`store.ports.CrossReferences`).

A canonical id has at most one external id per system and object, and an external id one canonical id.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, or_, select

from store.ports import StoreError
from store.sql.database import Database
from store.sql.tables import ReferenceRecord, table

REFERENCES = table(ReferenceRecord)

_R = REFERENCES.c
_EITHER_SIDE = (
    select(_R.canonical_id, _R.external_id)
    .where(_R.system == bindparam("in_system"), _R.object == bindparam("of_object"))
    .where(or_(_R.canonical_id == bindparam("canonical"), _R.external_id == bindparam("external")))
    .with_for_update()
)
_OF = select(_R.system, _R.object, _R.external_id).where(_R.canonical_id == bindparam("canonical"))
_CANONICAL = select(_R.canonical_id).where(
    _R.system == bindparam("in_system"),
    _R.object == bindparam("of_object"),
    _R.external_id == bindparam("external"),
)
_INSERT = insert(REFERENCES)


class SqlCrossReferences:
    """Canonical id <-> (system, object, external id)."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, canonical_id: str, system: str, object: str, external_id: str) -> None:
        """Pair the two; a repeat changes nothing.

        Raises `StoreError` when either side is already paired with something else, or is empty.
        """
        await self._db.write(
            lambda connection: pair(connection, canonical_id, system, object, external_id),
        )

    async def of(self, canonical_id: str) -> Sequence[tuple[str, str, str]]:
        """(system, object, external id) in alphabetical order."""
        query = _OF.order_by(_R.system, _R.object)
        return await self._db.read(
            lambda connection: [
                (found.system, found.object, found.external_id)
                for found in connection.execute(query, {"canonical": canonical_id})
            ]
        )

    async def canonical(self, system: str, object: str, external_id: str) -> str | None:
        asked = {"in_system": system, "of_object": object, "external": external_id}
        return await self._db.read(lambda connection: connection.execute(_CANONICAL, asked).scalar())


def pair(connection: Connection, canonical_id: str, system: str, object: str, external_id: str) -> None:
    """Pair the two inside a transaction of the caller. Raises `StoreError` as `SqlCrossReferences.put`."""
    if not all((canonical_id, system, object, external_id)):
        raise StoreError(
            f"a cross-reference needs all of canonical id, system, object and external id, not"
            f" {(canonical_id, system, object, external_id)}"
        )
    asked = {
        "in_system": system,
        "of_object": object,
        "canonical": canonical_id,
        "external": external_id,
    }
    for found in connection.execute(_EITHER_SIDE, asked):
        if (found.canonical_id, found.external_id) == (canonical_id, external_id):
            return
        raise StoreError(
            f"{system} {object} {external_id} cannot be {canonical_id}:"
            f" {found.canonical_id} is already paired with {found.external_id}; one of the two is a double"
        )
    row = {"canonical_id": canonical_id, "system": system, "object": object, "external_id": external_id}
    connection.execute(_INSERT, row)
