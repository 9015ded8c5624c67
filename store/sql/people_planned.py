"""Who is planned where, and the time that was approved."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, bindparam, func, insert, select, update

from domain.psa_people import PsaAssignment
from store.people_ports import KeptPeople, WorkedHours
from store.sql.billing_rows import BILLABLES, batches
from store.sql.people_tables import AssignmentRecord
from store.sql.tables import table

PLANNED = table(AssignmentRecord)
_REPLACE = update(PLANNED).where(
    PLANNED.c.system == bindparam("in_system"), PLANNED.c.external_id == bindparam("of")
)


def keep(
    connection: Connection, system: str, assignments: Sequence[PsaAssignment], gone: Sequence[str]
) -> KeptPeople:
    """See `store.people_ports.People.keep_assignments`."""
    latest = {one.external_id: one for one in assignments}
    known = _known(connection, system, [*latest, *gone])
    for id in set(gone) & known.keys() - latest.keys():
        latest[id] = known[id].with_changes(hours=Decimal(0))
    new = [one for id, one in sorted(latest.items()) if id not in known]
    changed = [one for id, one in sorted(latest.items()) if id in known and one != known[id]]
    if new:
        rows = [{"system": system, "external_id": one.external_id, **_values(one)} for one in new]
        connection.execute(insert(PLANNED), rows)
    if changed:
        rows = [{"in_system": system, "of": one.external_id, **_values(one)} for one in changed]
        connection.execute(_REPLACE, rows)
    return KeptPeople(new=len(new), changed=len(changed), same=len(latest) - len(new) - len(changed))


def listed(
    connection: Connection, system: str, people: Sequence[str] | None, since: date | None
) -> Sequence[PsaAssignment]:
    query = select(PLANNED.c.body).where(PLANNED.c.system == system)
    if since is not None:
        query = query.where(PLANNED.c.ends_on >= since)
    query = query.order_by(PLANNED.c.person, PLANNED.c.external_id)
    queries = (
        [query] if people is None else [query.where(PLANNED.c.person.in_(ids)) for ids in batches(people)]
    )
    rows = (body for one in queries for body in connection.execute(one).scalars())
    return [PsaAssignment.model_validate_json(body) for body in rows]


def worked(
    connection: Connection, system: str, people: Sequence[str], first: date, last: date
) -> Sequence[WorkedHours]:
    """One pass over the days of the range; months are summed here, since engines name them differently."""
    days = (BILLABLES.c.resource, BILLABLES.c.project, BILLABLES.c.work_date)
    query = (
        select(*days, func.sum(BILLABLES.c.minutes))
        .where(BILLABLES.c.source == system, BILLABLES.c.kind == "time")
        .where(BILLABLES.c.work_date >= first, BILLABLES.c.work_date <= last)
        .group_by(*days)
    )
    sums: dict[tuple[str, str, str], int] = {}
    for ids in batches(people):
        for resource, project, day, minutes in connection.execute(query.where(BILLABLES.c.resource.in_(ids))):
            key = (resource, project, f"{day:%Y-%m}")
            sums[key] = sums.get(key, 0) + int(minutes)
    return [
        WorkedHours(resource=resource, project=project, month=month, minutes=minutes)
        for (resource, project, month), minutes in sorted(sums.items())
    ]


def _known(connection: Connection, system: str, ids: Sequence[str]) -> dict[str, PsaAssignment]:
    found: dict[str, PsaAssignment] = {}
    for batch in batches(sorted(set(ids))):
        query = select(PLANNED.c.body).where(PLANNED.c.system == system, PLANNED.c.external_id.in_(batch))
        for body in connection.execute(query.order_by(PLANNED.c.external_id).with_for_update()).scalars():
            one = PsaAssignment.model_validate_json(body)
            found[one.external_id] = one
    return found


def _values(one: PsaAssignment) -> dict[str, object]:
    return {"person": one.person_external_id, "ends_on": one.ends_on, "body": one.model_dump_json()}
