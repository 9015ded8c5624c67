"""Per diems: what of a day's expenses of one person and category the customer pays, before cap and markup.

Source: rule 20 (contract expense cap and per-diem rule come first). A limit pays the lower of actual and per
diem, for all claims of the day together; a flat rate pays the per diem once, whatever was spent.
"""

from collections.abc import Sequence
from decimal import Decimal

from domain.billable import Billable
from domain.money import Money
from domain.project_contract import PerDiem
from domain.rules.expenses import ExpenseError


def within_per_diem(entries: Sequence[Billable], per_diems: Sequence[PerDiem]) -> dict[str, Money]:
    """By key: what is rebilled of each expense. Those without a per diem stay as they are.

    A day that sums to a refund mirrors the day it refunds; a day that sums to zero cancels. Raises
    `ExpenseError` for an expense without amount, another currency, or two per diems of one category.
    """
    result: dict[str, Money] = {}
    days: dict[tuple[object, ...], list[Billable]] = {}
    for entry in sorted(entries, key=lambda e: (e.work_date, e.key)):
        days.setdefault((entry.resource, entry.work_date, entry.category), []).append(entry)
    for day in days.values():
        rule = _rule(day[0].category, per_diems)
        actual = {entry.key: amount_of(entry) for entry in day}
        result |= actual if rule is None else _allowed(actual, rule)
    return result


def amount_of(entry: Billable) -> Money:
    """Net of recoverable tax. Raises `ExpenseError` where it is missing."""
    if entry.amount is None:
        raise ExpenseError(
            f"{entry.key}.amount", "20 expenses", "is missing: enter what was spent, net of tax"
        )
    return entry.amount


def _rule(category: str, per_diems: Sequence[PerDiem]) -> PerDiem | None:
    found = [rule for rule in per_diems if rule.category == category]
    if len(found) > 1:
        raise ExpenseError(
            "terms.per_diems", "20 per diem", f"has {category!r} twice: leave one of them", found[0].per_day
        )
    if found and found[0].per_day.amount < 0:
        raise ExpenseError(
            "terms.per_diems", "20 per diem", f"for {category!r} is below zero", found[0].per_day
        )
    return found[0] if found else None


def _allowed(actual: dict[str, Money], rule: PerDiem) -> dict[str, Money]:
    currency = rule.per_day.currency
    for key, amount in actual.items():
        if amount.currency != currency:
            raise ExpenseError(f"{key}.amount", "10 currency", f"is not in the per diem's {currency}", amount)
    day = sum((amount.amount for amount in actual.values()), Decimal(0))
    sign = -1 if day < 0 else 1
    amounts = {key: sign * amount.amount for key, amount in actual.items()}
    if rule.kind == "flat":
        paid = _flat(amounts, rule.per_day.amount if day else Decimal(0))
    else:
        paid = _limited(amounts, rule.per_day.amount) if day else amounts
    return {key: Money.of(sign * amount, currency) for key, amount in paid.items()}


def _limited(amounts: dict[str, Decimal], per_day: Decimal) -> dict[str, Decimal]:
    """Refunds in full, and the others in order into the room that they and the per diem make."""
    room = per_day - sum((amount for amount in amounts.values() if amount < 0), Decimal(0))
    paid = {}
    for key, amount in amounts.items():
        paid[key] = min(amount, room)
        room -= max(paid[key], Decimal(0))
    return paid


def _flat(amounts: dict[str, Decimal], per_day: Decimal) -> dict[str, Decimal]:
    """All on the first claim of the day that is not a refund."""
    first = next((key for key, amount in amounts.items() if amount > 0), "")
    return {key: per_day if key == first else Decimal(0) for key in amounts}
