"""Delivery: what a PSA tells us about projects, staffing and changes."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from domain.base import Canonical


class StaffingAnswer(Canonical):
    """Where one resource request stands."""

    request_external_id: str
    seat_external_id: str = ""
    role: str = ""
    state: Literal["open", "approved", "rejected", "withdrawn"]
    resource: str | None = None
    """External id of the person, where one was named."""
    starts_on: date | None = None
    ends_on: date | None = None
    approved_by: str | None = None
    """Who approved it in the PSA, where the PSA says."""
    version: str = ""


class StaffingDemand(Canonical):
    """One resource request as it was made: the seat, and the id the PSA gave the request."""

    ref: str
    """The seat's reference within the project."""
    role: str
    starts_on: date
    ends_on: date
    request_external_id: str


class StaffingState(Canonical):
    """All requests of a project in their current revision, with what staffing has answered."""

    demands: tuple[StaffingDemand, ...] = ()
    answers: tuple[StaffingAnswer, ...] = ()
    revision: int = 1
    requested_by: str = ""
    """Who asked: address of the person, or of the project manager on whose behalf we asked."""
    approved_by: str | None = None
    """Who approved the whole by a decision of its own, outside the PSA."""
    approved_revision: int | None = None

    @property
    def approved_now(self) -> bool:
        """A person's decision counts only for the revision it was made on."""
        return bool(self.approved_by) and self.approved_revision == self.revision

    def answer_to(self, demand: StaffingDemand) -> StaffingAnswer | None:
        """The PSA's answer to `demand`, by the id of the request."""
        asked = demand.request_external_id
        return next((answer for answer in self.answers if answer.request_external_id == asked), None)


class Change(Canonical):
    """One entry of a PSA's change feed: what to read again."""

    event_id: str
    subject: str
    """Object kind in the vendor's words, such as `workspace`."""
    subject_id: str
    verb: Literal["created", "updated", "deleted"]
    at: AwareDatetime
