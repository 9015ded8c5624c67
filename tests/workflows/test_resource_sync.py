"""Resource sync over the real connectors and both emulators: what is told once, and what people settle."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.boundary import utc_now
from domain.attention import EventRef
from domain.resource_sync import ResourceTick, Synced
from tests.support.fake_people import FakeHr, FakePsa, a_worker
from tests.support.people_firm import HR, POLICY, PSA, PeopleBench, PeopleFirm, running_people
from workflows.resource_tick import WakeResourceSync

WORKERS = 8
TODAY = utc_now().date()


@dataclass
class Pair:
    """A firm that has synced once, and what it has landed on either side."""

    firm: PeopleFirm
    bench: PeopleBench

    async def again(self) -> Synced:
        view = await self.firm.sync()
        assert view.last is not None
        return view.last

    async def landed(self) -> tuple[int, int]:
        return await self.bench.count(PSA), await self.bench.count(HR)

    async def worker(self, number: str) -> dict[str, Any]:
        rows = await self.bench.rows(HR, "workers")
        return next(row for row in rows if row["number"] == number)

    async def user(self, email: str) -> dict[str, Any]:
        rows = await self.bench.rows(PSA, "users")
        return next(row for row in rows if row["email_address"] == email)

    async def user_of(self, number: str) -> dict[str, Any]:
        return await self.user((await self.worker(number))["email"])


@pytest.fixture(scope="module")
async def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PeopleBench]:
    bench = PeopleBench(tmp_path_factory.mktemp("people"), WORKERS)
    yield bench
    await bench.aclose()


@pytest.fixture(scope="module")
async def pair(
    temporal_env: WorkflowEnvironment, store_factory: Any, shared_bench: PeopleBench
) -> AsyncIterator[Pair]:
    """One firm for all tests of this file, which each change somebody else."""
    hr, psa, store = shared_bench.workday(), shared_bench.kantata(), store_factory()
    async with running_people(temporal_env.client, store, hr, psa) as firm:
        await firm.sync()
        yield Pair(firm, shared_bench)
    await hr.aclose()
    await psa.aclose()


def written(synced: Synced) -> int:
    return sum(counts.written for counts in synced.counts.values())


async def test_what_was_told_is_not_told_again_and_nothing_comes_back(pair: Pair) -> None:
    before = await pair.landed()
    assert before[0] >= WORKERS, "everybody's entity and region are new to the PSA"
    assert written(await pair.again()) == 0
    assert await pair.landed() == before
    assert all(one["count"] == 1 for one in await pair.bench.landed(PSA))


async def test_who_is_hired_is_invited_with_role_skills_and_facts(pair: Pair) -> None:
    newcomer = await pair.user("marit.solberg@fairlead.example")
    held = {value["value"] for value in newcomer["custom_field_values"].values()}
    model = await pair.worker(f"W-{WORKERS:04d}")
    assert newcomer["role_id"] == (await pair.user(model["email"]))["role_id"]
    assert model["company"] in held
    assert len(await pair.bench.landed(PSA, "account_invitations")) == 1


async def test_a_new_job_a_last_day_and_an_absence_are_one_write_each(pair: Pair) -> None:
    psa, hr = await pair.landed()
    worker, user = await pair.worker("W-0004"), await pair.user_of("W-0004")
    await pair.bench.hr("workers", {"grade": "Principal"}, worker["id"])
    day, last = TODAY + timedelta(days=80), TODAY + timedelta(days=60)
    leaver = await pair.worker("W-0005")
    await pair.bench.hr("workers", {"termination_date": last.isoformat()}, leaver["id"])
    while day.weekday() > 4:
        day -= timedelta(days=1)
    await pair.bench.hr("timeOffDetails", {"worker": "W-0004", "date": day.isoformat(), "quantity": "1"})
    assert written(await pair.again()) == 3
    assert await pair.landed() == (psa + 3, hr)
    after = await pair.user_of("W-0004")
    assert after["headline"].startswith("Principal ")
    assert not user["headline"].startswith("Principal ")
    kept = (await pair.user_of("W-0005"))["custom_field_values"].values()
    assert last.isoformat() in {value["value"] for value in kept}
    off = await pair.bench.rows(PSA, "time_off_entries")
    mine = [row for row in off if row["user_id"] == user["id"] and row["requested_date"] == day.isoformat()]
    assert len(mine) == 1
    assert not {"Vacation", "Sick Leave", "Care Leave"} & {str(value) for value in mine[0].values()}


async def test_an_absence_that_is_taken_back_is_taken_back_in_the_psa(pair: Pair) -> None:
    day = TODAY + timedelta(days=81)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    asked = {"worker": "W-0003", "date": day.isoformat(), "quantity": "1"}
    entry = await pair.bench.hr("timeOffDetails", asked)
    await pair.again()
    user = await pair.user_of("W-0003")

    async def shown() -> list[Any]:
        off = await pair.bench.rows(PSA, "time_off_entries")
        return [
            row for row in off if (row["user_id"], row["requested_date"]) == (user["id"], day.isoformat())
        ]

    assert len(await shown()) == 1
    await pair.bench.hr("timeOffDetails", {"quantity": "0"}, entry["id"])
    await pair.again()
    assert await shown() == []


async def test_an_assignment_is_one_line_that_changes_and_never_comes_back(pair: Pair) -> None:
    psa, hr = await pair.landed()
    user, worker = await pair.user_of("W-0002"), await pair.worker("W-0002")
    allocation = await pair.bench.plan(user["id"], 2400, (TODAY + timedelta(days=30)).isoformat())
    await pair.again()
    assert await pair.landed() == (psa, hr + 1)
    await pair.bench.psa.edit("workspace_allocations", allocation, {"minutes": 1200})
    await pair.again()
    assert await pair.landed() == (psa, hr + 2)
    (line,) = [
        row
        for row in await pair.bench.rows(HR, "resourcePlanLines")
        if row["workers"] == [{"id": worker["id"]}]
    ]
    assert float(line["estimatedHours"]) == 20
    assert written(await pair.again()) == 0


async def test_a_leaver_who_is_planned_beyond_the_last_day_is_told_to_staffing(pair: Pair) -> None:
    user, worker = await pair.user_of("W-0006"), await pair.worker("W-0006")
    await pair.bench.plan(user["id"], 6000, (TODAY + timedelta(days=70)).isoformat())
    last = TODAY + timedelta(days=40)
    await pair.bench.hr("workers", {"termination_date": last.isoformat()}, worker["id"])
    await pair.again()
    problems = [text for text in await pair.firm.open_problems() if text.startswith("W-0006 ")]
    assert problems == [f"W-0006 last day: last day {last}, but planned beyond it on 1"]
    (item,) = [
        item
        for item in await pair.firm.store.attention.list(process=pair.firm.process)
        if item.owner.value == "delivery_operations"
    ]
    assert "W-0006: last day" in item.detail
    assert worker["email"] not in item.model_dump_json()


async def test_what_somebody_changed_in_the_psa_is_never_overwritten(pair: Pair) -> None:
    user = await pair.user_of("W-0007")
    await pair.bench.psa.edit("users", user["id"], {"headline": "Wizard"})
    assert written(await pair.again()) == 0
    assert (await pair.user_of("W-0007"))["headline"] == "Wizard"
    problems = [text for text in await pair.firm.open_problems() if text.startswith("W-0007 ")]
    assert len(problems) == 1, "one per person and field"
    assert "the PSA holds 'Wizard'" in problems[0]
    await pair.bench.psa.edit("users", user["id"], {"headline": user["headline"]})
    await pair.again()
    assert not [text for text in await pair.firm.open_problems() if text.startswith("W-0007 ")]


async def test_a_refused_telling_stops_nobody_else(pair: Pair) -> None:
    worker, other = await pair.worker("W-0001"), await pair.worker("W-0008")
    await pair.bench.hr("workers", {"grade": "Expert"}, worker["id"])
    await pair.bench.hr("workers", {"grade": "Expert"}, other["id"])
    await pair.bench.psa.arm("reject", count=1, only="writes")
    synced = await pair.again()
    assert synced.counts["psa_people"].refused == 1
    assert synced.counts["psa_people"].written == 1
    assert [text for text in await pair.firm.open_problems() if " person: " in text]
    assert written(await pair.again()) == 1, "it is tried again with the next sync"
    assert not [text for text in await pair.firm.open_problems() if " person: " in text]


async def test_a_tick_wakes_it_and_what_is_not_possible_is_refused(pair: Pair) -> None:
    syncs = (await pair.firm.sync()).syncs
    tick = ResourceTick(firm=pair.firm.firm, hr=HR, psa=PSA)
    result = await pair.firm.client.execute_workflow(
        WakeResourceSync.run, tick, id=f"tick/{pair.firm.firm}", task_queue=pair.firm.queue
    )
    assert result == "woken"
    await pair.firm.until(lambda view: view.syncs > syncs)
    await pair.firm.handle.signal("event_received", EventRef(id="hr:gone", type="worker.changed"))
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await pair.firm.decide("compensate")
    assert "put it right in HR or the PSA" in str(caught.value.cause)


async def test_small_runs_continue_as_new_in_the_middle_and_lose_nothing(
    temporal_env: WorkflowEnvironment, store: Any
) -> None:
    hr, psa = FakeHr(*(a_worker(f"W-{number}") for number in range(7))), FakePsa()
    policy = POLICY.with_changes(invite=False)
    async with running_people(temporal_env.client, store, hr, psa, policy) as firm:
        view = await firm.sync(page_size=3, slice_pages=1, slices_per_run=4)
        assert view.last is not None
        assert view.last.counts["hr_people"].pages == 3
        assert view.last.counts["psa_newcomers"].read == 7
        assert (await firm.handle.describe()).run_id != await firm.first_run()
        assert psa.applied == [], "nobody is invited where the firm's file says so"
        assert len(await firm.open_problems()) == 7
        (item,) = view.attention
        assert item.headline == "7 differences between workday and kantata"
