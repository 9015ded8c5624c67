"""What crosses Temporal for the watch over all alert rules: inputs and results, counts only."""

from pydantic import AwareDatetime

from domain.alert_state import AlertRule
from domain.base import Canonical, Value

RULES: tuple[AlertRule, ...] = tuple(rule for rule in AlertRule if rule is not AlertRule.UNCHECKED_RULE)
"""Looked at by every watch, in this order; what could not be looked at is told at its end."""


class WatchTick(Canonical):
    """Look at these rules once. They come with the tick, so that a new rule changes no history."""

    firm: str
    rules: tuple[AlertRule, ...] = RULES


class LookFor(Canonical):
    rule: AlertRule
    at: AwareDatetime
    """The instant that ages are counted to: the same again when the look is repeated."""


class FailedLook(Value):
    rule: AlertRule
    problem: str


class Unchecked(Canonical):
    failed: tuple[FailedLook, ...] = ()
    at: AwareDatetime


class Looked(Canonical):
    """What one look of one rule came to."""

    rule: AlertRule
    standing: int = 0
    raised: int = 0
    escalated: int = 0
    cleared: int = 0
    late: bool = False


class WatchResult(Canonical):
    looks: tuple[Looked, ...] = ()
    failed: tuple[FailedLook, ...] = ()

    @property
    def spoken(self) -> str:
        """For lists: `4 alerts stand, 1 raised, 2 cleared`."""
        sums = {
            name: sum(getattr(look, name) for look in self.looks)
            for name in ("standing", "raised", "cleared")
        }
        return f"{sums['standing']} alerts stand, {sums['raised']} raised, {sums['cleared']} cleared"
