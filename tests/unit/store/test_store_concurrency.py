"""Several stores on one database, in one process and in two: each race has exactly one winner."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.attention import Decision
from store.ports import EffectIntent, InboxRow, StoreError
from store.sql.engine import SqlStore, open_store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[3]
RACERS = 200
Pair = tuple[SqlStore, SqlStore]


@pytest.fixture
async def pair(store_factory: Callable[..., SqlStore], store_path: Path) -> AsyncIterator[Pair]:
    """Two stores on one database."""
    stores = (store_factory(store_path), store_factory(store_path))
    yield stores
    for store in stores:
        await store.aclose()


async def test_one_begin_is_fresh(pair: Pair, make_intent: Callable[[], EffectIntent]):
    intent = make_intent()
    rows = await asyncio.gather(*(pair[n % 2].effects.begin(intent) for n in range(RACERS)))
    assert [row.fresh for row in rows].count(True) == 1
    assert len(await pair[0].effects.list(intent.process)) == 1
    assert len(await pair[1].audit.list(intent.process)) == 1


async def test_one_external_id_is_confirmed(pair: Pair, make_intent: Callable[[], EffectIntent]):
    intent = make_intent()
    await pair[0].effects.begin(intent)
    answers = await asyncio.gather(
        *(pair[n % 2].effects.confirm(intent.key, external_id=str(n % 4)) for n in range(40)),
        return_exceptions=True,
    )
    kept = await pair[0].effects.get(intent.key)
    assert kept is not None
    confirmed = [row.external_id for row in answers if not isinstance(row, BaseException)]
    assert confirmed == [kept.external_id] * 10
    assert all(isinstance(row, StoreError) for row in answers if isinstance(row, BaseException))
    assert len(await pair[0].audit.list(intent.process)) == 2


async def test_one_process_claims_a_decision(pair: Pair):
    process = "activation/acme/0065g"
    decision = Decision(id="d", actor="kim", role="approver", action="retry", process=process, at=NOON)
    await asyncio.gather(*(pair[n % 2].decisions.add(decision) for n in range(20)))
    claims = await asyncio.gather(
        *(pair[n % 2].decisions.claim("d", process if n % 2 else f"other-{n}") for n in range(60)),
        return_exceptions=True,
    )
    assert [claim for claim in claims if not isinstance(claim, BaseException)] == [decision] * 30


async def test_an_event_is_kept_once(pair: Pair):
    row = InboxRow(
        id="salesforce:e1",
        source="salesforce",
        event_id="e1",
        type="deal.signed",
        subject="0065g",
        version=NOON,
        body={},
        received_at=NOON,
    )
    kept = await asyncio.gather(*(pair[n % 2].inbox.put(row) for n in range(RACERS)))
    assert kept.count(True) == 1


async def test_a_process_is_opened_and_reopened_once(pair: Pair):
    async def race(round: int) -> set[int]:
        opened = await asyncio.gather(
            *(pair[n % 2].processes.open("k", "activation", f"run-{round}") for n in range(50))
        )
        return {row.generation for row in opened}

    for round in (1, 2, 3):
        assert await race(round) == {round}
        await pair[0].processes.close("k", round, "cancelled")


async def test_chains_stay_whole_under_concurrent_writers(pair: Pair):
    await asyncio.gather(
        *(
            pair[n % 2].audit.add(f"p{n % 3}", actor="a", what=f"w{n}", key=f"k{n // 2}", outcome=str(n % 3))
            for n in range(240)
        )
    )
    assert await pair[0].audit.verify() == (240, [])


async def test_references_pair_once(pair: Pair):
    answers = await asyncio.gather(
        *(pair[n % 2].references.put(f"project:{n % 4}", "kantata", "workspace", "1") for n in range(40)),
        return_exceptions=True,
    )
    assert [answer for answer in answers if answer is None] == [None] * 10


async def test_a_cancelled_caller_does_not_lose_the_write(
    pair: Pair, make_intent: Callable[[], EffectIntent]
):
    intent = make_intent()
    task = asyncio.create_task(pair[0].effects.begin(intent))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await pair[0].aclose()  # finishes what is queued
    row = await pair[1].effects.get(intent.key)
    assert row is None or row.state == "intent"
    assert (await pair[1].effects.begin(intent)).fresh == (row is None)


RACER = """
import asyncio, sys
from store.ports import EffectIntent
from store.sql.engine import open_store

async def main(url):
    store = open_store(url)
    await store.ready()
    print("ready", flush=True)
    sys.stdin.readline()
    fresh = 0
    for n in range(60):
        facts = dict(key=f"p/{n}/1", process="p", step=str(n), system="s", noun="n", command_hash="h")
        intent = EffectIntent(**facts)
        fresh += (await store.effects.begin(intent)).fresh
        await store.effects.confirm(intent.key, external_id=str(n))
        await store.processes.open(f"k{n}", "activation", "run")
    await store.aclose()
    print(fresh)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("store_kind", ["sqlite"])  # PostgreSQL: `test_store_processes_at_once.py`
async def test_two_processes_share_one_store(store_url: Callable[[Path], str], store_path: Path):
    url = store_url(store_path)
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", RACER, url),
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sum(int(out) for out, _ in answers) == 60

    store = open_store(url)
    assert await store.audit.verify() == (180, [])  # begun, confirmed and opened, each once
    assert {row.state for row in await store.effects.list("p")} == {"confirmed"}
    await store.aclose()
