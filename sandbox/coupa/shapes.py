"""How records look in answers: keys with dashes, decimals as text, date-times with offset, custom fields."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore

HIDDEN = frozenset({"external-po-reference"})
"""What goes in and never comes out."""
CUSTOM_FIELDS = {
    "requisition": ("fairlead-key", "fairlead-undo-key", "fairlead-reason"),
    "requisition-line": ("fairlead-line",),
    "purchase-order": ("fairlead-undo-key", "fairlead-reason"),
    "purchase-order-line": ("fairlead-line",),
}
"""Custom text fields the instance's administrator has made, by object."""


def shown(record: Record) -> dict[str, Any]:
    """A record in full."""
    stamps = {"created-at": stamp(record.created), "updated-at": stamp(record.modified)}
    data = {name: value for name, value in record.data.items() if name not in HIDDEN}
    return {"id": int(record.id), **stamps, **data}


def stamp(seconds: float) -> str:
    """`2026-11-23T06:00:00+00:00`."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def text(number: Decimal) -> str:
    """A decimal as the API writes it: at least two places."""
    places = max(2, -int(number.normalize().as_tuple().exponent))
    return f"{number:.{places}f}"


def money(store: RecordStore, amount: Decimal, currency: str) -> str:
    """An amount rounded to what its currency has."""
    places = int(store.find("currencies", "code", currency)[0]["decimals"])
    return text(amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def custom(noun: str, given: dict[str, Any]) -> dict[str, Any]:
    """All custom fields of an object, those that were not given empty."""
    return {name: given.get(name) for name in CUSTOM_FIELDS[noun]}
