"""Advances: billed before the work, a liability until invoices draw them down, the rest refunded.

Source: rule 8. 30,000 against invoices of 12,000: 12,000 / 12,000 / 6,000 applied, 0 / 0 / 6,000 to pay;
never more than the balance; the rest is refunded at the project's end. The balance is that of a sequence
of moves: the store settles two invoices one after the other, each by what the one before has left.
"""

from collections.abc import Sequence
from typing import Literal

from domain.base import Value
from domain.invariants import in_currency
from domain.money import Money
from domain.rules.errors import RuleError


class AdvanceError(RuleError):
    """An advance, or a move of one, that cannot be."""


class AdvanceOverdrawn(AdvanceError):
    """More is applied or refunded than is left."""


class AdvanceMove(Value):
    """One change of an advance, above zero: billed, applied to an invoice, given back by the credit note
    to that invoice (`ref` is the invoice), or refunded."""

    ref: str
    kind: Literal["billed", "applied", "given_back", "refunded"]
    amount: Money


class DrawDown(Value):
    """`applied` and `to_pay` sum to the invoice; `left` is the liability after it."""

    applied: Money
    to_pay: Money
    left: Money


def draw_down(left: Money, invoice: Money) -> DrawDown:
    """As much of the advance as `invoice` takes. Raises `AdvanceError` for an amount below zero: a credit
    note gives back what its invoice had applied, see `given_back`."""
    _positive("invoice", invoice, left.currency)
    _positive("advance.left", left, left.currency)
    applied = min(left, invoice)
    return DrawDown(applied=applied, to_pay=invoice - applied, left=left - applied)


def draw_downs(left: Money, invoices: Sequence[Money]) -> list[DrawDown]:
    """Invoice after invoice in their order."""
    result = []
    for invoice in invoices:
        result.append(draw_down(left, invoice))
        left = result[-1].left
    return result


def given_back(applied: Money, invoice: Money, credited: Money) -> Money:
    """What a credit of `credited` (above zero) on `invoice` returns to the advance, rounded once.

    In proportion to what the invoice applied; a full credit returns all of it. Raises `AdvanceError` for a
    credit above its invoice, or an application above it.
    """
    for field, amount in (("invoice", invoice), ("applied", applied), ("credited", credited)):
        _positive(field, amount, invoice.currency)
    for field, amount in (("applied", applied), ("credited", credited)):
        if invoice < amount:
            raise AdvanceError(field, "8 advances", f"is above the invoice of {invoice}", amount)
    if not invoice.amount:
        return Money.zero(invoice.currency)
    return Money.rounded(applied.amount * credited.amount / invoice.amount, invoice.currency)


def balances(moves: Sequence[AdvanceMove], currency: str) -> list[Money]:
    """The liability after each move, whatever order invoices came in.

    Raises `AdvanceOverdrawn` for the move that takes more than is left, `AdvanceError` for one that gives
    back more than was applied to its invoice.
    """
    left, running = Money.zero(currency), []
    applied: dict[str, Money] = {}
    for move in moves:
        _positive(f"advance.{move.ref}", move.amount, currency)
        left = left + move.amount if move.kind in ("billed", "given_back") else _taken(left, move)
        if move.kind in ("applied", "given_back"):
            before = applied.get(move.ref, Money.zero(currency))
            applied[move.ref] = before + move.amount if move.kind == "applied" else _returned(before, move)
        running.append(left)
    return running


def refund(left: Money) -> AdvanceMove | None:
    """What the customer gets back at the project's end: the whole rest, none where nothing is left."""
    _positive("advance.left", left, left.currency)
    return AdvanceMove(ref="refund", kind="refunded", amount=left) if left.amount else None


def _taken(left: Money, move: AdvanceMove) -> Money:
    if left < move.amount:
        raise AdvanceOverdrawn(
            f"advance.{move.ref}",
            "8 advances",
            f"{move.kind} {move.amount}, but {left} is left: price the invoice again",
            move.amount,
        )
    return left - move.amount


def _returned(applied: Money, move: AdvanceMove) -> Money:
    if applied < move.amount:
        raise AdvanceError(
            f"advance.{move.ref}", "8 advances", f"gives back more than the {applied} applied", move.amount
        )
    return applied - move.amount


def _positive(field: str, amount: Money, currency: str) -> None:
    try:
        in_currency(currency, [amount], field)
    except ValueError as error:
        raise AdvanceError(field, "10 currency", str(error), amount) from error
    if amount.amount < 0:
        raise AdvanceError(field, "8 advances", "is below zero: advances move by amounts above it", amount)
