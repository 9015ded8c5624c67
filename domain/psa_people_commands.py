"""Canonical commands of a PSA about people: what HR says of them, told to whoever staffs projects.

One command is one effect, as in `domain.commands`. Where a PSA has no place for an effect key (a role, a
skill), the command says what stood there before (`was`), so that "not done yet" and "done by somebody else"
can be told apart.
"""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from pydantic import Field, model_validator

from domain.base import Value
from domain.commands import Command
from domain.money import Exact
from domain.people_commands import effort_text


class KeepPerson(Command):
    """A person as HR knows them. Without `person_external_id` the person is invited, else changed."""

    noun: ClassVar[str] = "person"
    compared: ClassVar[tuple[str, ...]] = ("title", "entity", "region", "last_day")

    person_external_id: str = ""
    email: str = ""
    name: str = ""
    """Needed to invite somebody, as is the address."""
    role: str = ""
    """Given with an invitation; changed by `KeepRole`."""
    title: str = ""
    entity: str = ""
    region: str = ""
    last_day: str = ""
    """ISO date of the last day, empty while none is known."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.person_external_id and not (self.email and self.name):
            raise ValueError("a person is invited by name and work address: give both")
        return self


class KeepRole(Command):
    """The role somebody is staffed in."""

    noun: ClassVar[str] = "role of a person"
    compared: ClassVar[tuple[str, ...]] = ("role",)

    person_external_id: str = Field(min_length=1)
    role: str = Field(min_length=1)
    was: str = ""
    """The role that stood there when this was decided."""


class KeepSkill(Command):
    """One skill of one person. With `skill_external_id` its level is changed, else it is added."""

    noun: ClassVar[str] = "skill of a person"
    compared: ClassVar[tuple[str, ...]] = ("skill", "level")

    person_external_id: str = Field(min_length=1)
    skill: str = Field(min_length=1)
    level: int = Field(default=0, ge=0, le=5)
    """Zero where HR gives none."""
    skill_external_id: str = ""
    was: int = 0
    """The level that stood there when this was decided."""


class DayOff(Value):
    """Hours of one day."""

    day: date
    hours: Exact = Field(gt=0, le=24)


class AddTimeOff(Command):
    """Days, or parts of days, on which somebody cannot be planned; never why."""

    noun: ClassVar[str] = "unavailable days"
    compared: ClassVar[tuple[str, ...]] = ("effort", "day_count")

    person_external_id: str = Field(min_length=1)
    days: tuple[DayOff, ...] = Field(min_length=1)

    @property
    def day_count(self) -> int:
        return len(self.days)

    @property
    def effort(self) -> str:
        return effort_text(sum((day.hours for day in self.days), Decimal(0)), "h")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len({day.day for day in self.days}) != len(self.days):
            raise ValueError("a day is named twice: one entry holds all hours of a day")
        return self


class ChangeTimeOff(Command):
    """Other hours for a day we made; zero hours take it back."""

    noun: ClassVar[str] = "unavailable day"
    compared: ClassVar[tuple[str, ...]] = ("effort",)

    time_off_external_id: str = Field(min_length=1)
    hours: Exact = Field(ge=0, le=24)

    @property
    def effort(self) -> str:
        return effort_text(self.hours, "h")
