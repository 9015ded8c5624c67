"""Workers as histories of transactions, each with the moment it was entered and the day it takes effect.

What a worker is depends on both: as of an entry moment (what was known) and an effective day (what holds).
So a termination entered today for the end of next month shows in a view of that day only, and a page read
later as of the same entry moment shows the same.

    state_of(store, worker, entered=clock.now(), effective=date(2026, 11, 23))   # {...}, or None before hire
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Index, Record, RecordStore

WORKERS, EVENTS = "workers", "workerEvents"
HIRE, CONTRACT, CHANGE, TERMINATION = "Hire", "Contract Contingent Worker", "Change Job", "Terminate"


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time that transactions are looked for in, by entry or by effect; epoch seconds."""

    by: str
    first: float
    through: float

    def holds(self, event: Record) -> bool:
        """Whether a transaction, or its being rescinded, falls into the span."""
        if self.by == "Effective":
            return self.first <= effective_moment(event) <= self.through
        stamps = (event.created, float(event.get("rescinded") or 0))
        return any(self.first <= stamp <= self.through for stamp in stamps)


def define(store: RecordStore) -> None:
    """The indexes of workers and their transactions."""
    store.define(WORKERS, Index("number"))
    store.define(EVENTS, Index("worker"))


def enter(
    store: RecordStore,
    worker: str,
    kind: str,
    effective: date,
    changes: Mapping[str, Any],
    at: float | None = None,
) -> Record:
    """Enter a transaction, now or at an earlier moment."""
    data = {"worker": worker, "type": kind, "effective": effective.isoformat(), "changes": dict(changes)}
    return store.create(EVENTS, {**data, "rescinded": None}, at=at, natural_key=kind)


def rescind(store: RecordStore, event: Record) -> None:
    """Take a transaction back: from now on it never was."""
    store.update(EVENTS, event.id, {"rescinded": clock.now()}, action="rescind")


def events_of(store: RecordStore, worker: str, entered: float) -> list[Record]:
    """Transactions of a worker known by `entered`, in order of effect; rescinded ones left out."""
    known = [
        event
        for event in store.find(EVENTS, "worker", worker)
        if event.created <= entered and not _gone(event, entered)
    ]
    return sorted(known, key=lambda event: (event["effective"], event.created))


def state_of(store: RecordStore, worker: str, entered: float, effective: date) -> dict[str, Any] | None:
    """What a worker is in this view; None for who is not (yet) hired in it."""
    state: dict[str, Any] = {}
    for event in events_of(store, worker, entered):
        if event["effective"] <= effective.isoformat():
            state |= event["changes"]
    return state or None


def state_now(store: RecordStore, worker: str) -> dict[str, Any] | None:
    """What a worker is today."""
    return state_of(store, worker, clock.now(), today())


def touched(store: RecordStore, worker: str, entered: float, span: Span) -> list[Record]:
    """Transactions of a worker in a span, rescinded ones too."""
    events = store.find(EVENTS, "worker", worker)
    return [event for event in events if event.created <= entered and span.holds(event)]


def find(store: RecordStore, id: str) -> Record | None:
    """A worker by Workday id, or by employee or contingent worker number."""
    found = store.get(WORKERS, id)
    if found is None:
        found = next(iter(store.find(WORKERS, "number", id)), None)
    return found


def employed_on(store: RecordStore, worker: str, day: date) -> bool:
    """Whether a worker is employed on a day, as known now."""
    state = state_of(store, worker, clock.now(), day)
    return state is not None and (not state.get("terminated") or day.isoformat() <= state["termination_date"])


def effective_moment(event: Record) -> float:
    """Midnight of the effective day, epoch seconds."""
    return datetime.combine(date.fromisoformat(event["effective"]), time(), UTC).timestamp()


def today() -> date:
    """The day it is in the tenant."""
    return clock.utc(clock.now()).date()


def _gone(event: Record, entered: float) -> bool:
    return event["rescinded"] is not None and event["rescinded"] <= entered
