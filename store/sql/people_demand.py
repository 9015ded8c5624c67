"""Demand for people: what was asked of staffing, and how it was answered."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from domain.staffing_demand import StaffingRequest
from store.sql.people_tables import DemandRecord
from store.sql.tables import table

DEMAND = table(DemandRecord)


def ask(connection: Connection, requests: Sequence[StaffingRequest]) -> None:
    """See `store.people_ports.People.ask`."""
    for asked in requests:
        query = select(DEMAND.c.revision).where(DEMAND.c.key == asked.key).with_for_update()
        standing = connection.execute(query).scalar()
        if standing is None:
            connection.execute(insert(DEMAND), {"key": asked.key, "process": asked.process, **_values(asked)})
        elif asked.revision > standing:
            connection.execute(update(DEMAND).where(DEMAND.c.key == asked.key), _values(asked))


def answer(connection: Connection, process: str, answers: Sequence[StaffingRequest]) -> None:
    """See `store.people_ports.People.answer`."""
    known = {one.key: one for one in listed(connection, None, process)}
    for given in answers:
        standing = known.get(given.key)
        if standing is None or (given.state, given.resource) == (standing.state, standing.resource):
            continue
        kept = standing.with_changes(
            state=given.state,
            resource=given.resource,
            answered_at=standing.answered_at or given.answered_at,
        )
        connection.execute(update(DEMAND).where(DEMAND.c.key == given.key), _values(kept))


def listed(connection: Connection, state: str | None, process: str | None) -> Sequence[StaffingRequest]:
    query = select(DEMAND.c.body)
    if state is not None:
        query = query.where(DEMAND.c.state == state)
    if process is not None:
        query = query.where(DEMAND.c.process == process)
    rows = connection.execute(query.order_by(DEMAND.c.asked_at, DEMAND.c.key))
    return [StaffingRequest.model_validate_json(body) for body in rows.scalars()]


def _values(asked: StaffingRequest) -> dict[str, object]:
    return {
        "state": asked.state,
        "revision": asked.revision,
        "asked_at": asked.asked_at,
        "body": asked.model_dump_json(),
    }
