"""How long activations take and where the time goes, out of what they left in the store: pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from domain.base import Value
from domain.money import Exact

STAGES = ("gates before creation", "creating", "staffing and gates before opening", "opening")


class Passage(Value):
    """When one activation passed its borders; None for what it has not reached."""

    began: datetime
    created_from: datetime | None = None
    """First write of what is created."""
    created_to: datetime | None = None
    """Last outcome of what is created."""
    opened_from: datetime | None = None
    ended: datetime | None = None

    def hours(self) -> dict[str, Decimal]:
        """Hours per stage, of the stages that are over."""
        borders = (self.began, self.created_from, self.created_to, self.opened_from, self.ended)
        pairs = zip(STAGES, borders, borders[1:], strict=False)
        return {stage: _hours(to - since) for stage, since, to in pairs if since and to}


class Duration(Value):
    """Hours of several activations."""

    count: int
    median: Exact
    p90: Exact


def duration(hours: Sequence[Decimal]) -> Duration | None:
    """Median (the mean of the middle two) and 90th percentile (nearest rank); None of nothing."""
    if not hours:
        return None
    ordered, size = sorted(hours), len(hours)
    middle = (ordered[(size - 1) // 2] + ordered[size // 2]) / 2
    rank = -(-size * 9 // 10)
    return Duration(count=size, median=middle.quantize(Decimal("0.001")), p90=ordered[rank - 1])


def whole(passage: Passage) -> Decimal | None:
    """Hours from its beginning to its end."""
    return _hours(passage.ended - passage.began) if passage.ended else None


def _hours(span: timedelta) -> Decimal:
    seconds = Decimal(max(span, timedelta(0)) // timedelta(milliseconds=1)) / 1000
    return (seconds / 3600).quantize(Decimal("0.001"), ROUND_HALF_UP)
