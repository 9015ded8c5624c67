"""What may become of an effect: `intent -> confirmed | rejected | ambiguous -> undone`. Pure.

Each function takes the row as it stands and returns the change, `None` when nothing is to change (a
repeat), or raises when the two contradict each other. Late answers of an attempt that was believed dead
are real, so the rule is: a fact seen in the system (`confirmed`) outranks a refusal and a doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.ports import KeyTaken, StoreError


@dataclass(frozen=True)
class Change:
    """New values of columns, and how the audit entry names them (`outcome`: the new state if empty)."""

    values: Mapping[str, Any]
    detail: str = ""
    outcome: str = ""


def resent(row: Mapping[str, Any], now: datetime) -> Change:
    """Look-up found nothing: open again, sent now."""
    if row["state"] in ("confirmed", "undone"):
        raise _refusal(row, "sent again")
    values = {"state": "intent", "sent_at": now, "settled_at": None, "note": ""}
    return Change(values, detail="sent again", outcome="resent")


def confirmed(
    row: Mapping[str, Any], now: datetime, facts: Mapping[str, str], *, found: bool
) -> Change | None:
    """The system has it, as `facts` say."""
    external_id = facts["external_id"]
    if not external_id:
        raise StoreError(f"effect {row['key']} cannot be confirmed without the id it has in {row['system']}")
    if row["state"] in ("confirmed", "undone") and row["external_id"] == external_id:
        return None
    if row["state"] == "confirmed":
        raise KeyTaken(
            f"effect {row['key']} is confirmed in {row['system']} as {row['external_id']}, not {external_id};"
            " one of the two is a double: undo it there"
        )
    if row["state"] == "undone":
        raise _refusal(row, f"confirmed as {external_id}")
    note = "found by look-up" if found else ""
    detail = f"{facts['number'] or external_id}{', ' + note if note else ''}"
    return Change({**facts, "state": "confirmed", "settled_at": now, "note": note}, detail=detail)


def rejected(row: Mapping[str, Any], now: datetime, note: str, request_id: str) -> Change | None:
    """The system refused for good."""
    if row["state"] in ("confirmed", "undone"):
        raise _refusal(row, "rejected")
    if row["state"] == "rejected":
        return None
    values = {"state": "rejected", "settled_at": now, "note": note, "request_id": request_id}
    return Change(values, detail=note)


def doubted(row: Mapping[str, Any], now: datetime, note: str) -> Change | None:
    """The answer was lost: whether it was written is not known."""
    if row["state"] in ("confirmed", "undone", "ambiguous"):
        return None
    return Change({"state": "ambiguous", "settled_at": None, "note": note}, detail=note)


def undone(row: Mapping[str, Any], now: datetime, by_key: str, note: str) -> Change | None:
    """Reversed by the effect `by_key`, or, when that is "", found never to have happened."""
    if row["state"] == "undone":
        if row["undone_by"] == by_key:
            return None
        raise _refusal(row, f"undone by {by_key or 'nothing'}")
    if row["state"] == "confirmed" and not by_key:
        raise StoreError(
            f"effect {row['key']} happened in {row['system']} as {row['external_id']};"
            " name the confirmed effect that reverses it"
        )
    detail = f"by {by_key}" if by_key else "it never happened"
    values = {"state": "undone", "settled_at": now, "note": note, "undone_by": by_key}
    return Change(values, detail=f"{detail}; {note}" if note else detail)


def _refusal(row: Mapping[str, Any], wish: str) -> StoreError:
    by = f" by {row['undone_by'] or 'look-up'}" if row["state"] == "undone" else f" as {row['external_id']}"
    return StoreError(
        f"effect {row['key']} cannot be {wish}: it is {row['state']}{by} in {row['system']};"
        " read the journal again before acting"
    )
