"""Entries that intake refused, kept until they come in."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.billable import IntakeProblem
from domain.time_posting import SetAside
from store.ports import AuditNote
from store.sql.billing_rows import batches
from store.sql.billing_tables import IntakeProblemRecord
from store.sql.chain import note
from store.sql.tables import table

PROBLEMS = table(IntakeProblemRecord)

_HEAL = update(PROBLEMS).where(PROBLEMS.c.key == bindparam("of"), PROBLEMS.c.healed_at.is_(None))
_INSERT = insert(PROBLEMS)
_REPLACE = update(PROBLEMS).where(PROBLEMS.c.key == bindparam("of"))


def refuse(connection: Connection, problems: Sequence[IntakeProblem]) -> int:
    """Keep what was refused; one that is open already keeps the time it was found."""
    latest = {problem.key: problem for problem in problems}
    kept = dict(_problems_of(connection, list(latest)))
    inserts, updates, new = [], [], 0
    for key, problem in latest.items():
        row = {"project": problem.project, "owner": problem.owner, "healed_at": None}
        if key not in kept:
            inserts.append({"key": key, "found_at": problem.found_at, **row, "body": _body(problem)})
            new += 1
            continue
        found_at, healed_at, body = kept[key]
        if healed_at is not None and _left_out(body, problem):
            continue
        if healed_at is None:
            problem = problem.model_copy(update={"found_at": found_at})
        elif problem.found_at <= healed_at:
            continue  # a late repeat of what was healed since
        else:
            new += 1
        updates.append({"of": key, "found_at": problem.found_at, **row, "body": _body(problem)})
    if inserts:
        connection.execute(_INSERT, inserts)
    if updates:
        connection.execute(_REPLACE, updates)
    return new


def problems(
    connection: Connection, owner: str | None, project: str | None, limit: int
) -> Sequence[IntakeProblem]:
    """Unhealed, oldest first."""
    query = select(PROBLEMS.c.body).where(PROBLEMS.c.healed_at.is_(None))
    if owner is not None:
        query = query.where(PROBLEMS.c.owner == owner)
    if project is not None:
        query = query.where(PROBLEMS.c.project == project)
    rows = connection.execute(query.order_by(PROBLEMS.c.found_at, PROBLEMS.c.key).limit(limit))
    return [IntakeProblem.model_validate_json(body) for body in rows.scalars()]


def heal(connection: Connection, keys: Sequence[str], now: datetime) -> None:
    """Mark what was wrong with entries that came in."""
    for batch in batches(keys):
        sick = select(PROBLEMS.c.key).where(PROBLEMS.c.key.in_(batch), PROBLEMS.c.healed_at.is_(None))
        rows = [{"of": key, "healed_at": now} for key in connection.execute(sick).scalars()]
        if rows:
            connection.execute(_HEAL, rows)


def set_aside(connection: Connection, wish: SetAside, now: datetime) -> None:
    """Leave out what was open when it was decided; what is refused anew for something else comes again."""
    query = select(PROBLEMS.c.key, PROBLEMS.c.body).where(
        PROBLEMS.c.healed_at.is_(None),
        PROBLEMS.c.owner == wish.owner.value,
        PROBLEMS.c.found_at <= wish.decided_at,
        PROBLEMS.c.key.startswith(f"{wish.source}:", autoescape=True),
    )
    rows = [
        {"of": key, "healed_at": now, "body": _body(_left(body, wish.decision))}
        for key, body in connection.execute(query.with_for_update())
    ]
    if rows:
        connection.execute(_REPLACE, rows)
        said = AuditNote(
            actor=wish.actor,
            what=f"{len(rows)} refused {'entry' if len(rows) == 1 else 'entries'} set aside",
            why=wish.reason,
            key=wish.decision,
            outcome="set aside",
        )
        note(connection, wish.process, now, said)


def _left(body: str, decision: str) -> IntakeProblem:
    return IntakeProblem.model_validate_json(body).model_copy(update={"set_aside": decision})


def _problems_of(
    connection: Connection, keys: Sequence[str]
) -> Iterator[tuple[str, tuple[datetime, datetime | None, str]]]:
    for batch in batches(keys):
        query = select(PROBLEMS.c.key, PROBLEMS.c.found_at, PROBLEMS.c.healed_at, PROBLEMS.c.body)
        query = query.where(PROBLEMS.c.key.in_(batch)).order_by(PROBLEMS.c.key).with_for_update()
        for key, found_at, healed_at, body in connection.execute(query):
            yield key, (found_at, healed_at, body)


def _left_out(body: str, problem: IntakeProblem) -> bool:
    """Whether people have set aside this very problem of this very content."""
    kept = IntakeProblem.model_validate_json(body)
    same = (kept.rule, kept.content_hash) == (problem.rule, problem.content_hash)
    return bool(kept.set_aside) and same


def _body(problem: IntakeProblem) -> str:
    return problem.model_dump_json(exclude={"healed_at"})
