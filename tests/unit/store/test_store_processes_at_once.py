"""Several processes contend for one PostgreSQL store: each effect once, every chain whole, nobody stuck."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import psycopg

from store.sql.engine import open_store
from tests.support.postgresql import Databases
from tests.support.store_contender import KEYS, PAGE, PROJECT

REPOSITORY = Path(__file__).parents[3]
CONTENDERS = 3
STUCK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid != pg_backend_pid() AND state LIKE 'idle in transaction%'
"""


async def test_processes_contend_and_each_thing_is_done_once(postgresql: Databases) -> None:
    url = postgresql.fresh()
    contenders = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "tests.support.store_contender", url, str(number)),
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(CONTENDERS)
    ]
    for contender in contenders:
        assert contender.stdout is not None
        assert await contender.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(contender.communicate(b"go\n") for contender in contenders))
    assert [contender.returncode for contender in contenders] == [0] * CONTENDERS

    won: Counter[str] = Counter()
    for said, _ in answers:
        won.update(json.loads(said))
    own = {f"own-{number}": KEYS for number in range(CONTENDERS)}
    once = {"shared": KEYS, "events": KEYS, "references": KEYS, "taken": PAGE, "covered": PAGE, "raised": 5}
    repeats = {"opened": KEYS * CONTENDERS, "left": PAGE * (CONTENDERS - 1)}
    assert dict(won) == once | own | repeats

    store = open_store(url)
    checked, faults = await store.audit.verify()
    assert checked > KEYS * (2 * CONTENDERS + 2)
    assert faults == []
    assert {row.state for row in await store.effects.list("shared")} == {"confirmed"}
    on_invoices = [await store.billing.entries_of(f"invoice/{number}") for number in range(CONTENDERS)]
    assert len({row.key for rows in on_invoices for row in rows}) == sum(map(len, on_invoices)) == PAGE
    assert PROJECT in {row.project for rows in on_invoices for row in rows}
    await store.aclose()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,)
        assert connection.execute(STUCK).fetchone() == (0,)
