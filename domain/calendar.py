"""Calendar: accounting periods, month anchors, working days, overlaps. Ends are inclusive throughout."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Self

from pydantic import Field

from domain.base import Value


class Period(Value):
    """An accounting month, written `YYYY-MM`."""

    year: int = Field(ge=1900, le=9999)
    month: int = Field(ge=1, le=12)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2026-11` as a period. Raises `ValueError` naming the text and the expected form."""
        match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text.strip())
        if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) < 1900:
            raise ValueError(f"{text!r} is not a period: write year and month as YYYY-MM, such as 2026-11")
        return cls(year=int(match[1]), month=int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """The period that contains `day`."""
        return cls(year=day.year, month=day.month)

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.month, monthrange(self.year, self.month)[1])

    @property
    def next(self) -> "Period":
        return Period.of(self.last + timedelta(days=1))

    @property
    def previous(self) -> "Period":
        return Period.of(self.first - timedelta(days=1))

    def contains(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __lt__(self, other: "Period") -> bool:
        return (self.year, self.month) < (other.year, other.month)

    def __le__(self, other: "Period") -> bool:
        return (self.year, self.month) <= (other.year, other.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


def months_later(anchor: date, months: int) -> date:
    """`anchor` moved by `months`, keeping its day where the month has it: 31 Jan -> 28 Feb -> 31 Mar.

    Always count from the anchor, never from the last result, or the 31st is lost after February.
    """
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def overlap(first: date, last: date, other_first: date, other_last: date) -> tuple[date, date] | None:
    """The days both ranges share, or `None`."""
    start, end = max(first, other_first), min(last, other_last)
    return (start, end) if start <= end else None


def days_in(first: date, last: date) -> int:
    """Calendar days from `first` to `last`, both counted; zero when `last` is before `first`."""
    return max((last - first).days + 1, 0)


def working_days(country: str, first: date, last: date, subdivision: str | None = None) -> int:
    """Days from `first` to `last` that are neither Saturday, Sunday nor a public holiday of `country`.

    `subdivision` is the ISO 3166-2 part, such as `BY` for Bavaria. Raises `ValueError` for a country or
    subdivision whose holidays are not known.
    """
    return sum(
        1 for day in _days(first, last) if day.weekday() < 5 and not _is_holiday(country, subdivision, day)
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(days_in(first, last)))


def _is_holiday(country: str, subdivision: str | None, day: date) -> bool:
    return day in _holidays(country, subdivision, day.year)


@lru_cache(maxsize=256)
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    import holidays  # lazily: it is large, and most of what imports this module never counts days

    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
    except NotImplementedError as error:
        place = f"{country}-{subdivision}" if subdivision else country
        raise ValueError(
            f"no public holidays are known for {place!r}: use an ISO 3166-1 country such as DE, "
            "and an ISO 3166-2 subdivision such as BY"
        ) from error
