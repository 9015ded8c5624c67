"""People, days off and assignments read from the Kantata emulator, and HR's projects from Workday's."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.errors import Rejected
from connectors.kantata.client import KantataClient
from domain.intake import FeedPosition
from domain.psa_people import PsaPerson
from domain.psa_people_commands import AddTimeOff, DayOff
from tests.support.people_firm import PeopleBench

WORKERS = 40
MONDAY = date(2026, 12, 7)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PeopleBench]:
    made = PeopleBench(tmp_path_factory.mktemp("kantata-people"), WORKERS)
    yield made
    await made.aclose()


@pytest.fixture
async def client(bench: PeopleBench) -> AsyncIterator[KantataClient]:
    made = bench.kantata()
    yield made
    await made.aclose()


async def test_people_come_in_pages_with_role_and_skills(bench: PeopleBench, client: KantataClient) -> None:
    found: dict[str, PsaPerson] = {}
    page = ""
    for _ in range(20):
        part = await client.people(page, 25)
        found |= {person.external_id: person for person in part.people}
        page = part.next_page
        if not page:
            break
    users = await bench.rows("kantata", "users")
    assert set(found) == {row["id"] for row in users}
    staffed = [person for person in found.values() if person.role]
    assert len(staffed) == WORKERS
    assert all(person.skills and person.title.endswith(person.role) for person in staffed)
    assert any(skill.level for person in staffed for skill in person.skills)
    with pytest.raises(Rejected, match="no page token"):
        await client.people("next")


async def test_days_off_say_whose_word_they_are(bench: PeopleBench, client: KantataClient) -> None:
    one, other = [row["id"] for row in await bench.rows("kantata", "users")][4:6]
    day = DayOff(day=MONDAY, hours=Decimal("7.5"))
    await client.apply(AddTimeOff(person_external_id=one, days=(day,)), "resources/acme/workday/psa.days/1")
    by_hand = {"user_id": int(other), "requested_date": MONDAY.isoformat(), "hours": 4}
    await bench.psa.add("time_off_entries", by_hand)
    found = {row.person_external_id: row for row in await client.time_off([one, other], MONDAY, MONDAY)}
    assert (found[one].hours, found[one].ours) == (Decimal("7.5"), True)
    assert (found[other].hours, found[other].ours) == (Decimal(4), False)
    assert await client.time_off([one], MONDAY + timedelta(days=1), MONDAY + timedelta(days=9)) == []
    assert await client.time_off([], MONDAY, MONDAY) == []
    with pytest.raises(ValueError, match="200 at most"):
        await client.time_off(["1"] * 201, MONDAY, MONDAY)


async def test_assignments_are_read_by_change_and_what_is_gone_is_told(
    bench: PeopleBench, client: KantataClient
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    user = [row["id"] for row in await bench.rows("kantata", "users")][7]
    made = await bench.plan(user, 150, "2027-01-29")
    page = await client.assignments(FeedPosition())
    (one,) = [row for row in page.assignments if row.external_id == made]
    assert (one.person_external_id, one.hours, one.ends_on) == (user, Decimal("2.50"), date(2027, 1, 29))
    assert page.mark is not None
    await bench.psa.edit("workspace_allocations", made, {"hard": False})
    page = await client.assignments(FeedPosition(since=before))
    assert made in page.gone, "a soft allocation is asked for, not decided"
    with pytest.raises(Rejected, match="no page token"):
        await client.assignments(FeedPosition(page="next"))


async def test_a_project_of_hr_is_found_by_its_whole_number(bench: PeopleBench) -> None:
    hr = bench.workday()
    found = await hr.project("CLIENT-WORK")
    assert found is not None
    assert await hr.project("CLIENT") is None, "the list is searched by words, and a word is no number"
    assert await hr.project("DE01-7K3QXW") is None
    await hr.aclose()
