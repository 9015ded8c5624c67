"""Workday's REST records as this connector reads them. Unknown fields are ignored.

A reference object is `{"id", "descriptor", "href"}` everywhere. Of an absence neither type nor reason nor
comment is read.
"""

from datetime import date
from decimal import Decimal

from connectors.http.shapes import VendorShape


class Reference(VendorShape):
    id: str
    descriptor: str = ""

    def is_one_of(self, names: tuple[str, ...]) -> bool:
        """Whether its id or its name is among `names`; names are translated, ids are not."""
        return self.id in names or self.descriptor in names


class ExplicitSkill(VendorShape):
    skillItem: Reference
    remoteID: str | None = None


class ExternalSkillLevel(VendorShape):
    externalSkillId: str | None = None
    externalSkillName: str | None = None
    externalSkillLevel: Decimal


class TimeOff(VendorShape):
    """One entry of one day."""

    date: date
    quantity: Decimal
    unit: Reference
    status: Reference


class LeaveImpact(VendorShape):
    schedulingEffect: bool | None = None
    """True for a leave during which one may be scheduled to work."""


class Leave(VendorShape):
    status: Reference
    firstDayOfLeave: date
    estimatedLastDayOfLeave: date | None = None
    actualLastDayOfLeave: date | None = None
    leaveImpactFields: LeaveImpact | None = None

    @property
    def last_day(self) -> date | None:
        return self.actualLastDayOfLeave or self.estimatedLastDayOfLeave

    @property
    def keeps_away(self) -> bool:
        return self.leaveImpactFields is None or not self.leaveImpactFields.schedulingEffect
