"""The sold lines of a deal, by the shape of its contract."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from sandbox.seed.firm import DealLine, RateRole, Supplier
from sandbox.seed.people import SKILLS

SCALE = {"USD": Decimal(1), "EUR": Decimal(1), "INR": Decimal(30)}
"""Prices of fixed work in a currency, relative to the dollar."""
_PHASES = ("Concept", "Design", "Build", "Acceptance", "Hand-over")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the lines of one deal share."""

    key: str
    practice: str
    currency: str
    start: date
    end: date
    card: Sequence[RateRole]
    lenders: Sequence[Supplier]


def time_and_materials(chance: Random, terms: Terms, count: int, subcontracted: bool) -> list[DealLine]:
    """`count` roles by the hour at or a little under the card's price; every other one with a cap."""
    chosen = chance.sample(list(terms.card), min(count, len(terms.card)))
    if subcontracted:
        lent = [rate for rate in terms.card if _lender(terms, rate.role)]
        chosen[:1] = [chance.choice(lent)] if lent else chosen[:1]
    lines = []
    for number, rate in enumerate(chosen):
        hours = Decimal(chance.randrange(120, 801, 40))
        discount = Decimal(chance.choice((0, 0, 2, 4, 6, 8))) / 100
        price = max(rate.floor_price, _cents(rate.price * (1 - discount)))
        lender = _lender(terms, rate.role) if subcontracted and number == 0 else None
        lines.append(hourly(terms, rate, hours, price, capped=number % 2 == 0, lender=lender))
    return lines


def hourly(
    terms: Terms, rate: RateRole, hours: Decimal, price: Decimal, *, capped: bool, lender: Supplier | None
) -> DealLine:
    """One role by the hour; its estimate is hours times price, its cap a tenth above."""
    total = _cents(hours * price)
    return DealLine(
        *("", f"{terms.practice}-TM", f"{rate.role}, {rate.grade}", "Time and Materials", "Right to Invoice"),
        *(hours, price, total, terms.start, terms.end),
        role=rate.role,
        grade=rate.grade,
        skills=SKILLS.get(rate.role, ())[:2],
        hours=hours,
        cap=_hundreds(total * Decimal("1.1")) if capped else None,
        subcontracted=lender is not None,
        supplier=lender.key if lender else None,
    )


def milestones(chance: Random, terms: Terms, count: int) -> list[DealLine]:
    """`count` milestones of a fixed price, due at even distances, the last at the end."""
    days = (terms.end - terms.start).days
    lines = []
    for number in range(count):
        amount = Decimal(chance.randrange(12, 61)) * 1000 * SCALE[terms.currency]
        due = terms.start + timedelta(days=days * (number + 1) // count)
        name = _PHASES[number % len(_PHASES)] if number < count - 1 else _PHASES[-1]
        lines.append(milestone(terms, name, amount, due))
    return lines


def milestone(terms: Terms, name: str, amount: Decimal, due: date) -> DealLine:
    """One milestone with its amount and due date."""
    return DealLine(
        *("", f"{terms.practice}-FP", name, "Milestone", "Cost to Cost", Decimal(1), amount, _cents(amount)),
        *(terms.start, due),
        service_date=due,
    )


def subscription(terms: Terms, name: str, price: Decimal, frequency: str = "Monthly") -> DealLine:
    """A price per period over the whole term."""
    months = (terms.end.year - terms.start.year) * 12 + terms.end.month - terms.start.month + 1
    periods = Decimal(months if frequency == "Monthly" else -(-months // 3))
    return DealLine(
        *("", f"{terms.practice}-SUB", name, "Subscription", "Straight Line", periods, price),
        *(_cents(periods * price), terms.start, terms.end),
        frequency=frequency,
    )


def percent_complete(terms: Terms, name: str, amount: Decimal) -> DealLine:
    """A fixed price billed by progress."""
    return DealLine(
        *("", f"{terms.practice}-PC", name, "Percent Complete", "Cost to Cost", Decimal(1), amount),
        *(_cents(amount), terms.start, terms.end),
    )


def _tm(chance: Random, terms: Terms) -> list[DealLine]:
    return time_and_materials(chance, terms, chance.randint(2, 3), subcontracted=False)


def _tm_with_partner(chance: Random, terms: Terms) -> list[DealLine]:
    return time_and_materials(chance, terms, 3, subcontracted=True)


def _fixed(chance: Random, terms: Terms) -> list[DealLine]:
    return milestones(chance, terms, chance.randint(3, 5))


def _managed(chance: Random, terms: Terms) -> list[DealLine]:
    price = Decimal(chance.randrange(6, 25)) * 1000 * SCALE[terms.currency]
    return [subscription(terms, "Managed service", price, chance.choice(("Monthly", "Quarterly")))]


def _mixed(chance: Random, terms: Terms) -> list[DealLine]:
    support = Decimal(chance.randrange(3, 9)) * 1000 * SCALE[terms.currency]
    staff = time_and_materials(chance, terms, 1, subcontracted=True)
    return [*milestones(chance, terms, 2), *staff, subscription(terms, "Support", support)]


def _progress(chance: Random, terms: Terms) -> list[DealLine]:
    amount = Decimal(chance.randrange(60, 241)) * 1000 * SCALE[terms.currency]
    staff = time_and_materials(chance, terms, 1, subcontracted=False)
    return [percent_complete(terms, "Implementation", amount), *staff]


SHAPES: tuple[Callable[[Random, Terms], list[DealLine]], ...] = (
    *(_tm, _fixed, _managed, _mixed, _tm_with_partner, _progress, _fixed),
)
"""Contract shapes, used in turn."""


def _lender(terms: Terms, role: str) -> Supplier | None:
    return next((supplier for supplier in terms.lenders if role in supplier.roles), None)


def _hundreds(amount: Decimal) -> Decimal:
    return (amount / 100).quantize(Decimal(1), ROUND_HALF_UP) * 100


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
