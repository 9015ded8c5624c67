"""Demand for people as it stands in our own store: asked, answered, and what was asked before."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from domain.base import Canonical
from domain.money import Exact

DemandState = Literal["open", "approved", "rejected", "withdrawn"]


class StaffingRequest(Canonical):
    """One role of one project, asked of staffing. `key` is `<process>/<ref>/<generation>`."""

    key: str
    process: str
    project: str
    """Number of the project."""
    entity: str = ""
    ref: str
    role: str
    grade: str = ""
    skills: tuple[str, ...] = ()
    """Names; a level may stand behind a colon, as in `Python:3`."""
    hours: Exact = Field(ge=0)
    starts_on: date
    ends_on: date
    revision: int = Field(default=1, ge=1)
    request_external_id: str = ""
    state: DemandState = "open"
    resource: str = ""
    """External id of who was named in the PSA."""
    asked_at: AwareDatetime
    answered_at: AwareDatetime | None = None
