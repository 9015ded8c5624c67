"""Sums over what stands open, on SQL (`store.standing_ports.Standing`).

Only rows that are open are counted, by indexes of their state: what has ended is kept for years.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, func, select

from domain.attention import AttentionItem
from store.sql.alerts import ALERTS
from store.sql.attention import ATTENTION, UNRESOLVED
from store.sql.database import Database
from store.sql.inbox import INBOX, OPEN_STATES
from store.sql.processes import PROCESSES
from store.standing_ports import Group, StandingFigures


class SqlStanding:
    """What stands open, read on one snapshot."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def figures(self) -> StandingFigures:
        """See `store.standing_ports.Standing`."""
        return await self._db.read(lambda connection: _figures(connection, self._db.now()))


def _figures(connection: Connection, now: datetime) -> StandingFigures:
    items = _open_items(connection)
    return StandingFigures(
        at=now,
        exceptions=_grouped((item.owner.value, item.raised_at) for item in items),
        overdue=_grouped((item.owner.value, item.due_at) for item in items if item.due_at < now),
        processes=_sums(
            *(connection, PROCESSES, ("kind", "stage"), "updated_at"), PROCESSES.c.state == "running"
        ),
        inbox=_sums(
            *(connection, INBOX, ("state",), "received_at"), INBOX.c.state.in_((*OPEN_STATES, "poison"))
        ),
        alerts=_sums(connection, ALERTS, ("rule", "owner"), "since", ALERTS.c.cleared_at.is_(None)),
    )


def _open_items(connection: Connection) -> Sequence[AttentionItem]:
    """When an exception was raised stands in the item alone; open ones are few."""
    query = select(ATTENTION.c.item).where(ATTENTION.c.state.in_(UNRESOLVED))
    return [AttentionItem.model_validate_json(item) for item in connection.execute(query).scalars()]


def _grouped(rows: Iterable[tuple[str, datetime]]) -> tuple[Group, ...]:
    found: dict[str, list[datetime]] = {}
    for label, since in rows:
        found.setdefault(label, []).append(since)
    return tuple(
        Group(labels=(label,), count=len(times), oldest=min(times)) for label, times in sorted(found.items())
    )


def _sums(
    connection: Connection,
    table: Table,
    labels: Sequence[str],
    since: str,
    which: ColumnElement[bool],
) -> tuple[Group, ...]:
    by = [table.c[name] for name in labels]
    query = select(*by, func.count(), func.min(table.c[since])).where(which).group_by(*by).order_by(*by)
    return tuple(
        Group(labels=tuple(row[: len(labels)]), count=row[-2], oldest=row[-1])
        for row in connection.execute(query)
    )
