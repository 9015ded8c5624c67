"""Finding the first edit, removal, swap or truncation in an audit chain. Pure: rows in, fault out.

The successor of an entry (for the last one: the kept head) is the witness of its hash. That tells an
entry that was rewritten together with its hash from a neighbour that was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from store.ports import AuditEntry, AuditFault
from store.sql.chain import HASHED_FIELDS, entry_hash


@dataclass(frozen=True)
class Head:
    """Number and hash of the last entry, kept apart from the chain."""

    number: int
    hash: str


def first_fault(process: str, entries: Sequence[AuditEntry], head: Head | None) -> AuditFault | None:
    """The first fault of one chain, its `entries` ordered by number; `None` when it is whole."""
    for index, entry in enumerate(entries):
        position = index + 1
        if entry.number != position:
            return AuditFault(process=process, number=position, problem="the entry was removed")
        if not _holds(entry):
            problem = "the entry was edited, or swapped with another"
            return AuditFault(process=process, number=position, problem=problem)
        if entry.previous_hash != (entries[index - 1].hash if index else ""):
            return _broken_link(process, entries, index, head)
    return _end_fault(process, entries, head)


def _holds(entry: AuditEntry) -> bool:
    return entry.schema_version in HASHED_FIELDS and entry_hash(entry) == entry.hash


def _broken_link(process: str, entries: Sequence[AuditEntry], index: int, head: Head | None) -> AuditFault:
    witnessed = _witness(entries, index, head) == entries[index].hash
    rewritten = index if witnessed and index else index + 1
    return AuditFault(process=process, number=rewritten, problem="the entry was rewritten with a new hash")


def _witness(entries: Sequence[AuditEntry], index: int, head: Head | None) -> str:
    """What the rest of the chain says the hash of the entry is; "" when it cannot say."""
    if index + 1 < len(entries):
        return entries[index + 1].previous_hash
    return head.hash if head and head.number == index + 1 else ""


def _end_fault(process: str, entries: Sequence[AuditEntry], head: Head | None) -> AuditFault | None:
    last = len(entries)
    if head is None:
        return AuditFault(process=process, number=last, problem="the kept head of the chain was removed")
    if head.number > last:
        problem = f"the chain was cut off: it ends at {last}, but {head.number} entries were written"
        return AuditFault(process=process, number=last + 1, problem=problem)
    if head.number < last:
        problem = f"the entry was added from outside: only {head.number} entries were written"
        return AuditFault(process=process, number=head.number + 1, problem=problem)
    if entries[-1].hash != head.hash:
        return AuditFault(process=process, number=last, problem="the entry was rewritten with a new hash")
    return None
