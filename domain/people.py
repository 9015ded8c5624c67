"""People as HR knows them: who works for whom, in which role, when, and on which days not.

Holds what staffing needs and nothing else: no pay, no private data, and of an absence never its kind.
"""

from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.base import Canonical, Value
from domain.identity import canonical_id
from domain.invariants import in_order
from domain.money import Exact


class WorkerSkill(Value):
    """What somebody can do. `level` from 1 (basic) to 5 (expert), None where HR does not say."""

    name: str = Field(min_length=1)
    external_id: str = ""
    level: Exact | None = Field(default=None, ge=1, le=5)


class Worker(Canonical):
    """A person the firm employs, or borrows from a supplier. `id` is `worker:<source>:<external id>`.

    A leaver whom HR no longer places anywhere has neither entity nor role.
    """

    id: str
    source: str
    external_id: str
    number: str
    """Employee or contingent worker number: what people call the worker by."""
    kind: Literal["employee", "contingent"] = "employee"
    name: str = ""
    email: str = ""
    """Work address, by which other systems know the person. Never part of an id."""
    entity: str = ""
    """Code of the legal entity."""
    organisation: str = ""
    """Reference of the supervisory organisation."""
    job_profile: str = ""
    role: str = ""
    """Role as rate cards and seats name it."""
    grade: str = ""
    skills: tuple[WorkerSkill, ...] = ()
    manager: str | None = None
    """External id of the line manager."""
    supplier: str | None = None
    hired_on: date
    ends_on: date | None = None
    """Last day, also when it is still ahead."""
    calendar: str = ""
    """Region whose working days and holidays apply."""
    weekly_hours: Exact | None = Field(default=None, ge=0, le=168)
    version: AwareDatetime
    """When HR last entered a change, or as of when it was asked."""

    def employed_on(self, day: date) -> bool:
        """Whether `day` lies between the first and the last day, both included."""
        return self.hired_on <= day and (self.ends_on is None or day <= self.ends_on)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.id != canonical_id("worker", self.source, self.external_id):
            raise ValueError(f"worker {self.external_id} of {self.source} has the id {self.id}")
        in_order(self.hired_on, self.ends_on, f"worker {self.number}")
        if self.kind == "employee" and self.supplier is not None:
            raise ValueError(f"worker {self.number} is an employee: a supplier lends contingent workers only")
        if self.manager == self.external_id:
            raise ValueError(f"worker {self.number} is shown as the manager of the same worker")
        return self


class UnreadablePerson(Value):
    """A record HR holds and we refuse: what is wrong with it, for the one who can cure it."""

    kind: Literal["worker", "absence"]
    external_id: str
    """Of the worker."""
    field: str
    problem: str


class WorkerPage(Canonical):
    """One page of workers: hires, changes and leavers. The same worker may come again, never fewer.

    Who does not come has not left: a leaver comes with a last day.
    """

    workers: tuple[Worker, ...] = ()
    unreadable: tuple[UnreadablePerson, ...] = ()
    next_page: str = ""
    """Token of the page after this; empty at the end."""
    mark: AwareDatetime | None = None
    """On the last page: the moment up to which changes were read, where the next reading begins."""


class UnavailableDay(Value):
    """Hours of one day on which a worker cannot work, for whatever reason."""

    worker_external_id: str
    day: date
    hours: Exact = Field(gt=0, le=24)


class AbsencePage(Canonical):
    """Unavailable hours of some workers, replacing all that was known of them in the range asked for."""

    worker_external_ids: tuple[str, ...] = ()
    """Whose days these are. Who is named here and has no day is available throughout."""
    days: tuple[UnavailableDay, ...] = ()
    unreadable: tuple[UnreadablePerson, ...] = ()
    next_page: str = ""


class WorkCalendar(Canonical):
    """Working time of a region: hours of a full week, and the days nobody works."""

    code: str
    """What `Worker.calendar` names."""
    country: str = ""
    weekly_hours: Exact = Field(ge=0, le=168)
    holidays: tuple[date, ...] = ()
