"""The audit chain: how an entry is hashed and appended, always inside a transaction of the caller.

Each process has one chain. An entry's hash covers all its content, its number and the hash before it; a
separate row keeps number and hash of the last entry, so that a cut-off end is found as well.
"""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, literal_column, select, update

from store.ports import AuditEntry, AuditNote
from store.sql.tables import AuditHead, AuditRecord, table

ENTRIES = table(AuditRecord)
HEADS = table(AuditHead)

HASHED_FIELDS = {
    1: (
        *("schema_version", "process", "number", "actor", "what", "why", "system", "object"),
        *("external_id", "key", "outcome", "before", "after", "previous_hash"),
    )
}
"""What a hash covers besides `at`, by schema version: a field added later must not break old chains."""

_HEAD = select(HEADS.c.number, HEADS.c.hash).where(HEADS.c.process == bindparam("of")).with_for_update()
_INSERT = insert(ENTRIES)
_INSERT_HEAD = insert(HEADS)
_MOVE_HEAD = update(HEADS).where(HEADS.c.process == bindparam("of"))
_STANDING = select(ENTRIES).where(
    ENTRIES.c.process == bindparam("of"),
    ENTRIES.c.key == bindparam("for_key"),
    ENTRIES.c.key != literal_column("''"),  # the words of the partial index, else it is not used
    ENTRIES.c.outcome == bindparam("with_outcome"),
)


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the canonical JSON of an entry. Raises `KeyError` for an unknown schema version."""
    content = {name: getattr(entry, name) for name in HASHED_FIELDS[entry.schema_version]}
    content["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def standing(connection: Connection, process: str, key: str, outcome: str) -> AuditEntry | None:
    """The entry that already stands for this key and outcome; none when the key is empty."""
    if not key:
        return None
    found = connection.execute(_STANDING, {"of": process, "for_key": key, "with_outcome": outcome}).first()
    return AuditEntry.model_validate(found._asdict()) if found else None


def note(connection: Connection, process: str, at: datetime, entry: AuditNote) -> None:
    """Append what `entry` says, unless it stands already."""
    if standing(connection, process, entry.key, entry.outcome) is None:
        append(connection, process, at, **entry.model_dump(exclude={"schema_version"}))


def hold(connection: Connection, process: str) -> None:
    """Make others who would append to this chain wait; where it is new, the second to append loses."""
    connection.execute(_HEAD, {"of": process}).first()


def append(connection: Connection, process: str, at: datetime, **content: str) -> AuditEntry:
    """Append an entry whose key and outcome are known to be new (see `standing`)."""
    head = connection.execute(_HEAD, {"of": process}).first()
    number, previous = (head.number + 1, head.hash) if head else (1, "")
    entry = AuditEntry.model_validate(
        {"process": process, "number": number, "at": at, "previous_hash": previous, **content}
    )
    entry = entry.model_copy(update={"hash": entry_hash(entry)})
    connection.execute(_INSERT, dict(entry))
    moved = {"number": number, "hash": entry.hash}
    if head:
        connection.execute(_MOVE_HEAD, {"of": process, **moved})
    else:
        connection.execute(_INSERT_HEAD, {"process": process, **moved})
    return entry
