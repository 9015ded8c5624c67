"""How much stands in Fairlead's own database right now: for metrics, in sums without any id."""

from datetime import datetime
from typing import Protocol

from pydantic import AwareDatetime

from domain.base import Value


class Group(Value):
    """Rows that have the same labels."""

    labels: tuple[str, ...]
    count: int
    oldest: AwareDatetime | None = None
    """When the one that has stood longest began; None where that means nothing."""


class StandingFigures(Value):
    """Everything that is counted, at one moment."""

    at: datetime
    exceptions: tuple[Group, ...] = ()
    """Unresolved, by owner group; oldest by when it was raised."""
    overdue: tuple[Group, ...] = ()
    """Unresolved and past their due time, by owner group; oldest by that time."""
    processes: tuple[Group, ...] = ()
    """Running, by kind and stage; oldest by its last change."""
    inbox: tuple[Group, ...] = ()
    """Not applied, by state; oldest by when it was received."""
    alerts: tuple[Group, ...] = ()
    """Open, by rule and owner; oldest by when it was raised."""


class Standing(Protocol):
    async def figures(self) -> StandingFigures:
        """All of it, read in one go."""
