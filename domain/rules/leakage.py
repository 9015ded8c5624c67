"""Leakage: work that earned its price and did not become an invoice in time, by cause.

Source: rule 11 (performance figures): billable value earned and not invoiced within the target, plus
write-downs, plus hours not recorded. The report states formula and period, and what was invoiced late apart.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, get_args

from domain.base import Value
from domain.money import Exact, Money, total
from domain.rules.errors import RuleError

Cause = Literal[
    "unapproved",
    "gate_red",
    "held",
    "cap_reached",
    "rate_missing",
    "lost_event",
    "under_contract_rate",
    "write_down",
    "not_recorded",
]
ONE_DECIMAL = Decimal("0.1")
_LOST_AT_ONCE = ("under_contract_rate", "write_down", "not_recorded")
"""Causes that no later invoice heals: the target does not matter."""


class LeakageItem(Value):
    """Billable value of one entry or event, at the contract's price."""

    key: str
    cause: Cause
    value: Money
    earned_on: date
    invoiced_on: date | None = None


class LeakageRow(Value):
    cause: Cause
    value: Money
    late: Money
    """Part of `value` that was invoiced after the target."""
    count: int


class Leakage(Value):
    rows: tuple[LeakageRow, ...]
    """Causes with a value, largest first."""
    total: Money
    earned: Money
    percent: Exact
    """Of what was earned, to one decimal."""
    formula: str
    first: date
    last: date
    as_of: date


def leakage(
    items: Sequence[LeakageItem], earned: Money, first: date, last: date, as_of: date, target_days: int
) -> Leakage:
    """Items earned from `first` to `last` whose target of `target_days` has passed on `as_of` uninvoiced.

    `earned` is the billable value of the period at the contract's price. Raises `RuleError` where nothing
    was earned, for a value below zero, or an entry counted twice.
    """
    if earned.amount <= 0:
        raise RuleError("earned", "11 performance", f"nothing was earned from {first} to {last}", earned)
    counted: dict[str, LeakageItem] = {}
    for item in items:
        if item.value.amount < 0:
            raise RuleError(item.key, "11 performance", "leakage is not negative", item.value)
        if item.key in counted:
            raise RuleError(
                item.key, "11 performance", "is counted twice: one value leaks by one cause", item.value
            )
        counted[item.key] = item
    leaked = [item for item in items if first <= item.earned_on <= last and _leaks(item, as_of, target_days)]
    rows = [row for cause in get_args(Cause) if (row := _row(cause, leaked, earned.currency, as_of)).count]
    lost = total([row.value for row in rows], earned.currency)
    return Leakage(
        rows=tuple(sorted(rows, key=lambda row: -row.value.amount)),
        total=lost,
        earned=earned,
        percent=(lost.amount * 100 / earned.amount).quantize(ONE_DECIMAL, ROUND_HALF_UP),
        formula=(
            f"leakage = value earned {first} to {last} and not invoiced within {target_days} days, "
            f"+ write-downs + work not recorded or under the contract's rate: {lost} of {earned}"
        ),
        first=first,
        last=last,
        as_of=as_of,
    )


def _leaks(item: LeakageItem, as_of: date, target_days: int) -> bool:
    if item.cause in _LOST_AT_ONCE:
        return True
    target = item.earned_on + timedelta(days=target_days)
    invoiced_by = item.invoiced_on if item.invoiced_on and item.invoiced_on <= as_of else None
    return as_of > target if invoiced_by is None else invoiced_by > target


def _row(cause: Cause, leaked: Sequence[LeakageItem], currency: str, as_of: date) -> LeakageRow:
    found = [item for item in leaked if item.cause == cause]
    invoiced = [item for item in found if item.invoiced_on and item.invoiced_on <= as_of]
    late = [item.value for item in invoiced if cause not in _LOST_AT_ONCE]
    return LeakageRow(
        cause=cause,
        value=total([item.value for item in found], currency),
        late=total(late, currency),
        count=len(found),
    )
