"""Alerts: conditions in business terms that last too long, one alert for each, gone when they are healed.

A rule finds conditions (`domain.alerts`). A condition found for the first time raises an alert; found again
it moves that alert on; not found any more it clears it. An alert that stands too long escalates.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.base import Canonical, Value
from domain.money import Exact, Money
from domain.readiness import OwnerGroup


class AlertRule(StrEnum):
    """What is looked for. A name is stable: ids of alerts begin with it."""

    UNBILLED_WORK = "unbilled_work"
    DELAYED_INVOICE = "delayed_invoice"
    MISSED_EVENT = "missed_event"
    LATE_APPROVAL = "late_approval"
    REFUSED_WORK = "refused_work"
    STALLED_ACTIVATION = "stalled_activation"
    STUCK_EVENT = "stuck_event"
    UNCHECKED_RULE = "unchecked_rule"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class Worth(Value):
    """What a condition is about, in money where it has a price, else in time."""

    values: tuple[Money, ...] = ()
    """One for each currency, never zero; net, before caps, retention and tax."""
    hours: Exact = Decimal(0)
    days: Exact = Decimal(0)
    """Time without a price; a day has no fixed length."""

    @property
    def is_nothing(self) -> bool:
        return not (self.values or self.hours or self.days)

    def __str__(self) -> str:
        parts = [str(value) for value in self.values]
        parts += [f"{self.hours:,.2f} h"] if self.hours else []
        parts += [f"{self.days.normalize():f} d"] if self.days else []
        return ", ".join(parts)


class Condition(Value):
    """What a rule finds wrong now. `object` tells it from the others of its rule."""

    rule: AlertRule
    object: str
    headline: str
    """What is wrong, in business words."""
    detail: str = ""
    project: str = ""
    entity: str = ""
    customer: str = ""
    worth: Worth = Worth()
    count: int = 1
    """Entries, events or steps it is about."""
    since: AwareDatetime | None = None
    """When what is wrong began: its age counts from here. None means when it is found first."""
    owner: OwnerGroup
    cure: str
    """What to do."""
    command: str = ""
    """What shows or settles it on the command line."""
    person: str = ""
    escalates_to: str = ""
    """Who stands behind the owner, and who is told when it lasts."""

    @property
    def key(self) -> str:
        return f"{self.rule.value}/{self.object}"


class Alert(Condition, Canonical):
    """A condition that was raised. `id` is `<rule>/<object>/<number>`."""

    id: str
    number: int = Field(ge=1)
    """Of the same condition, counted from one: when it comes back it is another alert."""
    since: AwareDatetime
    raised_at: AwareDatetime
    seen_at: AwareDatetime
    """When the rule found it last."""
    cleared_at: AwareDatetime | None = None
    escalations: int = 0

    def age(self, now: datetime) -> timedelta:
        """How long it has lasted; of a cleared one, how long it lasted in all."""
        return (self.cleared_at or now) - self.since


class AlertChanges(Canonical):
    """What one look of one rule changed."""

    raised: tuple[Alert, ...] = ()
    escalated: tuple[Alert, ...] = ()
    cleared: tuple[Alert, ...] = ()
    standing: int = 0
    """Open now, the raised ones among them."""
    late: bool = False
    """A later look has spoken: this one changed nothing."""


def raised(condition: Condition, number: int, at: datetime) -> Alert:
    """The alert of a condition that has none."""
    facts = {**dict(condition), "since": condition.since or at}
    id = f"{condition.key}/{number}"
    return Alert.model_validate({**facts, "id": id, "number": number, "raised_at": at, "seen_at": at})


def seen(alert: Alert, condition: Condition, at: datetime, limit: timedelta) -> Alert:
    """The alert as its condition stands now; it escalates once in every `limit` since it was raised."""
    facts = {**dict(condition), "since": condition.since or alert.since}
    escalations = max(alert.escalations, (at - alert.raised_at) // limit)
    return alert.with_changes(**facts, seen_at=at, escalations=escalations)


def cleared(alert: Alert, at: datetime) -> Alert:
    """The alert of a condition that is healed."""
    return alert.with_changes(cleared_at=at)


def by_object(found: Sequence[Condition]) -> dict[str, Condition]:
    """Conditions of one rule by their object. Raises `ValueError` for two of one object."""
    conditions = {condition.object: condition for condition in found}
    if len(conditions) != len(found):
        twice = next(one.object for one in found if conditions[one.object] is not one)
        raise ValueError(f"rule {found[0].rule.label} found two conditions of {twice}: they must be one")
    return conditions
