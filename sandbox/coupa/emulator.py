"""Coupa Core API, emulated: routes, authentication, pace, and what people do in its screens.

Base path `/coupa/api/`, in JSON only. Strict: unknown attributes, filters and fields, missing scopes, wrong
headers and wrong references are refused.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.emulator import Context, Emulator, Route
from sandbox.core.records import Record, RecordStore
from sandbox.coupa import api, orders, requisitions, seeding, shapes
from sandbox.coupa.errors import CoupaErrors, not_acceptable
from sandbox.coupa.login import PATH, Pace, TokenEndpoint
from sandbox.coupa.orders import Orders

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm

BASE = "/api"
SUPPLIER_EDITS = frozenset({"name", "status", "on-hold", "number", "tax-id"})


def build(context: Context) -> "CoupaEmulator":
    """The emulator over its part of the sandbox's state."""
    return CoupaEmulator(context)


class CoupaEmulator(Emulator):
    """One Coupa instance."""

    name = "coupa"
    errors = CoupaErrors()
    unknown_field = "unexpected-field"
    missing_fields = ("status", "currency", "name")
    enum_fields = ("status",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = context.settings
        self._login = TokenEndpoint(settings, context.tokens)
        self._pace = Pace(settings.coupa_calls_per_second, settings.coupa_burst)
        requisitions.define(self.store)
        self._orders = Orders(self.store, self.webhooks)

    def routes(self) -> Sequence[Route]:
        """Every resource; the fixed paths stand before the patterns they would match."""
        asked, ordered = f"{BASE}/requisitions", f"{BASE}/purchase_orders/{{id}}"
        routes = [
            Route("POST", PATH, self._login.answer, kind="token"),
            Route("POST", f"{asked}/submit_for_approval", api.create(submit=True)),
            Route("POST", f"{asked}/new/submit_for_approval", api.create(submit=True)),
            Route("POST", asked, api.create(submit=False)),
            Route("PUT", f"{asked}/{{id}}/save_for_later", api.save_for_later),
            Route("PUT", f"{ordered}/cancel", api.order_action(self._orders, "cancel")),
            Route("PUT", f"{ordered}/close", api.order_action(self._orders, "close")),
            Route("PUT", f"{ordered}/issue", api.order_action(self._orders, "issue")),
            Route("PUT", ordered, api.update_order(self._orders)),
        ]
        for resource in api.NOUNS:
            routes.append(Route("GET", f"{BASE}/{resource}", api.lister(resource)))
            routes.append(Route("GET", f"{BASE}/{resource}/{{id}}", api.shower(resource)))
        return routes

    def authenticate(self, call: Call) -> None:
        """A token that is known everywhere by now, the right headers, and not too many calls."""
        super().authenticate(call)
        if not self._login.usable(call.subject):
            raise Refused(self.errors.expired_token())
        call.subject = call.subject.partition(" ")[2]
        if not self._pace.takes():
            raise Refused(self.errors.throttle())
        _check_format(call)

    def finish(self, call: Call, answer: Answer) -> None:
        """The id to quote to the vendor's support."""
        answer.headers["X-Request-Id"] = secrets.token_hex(16)

    def records_in(self, body: Any) -> Iterator[dict[str, Any]]:
        """The records of a list, or the one record."""
        yield from body if isinstance(body, list) else [body]

    def seed(self, plan: "Firm", store: RecordStore) -> None:
        """The firm's suppliers, charts of accounts, addresses and people."""
        seeding.seed(plan, store)

    def add(self, object_name: str, fields: Mapping[str, Any]) -> Record:
        """A person makes a draft requisition; fields as in the API."""
        if object_name != requisitions.TABLE:
            raise ValueError(f"{object_name} cannot be created by hand")
        return requisitions.create(self.store, fields, submit=False)

    def edit(self, object_name: str, record_id: str, fields: Mapping[str, Any]) -> Record:
        """A person acts: `{"action": "approve"}`.

        Requisitions: submit, approve, reject (with `reason`), withdraw, abandon, order. Orders: issue, hold,
        release, fail, acknowledge (the supplier), bill (with `amount`), revise, cancel, close, export.
        Suppliers: fields as in the API.
        """
        record = self.store.get(object_name, record_id)
        if record is None:
            raise KeyError(f"{object_name} {record_id} does not exist")
        given = dict(fields)
        if object_name == requisitions.TABLE:
            return self._requisition(record, given)
        if object_name == orders.TABLE:
            return self._order(record, given)
        if object_name == "suppliers" and given and not set(given) - SUPPLIER_EDITS:
            return self.store.update(object_name, record_id, given)
        raise ValueError(f"{object_name} cannot be edited so; suppliers: {', '.join(sorted(SUPPLIER_EDITS))}")

    def shown(self, record: Record) -> dict[str, Any]:
        """A record as the API would show it, with what it hides."""
        return {**shapes.shown(record), **record.data, "id": record.id}

    def _requisition(self, record: Record, given: dict[str, Any]) -> Record:
        action, reason = given.pop("action", None), str(given.pop("reason", ""))
        if given or action not in (*requisitions.ACTIONS, "order"):
            known = ", ".join((*requisitions.ACTIONS, "order"))
            raise ValueError(f"an act on a requisition is action ({known}) and reason")
        if action == "order":
            return self._orders.place(record)
        return requisitions.act(self.store, record, action, reason)

    def _order(self, record: Record, given: dict[str, Any]) -> Record:
        action, amount = given.pop("action", None), str(given.pop("amount", "0"))
        if given or action not in (*orders.ACTIONS, "export"):
            raise ValueError(f"an act on an order is action ({', '.join(orders.ACTIONS)}, export) and amount")
        if action == "export":
            return self._orders.export(record, True)
        return self._orders.act(record, action, amount)


def _check_format(call: Call) -> None:
    """Both headers must say JSON: without them the vendor answers in XML, which is not emulated."""
    if "application/json" not in call.headers.get("accept", ""):
        raise not_acceptable("Accept must be application/json")
    if call.body and not call.headers.get("content-type", "").startswith("application/json"):
        raise not_acceptable("Content-Type must be application/json")
