"""A thousand changes on both sides at once: each is one write on the other, and none comes back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.boundary import utc_now
from tests.support.people_firm import HR, PSA, PeopleBench, PeopleFirm, running_people

pytestmark = pytest.mark.proof

WORKERS, PLANS = 72, 13
"""People, and projects each of them is planned on: some thousand changes in all."""
ENDS = (utc_now().date() + timedelta(days=30)).isoformat()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PeopleBench]:
    bench = PeopleBench(tmp_path, WORKERS)
    yield bench
    await bench.aclose()


@pytest.fixture
async def firm(
    temporal_env: WorkflowEnvironment, store: Any, bench: PeopleBench
) -> AsyncIterator[PeopleFirm]:
    hr, psa = bench.workday(), bench.kantata()
    async with running_people(temporal_env.client, store, hr, psa) as firm:
        yield firm
    await hr.aclose()
    await psa.aclose()


async def test_a_thousand_changes_on_both_sides_make_a_thousand_writes(
    firm: PeopleFirm, bench: PeopleBench
) -> None:
    await firm.sync()
    before = await bench.count(PSA), await bench.count(HR)
    staffed = await _change_hr(bench)
    for user in staffed:
        await bench.plan(user, 2400, ENDS, times=PLANS)
    changes = len(staffed) * (1 + PLANS)
    assert changes > 900
    view = await firm.sync()
    assert view.last is not None
    assert await bench.count(PSA) == before[0] + len(staffed)
    assert await bench.count(HR) == before[1] + len(staffed) * PLANS
    await firm.sync()
    assert await bench.count(PSA) == before[0] + len(staffed), "nothing comes back"
    assert await bench.count(HR) == before[1] + len(staffed) * PLANS
    for system in (PSA, HR):
        assert {one["count"] for one in await bench.landed(system)} == {1}
    history = await firm.handle.fetch_history()
    assert len(history.events) < 500, "pages, not people, are in the history"


async def _change_hr(bench: PeopleBench) -> list[str]:
    """A new grade for everybody who works here; their ids in the PSA."""
    users = {row["email_address"]: row["id"] for row in await bench.rows(PSA, "users")}
    changed = []
    for worker in await bench.rows(HR, "workers"):
        if worker.get("terminated") or not worker.get("company") or worker["email"] not in users:
            continue
        await bench.hr("workers", {"grade": "Expert"}, worker["id"])
        changed.append(users[worker["email"]])
    return changed
