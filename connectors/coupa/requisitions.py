"""Requisitions: `RequestPurchase`, `WithdrawRequisition`, and a requisition as it stands.

A requisition carries its effect key in a custom field, by which it is looked up, and the key's short form as
`external-po-reference`, which Coupa keeps unique and makes the number of its order: a second one is refused.
The API has no withdrawal: `save_for_later` takes a requisition out of approval, back to a draft; where an
instance does not allow that, a person withdraws it in the screens.

Source: Coupa Core API, requisitions (submit_for_approval, save_for_later), purchase order lines.
"""

from connectors.coupa import mapping, models
from connectors.coupa.account import Account
from connectors.coupa.models import OrderLineRef, RequisitionRow
from connectors.errors import Conflict, Rejected
from domain.buying import PurchaseRequisition
from domain.buying_commands import RequestPurchase, WithdrawRequisition
from domain.commands import Record

RESOURCE = "requisitions"
TAKEN_BACK = frozenset({"draft", "cart", "withdrawn", "abandoned"})
"""Statuses in which nobody approves it and no order comes of it."""


class Requisitions:
    """What a project asks for."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings = account.settings
        self._fields = models.requisition(list(account.settings.segments))

    async def find_request(self, command: RequestPurchase, key: str) -> Record | None:
        operation = "find requisition"
        by_key = self._settings.custom_field_filter.format(field=self._settings.key_field)
        params = {by_key: key}
        rows = await self._account.search(RequisitionRow, RESOURCE, params, self._fields, operation=operation)
        found = [row for row in rows if self._key_of(row, operation) == key]
        if len(found) > 1:
            ids = ", ".join(str(row.id) for row in found)
            words = f"{len(found)} requisitions carry the key {key} ({ids}); clear it on all but one"
            raise self._account.error(Conflict, operation, words, rule="key.ambiguous")
        return self._record(found[0], operation) if found else None

    async def request(self, command: RequestPurchase, key: str) -> Record:
        operation = "request purchase"
        with self._account.taking(operation, "requisition"):
            body = mapping.requisition_body(command, self._settings, key)
        row, request_id = await self._account.write(
            RequisitionRow, "POST", f"{RESOURCE}/submit_for_approval", body, self._fields, operation=operation
        )
        return self._record(row, operation, request_id, written=True)

    async def find_withdrawal(self, command: WithdrawRequisition, key: str) -> Record | None:
        row = await self._show(command.requisition_external_id, "find requisition withdrawal")
        return self._withdrawn(row) if row.status in TAKEN_BACK else None

    async def withdraw(self, command: WithdrawRequisition, key: str) -> Record:
        operation = "withdraw requisition"
        id = self._account.record_id(command.requisition_external_id, "requisitions", operation)
        if self._settings.withdraw_by == "person":
            return await self._by_person(command, operation)
        body = mapping.undo_body(self._settings, key, command.reason)
        try:
            row, request_id = await self._account.write(
                *(RequisitionRow, "PUT", f"{RESOURCE}/{id}/save_for_later", body, self._fields),
                operation=operation,
            )
        except Rejected:
            # Refused because a person has withdrawn it meanwhile: what was wanted is so.
            row = await self._show(command.requisition_external_id, operation)
            if row.status in TAKEN_BACK:
                return self._withdrawn(row)
            raise
        return self._withdrawn(row, request_id)

    async def read(self, external_id: str) -> PurchaseRequisition:
        operation = "read requisition"
        row = await self._show(external_id, operation)
        orders = await self._orders(row, operation)
        with self._account.taking(operation, "requisition"):
            return mapping.requisition(row, self._settings, orders)

    async def _by_person(self, command: WithdrawRequisition, operation: str) -> Record:
        row = await self._show(command.requisition_external_id, operation)
        if row.status in TAKEN_BACK:
            return self._withdrawn(row)
        words = f"requisition {row.id} is {row.status}: a person withdraws it in Coupa; then retry"
        raise self._account.error(Rejected, operation, words, field="status", rule="requisition.by_person")

    async def _orders(self, row: RequisitionRow, operation: str) -> tuple[str, ...]:
        lines = sorted({line.order_line_id for line in row.requisition_lines if line.order_line_id})
        if not lines:
            return ()
        found = await self._account.search(
            OrderLineRef,
            "purchase_order_lines",
            {"id[in]": ",".join(str(id) for id in lines)},
            models.ORDER_OF_LINE,
            operation=operation,
        )
        return tuple(str(id) for id in sorted({line.order_header_id for line in found}))

    async def _show(self, external_id: str, operation: str) -> RequisitionRow:
        return await self._account.show(
            RequisitionRow, RESOURCE, external_id, self._fields, operation=operation
        )

    def _key_of(self, row: RequisitionRow, operation: str) -> str:
        if self._settings.key_field not in row.custom_fields:
            words = f"requisition {row.id} does not show the custom field {self._settings.key_field}"
            raise self._account.error(
                Rejected, operation, words, field="custom-fields", rule="schema.missing_field"
            )
        return row.custom(self._settings.key_field)

    def _record(
        self, row: RequisitionRow, operation: str, request_id: str = "", *, written: bool = False
    ) -> Record:
        with self._account.taking(operation, "requisition", written=written):
            fields = mapping.requisition_fields(row, self._settings)
        return Record(
            external_id=str(row.id),
            number=str(row.id),
            fields=fields,
            request_id=request_id,
            url=self._account.link(f"requisition_headers/{row.id}"),
        )

    def _withdrawn(self, row: RequisitionRow, request_id: str = "") -> Record:
        withdrawn = "true" if row.status in TAKEN_BACK else "false"
        return Record(external_id=str(row.id), fields={"withdrawn": withdrawn}, request_id=request_id)
