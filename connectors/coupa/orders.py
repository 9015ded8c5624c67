"""Purchase orders: what became of requisitions, and `CancelPurchaseOrder`.

Coupa makes the order of an approved requisition; it is never posted by us. Changes are read by `updated-at`.
The `exported` flag is left to the firm's own integration of orders, which sets it: a filter on it would show
us only what nobody else has taken.

Source: Coupa Core API, purchase orders (index, cancel); statuses, `acknowledged-flag`, `transmission-status`.
"""

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from connectors.coupa import mapping, models
from connectors.coupa.account import Account, bound
from connectors.coupa.mapping import Refused
from connectors.coupa.models import OrderRow, OrderState, Touched
from connectors.errors import NotFound, Rejected
from domain.base import Value
from domain.buying import OrderPage, PurchaseOrder, UnreadableOrder
from domain.buying_commands import CancelPurchaseOrder
from domain.commands import Record
from domain.intake import FeedPosition

RESOURCE = "purchase_orders"
CANCELLED = "cancelled"


class _Cursor(Value):
    """Token of a page: the row it begins behind, and the newest change of the drain's first page.

    A row that changes while we read may come to stand before the cursor. It changed after the first page
    was read, so a next drain that begins at that page's newest change sees it.
    """

    after: int = 0
    mark: datetime | None = None


class Orders:
    """What was ordered."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings = account.settings
        self._fields = models.order(list(account.settings.segments))

    async def page(self, project: str, position: FeedPosition, limit: int) -> OrderPage:
        """Orders of `project` changed at or after `position.since`.

        Raises `ValueError` for a page token of another maker.
        """
        operation = "read purchase orders"
        cursor = _cursor(position.page)
        size = min(limit, self._settings.page_size)
        params = {**self._filter(project, position), **bound(cursor.after, size)}
        rows = await self._account.page(RESOURCE, params, self._fields, operation=operation)
        mark = cursor.mark
        if not position.page:
            mark = max((self._touched(row, operation).updated_at for row in rows), default=position.since)
        orders: list[PurchaseOrder] = []
        unreadable: list[UnreadableOrder] = []
        for row in rows:
            read = self._read(row, operation)
            orders += [read] if isinstance(read, PurchaseOrder) else []
            unreadable += [read] if isinstance(read, UnreadableOrder) else []
        following = ""
        if len(rows) >= size:
            after = self._account.advanced(cursor.after, rows, RESOURCE, operation)
            following = _Cursor(after=after, mark=mark).model_dump_json()
        return OrderPage(orders=tuple(orders), unreadable=tuple(unreadable), next_page=following, mark=mark)

    async def find_cancellation(self, command: CancelPurchaseOrder, key: str) -> Record | None:
        order = await self._state(command, "find purchase order cancellation")
        return self._cancelled(order) if order.status == CANCELLED else None

    async def cancel(self, command: CancelPurchaseOrder, key: str) -> Record:
        """Cancel an order the supplier has not accepted. Raises `Rejected` for one it has."""
        operation = "cancel purchase order"
        id = self._account.record_id(command.order_external_id, "purchase_orders", operation)
        try:
            order = await self._state(command, operation)
            if order.status == CANCELLED:
                return self._cancelled(order)
            self._refuse_accepted(order, operation)
        except NotFound:
            # A lagging read: so young an order no supplier has accepted. One that is not there at all is
            # refused by the write.
            pass
        body = mapping.undo_body(self._settings, key, command.reason)
        order, request_id = await self._account.write(
            *(OrderState, "PUT", f"{RESOURCE}/{id}/cancel", body, models.ORDER_STATE), operation=operation
        )
        return self._cancelled(order, request_id)

    def _refuse_accepted(self, order: OrderState, operation: str) -> None:
        if order.status in mapping.ACCEPTED_IN and order.acknowledged_flag:
            words = (
                f"the supplier has accepted order {order.po_number}: a person agrees on its end with the "
                "supplier and cancels it in Coupa"
            )
            raise self._account.error(
                Rejected, operation, words, field="acknowledged-flag", rule="order.accepted"
            )

    def _filter(self, project: str, position: FeedPosition) -> dict[str, str]:
        params: dict[str, str] = {}
        if project:
            segment = self._settings.project_segment.replace("-", "_")
            params[f"order_lines[account][{segment}]"] = project
        if position.since is not None:
            params["updated_at[gt_or_eq]"] = position.since.astimezone(UTC).isoformat(timespec="seconds")
        return params

    def _read(self, row: dict[str, Any], operation: str) -> PurchaseOrder | UnreadableOrder:
        """One order. Of another form than documented it stops the page, as every order would be."""
        read = self._account.read(OrderRow, RESOURCE, row, operation)
        try:
            return mapping.order(read, self._settings)
        except Refused as refused:
            return UnreadableOrder(
                external_id=str(read.id),
                number=read.po_number,
                field=refused.field,
                problem=refused.problem,
                version=read.updated_at,
            )

    def _touched(self, row: dict[str, Any], operation: str) -> Touched:
        return self._account.read(Touched, RESOURCE, row, operation)

    async def _state(self, command: CancelPurchaseOrder, operation: str) -> OrderState:
        return await self._account.show(
            OrderState, RESOURCE, command.order_external_id, models.ORDER_STATE, operation=operation
        )

    def _cancelled(self, order: OrderState, request_id: str = "") -> Record:
        cancelled = "true" if order.status == CANCELLED else "false"
        return Record(
            external_id=str(order.id),
            number=order.po_number,
            fields={"cancelled": cancelled},
            request_id=request_id,
            url=self._account.link(f"order_headers/{order.id}"),
        )


def _cursor(page: str) -> _Cursor:
    if not page:
        return _Cursor()
    try:
        return _Cursor.model_validate_json(page)
    except ValidationError:
        raise ValueError(f"{page[:60]!r} is not a page token of Coupa's orders; begin without one") from None
