"""Candidates, worked by hand: skills first, then hours, grade, entity; and why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.rules.candidates import Need, SkillNeed, candidates
from tests.unit.domain.rules.staffed_people import FRIDAY, MONDAY, person, skilled


def need(**changes: Any) -> Need:
    facts: dict[str, Any] = {
        "role": "Architect",
        "starts_on": MONDAY,
        "ends_on": FRIDAY,
        "hours": Decimal(32),
        "grade": "Senior",
        "entity": "DE01",
    }
    return Need.model_validate(facts | changes)


def numbers(found: Any) -> list[str]:
    return [one.number for one in found]


@pytest.mark.parametrize(
    ("text", "name", "level"),
    [("Python", "Python", 0), ("Python:3", "Python", 3), ("ISO:IEC", "ISO:IEC", 0), ("Java: 9", "Java", 5)],
)
def test_a_skill_may_carry_a_level(text: str, name: str, level: int) -> None:
    assert SkillNeed.parse(text) == SkillNeed(name=name, level=level)


def test_who_has_the_skill_at_the_level_comes_first() -> None:
    asked = need(skills=(SkillNeed(name="Cloud", level=3), SkillNeed(name="Security")))
    found = candidates(
        asked,
        [
            person("W-0001", skills=skilled(Cloud=2, Security=1)),
            person("W-0002", skills=skilled(Cloud=4, Security=None)),
            person("W-0003"),
            person("W-0004", skills=skilled(Cloud=None)),
        ],
    )
    assert numbers(found) == ["W-0002", "W-0001", "W-0003", "W-0004"]
    assert found[0].reasons == ("has Cloud 4", "has Security", "40 of 32 h free", "Senior")
    assert found[1].reasons[0] == "Cloud at level 2, 3 is asked"
    assert found[2].reasons[:2] == ("lacks Cloud", "lacks Security")
    assert found[3].reasons[0] == "Cloud at no level, 3 is asked"


def test_then_by_hours_grade_entity_and_number() -> None:
    found = candidates(
        need(),
        [
            person("W-0001", assigned=24),
            person("W-0002", entity="US01"),
            person("W-0003", grade="Associate"),
            person("W-0005"),
            person("W-0004"),
        ],
    )
    assert numbers(found) == ["W-0004", "W-0005", "W-0002", "W-0003", "W-0001"]
    # 16 of 32 hours are free.
    assert (found[-1].free_hours, found[-1].covers_percent) == (Decimal(16), 50)
    assert "of US01" in found[2].reasons
    assert "Associate, not Senior" in found[3].reasons


def test_leavers_the_unavailable_and_other_roles_are_left_out() -> None:
    away = {MONDAY + timedelta(days=n): 8 for n in range(5)}
    people = [
        person("W-0001", ends_on=MONDAY - timedelta(days=1)),
        person("W-0002", off=away),
        person("W-0003", assigned=40),
        person("W-0004", role="Tester"),
        person("W-0005", role="architect"),
    ]
    assert numbers(candidates(need(), people)) == ["W-0005"]


def test_who_leaves_or_begins_within_the_dates_is_shown_so() -> None:
    tuesday = MONDAY + timedelta(days=1)
    leaver, beginner = candidates(
        need(), [person("W-0001", ends_on=tuesday), person("W-0002", hired_on=tuesday)], limit=2
    )[::-1]
    assert f"leaves {tuesday}" in leaver.reasons
    assert f"begins {tuesday}" in beginner.reasons


def test_only_the_best_are_named() -> None:
    people = [person(f"W-{n:04d}") for n in range(9)]
    assert len(candidates(need(), people, limit=3)) == 3
