"""What the PSA is told of a person: HR's word where nothing else stands, and never over somebody's entry."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.people import UnavailableDay, WorkerSkill
from domain.people_matching import days_plan, newcomer, person_plan
from domain.psa_people import FACTS, PsaPerson, PsaSkill, TimeOff
from domain.psa_people_commands import AddTimeOff, ChangeTimeOff, KeepPerson, KeepRole, KeepSkill
from tests.unit.domain.rules.staffed_people import worker

SAME = {"role": "Architect", "title": "Senior Architect", "entity": "DE01", "region": "DE"}
MON, TUE = date(2026, 12, 7), date(2026, 12, 8)


def psa(**changes: Any) -> PsaPerson:
    return PsaPerson.model_validate({"external_id": "7", **SAME} | changes)


def commands(plan: Any) -> list[Any]:
    return [command for command, _ in plan.writes]


def test_what_is_the_same_is_agreed_and_not_written() -> None:
    plan = person_plan(worker(), psa(), {}, FACTS)
    assert (plan.writes, plan.differences, plan.agreed) == ((), {}, SAME)


def test_empty_is_filled_and_what_was_told_before_is_changed_in_one_write() -> None:
    told = {"title": "Senior Architect"}
    plan = person_plan(worker(grade="Principal"), psa(entity="", region=""), told, FACTS)
    (command,) = commands(plan)
    assert command == KeepPerson(
        person_external_id="7", title="Principal Architect", entity="DE01", region="DE", last_day=""
    )
    assert plan.writes[0][1] == {"title": "Principal Architect", "entity": "DE01", "region": "DE"}


def test_what_somebody_entered_is_a_difference_and_is_sent_as_it_is_held() -> None:
    plan = person_plan(worker(), psa(title="Wizard", entity=""), {"title": "Senior Architect"}, FACTS)
    assert plan.differences == {"title": "title: HR says 'Senior Architect', the PSA holds 'Wizard'"}
    (command,) = commands(plan)
    assert (command.title, command.entity) == ("Wizard", "DE01")


def test_a_new_role_says_what_it_was() -> None:
    plan = person_plan(worker(role="Tester"), psa(title="Senior Tester"), {"role": "Architect"}, FACTS)
    assert commands(plan) == [KeepRole(person_external_id="7", role="Tester", was="Architect")]


def test_a_last_day_is_told_and_taken_back() -> None:
    leaving = worker(ends_on=date(2026, 12, 31))
    (command,) = commands(person_plan(leaving, psa(), {}, FACTS))
    assert command.last_day == "2026-12-31"
    told = {"last_day": "2026-12-31"}
    (command,) = commands(person_plan(worker(), psa(last_day="2026-12-31"), told, FACTS))
    assert command.last_day == ""
    assert not person_plan(worker(), psa(last_day=""), told, FACTS).writes


def test_who_has_left_keeps_what_the_psa_holds() -> None:
    gone = worker(role="", grade="", entity="", calendar="")
    plan = person_plan(gone, psa(), SAME, FACTS)
    assert (plan.writes, plan.differences) == ((), {})


def test_a_fact_the_psa_has_no_place_for_is_neither_told_nor_compared() -> None:
    plan = person_plan(worker(), psa(entity="", region=""), {}, ("role", "title"))
    assert (plan.writes, plan.differences) == ((), {})


def test_skills_are_added_and_levels_raised_but_nobodys_entry_is_changed() -> None:
    skills = (
        WorkerSkill(name="Cloud", level=Decimal(3)),
        WorkerSkill(name="Java", level=Decimal(4)),
        WorkerSkill(name="Rust", level=Decimal(2)),
        WorkerSkill(name="SQL"),
    )
    held = (
        PsaSkill(external_id="1", name="java", level=2),
        PsaSkill(external_id="2", name="Rust", level=5),
        PsaSkill(external_id="3", name="SQL", level=1),
        PsaSkill(external_id="4", name="Juggling"),
    )
    plan = person_plan(worker(skills=skills), psa(skills=held), {"skill Java": "2"}, FACTS)
    assert commands(plan) == [
        KeepSkill(person_external_id="7", skill="Cloud", level=3),
        KeepSkill(person_external_id="7", skill="java", level=4, skill_external_id="1", was=2),
    ]
    assert plan.differences == {
        "skill Rust": "skill Rust: HR says level 2, the PSA holds 5",
        "skills": "skills: the PSA shows Juggling, which HR does not",
    }


def test_a_newcomer_needs_name_and_address() -> None:
    command, facts = newcomer(worker())
    assert (command.person_external_id, command.title) == ("", "Senior Architect")
    assert facts == {"role": "Architect", "title": "Senior Architect"}
    with pytest.raises(ValueError, match="give both"):
        newcomer(worker(email=""))


def away(day: date, hours: str) -> UnavailableDay:
    return UnavailableDay(worker_external_id="w", day=day, hours=Decimal(hours))


def off(day: date, hours: str, *, ours: bool) -> TimeOff:
    return TimeOff(
        external_id=f"e{day.day}", person_external_id="7", day=day, hours=Decimal(hours), ours=ours
    )


def test_missing_days_are_one_write() -> None:
    (write,) = days_plan("7", [away(MON, "8"), away(TUE, "4.0")], [], {}).writes
    command, said = write
    assert isinstance(command, AddTimeOff)
    assert (command.day_count, command.effort) == (2, "12 h")
    assert said == {"2026-12-07": "8", "2026-12-08": "4"}


def test_our_days_are_changed_and_taken_back() -> None:
    held = [off(MON, "8", ours=True), off(TUE, "8", ours=True)]
    plan = days_plan("7", [away(MON, "4")], held, {"2026-12-07": "8", "2026-12-08": "8"})
    assert commands(plan) == [
        ChangeTimeOff(time_off_external_id="e7", hours=Decimal(4)),
        ChangeTimeOff(time_off_external_id="e8", hours=Decimal(0)),
    ]


def test_days_of_others_and_days_somebody_changed_are_differences() -> None:
    held = [off(MON, "8", ours=False), off(TUE, "2", ours=True)]
    plan = days_plan("7", [away(TUE, "8")], held, {"2026-12-08": "8"})
    assert plan.writes == ()
    assert plan.differences == {
        "availability": "unavailable hours: HR and PSA do not agree on 2026-12-07 and 1 more days"
    }
    same = days_plan("7", [away(MON, "8")], [off(MON, "8", ours=False)], {})
    assert (same.writes, same.differences, same.agreed) == ((), {}, {"2026-12-07": "8"})
