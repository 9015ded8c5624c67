"""The effect journal on SQL (`store.ports.EffectJournal`).

Every transition writes its audit entry in the same transaction, once per effect key and outcome. An
outcome is the new state, followed by the revision from the second on (`rejected (revision 2)`), so that
a corrected payload leaves its own entries. What a transition may follow is decided in `transitions.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.outbound import OutboxNote
from store.ports import EffectIntent, EffectRow, KeyTaken, Reference, StaleReference, StoreError
from store.sql.chain import append, standing
from store.sql.database import Database
from store.sql.outbox import tell
from store.sql.references import pair
from store.sql.tables import EffectRecord, table
from store.sql.transitions import Change, confirmed, doubted, rejected, resent, undone

EFFECTS = table(EffectRecord)

_BY_KEY = select(EFFECTS).where(EFFECTS.c.key == bindparam("of")).with_for_update()
_READ = select(EFFECTS).where(EFFECTS.c.key == bindparam("of"))
_OF_PROCESS = select(EFFECTS).where(EFFECTS.c.process == bindparam("of")).order_by(EFFECTS.c.sequence)
_INSERT = insert(EFFECTS)
_CHANGE = update(EFFECTS).where(EFFECTS.c.key == bindparam("of"))

_REPEATABLE = ("rejected", "ambiguous", "resent")
"""Outcomes that may come round again in one revision, and then have their entry already."""

Row = dict[str, Any]
"""A row of the table: what `EffectRow` shows, and actor, reason and summary for the audit."""


class SqlEffectJournal:
    """Once-only of external writes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def begin(self, intent: EffectIntent) -> EffectRow:
        """Write the intent, or return what stands under its key (see the port)."""
        return await self._db.write(lambda connection: _begin(connection, intent, self._db.now()))

    async def resend(self, key: str) -> EffectRow:
        """Back to `intent`, sent now, fresh.

        From `intent`, `ambiguous` or `rejected`. Raises `StoreError` for what is confirmed or undone:
        another attempt was faster, and to send again would double the effect.
        """
        return await self._change(key, resent, fresh=True)

    async def confirm(
        self,
        key: str,
        *,
        external_id: str,
        number: str = "",
        url: str = "",
        request_id: str = "",
        found: bool = False,
        reference: Reference | None = None,
        tells: Sequence[OutboxNote] = (),
    ) -> EffectRow:
        """`confirmed` as `external_id`. Raises `KeyTaken` when it is confirmed as something else,
        `StoreError` when it was settled as undone meanwhile, or `reference` is paired otherwise."""
        facts = {"external_id": external_id, "number": number, "url": url, "request_id": request_id}

        def work(connection: Connection) -> EffectRow:
            row, now = _standing(connection, key), self._db.now()
            if reference is not None:
                pair(connection, reference.canonical_id, row["system"], reference.object, external_id)
            change = confirmed(row, now, facts, found=found)
            if change is None:
                return _answer(row)
            tell(connection, row["process"], now, tells)
            return _apply(connection, row, change, now)

        return await self._db.write(work)

    async def reject(self, key: str, *, note: str, request_id: str = "") -> EffectRow:
        """`rejected`. Raises `StoreError` when it is confirmed or undone."""
        return await self._change(key, lambda row, now: rejected(row, now, note, request_id))

    async def doubt(self, key: str, *, note: str) -> EffectRow:
        """`ambiguous`; what is confirmed or undone stays so, since the doubt came too late."""
        return await self._change(key, lambda row, now: doubted(row, now, note))

    async def undo(self, key: str, *, by_key: str, note: str = "") -> EffectRow:
        """`undone`. Raises `StoreError` when `by_key` is not confirmed, or missing for a confirmed effect."""
        return await self._db.write(
            lambda connection: _undo(connection, key, by_key, note, self._db.now()),
        )

    async def get(self, key: str) -> EffectRow | None:
        return await self._db.read(lambda connection: _get(connection, key))

    async def list(self, process: str) -> Sequence[EffectRow]:
        """Effects of a process in order of their first intent."""
        return await self._db.read(
            lambda connection: [
                _answer(found._asdict()) for found in connection.execute(_OF_PROCESS, {"of": process})
            ]
        )

    async def _change(
        self, key: str, decide: Callable[[Row, datetime], Change | None], *, fresh: bool = False
    ) -> EffectRow:
        def work(connection: Connection) -> EffectRow:
            row, now = _standing(connection, key), self._db.now()
            change = decide(row, now)
            return _apply(connection, row, change, now, fresh=fresh) if change else _answer(row)

        return await self._db.write(work)


def _begin(connection: Connection, intent: EffectIntent, now: datetime) -> EffectRow:
    found = connection.execute(_BY_KEY, {"of": intent.key}).first()
    if found is None:
        return _first(connection, intent, now)
    row = found._asdict()
    _same_effect(row, intent)
    if row["state"] == "undone" or row["command_hash"] == intent.command_hash:
        return _answer(row)
    if row["state"] == "confirmed":
        raise KeyTaken(
            f"effect {intent.key} is confirmed in {row['system']} as {row['external_id']} with other content;"
            " correct it there or undo it, a confirmed effect is never overwritten"
        )
    if row["state"] == "rejected":
        return _apply(connection, row, _revised(row, intent, now), now, fresh=True)
    note = "an earlier intent under this key has other content and no known outcome: look it up first"
    return _answer({**row, "note": note})


def _first(connection: Connection, intent: EffectIntent, now: datetime) -> EffectRow:
    row: Row = {**_EMPTY, **dict(intent), "state": "intent", "revision": 1, "sent_at": now}
    del row["schema_version"]
    connection.execute(_INSERT, row)
    _record(connection, row, now, before="", detail="")
    return _answer(row, fresh=True)


_EMPTY: Row = {
    "external_id": "",
    "number": "",
    "url": "",
    "request_id": "",
    "settled_at": None,
    "note": "",
    "undone_by": "",
}


def _same_effect(row: Row, intent: EffectIntent) -> None:
    for name in ("process", "system"):
        if row[name] != getattr(intent, name):
            raise KeyTaken(
                f"effect key {intent.key} belongs to {name} {row[name]!r}, not {getattr(intent, name)!r};"
                " two different writes must not share a key"
            )


def _revised(row: Row, intent: EffectIntent, now: datetime) -> Change:
    values = {
        **_EMPTY,
        "state": "intent",
        "revision": row["revision"] + 1,
        "command_hash": intent.command_hash,
        "sent_at": now,
        "actor": intent.actor,
        "reason": intent.reason,
        "summary": intent.summary,
    }
    return Change(values, detail="corrected")


def _undo(connection: Connection, key: str, by_key: str, note: str, now: datetime) -> EffectRow:
    row = _standing(connection, key)
    by = _standing(connection, by_key) if by_key else None
    if by is not None and by["state"] != "confirmed":
        raise StoreError(
            f"effect {key} cannot be undone by {by_key}: that one is {by['state']}, confirm it first"
        )
    change = undone(row, now, by_key, note)
    return _apply(connection, row, change, now) if change else _answer(row)


def _standing(connection: Connection, key: str) -> Row:
    found = connection.execute(_BY_KEY, {"of": key}).first()
    if found is None:
        raise StaleReference(
            f"effect {key} is not in the journal, as after a restored backup; begin it again and look it up"
        )
    return found._asdict()


def _apply(
    connection: Connection, row: Row, change: Change, now: datetime, *, fresh: bool = False
) -> EffectRow:
    changed = {**row, **change.values}
    connection.execute(_CHANGE, {"of": row["key"], **change.values})
    _record(connection, changed, now, before=row["state"], detail=change.detail, outcome=change.outcome)
    return _answer(changed, fresh=fresh)


def _record(
    connection: Connection, row: Row, now: datetime, *, before: str, detail: str, outcome: str = ""
) -> None:
    outcome = outcome or row["state"]
    if row["revision"] > 1:
        outcome = f"{outcome} (revision {row['revision']})"
    if outcome.startswith(_REPEATABLE) and standing(connection, row["process"], row["key"], outcome):
        return
    append(
        connection,
        row["process"],
        now,
        actor=row["actor"],
        what=row["summary"] or f"{row['step']}: {row['noun']} in {row['system']}",
        why=row["reason"],
        system=row["system"],
        object=row["noun"],
        external_id=row["external_id"],
        key=row["key"],
        outcome=outcome,
        before=before,
        after=f"{row['state']}: {detail}" if detail else row["state"],
    )


def _get(connection: Connection, key: str) -> EffectRow | None:
    found = connection.execute(_READ, {"of": key}).first()
    return _answer(found._asdict()) if found else None


def _answer(row: Row, *, fresh: bool = False) -> EffectRow:
    return EffectRow.model_validate({**row, "fresh": fresh})
