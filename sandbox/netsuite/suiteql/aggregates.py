"""SUM, COUNT, MIN and MAX: nulls do not count, and an aggregate of nothing is null (COUNT is 0)."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cmp_to_key

from sandbox.netsuite.suiteql import values
from sandbox.netsuite.suiteql.tokens import BadQuery
from sandbox.netsuite.suiteql.values import Value


def aggregated(name: str, found: Sequence[Value] | None, rows: int) -> Value:
    """The aggregate of a group's values; `found` None is COUNT(*) of `rows`. Raises BadQuery."""
    if found is None:
        return Decimal(rows)
    present = [value for value in found if value is not None]
    if name == "COUNT":
        return Decimal(len(present))
    if not present:
        return None
    if name == "SUM":
        if not all(isinstance(value, Decimal) for value in present):
            raise BadQuery("SUM takes numbers")
        return sum((value for value in present if isinstance(value, Decimal)), Decimal(0))
    order = cmp_to_key(_order)
    return min(present, key=order) if name == "MIN" else max(present, key=order)


def _order(left: Value, right: Value) -> int:
    return values.compare(left, right) or 0
