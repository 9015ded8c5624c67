"""Time entries in order of change, for accounts with very many of them.

The state file keeps one small row per time entry (change stamp, approved, invoiced), which triggers of the
database hold true within each transaction: a page out of 100,000 entries is read by index.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.core.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kantata_time_order
    (id INTEGER PRIMARY KEY, second INTEGER NOT NULL, approved INTEGER NOT NULL, invoiced INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS kantata_time_order_approved
    ON kantata_time_order (approved, second, id, invoiced);
CREATE INDEX IF NOT EXISTS kantata_time_order_second
    ON kantata_time_order (second, id, approved, invoiced);
CREATE TRIGGER IF NOT EXISTS kantata_time_order_insert AFTER INSERT ON records
    WHEN NEW.system = 'kantata' AND NEW.object = 'time_entries'
    BEGIN INSERT OR REPLACE INTO kantata_time_order VALUES (
        CAST(NEW.id AS INTEGER), CAST(NEW.modified AS INTEGER),
        COALESCE(json_extract(NEW.data, '$.approved'), 0),
        COALESCE(json_extract(NEW.data, '$.is_invoiced'), 0)); END;
CREATE TRIGGER IF NOT EXISTS kantata_time_order_update AFTER UPDATE ON records
    WHEN NEW.system = 'kantata' AND NEW.object = 'time_entries'
    BEGIN INSERT OR REPLACE INTO kantata_time_order VALUES (
        CAST(NEW.id AS INTEGER), CAST(NEW.modified AS INTEGER),
        COALESCE(json_extract(NEW.data, '$.approved'), 0),
        COALESCE(json_extract(NEW.data, '$.is_invoiced'), 0)); END;
CREATE TRIGGER IF NOT EXISTS kantata_time_order_delete AFTER DELETE ON records
    WHEN OLD.system = 'kantata' AND OLD.object = 'time_entries'
    BEGIN DELETE FROM kantata_time_order WHERE id = CAST(OLD.id AS INTEGER); END;
"""
PUSHED = frozenset(
    (
        *("approved", "invoiced", "uninvoiced", "updated_after", "updated_before", "order"),
        *("page", "per_page", "limit", "offset", "include", "from_archived_workspaces", "on_my_account"),
    )
)
"""Parameters that this order can answer; with any other the entries are gone through one by one."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What is asked for: seconds are exclusive bounds, None for no bound; flags None for both."""

    after: float | None
    before: float | None
    approved: bool
    invoiced: bool | None
    descending: bool


def define(database: Database) -> None:
    """Make table and triggers, once per state file."""
    database.connection.executescript(_SCHEMA)


def answers(query: Mapping[str, str]) -> bool:
    """Whether a list request can be answered from this order."""
    return query.get("order", "").startswith("updated_at") and not set(query) - PUSHED


def count(database: Database, wanted: Slice) -> int:
    """How many entries there are."""
    where, values = _where(wanted)
    sql = f"SELECT COUNT(*) FROM kantata_time_order WHERE {where}"  # noqa: S608  parts of this file
    return int(database.read(sql, values)[0][0])


def page(database: Database, wanted: Slice, start: int, size: int) -> list[str]:
    """Ids of one page, by change stamp and id."""
    where, values = _where(wanted)
    way = "DESC" if wanted.descending else "ASC"
    order = f"ORDER BY second {way}, id {way} LIMIT ? OFFSET ?"
    sql = f"SELECT id FROM kantata_time_order WHERE {where} {order}"  # noqa: S608  parts of this file
    return [str(row[0]) for row in database.read(sql, (*values, size, start))]


def _where(wanted: Slice) -> tuple[str, tuple[float, ...]]:
    parts: list[tuple[str, float]] = []
    if wanted.approved:
        parts.append(("approved = ?", 1))
    if wanted.invoiced is not None:
        parts.append(("invoiced = ?", int(wanted.invoiced)))
    if wanted.after is not None:
        parts.append(("second > ?", wanted.after))
    if wanted.before is not None:
        parts.append(("second < ?", wanted.before))
    return " AND ".join(part for part, _ in parts) or "1", tuple(value for _, value in parts)
