"""What about a project's purchases only a person can decide, each in words that say what to do. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.money import Money, total
from domain.policy import ProcurementLimits
from domain.procurement import Purchase, purchases, silent_at
from domain.procurement_process import ProcurementFacts, ProcurementLine, ProcurementProblem

APPROVAL, ORDER, WITHDRAWAL, SILENCE, READING, REQUEST = (
    *("approval", "order", "withdraw", "silence", "read", "request"),
)
"""First parts of the steps of exceptions; the second names the first line of the purchase."""
JUDGED = (APPROVAL, ORDER, SILENCE, READING)
"""Exceptions that are found by reading, and settled when what is read is right again."""


def judged(
    lines: Sequence[ProcurementLine], facts: ProcurementFacts, limits: ProcurementLimits, now: datetime
) -> list[ProcurementProblem]:
    """Everything that is wrong in what was read, at most one problem a step."""
    found = [problem for purchase in purchases(lines) for problem in _of(purchase, facts, limits, now)]
    return [*found, *_unreadable(facts)]


def accepted_and_dropped(lines: Sequence[ProcurementLine], system: str) -> list[ProcurementProblem]:
    """Orders that the supplier has accepted and nobody wants any more: cancelled by a person, never by us."""
    return [
        _accepted(purchase, system)
        for purchase in purchases(lines)
        if purchase.state == "accepted" and any(line.dropped for line in purchase.lines)
    ]


def _of(
    purchase: Purchase, facts: ProcurementFacts, limits: ProcurementLimits, now: datetime
) -> Iterator[ProcurementProblem]:
    first = purchase.first
    if first.requisition in facts.missing:
        yield ProcurementProblem(
            step=f"{READING}.{purchase.ref}",
            headline=f"Requisition {first.requisition_number} is gone",
            detail="procurement does not know it any more: look for it there, then retry; skip to leave it",
        )
        return
    if purchase.state == "rejected" and not purchase.is_dropped:
        yield _refused(purchase)
    if purchase.state in ("ordered", "accepted") and not purchase.is_dropped:
        yield from _differs(purchase, facts)
    due = silent_at(first, limits)
    if due is not None and now >= due:
        yield _silent(purchase, now)


def _refused(purchase: Purchase) -> ProcurementProblem:
    first = purchase.first
    refs = ", ".join(line.ref for line in purchase.lines)
    return ProcurementProblem(
        step=f"{APPROVAL}.{purchase.ref}",
        headline=f"Requisition {first.requisition_number} was not approved",
        detail=f"line {refs}, supplier {first.supplier_id}: {first.note}. Correct supplier, quantity, "
        "cost_rate or dates of the line and it is requested anew; retry requests it as it is; skip leaves it",
        amount=str(purchase.total or ""),
        facts=_facts(purchase),
    )


def _differs(purchase: Purchase, facts: ProcurementFacts) -> Iterator[ProcurementProblem]:
    """The order beside what was asked for: supplier, currency, amount; and whether it could be sent."""
    first = purchase.first
    orders = [
        order
        for order in facts.orders
        if order.requisition == first.requisition and order.state != "cancelled"
    ]
    wanted = purchase.total
    said = [
        *(
            f"its supplier is {order.supplier}, requested was {first.supplier_id}"
            for order in orders
            if order.supplier != first.supplier_id
        ),
        *(
            f"it is in {order.currency}, requested was {wanted}"
            for order in orders
            if wanted is not None and order.currency != wanted.currency
        ),
    ]
    ordered = total([order.total for order in orders], wanted.currency) if wanted and not said else None
    if ordered is not None and wanted != ordered and first.agreed != ordered:
        said.append(f"it is over {ordered}, wanted is {wanted}")
    said += [f"it could not be sent to the supplier ({o.note})" for o in orders if o.state == "failed"]
    if orders and said:
        yield ProcurementProblem(
            step=f"{ORDER}.{purchase.ref}",
            headline=f"Order {first.order_number} is not as requested",
            detail=f"{'; '.join(said)}. Have it changed in procurement, then retry; skip accepts it as it is",
            amount=_spoken(first.ordered),
            facts=_facts(purchase),
        )


def _silent(purchase: Purchase, now: datetime) -> ProcurementProblem:
    first = purchase.first
    since = first.since or now
    ordered = purchase.state == "ordered"
    what = f"Order {first.order_number}" if ordered else f"Requisition {first.requisition_number}"
    waits = "its supplier to accept it" if ordered else "its approval and order"
    return ProcurementProblem(
        step=f"{SILENCE}.{purchase.ref}",
        headline=f"{what} waits for {waits}",
        detail=f"since {since:%Y-%m-%d %H:%M} UTC, supplier {first.supplier_id}; "
        f"{first.note or 'nothing said'}. Remind who has it; retry asks again, skip waits as long once more",
        amount=_spoken(first.ordered or purchase.total),
        facts=_facts(purchase),
    )


def _accepted(purchase: Purchase, system: str) -> ProcurementProblem:
    first = purchase.first
    why = next(line.dropped for line in purchase.lines if line.dropped)
    return ProcurementProblem(
        step=f"{WITHDRAWAL}.{purchase.ref}",
        headline=f"Order {first.order_number} has to be cancelled by a person",
        detail=f"{why}. Supplier {first.supplier_id} has accepted it: the buyer of the order agrees on its "
        f"end with the supplier's account contact and cancels it in {system}; then retry, or skip it",
        amount=_spoken(first.ordered),
        facts=_facts(purchase) | {"contact": "buyer of the order; the supplier's account contact"},
    )


def _unreadable(facts: ProcurementFacts) -> Iterator[ProcurementProblem]:
    for order in facts.unreadable:
        yield ProcurementProblem(
            step=f"{READING}.order.{order.external_id}",
            headline=f"Order {order.number or order.external_id} cannot be read",
            detail=f"{order.field}: {order.problem}. Correct it in procurement, then retry",
            facts={"order": order.number or order.external_id},
        )


def _facts(purchase: Purchase) -> dict[str, str]:
    first = purchase.first
    named = {
        "requisition": first.requisition_number,
        "order": first.order_number,
        "supplier": first.supplier_id,
        "amount": _spoken(first.ordered or purchase.total),
        "lines": ", ".join(line.ref for line in purchase.lines),
    }
    return {name: value for name, value in named.items() if value}


def _spoken(amount: Money | None) -> str:
    return "" if amount is None else str(amount)
