"""People as a PSA knows them: whom it can staff, who is planned where, and on which days somebody is off.

HR owns person, employment, absence and skills; the PSA owns assignments and time. So what is read here of the
first kind is only compared, and what is read of the second is taken as it is.
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from domain.base import Canonical, Value
from domain.money import Exact

PersonFact = Literal["role", "title", "entity", "region", "last_day"]
FACTS: tuple[PersonFact, ...] = ("role", "title", "entity", "region", "last_day")
"""What the PSA is told of a person, each on its own compared with what it was told before."""


class PsaSkill(Value):
    """A skill somebody is shown with. `level` from 1 to 5; zero where none is given."""

    external_id: str
    name: str
    level: int = 0


class PsaPerson(Value):
    """One person who can be staffed. Texts are empty where the PSA holds nothing."""

    external_id: str
    email: str = ""
    role: str = ""
    title: str = ""
    entity: str = ""
    region: str = ""
    last_day: str = ""
    """ISO date."""
    skills: tuple[PsaSkill, ...] = ()

    def fact(self, name: PersonFact) -> str:
        return str(getattr(self, name))


class PsaPeoplePage(Canonical):
    """One page of the people of a PSA. The same person may come again, never fewer."""

    people: tuple[PsaPerson, ...] = ()
    facts: tuple[PersonFact, ...] = FACTS
    """Those that this PSA has a place for; the others are neither told nor compared."""
    next_page: str = ""


class PsaAssignment(Value):
    """Hours of one person planned on one project. Who is not named yet is no assignment."""

    external_id: str
    person_external_id: str
    project_external_id: str
    role: str = ""
    starts_on: date
    ends_on: date
    hours: Exact = Field(ge=0)


class AssignmentPage(Canonical):
    """One page of assignments, oldest change first; `gone` are those that no longer are."""

    assignments: tuple[PsaAssignment, ...] = ()
    gone: tuple[str, ...] = ()
    next_page: str = ""
    mark: AwareDatetime | None = None
    """Newest change stamp seen up to here: the next reading begins there, less an overlap."""


class TimeOff(Value):
    """Hours of one day that are not there to be planned."""

    external_id: str
    person_external_id: str
    day: date
    hours: Exact
    ours: bool = False
    """Made by us, on HR's word."""
