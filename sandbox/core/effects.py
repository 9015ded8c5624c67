"""The effects log: every write that landed and changed something, for anyone to count.

The record store writes it (records.py); `GET /_effects` reads it. A group is one intended effect: the same
system, object, operation and effect key, or, where the caller sent no effect key, the same natural key and
the same changed values. `count` above 1 means the effect landed more than once.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox.core import clock, wire
from sandbox.core.database import Database


def log(
    database: Database,
    system: str,
    object_name: str,
    operation: str,
    natural_key: str,
    effect_key: str | None,
    fields: Mapping[str, Any],
    record_id: str,
) -> None:
    """Add one landed write, in the transaction of the write itself."""
    text = wire.encode(dict(sorted(fields.items()))).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    database.write(
        "INSERT INTO effects (system, object, operation, natural_key, effect_key, digest, fields, record_id,"
        " origin, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(system, object_name, operation, natural_key, effect_key or None, digest, text, record_id),
            *(database.origin, clock.now()),
        ),
    )


def grouped(database: Database, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Effects that match `filters` (system, object, operation, effect_key, natural_key, origin), grouped."""
    names = [name for name in FILTERS if filters.get(name)]
    where = " AND ".join(f"{name} = ?" for name in names) or "1"
    columns = "system, object, operation, natural_key, effect_key, digest, fields, record_id, origin, at"
    sql = f"SELECT {columns} FROM effects WHERE {where} ORDER BY seq"  # noqa: S608  names are of FILTERS
    rows = database.read(sql, tuple(filters[name] for name in names))
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for system, object_name, operation, natural, key, digest, fields, record_id, origin, at in rows:
        identity = (system, object_name, operation, origin, key or (natural, digest))
        group = groups.setdefault(identity, {"count": 0, "ids": [], "first_at": clock.iso(at)})
        group |= {"system": system, "object": object_name, "operation": operation, "natural_key": natural}
        group |= {"effect_key": key, "fields": wire.decode(fields), "origin": origin, "at": clock.iso(at)}
        group["count"] += 1
        if record_id not in group["ids"]:
            group["ids"].append(record_id)
    return list(groups.values())


FILTERS = ("system", "object", "operation", "effect_key", "natural_key", "origin")
