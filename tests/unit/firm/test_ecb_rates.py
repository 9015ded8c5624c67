"""The ECB's history as shipped: published values, days without rates, and files that are no such history."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest

from domain.books import FxRate
from domain.money import Money
from domain.rules.fx import NoRate, RateTable
from firm.ecb_rates import SOURCE, ecb_rates


@pytest.fixture(scope="module")
def rates() -> list[FxRate]:
    return list(ecb_rates(["USD", "GBP", "JPY", "INR"]))


@pytest.mark.parametrize(
    ("day", "currency", "published"),
    [
        ("1999-01-04", "USD", "1.1789"),  # the first day
        ("2000-10-26", "USD", "0.8252"),  # the euro at its lowest
        ("2008-07-15", "USD", "1.5990"),  # and at its highest
        ("2014-03-28", "JPY", "140.90"),
        ("2020-03-20", "GBP", "0.91028"),
    ],
)
def test_published_values(rates: list[FxRate], day: str, currency: str, published: str) -> None:
    found = [r for r in rates if r.on == date.fromisoformat(day) and r.to_currency == currency]
    assert [(r.rate, r.from_currency, r.source, r.type) for r in found] == [
        (Decimal(published), "EUR", SOURCE, "spot")
    ]


def test_a_sunday_in_2008_and_a_day_before_the_euro(rates: list[FxRate]) -> None:
    table = RateTable(rates)
    assert table.exchange("USD", "EUR", date(2008, 7, 20)).published_on == date(2008, 7, 18)
    with pytest.raises(NoRate):
        table.exchange("USD", "EUR", date(1998, 12, 31))
    crossed = table.convert(Money.of(1000, "GBP"), "USD", date(2008, 7, 15))
    assert crossed.amount == Money.rounded(Decimal(1000) * Decimal("1.599") / Decimal("0.79555"), "USD")


def test_only_what_was_asked_for() -> None:
    some = list(ecb_rates(["EUR", "CHF"], since=date(2026, 1, 1)))
    assert {r.to_currency for r in some} == {"CHF"}
    assert min(r.on for r in some) == date(2026, 1, 2)


def test_a_currency_without_history_is_named() -> None:
    with pytest.raises(ValueError, match="no rates for KWD"):
        ecb_rates(["USD", "KWD"])


def history(path: Path, text: str) -> Path:
    with ZipFile(path, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    return path


def test_a_newer_history_may_be_given(tmp_path: Path) -> None:
    file = history(tmp_path / "new.zip", "Date,USD,HRK,\n2030-01-02,1.2345,7.5,\n2030-01-01,N/A,7.5,\n")
    assert [(r.to_currency, r.rate, r.on) for r in ecb_rates(file=file)] == [
        ("USD", Decimal("1.2345"), date(2030, 1, 2))
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first column"),
        ("Tag,USD\n", "first column"),
        ("Date,USD\nyesterday,1.1\n", "'yesterday,1.1'"),
        ("Date,USD\n2030-01-01\n", "2030-01-01"),
        ("Date,USD\n2030-01-01,much\n", "much"),
    ],
)
def test_what_is_no_history_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        list(ecb_rates(file=history(tmp_path / "bad.zip", text)))


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_text("Date,USD\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.zip cannot be read"):
        ecb_rates(file=tmp_path / "bad.zip")
    with pytest.raises(ValueError, match=r"none\.zip cannot be read"):
        ecb_rates(file=tmp_path / "none.zip")
