"""Workers, their unavailable days and their calendars."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from domain.people import UnavailableDay, WorkCalendar, Worker
from store.people_ports import KeptPeople
from store.sql.billing_rows import batches
from store.sql.people_tables import CalendarRecord, UnavailableRecord, WorkerRecord
from store.sql.tables import table

WORKERS, DAYS, CALENDARS = table(WorkerRecord), table(UnavailableRecord), table(CalendarRecord)
_REPLACE = update(WORKERS).where(WORKERS.c.id == bindparam("of"))


def keep(connection: Connection, workers: Sequence[Worker]) -> KeptPeople:
    """See `store.people_ports.People.keep_workers`."""
    latest = {worker.id: worker for worker in sorted(workers, key=lambda worker: worker.version)}
    known = {worker.id: worker for worker in _known(connection, list(latest))}
    inserts, updates, same = [], [], 0
    for id, worker in latest.items():
        before = known.get(id)
        if before is None:
            inserts.append({"id": id, **_values(worker)})
        elif worker.version < before.version or _content(worker) == _content(before):
            same += 1
        else:
            updates.append({"of": id, **_values(worker)})
    if inserts:
        connection.execute(insert(WORKERS), inserts)
    if updates:
        connection.execute(_REPLACE, updates)
    return KeptPeople(new=len(inserts), changed=len(updates), same=same)


def listed(connection: Connection, source: str, after: str, limit: int) -> Sequence[Worker]:
    query = select(WORKERS.c.body).where(WORKERS.c.source == source, WORKERS.c.id > after)
    rows = connection.execute(query.order_by(WORKERS.c.id).limit(limit))
    return [Worker.model_validate_json(body) for body in rows.scalars()]


def by_emails(connection: Connection, source: str, emails: Sequence[str]) -> Sequence[Worker]:
    found: list[Worker] = []
    for batch in batches(sorted({email.casefold() for email in emails if email})):
        query = select(WORKERS.c.body).where(WORKERS.c.source == source, WORKERS.c.email.in_(batch))
        rows = connection.execute(query.order_by(WORKERS.c.id))
        found += [Worker.model_validate_json(body) for body in rows.scalars()]
    return found


def keep_days(
    connection: Connection,
    source: str,
    workers: Sequence[str],
    found: Sequence[UnavailableDay],
    first: date,
    last: date,
) -> KeptPeople:
    """See `store.people_ports.People.keep_unavailable`."""
    before = {
        (day.worker_external_id, day.day): day for day in days(connection, source, first, last, workers)
    }
    now = {(day.worker_external_id, day.day): day for day in found}
    changed = {key for key in now.keys() & before.keys() if now[key].hours != before[key].hours}
    gone, new = before.keys() - now.keys(), now.keys() - before.keys()
    for worker, day in sorted(gone | changed):
        connection.execute(
            delete(DAYS).where(DAYS.c.source == source, DAYS.c.worker == worker, DAYS.c.day == day)
        )
    rows = [
        {"source": source, "worker": worker, "day": day, "hours": str(now[worker, day].hours)}
        for worker, day in sorted(new | changed)
    ]
    if rows:
        connection.execute(insert(DAYS), rows)
    return KeptPeople(new=len(new), changed=len(changed) + len(gone), same=len(now) - len(new) - len(changed))


def days(
    connection: Connection, source: str, first: date, last: date, workers: Sequence[str] | None
) -> Sequence[UnavailableDay]:
    query = select(DAYS.c.worker, DAYS.c.day, DAYS.c.hours).where(
        DAYS.c.source == source, DAYS.c.day >= first, DAYS.c.day <= last
    )
    query = query.order_by(DAYS.c.worker, DAYS.c.day)
    queries = (
        [query]
        if workers is None
        else [query.where(DAYS.c.worker.in_(batch)) for batch in batches(sorted(set(workers)))]
    )
    return [
        UnavailableDay(worker_external_id=worker, day=day, hours=Decimal(hours))
        for one in queries
        for worker, day, hours in connection.execute(one)
    ]


def keep_calendars(connection: Connection, source: str, kept: Sequence[WorkCalendar]) -> None:
    connection.execute(delete(CALENDARS).where(CALENDARS.c.source == source))
    rows = [{"source": source, "code": one.code, "body": one.model_dump_json()} for one in kept]
    if rows:
        connection.execute(insert(CALENDARS), rows)


def calendars(connection: Connection, source: str) -> Sequence[WorkCalendar]:
    query = select(CALENDARS.c.body).where(CALENDARS.c.source == source).order_by(CALENDARS.c.code)
    return [WorkCalendar.model_validate_json(body) for body in connection.execute(query).scalars()]


def _known(connection: Connection, ids: Sequence[str]) -> Iterator[Worker]:
    for batch in batches(ids):
        query = select(WORKERS.c.body).where(WORKERS.c.id.in_(batch)).order_by(WORKERS.c.id)
        for body in connection.execute(query.with_for_update()).scalars():
            yield Worker.model_validate_json(body)


def _values(worker: Worker) -> dict[str, Any]:
    return {
        "source": worker.source,
        "external_id": worker.external_id,
        "email": worker.email.casefold(),
        "version": worker.version,
        "body": worker.model_dump_json(),
    }


def _content(worker: Worker) -> dict[str, Any]:
    """What is said of the person: that it was said again later is no change."""
    return worker.model_dump(exclude={"version"})
