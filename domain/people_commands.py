"""Canonical commands of HR: what delivery tells it of assignments and of the hours worked on them.

One command is one effect, as in `domain.commands`.
"""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from pydantic import Field, model_validator

from domain.commands import Command
from domain.invariants import in_order
from domain.money import Exact


def effort_text(number: Decimal, unit: str) -> str:
    """One spelling of an amount of work, such as `37.5 h` or `50 %`: 80 and 80.00 are the same."""
    return f"{number.normalize() + 0:f} {unit}"


class RecordAssignment(Command):
    """A person on a project, as staffing decided: one line of HR's resource plan.

    With `line_external_id` the line is changed, else made. Zero hours take an assignment back.
    """

    noun: ClassVar[str] = "assignment"
    compared: ClassVar[tuple[str, ...]] = (
        *("worker_external_id", "project_external_id"),
        *("starts_on", "ends_on", "effort"),
    )

    worker_external_id: str = Field(min_length=1)
    project_external_id: str = Field(min_length=1)
    """Of the project in HR."""
    role: str = ""
    starts_on: date
    ends_on: date
    hours: Exact | None = Field(default=None, ge=0)
    percent: Exact | None = Field(default=None, gt=0, le=100)
    line_external_id: str = ""
    line_key: str = ""
    """Effect key under which the line was made: a change keeps it beside its own."""

    @property
    def effort(self) -> str:
        if self.hours is not None:
            return effort_text(self.hours, "h")
        return effort_text(self.percent or Decimal(0), "%")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        in_order(self.starts_on, self.ends_on, f"assignment of {self.worker_external_id}")
        if (self.hours is None) == (self.percent is None):
            raise ValueError(
                f"assignment of {self.worker_external_id} needs either hours or percent, not both or none"
            )
        return self


class RecordUtilization(Command):
    """Hours a person worked on a project in a period: approved, and told once.

    Hours that are taken back later are told as a further record with negative hours.
    """

    noun: ClassVar[str] = "utilization"
    compared: ClassVar[tuple[str, ...]] = ("worker_external_id", "project_external_id", "ends_on", "effort")

    worker_external_id: str = Field(min_length=1)
    project_external_id: str = Field(min_length=1)
    starts_on: date
    ends_on: date
    """Last day of the period: the date the record bears."""
    hours: Exact
    billable: bool = True

    @property
    def effort(self) -> str:
        return effort_text(self.hours, "h")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        in_order(self.starts_on, self.ends_on, f"utilization of {self.worker_external_id}")
        if self.hours == 0:
            raise ValueError(
                f"utilization of {self.worker_external_id} is zero hours: there is nothing to tell"
            )
        return self
