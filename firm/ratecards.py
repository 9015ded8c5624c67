"""Rate cards from CSV: one row per role and grade, all rows of one card under its code.

Columns: `card,currency,valid_from,valid_to,role,grade,unit,price,floor_price,cost_rate`. Dates are
YYYY-MM-DD and inclusive; prices are per hour; `grade`, `floor_price` and `cost_rate` may be empty.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from domain.identity import content_hash
from domain.money import MoneyError, exact, minor_units
from domain.selling import RateCard, RateCardRole
from firm.problems import Problem, did_you_mean

COLUMNS = (
    *("card", "currency", "valid_from", "valid_to", "role"),
    *("grade", "unit", "price", "floor_price", "cost_rate"),
)
_REQUIRED = ("card", "currency", "valid_from", "valid_to", "role", "unit", "price")
_Refuse = Callable[[str, str, str], None]
"""Notes a mistake: column, what is wrong, cure."""


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    line: int
    cells: dict[str, str]
    entry: RateCardRole
    valid_from: date
    valid_to: date

    @property
    def head(self) -> tuple[str, date, date]:
        """What all rows of one card share."""
        return self.cells["currency"], self.valid_from, self.valid_to


def read_rate_cards(files: Sequence[Path], folder: Path) -> tuple[tuple[RateCard, ...], list[Problem]]:
    """The cards of all `files`, and what is wrong with them; names are given relative to `folder`."""
    rows: list[_Row] = []
    problems: list[Problem] = []
    for file in files:
        name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(_unreadable(name, error))
            continue
        read, wrong = _read(text, name)
        rows += read
        problems += wrong
    cards = {row.cells["card"]: row for row in reversed(rows)}
    problems += [problem for code in sorted(cards) for problem in _agreement(code, rows)]
    return tuple(_card(code, rows) for code in sorted(cards)), problems


def _unreadable(name: str, error: Exception) -> Problem:
    reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
    return Problem(name, "rate_cards.files", reason, "put a CSV file there, or take it from the list")


def _read(text: str, name: str) -> tuple[list[_Row], list[Problem]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        header = tuple(column.strip() for column in reader.fieldnames or ())
        problems = list(_header_problems(header, name))
        if problems:
            return [], problems
        reader.fieldnames = list(header)
        rows: list[_Row] = []
        for record in reader:
            row = _row(record, name, reader.line_num)
            problems += row if isinstance(row, list) else []
            rows += [row] if isinstance(row, _Row) else []
        return rows, problems
    except csv.Error as error:
        return [], [Problem(name, "file", f"is not CSV ({error})", "correct the quotes", reader.line_num)]


def _header_problems(header: tuple[str, ...], name: str) -> Iterator[Problem]:
    for column in sorted(set(COLUMNS) - set(header)):
        yield Problem(name, column, "is missing from the first line", f"begin with {','.join(COLUMNS)}", 1)
    for column in header:
        if column not in COLUMNS:
            yield Problem(name, column, "is not a column of a rate card", did_you_mean(column, COLUMNS), 1)


def _row(record: dict[str | None, str | list[str] | None], name: str, line: int) -> _Row | list[Problem]:
    """The row, or what is wrong with it."""
    cells = {column: str(record.get(column) or "").strip() for column in COLUMNS}
    problems = [
        Problem(name, column, "is empty", "fill it in", line) for column in _REQUIRED if not cells[column]
    ]
    if None in record or None in record.values():
        problems.append(Problem(name, "row", f"has not {len(COLUMNS)} cells", "check the commas", line))
    if problems:
        return problems

    def refuse(column: str, what: str, cure: str) -> None:
        problems.append(Problem(name, column, f"= {cells[column]!r} {what}", cure, line))

    try:
        minor_units(cells["currency"])
    except MoneyError:
        refuse("currency", "is not a currency", "write an ISO 4217 code such as EUR")
    if cells["unit"].lower() != "hour":
        refuse("unit", "is not a unit we price in", "give prices per hour")
    days = [_day(cells, column, refuse) for column in ("valid_from", "valid_to")]
    prices = {column: _price(cells, column, refuse) for column in ("price", "floor_price", "cost_rate")}
    price, floor = prices["price"], prices["floor_price"]
    if price is not None and floor is not None and floor > price:
        refuse("floor_price", f"is above the price {price}", "lower the floor or raise the price")
    first, last = days
    if first and last and first > last:
        refuse("valid_to", f"is before valid_from {first}", "correct the dates")
    if problems or first is None or last is None or price is None:
        return problems
    entry = RateCardRole(
        role=cells["role"],
        grade=cells["grade"],
        price=price,
        floor_price=floor,
        cost_rate=prices["cost_rate"],
    )
    return _Row(name, line, cells, entry, first, last)


def _day(cells: dict[str, str], column: str, refuse: _Refuse) -> date | None:
    try:
        return date.fromisoformat(cells[column])
    except ValueError:
        refuse(column, "is not a date", "write it as YYYY-MM-DD")
        return None


def _price(cells: dict[str, str], column: str, refuse: _Refuse) -> Decimal | None:
    if not cells[column]:
        return None
    try:
        price = exact(cells[column])
    except MoneyError:
        refuse(column, "is not a decimal number", "write it such as 125.44")
        return None
    if price < 0 or (price == 0 and column == "price"):
        refuse(column, "is not above zero", "correct it")
        return None
    return price


def _agreement(code: str, rows: Sequence[_Row]) -> Iterator[Problem]:
    """All rows of a card share currency and dates, and price a role and grade once."""
    mine = [row for row in rows if row.cells["card"] == code]
    priced: dict[tuple[str, str], _Row] = {}
    for row in mine:
        if row.head != mine[0].head:
            first = f"{mine[0].file}:{mine[0].line}"
            yield Problem(
                row.file,
                "card",
                f"{code} has another currency or validity here than in {first}",
                "give the rows the same, or another card code",
                row.line,
            )
        other = priced.setdefault((row.entry.role, row.entry.grade), row)
        if other is not row:
            role = f"{row.entry.role} {row.entry.grade}".strip()
            yield Problem(
                row.file,
                "role",
                f"{role} of {code} is priced in {other.file}:{other.line} already",
                "take one of the rows out",
                row.line,
            )


def _card(code: str, rows: Sequence[_Row]) -> RateCard:
    """The card; its version is a digest of what it says, so that evidence can name what was judged on."""
    mine = [row for row in rows if row.cells["card"] == code]
    text = "\n".join(",".join(row.cells[column] for column in COLUMNS) for row in mine)
    currency, first, last = mine[0].head
    return RateCard(
        code=code,
        version=content_hash(text)[:12],
        currency=currency,
        valid_from=first,
        valid_to=last,
        roles=tuple(row.entry for row in mine),
    )
