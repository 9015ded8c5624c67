"""Orders that changed, as events: what a poll is asked, what it found, and a change as the inbox keeps it."""

from datetime import UTC, datetime

from domain.base import Canonical
from domain.buying import PurchaseOrder
from domain.procurement_events import ORDER_CHANGED
from store.ports import InboxRow


class PollOrders(Canonical):
    """One poll of changed orders: from the high-water mark minus `overlap_seconds`."""

    firm: str
    system: str
    overlap_seconds: int = 300


class PolledOrders(Canonical):
    seen: int
    new: int
    unknown: int = 0
    """Of projects that have no procurement of ours."""


def changed_order(system: str, order: PurchaseOrder, now: datetime) -> InboxRow:
    """The event that a call-out would have brought, in the catalogue's form."""
    version = (order.version or now).astimezone(UTC)
    stamp = version.isoformat()
    id = f"order:{order.external_id}@{stamp}"
    return InboxRow(
        id=f"{system}-poll:{id}",
        source=f"{system}-poll",
        event_id=id,
        type=ORDER_CHANGED,
        subject=order.project,
        version=version,
        body={
            "specversion": "1.0",
            "id": id,
            "source": f"/{system}-poll",
            "type": ORDER_CHANGED,
            "subject": order.project,
            "time": stamp,
            "data": {"project": order.project, "order": order.external_id, "version": stamp},
        },
        received_at=now,
    )
