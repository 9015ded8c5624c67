"""Items an invoice has of its own: additional items and fixed fee items.

They are written in whole units of the currency (`amount`) and shown in base units (`amount_in_cents`).
"""

from typing import Any

from sandbox.core.records import RecordStore
from sandbox.kantata.errors import ErrorLine, bad_request, invalid, line
from sandbox.kantata.fields import Wrong
from sandbox.kantata.money import base_unit
from sandbox.kantata.work import ITEM_FIELDS

KEYS = {"additional_items": "additional_item_ids", "fixed_fee_items": "fixed_fee_item_ids"}
"""What is written -> the field that lists what was made."""


def checked(values: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The items of a create, by kind. Raises Refused: 400 for unknown fields, else 422."""
    errors: list[ErrorLine] = []
    items: dict[str, list[dict[str, Any]]] = {}
    for kind in KEYS:
        given = values.get(kind) or []
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            raise bad_request(f"{kind} must be a list of objects")
        items[kind] = [_checked(kind, item, errors) for item in given]
    if errors:
        raise invalid(errors)
    return items


def create(store: RecordStore, items: dict[str, list[dict[str, Any]]], currency: str) -> dict[str, list[str]]:
    """Make the items; the ids for the invoice, by the field that lists them."""
    unit = base_unit(currency)
    made: dict[str, list[str]] = {}
    for kind, field in KEYS.items():
        made[field] = []
        for item in items[kind]:
            data = {"notes": None, "taxable": False, **item, "currency": currency}
            data["amount_in_cents"] = data.pop("amount") * unit
            made[field].append(store.create(kind, data, derived=True).id)
    return made


def _checked(kind: str, item: dict[str, Any], errors: list[ErrorLine]) -> dict[str, Any]:
    unknown = sorted(set(item) - set(ITEM_FIELDS))
    if unknown:
        raise bad_request(f"an item of {kind} has no field {unknown[0]}")
    if item.get("amount") is None:
        errors.append(line("validation", f"{kind}: amount can't be blank", kind))
    values: dict[str, Any] = {}
    for name, value in item.items():
        try:
            values[name] = ITEM_FIELDS[name].stored(value)
        except Wrong as wrong:
            errors.append(line("validation", f"{kind}: {name} {wrong}", kind))
    return values
