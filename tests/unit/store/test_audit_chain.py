"""The audit chain: appending once, and naming the first thing that was tampered with."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from store.ports import AuditEntry
from store.sql.chain import ENTRIES, entry_hash
from store.sql.engine import SqlStore

CASES = {"sqlite": 420, "postgresql": 80}
"""More where they are cheap: what finds them is the same code."""
TEXTS = ("actor", "what", "why", "system", "object", "external_id", "key", "outcome", "before", "after")


async def test_repeat_returns_the_first_entry(timed_store: SqlStore, clock: Any):
    async def add(**changes: str) -> AuditEntry:
        facts = {"actor": "kim", "what": "approved staffing", "key": "k", "outcome": "done"} | changes
        return await timed_store.audit.add("p", **facts)

    first = await add(why="decision d1", before="red", after="green", object="gate staffing")
    clock.forward(minutes=1)
    assert await add(what="something else") == first
    assert (await add(outcome="again")).number == 2
    assert (await add(key="")).number == 3
    assert (await add(key="")).number == 4
    assert (await timed_store.audit.add("q", actor="kim", what="x", key="k", outcome="done")).number == 1

    chain = await timed_store.audit.list("p")
    assert chain[0] == first
    assert first.previous_hash == ""
    assert [entry.previous_hash for entry in chain[1:]] == [entry.hash for entry in chain[:-1]]
    assert await timed_store.audit.verify("p") == (4, [])
    assert await timed_store.audit.verify() == (5, [])
    assert await timed_store.audit.verify("unknown") == (0, [])


class Tampering:
    """One way to tamper with the chain of a process, with the position where it must be found."""

    def __init__(self, database: Connection, process: str, length: int, dice: random.Random) -> None:
        self.database, self.process, self.length, self.dice = database, process, length, dice

    def run(self, statement: str, **values: Any) -> None:
        done = self.database.execute(text(statement), {"process": self.process, **values})
        assert done.rowcount >= 1

    def set(self, number: int, column: str, value: Any) -> None:
        self.run(
            f"UPDATE audit_entries SET {column} = :value"  # noqa: S608
            " WHERE process = :process AND number = :number",
            value=value,
            number=number,
        )

    def entry(self, number: int) -> AuditEntry:
        query = ENTRIES.select().where(ENTRIES.c.process == self.process, ENTRIES.c.number == number)
        return AuditEntry.model_validate(self.database.execute(query).one()._asdict())

    def any(self) -> int:
        return self.dice.randint(1, self.length)

    def inner(self) -> int:
        return self.dice.randint(1, self.length - 1)

    def edit(self) -> int:
        number = self.any()
        self.set(number, self.dice.choice(TEXTS), f"forged {self.dice.random()}")
        return number

    def edit_number_like(self) -> int:
        number = self.any()
        edits: list[tuple[str, Any]] = [
            ("at", "2020-01-01 00:00:00.000000"),
            ("schema_version", 2),
            ("hash", "0" * 64),
            ("previous_hash", "0" * 64),
        ]
        if self.database.dialect.name == "sqlite":  # PostgreSQL does not even take these
            edits += [("at", "never"), ("schema_version", "x")]
        column, value = self.dice.choice(edits)
        self.set(number, column, value)
        return number

    def edit_with_new_hash(self) -> int:
        number = self.any()
        forged = self.entry(number).model_copy(update={"what": "forged", "actor": "nobody"})
        for column, value in (("what", "forged"), ("actor", "nobody"), ("hash", entry_hash(forged))):
            self.set(number, column, value)
        return number

    def relink_with_new_hash(self) -> int:
        number = self.any()
        forged = self.entry(number).model_copy(update={"previous_hash": "f" * 64})
        self.set(number, "previous_hash", "f" * 64)
        self.set(number, "hash", entry_hash(forged))
        return number

    def remove(self) -> int:
        number = self.inner()
        self.run("DELETE FROM audit_entries WHERE process = :process AND number = :number", number=number)
        return number

    def remove_and_close_the_gap(self) -> int:
        number = self.remove()
        for later in range(number + 1, self.length + 1):
            self.set(later, "number", later - 1)
        self.run("UPDATE audit_heads SET number = number - 1 WHERE process = :process")
        return number

    def swap(self) -> int:
        one, other = sorted(self.dice.sample(range(1, self.length + 1), 2))
        for number, to in ((one, 0), (other, one), (0, other)):
            self.set(number, "number", to)
        return one

    def truncate(self) -> int:
        last = self.dice.randint(0, self.length - 1)
        self.run("DELETE FROM audit_entries WHERE process = :process AND number > :last", last=last)
        return last + 1

    def append(self) -> int:
        last = self.entry(self.length)
        forged = last.model_copy(
            update={"number": self.length + 1, "previous_hash": last.hash, "key": "forged"}
        )
        forged = forged.model_copy(update={"hash": entry_hash(forged)})
        self.database.execute(insert(ENTRIES), dict(forged))
        return self.length + 1

    def remove_head(self) -> int:
        self.run("DELETE FROM audit_heads WHERE process = :process")
        return self.length


KINDS: list[Callable[[Tampering], int]] = [
    Tampering.edit,
    Tampering.edit_number_like,
    Tampering.edit_with_new_hash,
    Tampering.relink_with_new_hash,
    Tampering.remove,
    Tampering.remove_and_close_the_gap,
    Tampering.swap,
    Tampering.truncate,
    Tampering.append,
    Tampering.remove_head,
]


def loaded_dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  repeatable on purpose


async def fill(store: SqlStore, process: str, length: int, dice: random.Random) -> None:
    for number in range(length):
        key = f"{process}/{number}" if dice.random() < 0.7 else ""
        what = f"step {dice.random()} für Zoë"
        await store.audit.add(process, actor="fairlead", what=what, key=key, outcome="done")


async def test_every_tampering_is_found_at_its_position(
    timed_store: SqlStore, store_kind: str, raw: Any, clock: Any
):
    dice = loaded_dice(20260302)
    expected: dict[str, int] = {}
    lengths = {f"p{case:03}": dice.randint(2, 7) for case in range(CASES[store_kind])}
    for process, length in lengths.items():
        clock.forward(seconds=dice.random())
        await fill(timed_store, process, length, dice)
    await fill(timed_store, "untouched", 5, dice)
    assert await timed_store.audit.verify() == (sum(lengths.values()) + 5, [])

    with raw() as database:
        for case, (process, length) in enumerate(lengths.items()):
            kind = KINDS[case % len(KINDS)]
            expected[process] = kind(Tampering(database, process, length, dice))

    _, faults = await timed_store.audit.verify()
    assert {fault.process: fault.number for fault in faults} == expected
    assert all(fault.problem for fault in faults)
    for process in list(expected)[: len(KINDS)]:
        _, alone = await timed_store.audit.verify(process)
        assert [fault.number for fault in alone] == [expected[process]]


@pytest.mark.parametrize(
    ("column", "value"), [("what", "forged"), ("actor", "nobody"), ("after", "paid")], ids=str
)
async def test_verify_recovers_when_the_edit_is_taken_back(
    timed_store: SqlStore, raw: Any, column: str, value: str
):
    await fill(timed_store, "p", 3, loaded_dice(1))
    original = (await timed_store.audit.list("p"))[1].model_dump()[column]
    for words, faulty in ((value, [2]), (original, [])):
        with raw() as database:
            Tampering(database, "p", 3, loaded_dice(1)).set(2, column, words)
        checked, faults = await timed_store.audit.verify("p")
        assert (checked, [fault.number for fault in faults]) == (3, faulty)
