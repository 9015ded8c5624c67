"""An invoice against the customer's purchase order, without which some customers pay nothing.

Source: gate "billing structure", where a region requires the order. Its amount is net of tax, as is what is
held against it.
"""

from collections.abc import Iterator
from datetime import date

from domain.base import Value
from domain.invoice_state import InvoiceFinding
from domain.money import Money
from domain.selling import CustomerPO


class PoPosition(Value):
    """Where the order stands with this invoice. Amounts are none for an order without an amount."""

    number: str = ""
    left_before: Money | None = None
    left_after: Money | None = None
    findings: tuple[InvoiceFinding, ...] = ()


def po_position(
    order: CustomerPO | None, *, required: bool, net: Money, billed_before: Money, dated: date
) -> PoPosition:
    """The invoice of `net`, dated `dated`, after `billed_before` on the same order; credits lower that."""
    if order is None or not order.number.strip():
        return PoPosition(findings=tuple(_no_number(required)))
    findings = [*_expired(order, dated)]
    if order.amount is None:
        return PoPosition(number=order.number, findings=tuple(findings))
    other = [each for each in (net, billed_before) if each.currency != order.amount.currency]
    if other:
        findings.append(
            _finding(
                "currency",
                f"order {order.number} is in {order.amount.currency}, the invoice in {other[0].currency}: "
                "ask the customer for an order in the invoice's currency",
                other[0],
            )
        )
        return PoPosition(number=order.number, findings=tuple(findings))
    before = order.amount - billed_before
    findings += _exhausted(order, before, net)
    return PoPosition(
        number=order.number, left_before=before, left_after=before - net, findings=tuple(findings)
    )


def _no_number(required: bool) -> Iterator[InvoiceFinding]:
    if required:
        yield _finding(
            "number", "the customer's order number is required and missing: ask the customer for it"
        )


def _expired(order: CustomerPO, dated: date) -> Iterator[InvoiceFinding]:
    if order.expires_on is not None and order.expires_on < dated:
        yield _finding(
            "expired",
            f"order {order.number} expired on {order.expires_on}, before the invoice of {dated}: ask the "
            "customer to extend it or for a new one",
        )


def _exhausted(order: CustomerPO, left: Money, net: Money) -> Iterator[InvoiceFinding]:
    if net.amount > 0 and left < net:
        over = net - left
        yield _finding(
            "exhausted",
            f"order {order.number} over {order.amount} has {left} left, the invoice is {net}: "
            f"{over} too much; ask the customer to raise it, or bill less",
            over,
        )


def _finding(rule: str, problem: str, amount: Money | None = None) -> InvoiceFinding:
    return InvoiceFinding(rule=f"customer_po.{rule}", field="customer_po", problem=problem, amount=amount)
