"""A fake procurement system: what is written stands, and people decide on it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.errors import NotFound, Rejected
from domain.buying import (
    OrderPage,
    OrderState,
    PurchaseOrder,
    PurchaseRequisition,
    RequisitionState,
    Supplier,
    SupplierQuery,
)
from domain.buying_commands import CancelPurchaseOrder, RequestPurchase, WithdrawRequisition
from domain.commands import Command, Record
from domain.intake import FeedPosition
from tests.support.activation_firm import FakeSystem

REDWOOD = Supplier(id="S-1", name="Redwood Ltd", country="DE", currency="EUR", tax_id="DE811128135")
OAK = Supplier(id="S-2", name="Oak GmbH", country="DE", currency="EUR")
_BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)


class FakeBuying(FakeSystem):
    """Requisitions by external id; an order is made by `order`, as a buyer would."""

    def __init__(self) -> None:
        super().__init__("coupa")
        self.known: list[Supplier] = [REDWOOD, OAK]
        self.asked: dict[str, PurchaseRequisition] = {}
        self.ordered: dict[str, PurchaseOrder] = {}
        self.reads = 0
        self.page_size = 50
        self._changes = 0

    # -- what people do ---------------------------------------------------------------------------

    def decide(self, id: str, state: RequisitionState, note: str = "") -> None:
        """An approver says yes or no, or somebody takes it back."""
        self.asked[id] = self.asked[id].with_changes(state=state, note=note or state, version=self._now())

    def order(self, id: str, state: OrderState = "issued", **changes: Any) -> PurchaseOrder:
        """The buyer makes an order of a requisition."""
        asked = self.asked[id]
        order = PurchaseOrder(
            number=f"PO-{id}-{len(self.ordered) + 1}",
            supplier=asked.supplier or "",
            project=asked.project,
            entity=asked.entity,
            currency=asked.currency,
            state=state,
            lines=asked.lines,
            external_id=str(900 + len(self.ordered)),
            requisition=id,
            note=state,
            version=self._now(),
        ).with_changes(**changes)
        self.ordered[order.external_id] = order
        orders = (*asked.orders, order.external_id)
        self.asked[id] = asked.with_changes(state="ordered", orders=orders, version=self._now())
        return order

    def change(self, order: PurchaseOrder, **changes: Any) -> None:
        """The supplier accepts, or somebody changes or cancels it."""
        now = self.ordered[order.external_id]
        self.ordered[order.external_id] = now.with_changes(version=self._now(), **changes)

    def _now(self) -> datetime:
        self._changes += 1
        return _BEGAN + timedelta(minutes=self._changes)

    # -- the port ---------------------------------------------------------------------------------

    async def apply(self, command: Command, key: str) -> Record:
        if isinstance(command, WithdrawRequisition):
            id = command.requisition_external_id
            if self.asked[id].state in ("approved", "ordered"):
                raise Rejected(f"requisition {id} is {self.asked[id].state}", system=self.system)
        if isinstance(command, CancelPurchaseOrder):
            order = self.ordered[command.order_external_id]
            if order.state in ("accepted", "closed"):
                raise Rejected(f"order {order.number} is accepted", system=self.system)
        record = await super().apply(command, key)
        self._effect(command, record)
        return record

    def _effect(self, command: Command, record: Record) -> None:
        if isinstance(command, RequestPurchase):
            self.asked[record.external_id] = PurchaseRequisition(
                id=record.external_id, project=command.project, entity=command.entity,
                supplier=command.supplier, currency=command.currency, needed_on=command.needed_on,
                lines=command.lines, state="pending", version=self._now(),
            )  # fmt: skip
        elif isinstance(command, WithdrawRequisition):
            self.decide(command.requisition_external_id, "withdrawn")
        elif isinstance(command, CancelPurchaseOrder):
            self.change(self.ordered[command.order_external_id], state="cancelled")

    async def suppliers(self, query: SupplierQuery) -> Sequence[Supplier]:
        return [
            one
            for one in self.known
            if (not query.number or one.id == query.number)
            and (not query.name or one.name == query.name)
            and (not query.tax_id or one.tax_id == query.tax_id)
            and (one.active or not query.active_only)
        ]

    async def requisition(self, external_id: str) -> PurchaseRequisition:
        self.reads += 1
        if external_id not in self.asked:
            raise NotFound(f"requisition {external_id}", system=self.system)
        return self.asked[external_id]

    async def purchase_orders(self, project: str, position: FeedPosition, limit: int = 200) -> OrderPage:
        found = [
            order
            for order in self.ordered.values()
            if (not project or order.project == project)
            and (position.since is None or (order.version or _BEGAN) >= position.since)
        ]
        first = int(position.page or 0)
        page = found[first : first + self.page_size]
        following = str(first + self.page_size) if len(found) > first + self.page_size else ""
        mark = max((order.version for order in found if order.version), default=position.since)
        return OrderPage(orders=tuple(page), next_page=following, mark=mark)
