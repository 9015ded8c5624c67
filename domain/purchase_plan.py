"""From what a contract line needs to what is asked of procurement: hours, dates and cost, checked. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from domain.buying import PurchaseLine
from domain.buying_commands import RequestPurchase
from domain.money import Money
from domain.procurement_process import PurchaseNeed
from domain.selling import RateCard

STEP = "procurement.request"
"""Of every requisition: part of its effect key."""


class NeedRefused(ValueError):
    """A need that cannot be requested: which field breaks which rule, in words a person can act on."""

    def __init__(self, field: str, rule: str, words: str) -> None:
        super().__init__(words)
        self.field = field
        self.rule = rule


def request_step(ref: str, round: int = 1) -> str:
    """Step of the requisition whose first line is `ref`; each further round is an effect of its own."""
    return f"{STEP}.{ref}" if round == 1 else f"{STEP}.{ref}.{round}"


def planned(need: PurchaseNeed, card: RateCard | None) -> PurchaseLine:
    """`need` at its cost. Raises `NeedRefused` where hours, dates, currency or rate do not hold."""
    what = f"line {need.ref} {need.name}"
    if need.hours <= 0:
        raise NeedRefused(
            need.path("quantity"), "purchase.hours", f"{what} has no hours to order: state them"
        )
    if need.starts_on > need.ends_on:
        words = f"{what} starts on {need.starts_on} and ends on {need.ends_on}: correct one"
        raise NeedRefused(need.path("ends_on"), "purchase.dates", words)
    rate = need.rate if need.rate is not None else _standard_cost(need, card)
    return PurchaseLine(
        ref=need.ref,
        description=f"{need.name}, {need.starts_on} to {need.ends_on}",
        role=need.role or None,
        quantity=need.hours,
        rate=rate,
        amount=Money.rounded(need.hours * rate, need.currency),
    )


def _standard_cost(need: PurchaseNeed, card: RateCard | None) -> Decimal:
    what = f"line {need.ref} {need.name}"
    field = need.path("cost_rate")
    if card is None:
        words = f"{what} has no rate card {need.card} to take its cost from: state its cost per hour"
        raise NeedRefused(field, "purchase.rate_card", words)
    if card.currency != need.currency:
        words = f"rate card {card.code} is in {card.currency}, {what} in {need.currency}: state its cost"
        raise NeedRefused(field, "purchase.currency", words)
    rows = [row for row in card.roles if row.role == need.role]
    exactly = [row for row in rows if row.grade == need.grade]
    costs = [row.cost_rate for row in exactly or rows if row.cost_rate is not None]
    if not costs:
        words = f"rate card {card.code} has no cost for {need.role or 'no role'} {need.grade}".rstrip()
        raise NeedRefused(field, "purchase.no_cost", f"{what}: {words}: add it, or state its cost per hour")
    cost = max(costs)
    if need.price is not None and cost > need.price:
        words = f"{what} costs {cost} {need.currency} an hour and is sold at {need.price}: state what is paid"
        raise NeedRefused(field, "purchase.above_price", words)
    return cost


def lookup_command(project: str, entity: str, needs: Sequence[PurchaseNeed]) -> RequestPurchase:
    """A requisition as far as it is known without its supplier: enough to look for it by its key."""
    first = needs[0]
    return RequestPurchase(
        project=project,
        entity=entity,
        supplier=first.supplier,
        currency=first.currency,
        needed_on=min(need.starts_on for need in needs),
        lines=tuple(
            PurchaseLine(
                ref=need.ref,
                description=need.name,
                quantity=max(need.hours, Decimal("0.01")),
                rate=Decimal(0),
                amount=Money.of(0, first.currency),
            )
            for need in needs
        ),
    )
