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
    version: str = ""


class Change(Canonical):
    """One entry of a PSA's change feed: what to read again."""

    event_id: str
    subject: str
    """Object kind in the vendor's words, such as `workspace`."""
    subject_id: str
    verb: Literal["created", "updated", "deleted"]
    at: AwareDatetime
