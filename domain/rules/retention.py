"""Retention: what the customer holds back of each invoice, and pays at the end by an invoice of its own.

Source: rule 8. Tiers go by the cumulative value billed, and what crosses a boundary is split exactly; the
total held may be capped; nothing is released twice or beyond what is held.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.base import Value
from domain.invariants import in_currency
from domain.money import Exact, Money
from domain.project_contract import RetentionTerms, RetentionTier
from domain.rules.errors import RuleError
from domain.rules.shares import share_out


class RetentionError(RuleError):
    """Terms that do not say what to hold, or a release of what is not held."""


class RetainedBand(Value):
    """The part of an invoice in one tier, and what is held of it before any limit of the total."""

    base: Money
    percent: Exact
    held: Money


class Retained(Value):
    """What one invoice has held back; `bands` sum to it unless `limited`."""

    held: Money
    bands: tuple[RetainedBand, ...] = ()
    balance: Money
    """Held in all, with this."""
    limited: bool = False
    """The cap on the total held less than the tiers say."""


class RetentionMove(Value):
    """One change of what is held: by an invoice (below zero by a credit note) or a release."""

    ref: str
    kind: Literal["held", "released"]
    amount: Money


class Release(Value):
    """Retention that has fallen due: billed by an event of its own."""

    amount: Money
    reason: Literal["final_account", "date", "event"]
    due_on: date


def retain(terms: RetentionTerms, net: Money, billed_before: Money, held_before: Money) -> Retained:
    """What is held of an invoice of `net` (below zero: a credit note, which frees what its tiers held).

    `billed_before` is cumulative and net, before retention. Rounded once per invoice. Raises
    `RetentionError` for tiers that are not in order or not open at the end, and for mixed currencies.
    """
    _check(terms, net, billed_before, held_before)
    bases = _bases(terms, net, billed_before)
    exact = [base.amount * tier.percent / 100 for base, tier in zip(bases, terms.tiers, strict=True)]
    raw = Money.rounded(sum(exact, Decimal(0)), net.currency)
    held = Money.of(_limited(terms, raw, held_before), net.currency)
    bands = [
        RetainedBand(base=base, percent=tier.percent, held=part)
        for base, tier, part in zip(bases, terms.tiers, share_out(raw, exact), strict=True)
        if base.amount
    ]
    return Retained(held=held, bands=tuple(bands), balance=held_before + held, limited=held != raw)


def balances(moves: Sequence[RetentionMove], currency: str) -> list[Money]:
    """The running balance after each move. Raises `RetentionError` where more is freed than is held."""
    balance, running = Money.zero(currency), []
    for move in moves:
        balance = balance + move.amount if move.kind == "held" else balance - move.amount
        if balance.amount < 0:
            raise RetentionError(
                f"retention.{move.ref}", "8 retention", f"is {-balance} more than is held", move.amount
            )
        running.append(balance)
    return running


def due_release(
    terms: RetentionTerms, held: Money, as_of: date, happened_on: date | None = None
) -> Release | None:
    """The release that is due on `as_of`, none while nothing is: all that is held.

    `happened_on` is the day of the final account, or of the event the terms name. Raises `RetentionError`
    for release by date without a date.
    """
    due = terms.release_on if terms.release == "date" else happened_on
    if terms.release == "date" and due is None:
        raise RetentionError("retention.release_on", "8 retention", "is missing: enter the day", held)
    if due is None or due > as_of or held.amount <= 0:
        return None
    return Release(amount=held, reason=terms.release, due_on=due)


def _bases(terms: RetentionTerms, net: Money, billed_before: Money) -> list[Money]:
    """The part of `net` in each tier; parts sum to it exactly."""
    low, high = sorted((billed_before.amount, (billed_before + net).amount))
    sign, floor, bases = (-1 if net.amount < 0 else 1), None, []
    for tier in terms.tiers:
        ceiling = high if tier.up_to is None else min(high, tier.up_to.amount)
        start = low if floor is None else max(low, floor)
        bases.append(Money.of(sign * max(ceiling - start, Decimal(0)), net.currency))
        floor = None if tier.up_to is None else tier.up_to.amount
    return bases


def _limited(terms: RetentionTerms, raw: Money, held_before: Money) -> Decimal:
    """`raw` within what may still be held; a credit note frees no more than is held."""
    if raw.amount < 0:
        return max(raw.amount, -held_before.amount)
    if terms.most_held is None:
        return raw.amount
    return min(raw.amount, max(terms.most_held.amount - held_before.amount, Decimal(0)))


def _check(terms: RetentionTerms, net: Money, billed_before: Money, held_before: Money) -> None:
    ends = [tier.up_to for tier in terms.tiers]
    try:
        in_currency(net.currency, [billed_before, held_before, terms.most_held, *ends], "retention")
    except ValueError as error:
        raise RetentionError("retention", "10 currency", str(error), net) from error
    if held_before.amount < 0:
        raise RetentionError("retention.held", "8 retention", "is below zero", held_before)
    _check_tiers(terms.tiers)


def _check_tiers(tiers: Sequence[RetentionTier]) -> None:
    if tiers and tiers[-1].up_to is not None:
        raise RetentionError(
            "retention.tiers", "8 retention", "end: the last tier has no up_to", tiers[-1].up_to
        )
    reached = Decimal(0)
    for tier in tiers[:-1]:
        if tier.up_to is None or tier.up_to.amount <= reached:
            raise RetentionError(
                "retention.tiers",
                "8 retention",
                "are not in order: each ends above the one before",
                tier.up_to,
            )
        reached = tier.up_to.amount
