"""The few conditions that many canonical objects share. Each raises `ValueError` in words for people."""

from collections.abc import Iterable, Sequence
from datetime import date

from domain.money import Money


def in_order(first: date | None, last: date | None, what: str) -> None:
    """`first` is not after `last`, where both are known."""
    if first is not None and last is not None and first > last:
        raise ValueError(f"{what} ends on {last}, before it begins on {first}")


def in_currency(currency: str, amounts: Iterable[Money | None], what: str) -> None:
    """Every amount is in `currency`."""
    for amount in amounts:
        if amount is not None and amount.currency != currency:
            raise ValueError(f"{what} is in {currency}, but holds {amount}")


def sums_to(whole: Money, parts: Sequence[Money], what: str) -> None:
    """The parts are in the currency of the whole and sum to it exactly."""
    in_currency(whole.currency, parts, what)
    found = sum((part.amount for part in parts), start=whole.amount * 0)
    if found != whole.amount:
        raise ValueError(
            f"{what} say {Money.of(found, whole.currency)}, the total says {whole}: "
            f"{Money.of(whole.amount - found, whole.currency)} apart"
        )


def distinct(keys: Sequence[object], what: str) -> None:
    """No key occurs twice."""
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{what} {key} occurs twice")
        seen.add(key)
