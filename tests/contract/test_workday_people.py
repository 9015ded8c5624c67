"""What `HrPort` promises of people, against the Workday emulator: nobody is skipped, nobody just vanishes."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import NotFound, Rejected
from connectors.http.auth import utc_now
from connectors.workday.client import WorkdayClient, build
from connectors.workday.settings import WorkdaySettings
from domain.intake import FeedPosition
from domain.people import Worker, WorkerPage
from sandbox.settings import SandboxSettings
from sandbox.workday.ids import wid
from tests.contract.bench import Bench

NEWCOMER = {
    "first_name": "Ada",
    "last_name": "Okafor",
    "email": "ada.okafor@fairlead.example",
    "entity": "DE01",
    "job_profile": "Architect",
    "grade": "Senior",
}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(SandboxSettings(home=tmp_path, quiet=True, deals=0, customers=1, workers=24), "workday")
    yield bench
    await bench.aclose()


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[WorkdayClient]:
    client = connect(bench)
    yield client
    await client.aclose()


def a_moment_later() -> datetime:
    """The client names moments in milliseconds: one later, so that it sees what was entered just now."""
    return utc_now() + timedelta(milliseconds=1)


def connect(bench: Bench, clock: Callable[[], datetime] = a_moment_later, **changes: Any) -> WorkdayClient:
    tenant = bench.settings.workday_tenant
    given = {
        "base_url": bench.base_url,
        "tenant": tenant,
        "token_url": f"{bench.base_url}/ccx/oauth2/{tenant}/token",
        "client_id": bench.settings.workday_client_id,
        "client_secret": bench.settings.workday_secret,
        "refresh_token": bench.settings.workday_refresh_token,
        "calendar_report": "ISU_Fairlead/Fairlead_Work_Calendars",
        "feed_overlap_seconds": 0,
        **changes,
    }
    return build("workday", WorkdaySettings.model_validate(given), bench.transport, clock)


async def drained(client: WorkdayClient, since: datetime | None = None, limit: int = 200) -> WorkerPage:
    """All pages of one reading as one."""
    page = await client.workers(FeedPosition(since=since), limit)
    workers, unreadable = list(page.workers), list(page.unreadable)
    while page.next_page:
        assert page.mark is None, "only the end of a reading is a place to begin the next at"
        page = await client.workers(FeedPosition(since=since, page=page.next_page), limit)
        workers += page.workers
        unreadable += page.unreadable
    return WorkerPage(workers=tuple(workers), unreadable=tuple(unreadable), mark=page.mark)


async def known(client: WorkdayClient) -> datetime:
    """The moment up to which everything has been read."""
    mark = (await drained(client)).mark
    assert mark is not None
    return mark


async def told(client: WorkdayClient, since: datetime) -> dict[str, Worker]:
    """Workers by number that a reading from `since` tells of."""
    return {worker.number: worker for worker in (await drained(client, since)).workers}


def today() -> date:
    return utc_now().date()


# ---- all workers


async def test_everybody_comes_once_and_as_the_firm_knows_them(bench: Bench, client: WorkdayClient) -> None:
    page = await drained(client, limit=7)
    assert page.unreadable == ()
    numbers = [worker.number for worker in page.workers]
    assert len(numbers) == len(set(numbers)) == 25, "24 of the plan, and one hired for next month"
    by_number = {worker.number: worker for worker in page.workers}
    manager, worker = by_number["W-0001"], by_number["W-0004"]
    assert (worker.source, worker.external_id) == ("workday", wid("worker", "W-0004"))
    assert worker.id == f"worker:workday:{worker.external_id}"
    assert worker.manager == manager.external_id
    assert manager.manager is None
    assert (worker.entity, worker.calendar, worker.weekly_hours) == ("US01", "US", Decimal(40))
    assert worker.email.endswith("@fairlead.example")
    assert worker.role
    assert worker.grade
    assert len(worker.skills) == 2
    lent = [worker for worker in page.workers if worker.kind == "contingent"]
    assert lent
    assert all(worker.supplier and worker.ends_on for worker in lent)


async def test_no_private_data_is_kept(client: WorkdayClient) -> None:
    text = (await drained(client)).model_dump_json()
    assert "1980-01-01" not in text, "date of birth"
    assert "home.example" not in text, "private address"
    assert "pay" not in text.lower()


async def test_pages_stand_still_while_people_come_and_change(bench: Bench, client: WorkdayClient) -> None:
    first = await client.workers(FeedPosition(), 10)
    await bench.add("workers", {**NEWCOMER, "hire_date": today().isoformat()})
    await bench.edit("workers", "W-0002", {"termination_date": (today() - timedelta(days=1)).isoformat()})
    second = await client.workers(FeedPosition(page=first.next_page), 10)
    third = await client.workers(FeedPosition(page=second.next_page), 10)
    numbers = [worker.number for page in (first, second, third) for worker in page.workers]
    assert len(numbers) == len(set(numbers)) == 25
    assert third.next_page == ""
    assert third.mark is not None
    after = await told(client, third.mark)
    assert {"W-0002"} < set(after), "and what happened meanwhile is told by the next reading"
    assert "Okafor" in " ".join(worker.name for worker in after.values())


async def test_a_token_of_somebody_else_is_refused(client: WorkdayClient) -> None:
    with pytest.raises(Rejected, match="no page token"):
        await client.workers(FeedPosition(page="2"))
    with pytest.raises(Rejected, match="no page token"):
        await client.absences(today(), today(), page="2")


# ---- what changed


async def test_only_what_changed_is_told(bench: Bench, client: WorkdayClient) -> None:
    since = await known(client)
    assert await told(client, since) == {}
    await bench.edit("workers", "W-0007", {"grade": "Principal"})
    after = await told(client, since)
    assert {number: worker.grade for number, worker in after.items()} == {"W-0007": "Principal"}
    assert after["W-0007"].version >= since


async def test_overlap_reads_a_change_again(bench: Bench, client: WorkdayClient) -> None:
    long_ago = (today() - timedelta(days=60)).isoformat()
    await bench.edit("workers", "W-0007", {"grade": "Principal", "effective": long_ago})
    since = await known(client)
    assert await told(client, since) == {}
    wider = connect(bench, feed_overlap_seconds=600)
    assert set(await told(wider, since)) == {"W-0007"}
    await wider.aclose()


async def test_a_hire_is_told_before_the_first_day(bench: Bench, client: WorkdayClient) -> None:
    since = await known(client)
    begins = today() + timedelta(days=30)
    made = await bench.add("workers", {**NEWCOMER, "hire_date": begins.isoformat(), "weekly_hours": "30"})
    (worker,) = (await told(client, since)).values()
    assert (worker.external_id, worker.hired_on, worker.role) == (made["id"], begins, "Architect")
    assert not worker.employed_on(today())
    assert worker.employed_on(begins)


async def test_a_leaver_is_told_with_the_last_day_and_stays(bench: Bench, client: WorkdayClient) -> None:
    since, last = await known(client), today() + timedelta(days=20)
    await bench.edit("workers", "W-0008", {"termination_date": last.isoformat()})
    leaver = (await told(client, since))["W-0008"]
    assert leaver.ends_on == last
    assert leaver.role, "until then the job is what it was"
    later = connect(bench, clock=lambda: utc_now() + timedelta(days=25))
    gone = {worker.number: worker for worker in (await drained(later)).workers}["W-0008"]
    assert (gone.ends_on, gone.entity, gone.role) == (last, "", ""), "Workday places a leaver nowhere"
    await later.aclose()


async def test_a_termination_that_is_taken_back_is_told(bench: Bench, client: WorkdayClient) -> None:
    last = today() + timedelta(days=20)
    await bench.edit("workers", "W-0008", {"termination_date": last.isoformat()})
    since = await known(client)
    await bench.edit("workers", "W-0008", {"rescind": "Terminate"})
    assert (await told(client, since))["W-0008"].ends_on is None


async def test_a_change_is_told_again_when_its_day_has_come(bench: Bench, client: WorkdayClient) -> None:
    """Entered today for later: the details of today do not show it, and no later entry would tell of it."""
    since = await known(client)
    on = today() + timedelta(days=10)
    await bench.edit("workers", "W-0009", {"effective": on.isoformat(), "grade": "Principal"})
    assert (await told(client, since))["W-0009"].grade != "Principal"
    since = await known(client)
    then = connect(bench, clock=lambda: datetime(on.year, on.month, on.day, 3, tzinfo=UTC))
    assert (await told(then, since))["W-0009"].grade == "Principal"
    await then.aclose()


async def test_without_looking_ahead_the_future_is_not_told(bench: Bench) -> None:
    last = today() + timedelta(days=20)
    await bench.edit("workers", "W-0008", {"termination_date": last.isoformat()})
    client = connect(bench, look_ahead_days=0)
    workers = {worker.number: worker for worker in (await drained(client)).workers}
    assert len(workers) == 24
    assert workers["W-0008"].ends_on is None
    await client.aclose()


# ---- what cannot be read


async def test_a_worker_that_cannot_be_read_does_not_stop_the_page(
    bench: Bench, client: WorkdayClient
) -> None:
    await bench.edit("workers", "W-0010", {"weekly_hours": "many"})
    page = await drained(client)
    assert len(page.workers) == 24
    (problem,) = page.unreadable
    assert problem.external_id == wid("worker", "W-0010")
    assert (problem.field, problem.problem) == (
        "Position_Data.Scheduled_Weekly_Hours",
        "'many' is not a number",
    )


async def test_a_missing_element_is_named_and_a_new_one_ignored(bench: Bench, client: WorkdayClient) -> None:
    await bench.arm("unknown_field")
    assert len((await drained(client)).workers) == 25
    await bench.calm()
    await bench.arm("missing_field", field="Hire_Date")
    page = await drained(client)
    assert page.workers == ()
    assert {(one.field, one.problem) for one in page.unreadable} == {
        ("Worker_Data.Employment_Data.Worker_Status_Data.Hire_Date", "is missing")
    }


async def test_a_kind_of_organisation_nobody_has_heard_of(bench: Bench, client: WorkdayClient) -> None:
    await bench.arm("new_enum")
    page = await drained(client)
    assert page.workers == ()
    assert {one.field for one in page.unreadable} == {"Organization_Data of type COMPANY"}


# ---- skills


async def test_skills_carry_levels_where_a_source_gives_them(client: WorkdayClient) -> None:
    workers = (await drained(client)).workers
    held = [skill for worker in workers[:12] for skill in await client.skills(worker.external_id)]
    levels = [skill.level for skill in held if skill.level is not None]
    assert levels
    assert all(1 <= level <= 5 for level in levels)
    assert len(levels) < len(held), "not every skill has one"


async def test_levels_may_be_switched_off(bench: Bench) -> None:
    client = connect(bench, skill_levels=False)
    before = len(await bench.requests())
    skills = await client.skills(wid("worker", "W-0004"))
    assert {skill.level for skill in skills} == {None}
    paths = [request["path"] for request in (await bench.requests())[before:]]
    assert not any("externalSkillLevel" in path for path in paths)
    await client.aclose()


async def test_skills_of_nobody(client: WorkdayClient) -> None:
    with pytest.raises(NotFound):
        await client.skills("0" * 32)
    with pytest.raises(Rejected, match="32 hexadecimal digits"):
        await client.skills("../workers")


# ---- absences

MONDAY = date(2030, 1, 7)
WHO = wid("worker", "W-0004")


async def days_of(client: WorkdayClient, who: str = WHO, first: date = MONDAY) -> dict[date, Decimal]:
    page = await client.absences(first, first + timedelta(days=13), limit=999)
    assert who in page.worker_external_ids
    return {day.day: day.hours for day in page.days if day.worker_external_id == who}


async def test_hours_and_days_of_time_off(bench: Bench, client: WorkdayClient) -> None:
    for offset, quantity, unit in ((0, 1, "Days"), (1, "0.5", "Days"), (2, 3, "Hours")):
        day = (MONDAY + timedelta(days=offset)).isoformat()
        await bench.add("timeOffDetails", {"worker": WHO, "date": day, "quantity": quantity, "unit": unit})
    hours = list((await days_of(client)).values())
    assert hours == [Decimal(8), Decimal(4), Decimal(3)]


async def test_together_never_more_than_the_day(bench: Bench, client: WorkdayClient) -> None:
    entry = {"worker": WHO, "date": MONDAY.isoformat(), "quantity": 6, "unit": "Hours"}
    await bench.add("timeOffDetails", {**entry, "type": "Vacation"})
    await bench.add("timeOffDetails", {**entry, "type": "Sick Leave"})
    assert await days_of(client) == {MONDAY: Decimal(8)}


async def test_only_what_is_approved_counts(bench: Bench, client: WorkdayClient) -> None:
    entry = {"worker": WHO, "date": MONDAY.isoformat(), "quantity": 1}
    for status in ("Submitted", "Denied", "Canceled"):
        await bench.add("timeOffDetails", {**entry, "status": status, "type": status})
    assert await days_of(client) == {}


async def test_an_unknown_unit_is_told(bench: Bench, client: WorkdayClient) -> None:
    entry = {"worker": WHO, "date": MONDAY.isoformat(), "quantity": 1, "unit": "Fortnights"}
    await bench.add("timeOffDetails", entry)
    page = await client.absences(MONDAY, MONDAY)
    (problem,) = page.unreadable
    assert (problem.kind, problem.external_id, problem.field) == ("absence", WHO, "timeOffDetails.unit")
    assert "Fortnights" in problem.problem


async def test_a_leave_takes_its_weekdays(bench: Bench, client: WorkdayClient) -> None:
    last = MONDAY + timedelta(days=7)
    await bench.add("leavesOfAbsence", {"worker": WHO, "first": MONDAY.isoformat(), "last": last.isoformat()})
    found = await days_of(client)
    assert list(found) == [MONDAY + timedelta(days=n) for n in (0, 1, 2, 3, 4, 7)]
    assert set(found.values()) == {Decimal(8)}


async def test_a_leave_without_an_end_lasts(bench: Bench, client: WorkdayClient) -> None:
    await bench.add("leavesOfAbsence", {"worker": WHO, "first": (MONDAY - timedelta(days=300)).isoformat()})
    assert len(await days_of(client)) == 10


async def test_a_leave_during_which_one_may_be_scheduled(bench: Bench, client: WorkdayClient) -> None:
    await bench.add("leavesOfAbsence", {"worker": WHO, "first": MONDAY.isoformat(), "works": True})
    assert await days_of(client) == {}


async def test_a_day_is_as_long_as_the_workers_own(bench: Bench, client: WorkdayClient) -> None:
    await bench.edit("workers", "W-0004", {"weekly_hours": "20"})
    await bench.add("timeOffDetails", {"worker": WHO, "date": MONDAY.isoformat(), "quantity": 1})
    assert await days_of(client) == {MONDAY: Decimal(4)}


async def test_everybody_is_covered_over_pages(bench: Bench, client: WorkdayClient) -> None:
    covered: list[str] = []
    page = await client.absences(MONDAY, MONDAY, limit=9)
    covered += page.worker_external_ids
    while page.next_page:
        await bench.add("workers", {**NEWCOMER, "hire_date": today().isoformat()})
        page = await client.absences(MONDAY, MONDAY, page=page.next_page, limit=9)
        covered += page.worker_external_ids
    assert len(covered) == len(set(covered)) == 24


async def test_the_kind_of_an_absence_is_nowhere(client: WorkdayClient) -> None:
    page = await client.absences(today(), today() + timedelta(days=100), limit=999)
    assert page.days
    text = page.model_dump_json().lower()
    assert not any(word in text for word in ("vacation", "sick", "care", "parental", "type", "reason"))


async def test_a_range_that_ends_before_it_begins(client: WorkdayClient) -> None:
    with pytest.raises(ValueError, match="ends on"):
        await client.absences(MONDAY, MONDAY - timedelta(days=1))


# ---- calendars


async def test_work_calendars_come_from_the_report(client: WorkdayClient) -> None:
    calendars = {calendar.code: calendar for calendar in await client.work_calendars()}
    assert set(calendars) == {"US", "DE", "IN"}
    assert calendars["DE"].weekly_hours == Decimal("38.5")
    assert date(today().year, 10, 3) in calendars["DE"].holidays


async def test_without_a_report_there_are_none(bench: Bench) -> None:
    client = connect(bench, calendar_report="")
    assert list(await client.work_calendars()) == []
    await client.aclose()


async def test_a_report_without_a_column(bench: Bench) -> None:
    client = connect(bench, calendar_columns={"weekly_hours": "Hours_Per_Week"})
    with pytest.raises(Rejected, match="no column Hours_Per_Week"):
        await client.work_calendars()
    await client.aclose()
