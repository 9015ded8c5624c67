"""Handlers of the routes: what each needs as scope, and what it answers."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import Record
from sandbox.coupa import orders, requisitions, selection, shapes
from sandbox.coupa.errors import JSON, forbidden, not_found
from sandbox.coupa.orders import Orders

Handler = Callable[[Call], Answer]
NOUNS = {
    "requisitions": ("requisition", "core.requisition"),
    "purchase_orders": ("purchase-order", "core.purchase_order"),
    "purchase_order_lines": ("purchase-order-line", "core.purchase_order"),
    "suppliers": ("supplier", "core.supplier"),
    "users": ("user", "core.user"),
    "account_types": ("account-type", "core.accounting"),
    "addresses": ("address", "core.common"),
    "uoms": ("uom", "core.common"),
    "commodities": ("commodity", "core.common"),
    "currencies": ("currency", "core.common"),
}
"""Resource -> its name in errors, and its scope without the right."""


def lister(resource: str) -> Handler:
    """`GET /api/<resource>`: 200 with a list, empty where nothing matches."""

    def handle(call: Call) -> Answer:
        noun = allowed(call, resource, "read")
        rows = (shapes.shown(record) for record in call.store.rows(resource))
        page = selection.select(call, rows, noun)
        return Answer(200, [selection.narrowed(call, row, noun) for row in page], media_type=JSON)

    return handle


def shower(resource: str) -> Handler:
    """`GET /api/<resource>/{id}`."""

    def handle(call: Call) -> Answer:
        allowed(call, resource, "read")
        return answer(call, resource, found(call, resource))

    return handle


def create(submit: bool) -> Handler:
    """`POST /api/requisitions`, and `…/submit_for_approval`."""

    def handle(call: Call) -> Answer:
        allowed(call, requisitions.TABLE, "write")
        made = requisitions.create(call.store, call.json_object(), submit=submit)
        return answer(call, requisitions.TABLE, made, status=201)

    return handle


def save_for_later(call: Call) -> Answer:
    """`PUT /api/requisitions/{id}/save_for_later`."""
    allowed(call, requisitions.TABLE, "write")
    record = found(call, requisitions.TABLE)
    return answer(call, requisitions.TABLE, requisitions.save_for_later(call.store, record, _body(call)))


def order_action(held: Orders, action: str) -> Handler:
    """`PUT /api/purchase_orders/{id}/<action>`."""

    def handle(call: Call) -> Answer:
        allowed(call, orders.TABLE, "write")
        return answer(call, orders.TABLE, held.by_api(found(call, orders.TABLE), action, _body(call)))

    return handle


def update_order(held: Orders) -> Handler:
    """`PUT /api/purchase_orders/{id}?exported=`: with it, every other change in the request is ignored."""

    def handle(call: Call) -> Answer:
        allowed(call, orders.TABLE, "write")
        order = found(call, orders.TABLE)
        body = _body(call)
        exported = call.query.get("exported", body.get("exported"))
        if exported is None:
            raise Refused(call.errors.rejected("purchase-order"))
        return answer(call, orders.TABLE, held.export(order, str(exported).lower() == "true"))

    return handle


def allowed(call: Call, resource: str, right: str) -> str:
    """The resource's name in errors, for a token with its scope. Raises Refused."""
    noun, scope = NOUNS[resource]
    if f"{scope}.{right}" not in call.subject.split():
        raise forbidden(f"{scope}.{right}")
    return noun


def found(call: Call, resource: str) -> Record:
    """The record of the path. Raises Refused."""
    record = call.store.get(resource, call.params["id"])
    if record is None:
        raise not_found(NOUNS[resource][0], call.params["id"])
    return record


def answer(call: Call, resource: str, record: Record, status: int = 200) -> Answer:
    """A record as `return_object` and `fields` ask for it."""
    row = shapes.shown(record)
    wanted = call.query.get("return_object")
    if wanted == "none" and call.method != "GET":
        return Answer(status)
    if wanted == "limited":
        return Answer(status, {"id": row["id"]}, media_type=JSON)
    return Answer(status, selection.narrowed(call, row, NOUNS[resource][0]), media_type=JSON)


def _body(call: Call) -> Mapping[str, Any]:
    return call.json_object() if call.body.strip() else {}
