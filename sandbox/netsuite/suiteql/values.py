"""Values of SuiteQL: columns of records, comparison, and how they are written in an answer.

Source: SuiteQL in SuiteTalk REST: every value is a string, nulls are left out, booleans are T or F, dates
follow the user's format (here MM/DD/YYYY) unless wrapped in TO_CHAR.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.core.records import Record
from sandbox.netsuite.representation import stored
from sandbox.netsuite.schema import Field, RecordType
from sandbox.netsuite.suiteql.tokens import BadQuery

Value = str | Decimal | date | None
_FORMATS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S"}


def columns_of(record_type: RecordType) -> dict[str, Field]:
    """Columns of a table by lower-case name."""
    return {
        name.lower(): known for name, known in record_type.fields.items() if name not in ("links", "refName")
    }


def column_value(record: Record | None, known: Field) -> Value:
    """One column of one row; None for null and for the missing side of a left join."""
    value = None if record is None else stored(record, known.name)
    if known.kind == "boolean":
        return None if record is None else "T" if value else "F"
    if value is None:
        return None
    if known.kind in ("number", "integer") or known.name == "id":
        return Decimal(str(value))
    if known.kind == "ref" and str(value).isdecimal():
        return Decimal(str(value))
    if known.kind == "date":
        return date.fromisoformat(value)
    if known.kind == "datetime":
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return str(value)


def parameter_value(value: Any) -> Value:
    """A bound parameter. Raises BadQuery for what is neither text, number nor boolean."""
    if isinstance(value, bool):
        return "T" if value else "F"
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return Decimal(value)
    raise BadQuery(f"the parameter {value!r} is not a text, number or boolean")


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None when one side is null. Texts are read as the other side's type where that works."""
    if left is None or right is None:
        return None
    first, second = _alike(left, right)
    return 1 if first > second else -1 if first < second else 0


def like(value: Value, pattern: Value) -> bool | None:
    """SQL LIKE with % and _."""
    if value is None or pattern is None:
        return None
    parts = re.split(r"([%_])", written(pattern))
    regex = "".join({"%": ".*", "_": "."}.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(regex, written(value), re.DOTALL) is not None


def written(value: Value) -> str:
    """A value as the answer shows it."""
    if isinstance(value, date):
        return value.strftime("%m/%d/%Y")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else value


def formatted(value: Value, pattern: Value) -> Value:
    """TO_CHAR: a date in a pattern of YYYY MM DD HH24 MI SS; anything else as written."""
    if value is None:
        return None
    return value.strftime(_strftime(pattern)) if isinstance(value, date) else written(value)


def parsed_date(value: Value, pattern: Value) -> Value:
    """TO_DATE. Raises BadQuery for text that does not follow the pattern."""
    if value is None or isinstance(value, date):
        return value
    try:
        moment = datetime.strptime(written(value), _strftime(pattern)).replace(tzinfo=UTC)
    except ValueError:
        raise BadQuery(f"{written(value)!r} does not follow the format {written(pattern)!r}") from None
    return moment if "HH24" in written(pattern) else moment.date()


def _strftime(pattern: Value) -> str:
    text = written(pattern)
    for token, directive in _FORMATS.items():
        text = text.replace(token, directive)
    return text


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        try:
            return Decimal(written(left)), Decimal(written(right))
        except InvalidOperation:
            return written(left), written(right)
    if isinstance(left, date) and isinstance(right, date):
        return _moment(left), _moment(right)
    if isinstance(left, date) or isinstance(right, date):
        raise BadQuery("a date is compared with a date only: wrap the text in TO_DATE")
    return left, right


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
