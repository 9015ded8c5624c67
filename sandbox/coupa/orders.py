"""The life of a purchase order: made of an approved requisition, issued, acknowledged, cancelled, closed.

Each change tells the subscribers `purchase_order.changed`, as the instance's call-out is set up to do.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Index, Record, RecordStore
from sandbox.core.webhooks import Webhooks
from sandbox.coupa import requisitions, shapes
from sandbox.coupa.errors import invalid
from sandbox.coupa.requisition_rules import custom, known

TABLE = "purchase_orders"
NOUN = "purchase-order"
EVENT = "purchase_order.changed"
HOLDS = frozenset({"buyer_hold", "supplier_hold", "currency_hold", "supplier_window_hold"})
WAITING = frozenset({"draft", "error"}) | HOLDS
_STEPS: dict[str, tuple[frozenset[str], dict[str, Any]]] = {
    "issue": (WAITING, {"status": "issued", "transmission-status": "sent_via_email"}),
    "hold": (frozenset({"draft"}), {"status": "buyer_hold"}),
    "release": (HOLDS, {"status": "draft"}),
    "fail": (frozenset({"draft"}), {"status": "error", "transmission-status": "transmission_failure"}),
    "cancel": (WAITING | {"issued"}, {"status": "cancelled"}),
    "close": (frozenset({"issued"}), {"status": "closed"}),
}
ACTIONS = (*_STEPS, "acknowledge", "bill", "revise")
"""What people and the supplier do with it."""


class Orders:
    """The orders of the instance."""

    def __init__(self, store: RecordStore, webhooks: Webhooks) -> None:
        self._store = store
        self._webhooks = webhooks
        store.define(TABLE, Index("po-number", unique=True))

    def place(self, requisition: Record) -> Record:
        """The order of an approved requisition, not yet sent to the supplier. Raises ValueError."""
        lines = requisition["requisition-lines"]
        suppliers = {line["supplier"]["id"]: line["supplier"] for line in lines if line["supplier"]}
        if requisition["status"] != "approved" or len(suppliers) != 1:
            raise ValueError("an order is made of an approved requisition with one supplier")
        number = requisition["external-po-reference"] or str(self._store.next_number("po_numbers", 100001))
        order_lines = [self._line(line) for line in lines]
        order = self._store.create(
            TABLE,
            {
                "po-number": number,
                "status": "draft",
                "type": "InternalOrderHeader",
                "version": 1,
                "internal-revision": 1,
                "acknowledged-flag": False,
                "acknowledged-at": None,
                "transmission-status": "not_sent",
                "exported": False,
                "last-exported-at": None,
                "currency": requisition["currency"],
                "supplier": next(iter(suppliers.values())),
                "requisition-header": {"id": int(requisition.id)},
                "ship-to-address": requisition["ship-to-address"],
                "custom-fields": shapes.custom(NOUN, {}),
                "order-lines": order_lines,
            },
            natural_key=number,
        )
        for line in order_lines:
            self._store.create(
                "purchase_order_lines",
                {**line, "order-header-id": int(order.id), "order-header-number": number},
                id=str(line["id"]),
                derived=True,
            )
        placed = [
            {**line, "order-line-id": made["id"]} for line, made in zip(lines, order_lines, strict=True)
        ]
        changes = {"status": "ordered", "requisition-lines": placed}
        self._store.update(requisitions.TABLE, requisition.id, changes, derived=True)
        self._tell(order)
        return order

    def act(self, order: Record, action: str, amount: str = "0") -> Record:
        """What a person or the supplier does. Raises ValueError where the status does not allow it."""
        if action == "acknowledge":
            return self._acknowledge(order)
        if action == "bill":
            return self._bill(order, Decimal(amount))
        if action == "revise":
            # A version that goes to the supplier again is exported again.
            changed = {"version": order["version"] + 1, "exported": False, "acknowledged-flag": False}
            return self._changed(order, changed, action)
        before, changes = _STEPS[action]
        if order["status"] not in before:
            raise ValueError(f"an order that is {order['status']} cannot be changed by {action}")
        if action == "cancel" and _billed(order):
            raise ValueError("an order that was invoiced cannot be cancelled")
        return self._changed(order, changes, action)

    def by_api(self, order: Record, action: str, body: Mapping[str, Any]) -> Record:
        """One of the API's actions; custom fields may be set with it. Raises Refused."""
        known(body, frozenset({"custom-fields"}), NOUN)
        before, changes = _STEPS[action]
        if order["status"] not in before or (action == "cancel" and _billed(order)):
            raise invalid(NOUN, [f"Order cannot be changed by {action}: it is {order['status']} or invoiced"])
        given = body.get("custom-fields") or {}
        fields = {**order["custom-fields"], **{k: v for k, v in custom(NOUN, given).items() if k in given}}
        return self._changed(
            order, {**changes, "custom-fields": fields}, action, given.get("fairlead-undo-key")
        )

    def export(self, order: Record, exported: bool) -> Record:
        """Mark as exported: of all changes the only one that tells nobody and raises no revision."""
        changes = {"exported": exported, "last-exported-at": shapes.stamp(clock.now()) if exported else None}
        return self._store.update(TABLE, order.id, changes, natural_key=order["po-number"])

    def _acknowledge(self, order: Record) -> Record:
        if order["status"] != "issued":
            raise ValueError(f"an order that is {order['status']} is not with the supplier")
        changes = {"acknowledged-flag": True, "acknowledged-at": shapes.stamp(clock.now())}
        return self._changed(order, changes, "acknowledge")

    def _bill(self, order: Record, amount: Decimal) -> Record:
        first, *rest = order["order-lines"]
        billed = {**first, "invoiced": shapes.text(Decimal(first["invoiced"]) + amount)}
        return self._changed(order, {"order-lines": [billed, *rest]}, "bill")

    def _changed(
        self, order: Record, changes: Mapping[str, Any], action: str, effect_key: str | None = None
    ) -> Record:
        revised = {**changes, "internal-revision": order["internal-revision"] + 1}
        number = order["po-number"]
        changed = self._store.update(
            TABLE, order.id, revised, natural_key=number, effect_key=effect_key, action=action
        )
        self._tell(changed)
        return changed

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": self._store.next_number("order_lines", 5001),
            "line-num": line["line-num"],
            "description": line["description"],
            "quantity": line["quantity"],
            "price": line["unit-price"],
            "total": line["total"],
            "invoiced": "0.00",
            "received": "0.00",
            "uom": line["uom"],
            "account": line["account"],
            "custom-fields": line["custom-fields"],
        }

    def _tell(self, order: Record) -> None:
        account = order["order-lines"][0]["account"] or {}
        data = {
            "order": order.id,
            "number": order["po-number"],
            "project": account.get("segment-3", ""),
            "status": order["status"],
            "version": clock.iso(order.modified),
        }
        self._webhooks.emit("coupa", EVENT, data)


def _billed(order: Record) -> bool:
    return any(Decimal(line["invoiced"]) > 0 for line in order["order-lines"])
