"""Why intake refuses an entry: the rules by their stable names, each with the group that can cure it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.readiness import OwnerGroup


class Rule(StrEnum):
    """Stable: work lists and alerts filter by them."""

    UNKNOWN_PROJECT = "project.unknown"
    NO_CONTRACT = "project.no_contract"
    NO_LINE = "task.no_line"
    TASK_CLOSED = "task.closed"
    OUTSIDE_CONTRACT = "work_date.outside_contract"
    NOT_POSITIVE = "quantity.not_positive"
    DAY_FULL = "quantity.day_full"
    NOT_APPROVED = "approval.missing"
    OWN_APPROVAL = "approval.own"
    CURRENCY = "expense.currency"
    NOT_OWNER = "expense.not_owner"
    UNREADABLE = "entry.unreadable"
    CHANGED = "entry.changed"

    @property
    def owner(self) -> OwnerGroup:
        """Who can cure it; most is cured where time is written."""
        return _OWNERS.get(self, OwnerGroup.DELIVERY_OPERATIONS)


_OWNERS = {
    Rule.NO_CONTRACT: OwnerGroup.FINANCE_SYSTEMS,
    Rule.OUTSIDE_CONTRACT: OwnerGroup.FINANCE_SYSTEMS,
    Rule.CURRENCY: OwnerGroup.FINANCE_SYSTEMS,
    Rule.CHANGED: OwnerGroup.FINANCE_SYSTEMS,
    Rule.NOT_OWNER: OwnerGroup.ENTERPRISE_ARCHITECTURE,
}

WAITS_FOR_ACTIVATION = frozenset({Rule.UNKNOWN_PROJECT.value, Rule.NO_CONTRACT.value})
"""What heals by itself once the project is ours."""


@dataclass(frozen=True)
class Refusal:
    """One thing that keeps an entry out."""

    field: str
    rule: Rule
    words: str
    """What is wrong and what to do. Holds no person's name and no narrative."""
