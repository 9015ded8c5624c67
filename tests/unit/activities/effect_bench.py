"""A system that keeps what is written under its key, a store whose time is set by hand, and a runner."""

from datetime import UTC, datetime, timedelta
from typing import Any

from activities.effects import CrashPoints, EffectContext, EffectRunner, no_crash
from connectors.errors import ConnectorError
from domain.commands import Command, MarkDeal, Record
from store.ports import EffectRow
from store.sql.engine import SqlStore

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIMIT = timedelta(seconds=60)
PROCESS = "activation/acme/0065g"
KEY = f"{PROCESS}/crm.active/1"
CONTEXT = EffectContext(process=PROCESS, step="crm.active", reason="event sf:e1")
ACTIVE = MarkDeal(deal_external_id="0065g", status="Active", project_number="DE01-7K3QXW")
OTHER = MarkDeal(deal_external_id="0065g", status="Active", project_number="DE01-OTHER1")


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


class WorkerDied(Exception):
    """Stands for SIGKILL: nothing after it runs, and nobody handles it."""


class KeepingSystem:
    """Keeps records by effect key; fails before or after a write has landed, as told."""

    system = "salesforce"

    def __init__(self) -> None:
        self.landed: list[tuple[str, Command]] = []
        self.looked_up: list[str] = []
        self.before: list[Exception] = []
        """Raised, one per write, before anything lands."""
        self.after: list[Exception] = []
        """Raised, one per write, after it has landed."""
        self.shows: dict[str, str] = {}
        """Fields that this system shows otherwise than they were sent."""

    async def find(self, command: Command, key: str) -> Record | None:
        self.looked_up.append(key)
        made = [(number, sent) for number, (of, sent) in enumerate(self.landed, 1) if of == key]
        return self._record(*made[-1]) if made else None

    async def apply(self, command: Command, key: str) -> Record:
        if self.before:
            raise self.before.pop(0)
        self.landed.append((key, command))
        if self.after:
            raise self.after.pop(0)
        return self._record(len(self.landed), command)

    def times(self, key: str = KEY) -> int:
        """How often a write under `key` has landed."""
        return sum(of == key for of, _ in self.landed)

    def _record(self, number: int, command: Command) -> Record:
        return Record(
            external_id=f"r{number}", fields={**command.matter(), **self.shows}, request_id=f"req-{number}"
        )

    async def check(self) -> list[Any]:
        return []

    async def aclose(self) -> None:
        return None


class Bench:
    """One system, one store, one clock; `runner()` is a worker that starts."""

    def __init__(self, store: SqlStore, clock: HandClock) -> None:
        self.store, self.clock, self.port = store, clock, KeepingSystem()

    def runner(self, crash_point: CrashPoints = no_crash, *, find_before_create: bool = True) -> EffectRunner:
        return EffectRunner(
            self.port,
            self.store,
            commit_limit=LIMIT,
            crash_point=crash_point,
            find_before_create=find_before_create,
            clock=self.clock,
        )

    async def row(self, key: str = KEY) -> EffectRow:
        row = await self.store.effects.get(key)
        assert row is not None, f"{key} is not in the journal"
        return row

    async def outcomes(self, key: str = KEY) -> list[str]:
        """Outcomes of `key` in the audit, in order."""
        return [entry.outcome for entry in await self.store.audit.list(PROCESS) if entry.key == key]


def dying_at(fatal: str) -> CrashPoints:
    """Crash points of a worker that dies at `fatal`."""

    def crash(point: str, key: str) -> None:
        if point == fatal:
            raise WorkerDied(f"{point} of {key}")

    return crash


def cancelled(external_id: str) -> Command:
    """The reverse of `ACTIVE`."""
    return MarkDeal(deal_external_id="0065g", status="Cancelled")


def refusal(error: ConnectorError) -> tuple[str, str, float | None]:
    """What tells one refusal from another."""
    return error.kind, error.rule, error.retry_after
