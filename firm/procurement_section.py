"""The section of the firm's file about purchases: how long silence is borne, how often it is looked."""

from datetime import timedelta

from pydantic import Field, field_validator

from domain.base import Edge
from firm.values import Duration


class ProcurementSection(Edge):
    """`[procurement]`: see `domain.policy.ProcurementLimits`."""

    approval_hours: int = Field(default=72, ge=1, le=24 * 90)
    acceptance_hours: int = Field(default=120, ge=1, le=24 * 90)
    poll_every: Duration = timedelta(minutes=15)
    """How often changed orders are looked for that no event told of; zero for never."""

    @field_validator("poll_every")
    @classmethod
    def _whole_minutes(cls, every: timedelta) -> timedelta:
        if every.total_seconds() % 60:
            raise ValueError('is no number of whole minutes; write such as "15m", or 0 for never')
        return every
