"""Fixtures of the activities' tests."""

from collections.abc import AsyncIterator, Callable

import pytest

from store.sql.engine import SqlStore
from tests.unit.activities.effect_bench import Bench, HandClock


@pytest.fixture
async def bench(store_factory: Callable[..., SqlStore]) -> AsyncIterator[Bench]:
    clock = HandClock()
    store = store_factory(clock=clock)
    yield Bench(store, clock)
    await store.aclose()
