"""The price of time: which rate holds on the work date, and quantity times rate, rounded once.

Source: rules 1 and 12 (rate card valid on the work date; multiply before dividing; round once per line,
HALF_UP). Order of rates, the nearest first: override of role and grade, override of the role, price of
the contract line, rate card. A missing rate is a finding, never a default.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.base import Value
from domain.billable import Billable
from domain.invoice_state import InvoiceFinding
from domain.money import Exact, Money
from domain.project_contract import ProjectContract, RateOverride
from domain.quantity import Quantity
from domain.rules.errors import RuleError
from domain.selling import RateCard, RateCardRole

_MINUTES = {"minutes": Decimal(1), "hours": Decimal(60)}


class PricingError(RuleError):
    """Time that cannot be priced by the rate it has."""


class Rate(Value):
    price: Exact
    """Of one hour or day, with as many decimals as were agreed."""
    per: Literal["hour", "day"] = "hour"
    currency: str
    source: str
    """Where it was read, such as `rate card RC-DE-2026 2`."""


class RatedEntry(Value):
    entry: Billable
    rate: Rate


class Rated(Value):
    """Entries with their rates; those without stay out, each with a finding."""

    entries: tuple[RatedEntry, ...] = ()
    findings: tuple[InvoiceFinding, ...] = ()


def rate_entries(entries: Sequence[Billable], contract: ProjectContract, cards: Sequence[RateCard]) -> Rated:
    """The rate of each billable entry of time on its work date; `cards` are the versions the firm has."""
    billable = [entry for entry in entries if entry.kind == "time" and entry.billable]
    rated: list[RatedEntry] = []
    findings: list[InvoiceFinding] = []
    for entry in sorted(billable, key=lambda e: (e.work_date, e.key)):
        found = rate_of(entry, contract, cards)
        if isinstance(found, Rate):
            found = _fits(entry, found, contract.terms.hours_per_day) or found
        if isinstance(found, InvoiceFinding):
            findings.append(found)
            continue
        rated.append(RatedEntry(entry=entry, rate=found))
        findings += _other_role(entry, found, contract)
    return Rated(entries=tuple(rated), findings=tuple(findings))


def rate_of(entry: Billable, contract: ProjectContract, cards: Sequence[RateCard]) -> Rate | InvoiceFinding:
    """The one rate of `entry`, or what is missing. An entry that names no role takes that of its line."""
    line = next((line for line in contract.lines if line.number == entry.line), None)
    if line is None:
        return _missing(entry, "line", f"contract {contract.number} has no such line", "move the entry")
    role = entry.role or line.role or ""
    grade = entry.grade or (line.grade if role == line.role else None) or ""
    override = _override(contract.terms.rate_overrides, role, grade, entry.work_date)
    if override is not None:
        source = f"override of {override.role} {override.grade}".rstrip()
        return Rate(price=override.price, per=override.per, currency=contract.currency, source=source)
    if line.unit_price is not None:
        return Rate(price=line.unit_price, currency=contract.currency, source=_line_source(line.number))
    return _card_rate(entry, role, grade, contract, cards)


def price(quantity: Quantity, rate: Rate, hours_per_day: Decimal | None = None) -> Money:
    """`quantity` at `rate`, rounded once. Raises `PricingError` for hours by the day without day length."""
    return Money.rounded(unrounded_price(quantity, rate, hours_per_day), rate.currency)


def unrounded_price(quantity: Quantity, rate: Rate, hours_per_day: Decimal | None = None) -> Decimal:
    """Multiplied first, divided last: what lines and shares are rounded from."""
    in_days = quantity.unit == "days"
    if in_days and rate.per == "day":
        return quantity.amount * rate.price
    if not in_days and rate.per == "hour":
        return quantity.amount * _MINUTES[quantity.unit] * rate.price / 60
    if hours_per_day is None:
        raise PricingError(
            "terms.hours_per_day",
            "1 quantities",
            f"{quantity} have no price at {rate.price} per {rate.per} of {rate.source}: "
            "state the hours of a day in the contract's terms",
            rate.price,
        )
    if in_days:
        return quantity.amount * hours_per_day * rate.price
    return quantity.amount * _MINUTES[quantity.unit] * rate.price / (60 * hours_per_day)


def _override(rows: Sequence[RateOverride], role: str, grade: str, day: date) -> RateOverride | None:
    """The row of role and grade valid on `day`, else that of the role. Raises `PricingError` for two."""
    valid = [
        row for row in rows if row.role == role and (row.valid_from or day) <= day <= (row.valid_to or day)
    ]
    for wanted in dict.fromkeys((grade, "")):
        found = [row for row in valid if row.grade == wanted]
        if len(found) > 1:
            raise PricingError(
                "terms.rate_overrides",
                "12 rate on the work date",
                f"{len(found)} overrides of {role} {wanted} hold on {day}: end all but one of them",
                found[0].price,
            )
        if found:
            return found[0]
    return None


def _card_rate(
    entry: Billable, role: str, grade: str, contract: ProjectContract, cards: Sequence[RateCard]
) -> Rate | InvoiceFinding:
    code, day = contract.rate_card, entry.work_date
    who = f"{role} {grade}".strip() or "no role"
    if code is None:
        return _missing(
            entry, "card", f"contract {contract.number} names no rate card for {who} on {day}", "name one"
        )
    versions = [card for card in cards if card.code == code and card.covers(day, day)]
    if not versions:
        return _missing(
            entry, "date", f"no version of rate card {code} is valid on {day} ({who})", "extend it"
        )
    rows = [(card, row) for card in versions for row in _rows(card, role, grade)]
    if not rows:
        return _missing(entry, "role", f"rate card {code} has no price for {who} on {day}", "add the role")
    if len({(card.currency, row.unit, row.price) for card, row in rows}) > 1:
        prices = ", ".join(f"{row.price} ({card.version} {row.grade})" for card, row in rows)
        return _missing(
            entry,
            "ambiguous",
            f"rate card {code} has several prices for {who} on {day}: {prices}",
            "leave one",
        )
    return _priced(entry, who, *rows[0], contract)


def _priced(
    entry: Billable, who: str, card: RateCard, row: RateCardRole, contract: ProjectContract
) -> Rate | InvoiceFinding:
    """The row as a rate, where its currency is the contract's and its unit one we price in."""
    where = f"{who} on {entry.work_date}"
    if card.currency != contract.currency:
        problem = f"rate card {card.code} is in {card.currency}, contract {contract.number} in "
        return _missing(entry, "currency", f"{problem}{contract.currency} ({where})", "correct either")
    if row.unit not in ("hour", "day"):
        problem = f"rate card {card.code} prices {where} per {row.unit!r}"
        return _missing(entry, "unit", problem, "price it per hour or day")
    per: Literal["hour", "day"] = "day" if row.unit == "day" else "hour"
    source = f"rate card {card.code} {card.version}"
    return Rate(price=row.price, per=per, currency=card.currency, source=source)


def _rows(card: RateCard, role: str, grade: str) -> list[RateCardRole]:
    """Prices of the role: of its grade, else those that hold for every grade, else of an only grade."""
    rows = [row for row in card.roles if row.role == role]
    if grade:
        return [row for row in rows if row.grade == grade] or [row for row in rows if not row.grade]
    return [row for row in rows if not row.grade] or rows


def _other_role(entry: Billable, rate: Rate, contract: ProjectContract) -> list[InvoiceFinding]:
    """A line's own price is used for whoever works on it; that it was sold for another role is said."""
    line = contract.line(entry.line)
    if rate.source != _line_source(line.number) or entry.role in ("", line.role) or line.role is None:
        return []
    return [
        InvoiceFinding(
            rule="rate.role_differs",
            field="entry.role",
            problem=f"entry {entry.key} of {entry.work_date} is by {entry.role}, line {line.number} was sold "
            f"for {line.role} at {line.unit_price}: move the entry, or agree an override for the role",
            blocking=False,
            keys=(entry.key,),
        )
    ]


def _line_source(number: int) -> str:
    return f"line {number}"


def _fits(entry: Billable, rate: Rate, hours_per_day: Decimal | None) -> InvoiceFinding | None:
    """What keeps this rate from pricing this entry."""
    if entry.quantity is None:
        return _missing(entry, "quantity", "it has no time", "correct the entry")
    try:
        unrounded_price(entry.quantity, rate, hours_per_day)
    except PricingError as error:
        return _missing(entry, "unit", str(error), "")
    return None


def _missing(entry: Billable, what: str, problem: str, cure: str) -> InvoiceFinding:
    where = f"entry {entry.key} of {entry.work_date}, line {entry.line}"
    return InvoiceFinding(
        rule=f"rate.{what}",
        field="entry.rate",
        problem=": ".join(part for part in (where, problem, cure) if part),
        keys=(entry.key,),
    )
