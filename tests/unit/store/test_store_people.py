"""People in the store: each page kept once, newer over older, and what differs until it does not."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.people import UnavailableDay, WorkCalendar
from domain.psa_people import PsaAssignment
from domain.readiness import OwnerGroup
from domain.resource_sync import Difference
from domain.staffing_demand import StaffingRequest
from store.people_ports import KeptPeople, Told
from tests.unit.domain.rules.staffed_people import MONDAY, worker
from tests.unit.store.conftest import NOON

HR, PSA = "workday", "kantata"
TUESDAY = MONDAY + timedelta(days=1)


def away(name: str, day: date, hours: str) -> UnavailableDay:
    return UnavailableDay(worker_external_id=name, day=day, hours=Decimal(hours))


def assigned(id: str = "a1", **changes: Any) -> PsaAssignment:
    facts: dict[str, Any] = {
        "external_id": id,
        "person_external_id": "u1",
        "project_external_id": "p1",
        "starts_on": MONDAY,
        "ends_on": TUESDAY,
        "hours": Decimal(8),
    }
    return PsaAssignment.model_validate(facts | changes)


def differs(field: str = "title", person: str = "W-0001", **changes: Any) -> Difference:
    facts: dict[str, Any] = {
        "scope": "psa_people",
        "person": person,
        "field": field,
        "problem": "HR says A, the PSA holds B",
        "found_at": NOON,
    }
    return Difference.model_validate(facts | changes)


def asked(**changes: Any) -> StaffingRequest:
    facts: dict[str, Any] = {
        "key": "activation/acme/1/1/1",
        "process": "activation/acme/1",
        "project": "DE01-AAAAAA",
        "ref": "1",
        "role": "Architect",
        "hours": Decimal(80),
        "starts_on": MONDAY,
        "ends_on": TUESDAY,
        "asked_at": NOON,
    }
    return StaffingRequest.model_validate(facts | changes)


async def test_workers_are_kept_once_and_the_newer_counts(store: Any) -> None:
    people, first = store.people, worker(email="Anna@Firm.Example")
    assert await people.keep_workers([first, worker("W-0002")]) == KeptPeople(new=2)
    later = first.with_changes(version=first.version + timedelta(hours=1))
    assert await people.keep_workers([later]) == KeptPeople(same=1), "said again is no change"
    newer = later.with_changes(role="Tester")
    assert await people.keep_workers([newer]) == KeptPeople(changed=1)
    assert await people.keep_workers([first]) == KeptPeople(same=1), "an older word changes nothing"
    assert [one.role for one in await people.workers(HR)] == ["Tester", "Architect"]
    assert [one.number for one in await people.workers(HR, after=first.id)] == ["W-0002"]
    assert [one.number for one in await people.by_emails(HR, ["ANNA@firm.example", ""])] == ["W-0001"]
    assert await people.workers("other") == []


async def test_unavailable_days_are_replaced_in_their_range_only(store: Any) -> None:
    people, last = store.people, TUESDAY + timedelta(days=7)
    days = [away("w1", MONDAY, "8"), away("w1", TUESDAY, "7.70"), away("w2", MONDAY, "8")]
    kept = await people.keep_unavailable(HR, ["w1", "w2"], days, MONDAY, last)
    assert kept == KeptPeople(new=3)
    changed = await people.keep_unavailable(HR, ["w1"], [away("w1", TUESDAY, "4")], TUESDAY, last)
    assert changed == KeptPeople(changed=1)
    found = await people.unavailable(HR, MONDAY, last)
    assert [(one.worker_external_id, one.hours) for one in found] == [
        ("w1", Decimal(8)),
        ("w1", Decimal(4)),
        ("w2", Decimal(8)),
    ]
    assert await people.keep_unavailable(HR, ["w1", "w2"], [], MONDAY, last) == KeptPeople(changed=3)
    assert await people.unavailable(HR, MONDAY, last, ["w1"]) == []


async def test_calendars_are_replaced(store: Any) -> None:
    calendar = WorkCalendar(code="DE", weekly_hours=Decimal("38.5"), holidays=(MONDAY,))
    await store.people.keep_calendars(HR, [calendar, calendar.with_changes(code="US")])
    await store.people.keep_calendars(HR, [calendar])
    assert await store.people.calendars(HR) == [calendar]


async def test_an_assignment_that_is_gone_stays_with_no_hours(store: Any) -> None:
    people = store.people
    assert await people.keep_assignments(PSA, [assigned(), assigned("a2")], ["a9"]) == KeptPeople(new=2)
    assert await people.keep_assignments(PSA, [assigned()], ["a2"]) == KeptPeople(changed=1, same=1)
    found = await people.assignments(PSA, people=["u1", "u2"])
    assert [(one.external_id, one.hours) for one in found] == [("a1", 8), ("a2", 0)]
    assert await people.assignments(PSA, people=["u2"]) == []
    assert await people.assignments(PSA, since=TUESDAY + timedelta(days=1)) == []


async def test_what_was_told_does_not_go_back(store: Any) -> None:
    people, key = store.people, f"{PSA}:person:worker:workday:1"
    first = Told(key=key, external_id="7", revision=1, facts={"title": "A"})
    await people.tell(first)
    second = first.with_changes(revision=2, facts={"title": "B"})
    await people.tell(second)
    await people.tell(first)
    assert await people.told([key, "nothing"]) == {key: second}


async def test_a_difference_keeps_its_time_heals_and_may_come_again(store: Any) -> None:
    people, later = store.people, NOON + timedelta(hours=1)
    assert await people.differ(HR, "psa_people", ["W-0001"], [differs()], NOON) == 1
    again = differs(problem="HR says A, the PSA holds C", found_at=later)
    assert await people.differ(HR, "psa_people", ["W-0001"], [again], later) == 0
    (kept,) = await people.differences(HR)
    assert (kept.found_at, kept.problem) == (NOON, "HR says A, the PSA holds C")
    await people.differ(HR, "psa_people", ["W-0002"], [], later)
    await people.differ(HR, "hr_assignments", ["W-0001"], [], later)
    assert len(await people.differences(HR)) == 1, "only who was looked at, in the part that looked"
    await people.differ(HR, "psa_people", ["W-0001"], [], later)
    assert await people.differences(HR) == []
    assert await people.differ(HR, "psa_people", [], [differs(found_at=later)], later) == 1
    assert await people.differences(HR, owner=OwnerGroup.FINANCE_SYSTEMS.value) == []
    assert await people.differences("other") == []


async def test_demand_is_asked_once_answered_once_and_replaced_by_a_higher_revision(store: Any) -> None:
    people = store.people
    await people.ask([asked(), asked(key="activation/acme/1/2/1", ref="2")])
    await people.ask([asked(role="Tester")])
    assert [one.role for one in await people.demand()] == ["Architect", "Architect"]
    answered = datetime(2026, 3, 3, tzinfo=UTC)
    yes = asked(state="approved", resource="7", answered_at=answered)
    await people.answer("activation/acme/1", [yes])
    await people.answer("activation/acme/1", [yes.with_changes(resource="8", answered_at=NOON)])
    await people.answer("activation/other/1", [yes])
    assert [one.ref for one in await people.demand()] == ["2"]
    (kept,) = await people.demand(state="approved")
    assert (kept.resource, kept.answered_at) == ("8", answered)
    await people.ask([asked(revision=2, hours=Decimal(120))])
    newest = next(one for one in await people.demand() if one.ref == "1")
    assert (newest.revision, newest.hours, newest.state) == (2, 120, "open")
