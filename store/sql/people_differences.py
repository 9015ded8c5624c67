"""What HR and PSA do not agree on, kept until they do: one row per person and field."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.resource_sync import Difference, Part
from store.sql.billing_rows import batches
from store.sql.people_tables import DifferenceRecord
from store.sql.tables import table

DIFFERENCES = table(DifferenceRecord)
_REPLACE = update(DIFFERENCES).where(
    DIFFERENCES.c.source == bindparam("of_source"), DIFFERENCES.c.key == bindparam("of")
)


def differ(
    connection: Connection,
    source: str,
    scope: Part,
    people: Sequence[str],
    found: Sequence[Difference],
    at: datetime,
) -> int:
    """See `store.people_ports.People.differ`."""
    known = _known(connection, source, scope, [*people, *(one.person for one in found)])
    latest = {one.key: one for one in found}
    inserts, updates, new = [], [], 0
    for key, one in latest.items():
        standing = known.get(key)
        open_since = standing[0] if standing is not None and standing[1] is None else None
        kept = one.with_changes(found_at=open_since or one.found_at)
        new += open_since is None
        row = {"owner": one.owner.value, "found_at": kept.found_at, "healed_at": None, "body": _body(kept)}
        if standing is None:
            inserts.append({"source": source, "key": key, "scope": scope, "person": one.person, **row})
        else:
            updates.append({"of_source": source, "of": key, **row})
    healed = [key for key, (_, healed_at) in known.items() if healed_at is None and key not in latest]
    if inserts:
        connection.execute(insert(DIFFERENCES), inserts)
    if updates:
        connection.execute(_REPLACE, updates)
    for key in healed:
        mine = update(DIFFERENCES).where(DIFFERENCES.c.source == source, DIFFERENCES.c.key == key)
        connection.execute(mine, {"healed_at": at})
    return new


def listed(connection: Connection, source: str, owner: str | None, limit: int) -> Sequence[Difference]:
    query = select(DIFFERENCES.c.body).where(
        DIFFERENCES.c.source == source, DIFFERENCES.c.healed_at.is_(None)
    )
    if owner is not None:
        query = query.where(DIFFERENCES.c.owner == owner)
    rows = connection.execute(query.order_by(DIFFERENCES.c.found_at, DIFFERENCES.c.key).limit(limit))
    return [Difference.model_validate_json(body) for body in rows.scalars()]


def _known(
    connection: Connection, source: str, scope: Part, people: Sequence[str]
) -> dict[str, tuple[datetime, datetime | None]]:
    found: dict[str, tuple[datetime, datetime | None]] = {}
    columns: tuple[Any, ...] = (DIFFERENCES.c.key, DIFFERENCES.c.found_at, DIFFERENCES.c.healed_at)
    for batch in batches(sorted(set(people))):
        query = select(*columns).where(DIFFERENCES.c.source == source, DIFFERENCES.c.scope == scope)
        query = query.where(DIFFERENCES.c.person.in_(batch)).order_by(DIFFERENCES.c.key)
        for key, found_at, healed_at in connection.execute(query.with_for_update()):
            found[key] = (found_at, healed_at)
    return found


def _body(one: Difference) -> str:
    return one.model_dump_json()
