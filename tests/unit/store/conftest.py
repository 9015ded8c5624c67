"""Fixtures for the store's tests: a clock that is set by hand, and intents."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.ports import EffectIntent
from store.sql.engine import SqlStore

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROCESS = "activation/acme/0065g"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def timed_store(
    store_factory: Callable[..., SqlStore], store_path: Path, clock: HandClock
) -> AsyncIterator[SqlStore]:
    """A fresh store at `store_path` whose time is `clock`."""
    store = store_factory(store_path, clock=clock)
    yield store
    await store.aclose()


@pytest.fixture
def make_intent() -> Callable[..., EffectIntent]:
    """An intent to create a project, with any field replaced."""

    def make(step: str = "psa.project", generation: int = 1, **changes: str) -> EffectIntent:
        process = changes.get("process", PROCESS)
        facts = {
            "key": f"{process}/{step}/{generation}",
            "process": process,
            "step": step,
            "system": "kantata",
            "noun": "workspace",
            "command_hash": "hash-a",
            "actor": "fairlead",
            "reason": "event salesforce:e1",
            "summary": "create project DE01-7K3QXW",
        }
        return EffectIntent.model_validate(facts | changes)

    return make
