"""Looking entries up: what a project may bill, what an invoice covers, what is late or left behind."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select, tuple_

from domain.billable import Billable, WorkedTime
from store.billing_ports import UnbilledLine
from store.ports import StoreError
from store.sql.billing_amounts import from_minor
from store.sql.billing_contracts import currencies
from store.sql.billing_rows import BILLABLES, billable_of
from store.sql.billing_tables import CoverageRecord
from store.sql.tables import table

COVERAGE = table(CoverageRecord)

_FREE = BILLABLES.c.invoice == literal_column("''")
_REVIEWABLE = BILLABLES.c.cause != literal_column("'not_billable'")
"""Conditions in the words of the partial indexes, else these are not used."""

_BY_KEY = select(BILLABLES).where(BILLABLES.c.key == bindparam("of"))
_OF_INVOICE = (
    select(BILLABLES)
    .join(COVERAGE, COVERAGE.c.item == BILLABLES.c.key)
    .where(
        COVERAGE.c.invoice == bindparam("of"),
        COVERAGE.c.kind == "entry",
        COVERAGE.c.released_at.is_(None),
    )
    .order_by(BILLABLES.c.work_date, BILLABLES.c.key)
)
_WORKED = tuple(BILLABLES.c[name] for name in ("key", "resource", "work_date", "minutes", "content_hash"))
_SUMS = (
    *(BILLABLES.c.project, BILLABLES.c.entity, BILLABLES.c.currency, BILLABLES.c.cause),
    func.count().label("entries"),
    func.min(BILLABLES.c.work_date).label("oldest"),
    func.sum(BILLABLES.c.minutes).label("minutes"),
    func.sum(BILLABLES.c.amount_minor).label("amount_minor"),
)


def entry(connection: Connection, key: str) -> Billable | None:
    found = connection.execute(_BY_KEY, {"of": key}).first()
    return billable_of(found) if found else None


def worked(connection: Connection, source: str, days: Sequence[tuple[str, date]]) -> Sequence[WorkedTime]:
    """Time that `source` gave of these persons on these days, in order of its key."""
    asked = set(days)
    query = select(*_WORKED).where(
        # All of them on all of the days, by the index; the few pairs too many are left out below.
        BILLABLES.c.resource.in_(sorted({resource for resource, _ in asked})),
        BILLABLES.c.work_date.in_(sorted({day for _, day in asked})),
        BILLABLES.c.source == source,
        BILLABLES.c.kind == "time",
    )
    found = [WorkedTime.model_validate(row._asdict()) for row in connection.execute(query)]
    return sorted(
        (time for time in found if (time.resource, time.work_date) in asked), key=lambda time: time.key
    )


def open_entries(
    connection: Connection, project: str, line: int | None, up_to: date, after: str, limit: int
) -> Sequence[Billable]:
    """Billable, on no live invoice, in order of work date and key, after `<work date>/<key>`."""
    query = select(BILLABLES).where(
        BILLABLES.c.project == project, _FREE, _REVIEWABLE, BILLABLES.c.work_date <= up_to
    )
    if line is not None:
        query = query.where(BILLABLES.c.line == line)
    if after:
        query = query.where(tuple_(BILLABLES.c.work_date, BILLABLES.c.key) > tuple_(*_place(after)))
    query = query.order_by(BILLABLES.c.work_date, BILLABLES.c.key).limit(limit)
    return [billable_of(found) for found in connection.execute(query)]


def entries_of(connection: Connection, invoice: str) -> Sequence[Billable]:
    """Entries an invoice covers, in order of work date and key."""
    return [billable_of(found) for found in connection.execute(_OF_INVOICE, {"of": invoice})]


def approved_after(connection: Connection, days: int, since: datetime) -> Sequence[Billable]:
    """Entries approved more than `days` after their work date, taken in since."""
    query = (
        select(BILLABLES)
        .where(BILLABLES.c.taken_at >= since, BILLABLES.c.approval_days > days)
        .order_by(BILLABLES.c.taken_at, BILLABLES.c.key)
    )
    return [billable_of(found) for found in connection.execute(query)]


def unbilled(connection: Connection, as_of: date, project: str | None) -> Sequence[UnbilledLine]:
    """What is on no invoice now and was worked until `as_of`, by project, currency and cause."""
    query = select(*_SUMS).where(_FREE, BILLABLES.c.work_date <= as_of)
    query = query.group_by(*_SUMS[:4])
    if project is not None:
        query = query.where(BILLABLES.c.project == project)
    rows = connection.execute(query).all()
    billed_in = currencies(connection, sorted({row.project for row in rows}))
    groups: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)
    for row in rows:
        currency = row.currency or billed_in.get(row.project, "")
        groups[row.project, row.entity, currency, row.cause].append(row)
    return [_line(*key, rows) for key, rows in sorted(groups.items())]


def _line(project: str, entity: str, currency: str, cause: str, rows: Sequence[Any]) -> UnbilledLine:
    """One line of time and expenses together: time has no currency of its own."""
    expenses = [row.amount_minor for row in rows if row.currency]
    return UnbilledLine(
        project=project,
        entity=entity,
        currency=currency,
        cause=cause,
        entries=sum(row.entries for row in rows),
        oldest=min(row.oldest for row in rows),
        minutes=sum(int(row.minutes) for row in rows),
        expenses=from_minor(sum(expenses), currency) if expenses else None,
    )


def _place(after: str) -> tuple[date, str]:
    worked, slash, key = after.partition("/")
    try:
        if slash:
            return date.fromisoformat(worked), key
    except ValueError:
        pass
    raise StoreError(
        f"{after!r} is no place in the list of entries; write <work date>/<key> of the last one read"
    )
