"""Contracts of projects, by revision."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from domain.project_contract import ProjectContract
from store.ports import AuditNote, StaleReference, StoreError
from store.sql.billing_tables import ContractRecord
from store.sql.chain import hold, note
from store.sql.tables import table

CONTRACTS = table(ContractRecord)

_REVISIONS = (
    select(CONTRACTS).where(CONTRACTS.c.project == bindparam("of")).order_by(CONTRACTS.c.revision.desc())
)
_NEWEST = _REVISIONS.limit(1)
_LOCK = select(CONTRACTS.c.revision).where(CONTRACTS.c.project == bindparam("of")).with_for_update()
_INSERT = insert(CONTRACTS)
_LATER = CONTRACTS.alias("later")


def put_contract(connection: Connection, contract: ProjectContract, now: datetime) -> None:
    """Keep a revision; the same again changes nothing.

    Raises `StoreError` for the same revision with other content, and for another currency than the
    project has: what it was billed could not be added up.
    """
    what = f"contract {contract.number} of project {contract.project}"
    hold(connection, f"project:{contract.project}")  # two first revisions at once must know of each other
    for found in connection.execute(_REVISIONS, {"of": contract.project}).all():
        if found.revision == contract.revision:
            if ProjectContract.model_validate_json(found.body) != contract:
                raise StoreError(
                    f"revision {contract.revision} of {what} is already kept with other content;"
                    " give the change a new revision"
                )
            return
        if found.currency != contract.currency:
            raise StoreError(
                f"{what} is in {found.currency}, revision {contract.revision} in {contract.currency};"
                " a project bills in one currency, begin a new project for another"
            )
    row = {name: getattr(contract, name) for name in ("project", "revision", "entity", "currency")}
    connection.execute(_INSERT, {**row, "body": contract.model_dump_json()})
    key = f"contract/{contract.project}/{contract.revision}"
    said = AuditNote(
        what=f"{what}, revision {contract.revision}", key=key, outcome="kept", object=contract.number
    )
    note_on_project(connection, contract.project, now, said)


def contract(connection: Connection, project: str, revision: int | None = None) -> ProjectContract | None:
    """The newest revision, or the one asked for."""
    query = _NEWEST if revision is None else _REVISIONS.where(CONTRACTS.c.revision == revision)
    found = connection.execute(query, {"of": project}).first()
    return ProjectContract.model_validate_json(found.body) if found else None


def contract_of(connection: Connection, project: str) -> ProjectContract:
    """The newest revision. Raises `StaleReference` when the project has none."""
    found = contract(connection, project)
    if found is None:
        raise StaleReference(
            f"project {project} has no contract, as after a restored backup; keep its contract first"
        )
    return found


def note_on_project(connection: Connection, project: str, at: datetime, entry: AuditNote) -> None:
    """Append to the audit chain of a project's billing, unless it stands there already.

    What becomes of an invoice stands in the chain of the invoice.
    """
    note(connection, f"project:{project}", at, entry)


def lock_limits(connection: Connection, project: str) -> None:
    """Make others who would use the limits of this project wait until the transaction ends."""
    connection.execute(_LOCK, {"of": project}).all()


def currencies(connection: Connection, projects: Sequence[str]) -> dict[str, str]:
    """Currency by project, of those that have a contract; all revisions of a project share it."""
    query = select(CONTRACTS.c.project, func.max(CONTRACTS.c.currency)).group_by(CONTRACTS.c.project)
    if len(projects) <= 1:
        query = query.where(CONTRACTS.c.project.in_(projects))
    return {project: currency for project, currency in connection.execute(query)}


def projects(connection: Connection, entity: str | None, after: str, limit: int) -> Sequence[str]:
    """Numbers of projects, in order, after `after`; `entity` is that of the newest revision."""
    query = select(CONTRACTS.c.project).where(
        CONTRACTS.c.project > after,
        ~select(_LATER.c.revision)
        .where(_LATER.c.project == CONTRACTS.c.project, _LATER.c.revision > CONTRACTS.c.revision)
        .exists(),
    )
    if entity is not None:
        query = query.where(CONTRACTS.c.entity == entity)
    return list(connection.execute(query.order_by(CONTRACTS.c.project).limit(limit)).scalars())
