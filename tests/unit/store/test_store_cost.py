"""What the store costs: it is on the path of every external write."""

import time
from collections.abc import Callable

from store.ports import EffectIntent
from store.sql.engine import SqlStore

BATCH = 50


async def test_begin_and_confirm_cost_little_processor_time(
    store: SqlStore, make_intent: Callable[..., EffectIntent]
):
    """About 1.1 ms in all threads when measured; twice that is a regression, not noise."""
    costs = []
    for batch in range(6):
        began = time.process_time()
        for number in range(BATCH):
            intent = make_intent(f"step{number}", process=f"activation/acme/{batch}")
            await store.effects.begin(intent)
            await store.effects.confirm(intent.key, external_id=f"{batch}-{number}", number="DE01")
        costs.append((time.process_time() - began) / BATCH)
    assert min(costs) < 0.0025


async def test_a_fresh_store_opens_fast(store_factory: Callable[..., SqlStore]):
    took = []
    for _ in range(5):
        began = time.perf_counter()
        store = store_factory()
        await store.ready()
        took.append(time.perf_counter() - began)
        await store.aclose()
    assert min(took) < 0.06
