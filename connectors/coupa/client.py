"""Coupa in the role of procurement: requisitions for subcontracted work, and the orders they become.

Nothing here repeats a call or waits.

Source: Coupa Core API (R39).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import httpx

from connectors.commands import Commands
from connectors.coupa import checks, errors, mapping, models
from connectors.coupa.account import Account
from connectors.coupa.models import SupplierRow
from connectors.coupa.orders import Orders
from connectors.coupa.requisitions import Requisitions
from connectors.coupa.settings import CoupaSettings
from connectors.coupa.token import SettlingCredentials
from connectors.http.auth import utc_now
from connectors.http.transport import VendorHttp
from connectors.ports import Check
from domain.buying import OrderPage, PurchaseRequisition, Supplier, SupplierQuery
from domain.buying_commands import CancelPurchaseOrder, RequestPurchase, WithdrawRequisition
from domain.commands import Command, Record
from domain.intake import FeedPosition


def build(
    name: str,
    settings: CoupaSettings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> "CoupaClient":
    """The client of the instance that the firm's file calls `name`."""
    auth = SettlingCredentials(
        token_url=settings.token_path,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scope=" ".join(settings.scopes),
        settle=timedelta(seconds=settings.token_settle_seconds),
        clock=clock,
    )
    http = VendorHttp(
        system=name,
        base_url=settings.base_url,
        auth=auth,
        table=errors.table(name),
        timeout=settings.timeout_seconds,
        transport=transport,
        in_flight=settings.in_flight,
        clock=clock,
    )
    return CoupaClient(Account(http, auth, settings))


class CoupaClient:
    """Implements `ProcurementPort`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._requisitions = requisitions = Requisitions(account)
        self._orders = orders = Orders(account)
        self._commands = Commands(
            account.system,
            {
                RequestPurchase: (requisitions.find_request, requisitions.request),
                WithdrawRequisition: (requisitions.find_withdrawal, requisitions.withdraw),
                CancelPurchaseOrder: (orders.find_cancellation, orders.cancel),
            },
        )

    @property
    def system(self) -> str:
        return self._account.system

    async def find(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind. See `ProcurementPort`."""
        return await self._commands.find(command, key)

    async def apply(self, command: Command, key: str) -> Record:
        """Write once, under `key`. See `ProcurementPort`."""
        return await self._commands.apply(command, key)

    async def suppliers(self, query: SupplierQuery) -> Sequence[Supplier]:
        """Suppliers that match; one on hold counts as not active."""
        asked = {"number": query.number, "name": query.name, "tax_id": query.tax_id}
        params = {name: value for name, value in asked.items() if value}
        if query.active_only:
            params["status"] = "active"
        rows = await self._account.search(
            SupplierRow, "suppliers", params, models.SUPPLIER, operation="read suppliers"
        )
        found = [mapping.supplier(row) for row in rows]
        return [supplier for supplier in found if supplier.active or not query.active_only]

    async def requisition(self, external_id: str) -> PurchaseRequisition:
        """The requisition with its state and the orders it became."""
        return await self._requisitions.read(external_id)

    async def purchase_orders(self, project: str, position: FeedPosition, limit: int = 200) -> OrderPage:
        """One page of orders changed since, ascending by their ids; at most 50."""
        return await self._orders.page(project, position, limit)

    async def check(self) -> Sequence[Check]:
        """One line per ability of the instance."""
        return await checks.run(self._account)

    async def aclose(self) -> None:
        """Close connections."""
        await self._account.http.aclose()
