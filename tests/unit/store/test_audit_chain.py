"""The audit chain: appending once, and naming the first thing that was tampered with."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.ports import AuditEntry
from store.sql.chain import entry_hash
from store.sql.engine import SqlStore

CASES = 420
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

    def __init__(self, database: sqlite3.Connection, process: str, length: int, dice: random.Random) -> None:
        self.database, self.process, self.length, self.dice = database, process, length, dice

    def run(self, statement: str, *values: Any) -> None:
        assert self.database.execute(statement, values).rowcount >= 1

    def set(self, number: int, column: str, value: Any) -> None:
        self.run(
            f"UPDATE audit_entries SET {column} = ? WHERE process = ? AND number = ?",  # noqa: S608
            *(value, self.process, number),
        )

    def entry(self, number: int) -> AuditEntry:
        self.database.row_factory = sqlite3.Row
        query = "SELECT * FROM audit_entries WHERE process = ? AND number = ?"
        row = dict(self.database.execute(query, (self.process, number)).fetchone())
        return AuditEntry.model_validate(row | {"at": row["at"].replace(" ", "T") + "+00:00"})

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
        column, value = self.dice.choice(
            [
                ("at", "2020-01-01 00:00:00.000000"),
                ("at", "never"),
                ("schema_version", 2),
                ("schema_version", "x"),
                ("hash", "0" * 64),
                ("previous_hash", "0" * 64),
            ]
        )
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
        self.run("DELETE FROM audit_entries WHERE process = ? AND number = ?", self.process, number)
        return number

    def remove_and_close_the_gap(self) -> int:
        number = self.remove()
        for later in range(number + 1, self.length + 1):
            self.set(later, "number", later - 1)
        self.run("UPDATE audit_heads SET number = number - 1 WHERE process = ?", self.process)
        return number

    def swap(self) -> int:
        one, other = sorted(self.dice.sample(range(1, self.length + 1), 2))
        for number, to in ((one, 0), (other, one), (0, other)):
            self.set(number, "number", to)
        return one

    def truncate(self) -> int:
        last = self.dice.randint(0, self.length - 1)
        self.run("DELETE FROM audit_entries WHERE process = ? AND number > ?", self.process, last)
        return last + 1

    def append(self) -> int:
        last = self.entry(self.length)
        forged = last.model_copy(
            update={"number": self.length + 1, "previous_hash": last.hash, "key": "forged"}
        )
        forged = forged.model_copy(update={"hash": entry_hash(forged)})
        row = forged.model_dump() | {"at": forged.at.replace(tzinfo=None).isoformat(" ", "microseconds")}
        marks = ", ".join("?" * len(row))
        names = ", ".join(row)
        self.run(f"INSERT INTO audit_entries ({names}) VALUES ({marks})", *row.values())  # noqa: S608
        return self.length + 1

    def remove_head(self) -> int:
        self.run("DELETE FROM audit_heads WHERE process = ?", self.process)
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


async def test_every_tampering_is_found_at_its_position(timed_store: SqlStore, store_path: Path, clock: Any):
    dice = loaded_dice(20260302)
    expected: dict[str, int] = {}
    lengths = {f"p{case:03}": dice.randint(2, 7) for case in range(CASES)}
    for process, length in lengths.items():
        clock.forward(seconds=dice.random())
        await fill(timed_store, process, length, dice)
    await fill(timed_store, "untouched", 5, dice)
    assert await timed_store.audit.verify() == (sum(lengths.values()) + 5, [])

    database = sqlite3.connect(store_path)
    for case, (process, length) in enumerate(lengths.items()):
        kind = KINDS[case % len(KINDS)]
        expected[process] = kind(Tampering(database, process, length, dice))
    database.commit()
    database.close()

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
    timed_store: SqlStore, store_path: Path, column: str, value: str
):
    await fill(timed_store, "p", 3, loaded_dice(1))
    original = (await timed_store.audit.list("p"))[1].model_dump()[column]
    for text, faulty in ((value, [2]), (original, [])):
        database = sqlite3.connect(store_path)
        Tampering(database, "p", 3, loaded_dice(1)).set(2, column, text)
        database.commit()
        database.close()
        checked, faults = await timed_store.audit.verify("p")
        assert (checked, [fault.number for fault in faults]) == (3, faulty)
