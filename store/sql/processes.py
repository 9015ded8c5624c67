"""Process rows on SQL (`store.ports.ProcessStore`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.outbound import OutboxNote
from store.ports import AuditNote, ProcessRow, ProcessState, StaleReference, StoreError
from store.sql.chain import note
from store.sql.database import Database
from store.sql.outbox import tell
from store.sql.tables import ProcessRecord, ProcessRun, table

PROCESSES = table(ProcessRecord)
RUNS = table(ProcessRun)

FACTS = frozenset({"stage", "customer", "entity", "project", "owner", "title"})
"""What `update` and `close` may set."""

_BY_KEY = select(PROCESSES).where(PROCESSES.c.key == bindparam("of")).with_for_update()
_READ = select(PROCESSES).where(PROCESSES.c.key == bindparam("of"))
_CHANGE = update(PROCESSES).where(PROCESSES.c.key == bindparam("of"))
_INSERT = insert(PROCESSES)
_RUN = select(RUNS.c.generation).where(RUNS.c.key == bindparam("of"), RUNS.c.run_id == bindparam("run"))
_INSERT_RUN = insert(RUNS)

Row = dict[str, Any]


class SqlProcessStore:
    """Once-only of processes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def open(
        self,
        key: str,
        kind: str,
        run_id: str,
        title: str = "",
        *,
        requested_by: str = "",
        policy_hash: str = "",
        policy_json: str = "",
    ) -> ProcessRow:
        """The row of `key`, created or reopened (see the port).

        A late repeat by a run that opened it before, and has been followed by another, changes nothing.
        Raises `StoreError` when the key belongs to another kind of process.
        """
        policies = {"policy_hash": policy_hash, "policy_json": policy_json} if policy_hash else {}

        def work(connection: Connection) -> ProcessRow:
            now = self._db.now()
            row = _open(connection, key, kind, run_id, title, now, policies)
            if row.state == "running":
                note(connection, key, now, _started(row, run_id, requested_by))
            return row

        return await self._db.write(work)

    async def update(self, key: str, *, audit: AuditNote | None = None, **facts: str) -> None:
        """Set facts by name. Raises `StoreError` for an unknown name, `StaleReference` for an unknown key."""
        _check_names(key, facts)

        def work(connection: Connection) -> None:
            now = self._db.now()
            if facts:
                _update(connection, key, facts, now)
            if audit is not None:
                note(connection, key, now, audit)

        await self._db.write(work)

    async def close(
        self,
        key: str,
        generation: int,
        state: ProcessState,
        result_json: str = "",
        *,
        summary: str = "",
        tells: Sequence[OutboxNote] = (),
        **facts: str,
    ) -> None:
        """Set the end state; a repeat changes nothing.

        Raises `StoreError` when the generation is not the row's, or it already ended otherwise.
        """
        if state == "running":
            raise StoreError(f"process {key} cannot be closed as running; name done, cancelled or failed")
        _check_names(key, facts)

        def work(connection: Connection) -> None:
            now = self._db.now()
            _close(connection, key, generation, state, result_json, facts, now)
            note(connection, key, now, _ended(key, generation, state, summary))
            tell(connection, key, now, tells)

        await self._db.write(work)

    async def get(self, key: str) -> ProcessRow | None:
        def work(connection: Connection) -> ProcessRow | None:
            found = connection.execute(_READ, {"of": key}).first()
            return _answer(found._asdict()) if found else None

        return await self._db.read(work)

    async def list(
        self, kind: str | None = None, state: ProcessState | None = None, limit: int = 200
    ) -> Sequence[ProcessRow]:
        """Processes, last changed first."""
        query = select(PROCESSES).order_by(PROCESSES.c.updated_at.desc(), PROCESSES.c.key).limit(limit)
        if kind is not None:
            query = query.where(PROCESSES.c.kind == kind)
        if state is not None:
            query = query.where(PROCESSES.c.state == state)
        return await self._db.read(
            lambda connection: [_answer(found._asdict()) for found in connection.execute(query)]
        )


def _check_names(key: str, facts: dict[str, str]) -> None:
    unknown = sorted(set(facts) - FACTS)
    if unknown:
        raise StoreError(
            f"process {key} has no fact {', '.join(unknown)}; those it has are {', '.join(sorted(FACTS))}"
        )


def _started(row: ProcessRow, run_id: str, requested_by: str) -> AuditNote:
    return AuditNote(
        actor=requested_by or "fairlead",
        what=f"{row.kind} started, generation {row.generation}",
        why=requested_by,
        key=f"{row.key}/open/{row.generation}/{run_id}",
        outcome="started",
    )


def _ended(key: str, generation: int, state: str, summary: str) -> AuditNote:
    return AuditNote(what=summary or f"ended {state}", key=f"{key}/close/{generation}", outcome=state)


def _open(
    connection: Connection,
    key: str,
    kind: str,
    run_id: str,
    title: str,
    now: datetime,
    policies: dict[str, str],
) -> ProcessRow:
    found = connection.execute(_BY_KEY, {"of": key}).first()
    if found is None:
        return _create(connection, key, kind, run_id, title, now, policies)
    row = found._asdict()
    if row["kind"] != kind:
        raise StoreError(f"process {key} is of kind {row['kind']!r}, not {kind!r}; give it a key of its own")
    known_run = connection.execute(_RUN, {"of": key, "run": run_id}).first() is not None
    change = _reopening(row, run_id, known_run, now)
    if not change:
        return _answer(row)
    change.update(policies)
    if title:
        change["title"] = title
    connection.execute(_CHANGE, {"of": key, **change})
    row.update(change)
    if not known_run:
        _keep_run(connection, row, now)
    return _answer(row)


def _create(
    connection: Connection,
    key: str,
    kind: str,
    run_id: str,
    title: str,
    now: datetime,
    policies: dict[str, str],
) -> ProcessRow:
    row = ProcessRow(key=key, kind=kind, run_id=run_id, title=title, started_at=now, updated_at=now)
    row = row.with_changes(**policies)
    values = row.model_dump(exclude={"schema_version"})
    connection.execute(_INSERT, values)
    _keep_run(connection, values, now)
    return row


def _reopening(row: Row, run_id: str, known_run: bool, now: datetime) -> Row:
    """What opening `row` by a run changes; empty when nothing does."""
    opened = {"state": "running", "run_id": run_id, "updated_at": now, "ended_at": None, "result_json": ""}
    if row["state"] == "failed":
        return opened
    if known_run:
        return {}
    if row["state"] == "running":
        return {"run_id": run_id, "updated_at": now}
    if row["state"] == "cancelled":
        return {**opened, "generation": row["generation"] + 1, "started_at": now, "stage": ""}
    return {}


def _keep_run(connection: Connection, row: Row, now: datetime) -> None:
    run = {"key": row["key"], "run_id": row["run_id"], "generation": row["generation"], "opened_at": now}
    connection.execute(_INSERT_RUN, run)


def _update(connection: Connection, key: str, facts: dict[str, str], now: datetime) -> None:
    changed = connection.execute(_CHANGE, {"of": key, "updated_at": now, **facts}).rowcount
    if not changed:
        raise _missing(key)


def _close(
    connection: Connection,
    key: str,
    generation: int,
    state: str,
    result_json: str,
    facts: dict[str, str],
    now: datetime,
) -> None:
    found = connection.execute(_BY_KEY, {"of": key}).first()
    if found is None:
        raise _missing(key)
    if found.generation != generation:
        raise StoreError(
            f"process {key} is at generation {found.generation}, so generation {generation} cannot close it;"
            " it was reopened since, leave it to the newer run"
        )
    if found.state == state and found.result_json == result_json:
        return
    if found.state not in ("running", state):
        raise StoreError(
            f"process {key} already ended {found.state}, it cannot end {state}; open it again first"
        )
    change = {
        "state": state,
        "result_json": result_json,
        "updated_at": now,
        "ended_at": found.ended_at or now,
        **facts,
    }
    connection.execute(_CHANGE, {"of": key, **change})


def _missing(key: str) -> StaleReference:
    return StaleReference(f"process {key} is not in the store, as after a restored backup; open it again")


def _answer(row: Row) -> ProcessRow:
    return ProcessRow.model_validate(row)
