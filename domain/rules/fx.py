"""Exchange rates: which published rate holds for a day, and amounts converted by it, rounded once.

Source: rule 10 (currency), ASC 830, IAS 21. A rate is never assumed: a pair without a rate, or with
none new enough, raises, and no amount is ever converted at 1.0 or 0. Inverted quotes and crosses are exact
fractions, and each result names the quotes it used.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import chain
from typing import Literal

from pydantic import Field

from domain.base import Value
from domain.books import FxRate
from domain.calendar import Period
from domain.money import Money, total
from domain.rules.errors import RuleError
from domain.rules.rounding import rounded

RateType = Literal["spot", "contract", "average", "closing"]
Method = Literal["same", "direct", "inverse", "cross"]
_ORDER: tuple[Method, ...] = ("same", "direct", "inverse", "cross")


class FxPolicy(Value):
    """How long a published rate stands for the days after it, on which none was published.

    A contract rate stands until it is replaced; an average is that of its own month and of no other.
    """

    max_age_days: int = Field(default=5, ge=0)
    """Of spot and closing rates: over the longest run of bank holidays, and not longer."""


class NoRate(RuleError):
    """No rate may be used for the pair on the day. The text names pair, type, date and, if old, the age."""

    def __init__(self, text: str, pair: tuple[str, str], on: date, age_days: int | None = None) -> None:
        super().__init__("rate", "10 currency", text)
        self.pair, self.on, self.age_days = pair, on, age_days


class Leg(Value):
    """One published quote, used as published or against its direction."""

    quote: FxRate
    inverted: bool = False

    @property
    def factor(self) -> Fraction:
        """Exactly what one unit is worth on the other side."""
        quoted = Fraction(self.quote.rate) / self.quote.unit
        return 1 / quoted if self.inverted else quoted

    def __str__(self) -> str:
        quote = self.quote
        per = f"{quote.unit} " if quote.unit != 1 else ""
        turned = ", inverted" if self.inverted else ""
        return (
            f"{per}{quote.from_currency} = {quote.rate} {quote.to_currency} "
            f"of {quote.on} ({quote.source}){turned}"
        )


class Exchange(Value):
    """How one currency becomes another on a day: no leg for the same currency, two for a cross."""

    from_currency: str
    to_currency: str
    type: RateType
    on: date
    """The day asked for."""
    legs: tuple[Leg, ...] = ()

    @property
    def factor(self) -> Fraction:
        """Unrounded: `to_currency` per 1 `from_currency`."""
        result = Fraction(1)
        for leg in self.legs:
            result *= leg.factor
        return result

    @property
    def method(self) -> Method:
        if not self.legs:
            return "same"
        if len(self.legs) > 1:
            return "cross"
        return "inverse" if self.legs[0].inverted else "direct"

    @property
    def published_on(self) -> date:
        """Day of the oldest quote used."""
        return min((leg.quote.on for leg in self.legs), default=self.on)

    def convert(self, amount: Money) -> Money:
        """`amount` rounded once, HALF_UP. Raises `ValueError` for an amount in another currency."""
        if amount.currency != self.from_currency:
            raise ValueError(f"{amount} is not in {self.from_currency}, which this rate converts")
        return amount if not self.legs else rounded(Fraction(amount.amount) * self.factor, self.to_currency)

    def __str__(self) -> str:
        how = " and ".join(map(str, self.legs)) or "no rate needed"
        return f"{self.from_currency} to {self.to_currency} on {self.on}, {self.type}, {self.method}: {how}"


class Converted(Value):
    """An amount in another currency, with the rate that made it."""

    original: Money
    amount: Money
    exchange: Exchange


class RateTable:
    """Published rates, looked up by pair, type and day in the time of a binary search.

    Raises `ValueError` when two sources give one pair different rates for one day.
    """

    def __init__(self, rates: Iterable[FxRate], policy: FxPolicy | None = None) -> None:
        self.policy = policy or FxPolicy()
        series: dict[tuple[str, str, RateType], list[FxRate]] = defaultdict(list)
        for rate in rates:
            series[rate.from_currency, rate.to_currency, rate.type].append(rate)
        self._rates = {key: _in_order(found) for key, found in series.items()}
        self._dates = {key: [rate.on for rate in found] for key, found in self._rates.items()}
        self._partners: dict[tuple[str, RateType], set[str]] = defaultdict(set)
        for one, other, kind in series:
            self._partners[one, kind].add(other)
            self._partners[other, kind].add(one)

    def exchange(self, from_currency: str, to_currency: str, on: date, type: RateType = "spot") -> Exchange:
        """The newest usable rate on or before `on`: direct, inverted or over a third one.

        Raises `NoRate` when there is none, or none new enough.
        """
        if from_currency == to_currency:
            return Exchange(from_currency=from_currency, to_currency=to_currency, type=type, on=on)
        ways = [
            Exchange(from_currency=from_currency, to_currency=to_currency, type=type, on=on, legs=legs)
            for legs in chain(
                ((leg,) for leg in self._legs(from_currency, to_currency, on, type)),
                self._crosses(from_currency, to_currency, on, type),
            )
        ]
        if not ways:
            raise NoRate(
                f"no {type} rate {from_currency} to {to_currency} is published "
                f"{f'for {Period.of(on)}' if type == 'average' else f'on or before {on}'}: load one, "
                "nothing is assumed",
                (from_currency, to_currency),
                on,
            )
        ways.sort(key=lambda way: _ORDER.index(way.method))
        best = max(ways, key=lambda way: way.published_on)
        self._refuse_old(best)
        return best

    def convert(self, amount: Money, to_currency: str, on: date, type: RateType = "spot") -> Converted:
        """`amount` in `to_currency`, with the rate used. Raises `NoRate`."""
        exchange = self.exchange(amount.currency, to_currency, on, type)
        return Converted(original=amount, amount=exchange.convert(amount), exchange=exchange)

    def base_total(
        self, amounts: Sequence[Money], base: str, on: date, type: RateType = "closing"
    ) -> tuple[Money, tuple[Converted, ...]]:
        """Amounts of any currency summed in `base`, each converted and rounded first. Raises `NoRate`."""
        parts = tuple(self.convert(amount, base, on, type) for amount in amounts)
        return total([part.amount for part in parts], base), parts

    def _legs(self, one: str, other: str, on: date, type: RateType) -> Iterator[Leg]:
        """The last quote of the pair, in either direction."""
        for key, inverted in (((one, other, type), False), ((other, one, type), True)):
            dates = self._dates.get(key)
            if dates is None:
                continue
            index = bisect_right(dates, Period.of(on).last if type == "average" else on) - 1
            if index >= 0 and (type != "average" or Period.of(on).contains(dates[index])):
                yield Leg(quote=self._rates[key][index], inverted=inverted)

    def _crosses(self, one: str, other: str, on: date, type: RateType) -> Iterator[tuple[Leg, ...]]:
        for pivot in sorted(self._partners[one, type] & self._partners[other, type]):
            first = max(self._legs(one, pivot, on, type), key=lambda leg: leg.quote.on, default=None)
            second = max(self._legs(pivot, other, on, type), key=lambda leg: leg.quote.on, default=None)
            if first and second:
                yield first, second

    def _refuse_old(self, way: Exchange) -> None:
        age = (way.on - way.published_on).days
        if way.type in ("spot", "closing") and age > self.policy.max_age_days:
            raise NoRate(
                f"the newest {way.type} rate {way.from_currency} to {way.to_currency} is of "
                f"{way.published_on}, {age} days before {way.on}, and the policy allows "
                f"{self.policy.max_age_days}: load later rates",
                (way.from_currency, way.to_currency),
                way.on,
                age,
            )


def _in_order(rates: list[FxRate]) -> list[FxRate]:
    """By day, each day once. Raises `ValueError` naming both sources of a day with two rates."""
    ordered = sorted(rates, key=lambda rate: rate.on)
    kept = ordered[:1]
    for rate in ordered[1:]:
        last = kept[-1]
        if rate.on != last.on:
            kept.append(rate)
        elif Fraction(rate.rate) / rate.unit != Fraction(last.rate) / last.unit:
            raise ValueError(
                f"two {rate.type} rates {rate.from_currency} to {rate.to_currency} for {rate.on}: "
                f"{last.rate} of {last.source} and {rate.rate} of {rate.source}; keep one"
            )
    return kept
