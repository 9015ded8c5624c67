"""What procurement tells of a project's purchases. The subject is the number of the project."""

from typing import ClassVar

from domain.billing_events import ProjectEvent
from domain.event_data import ExternalId

ORDER_CHANGED = "purchase_order.changed"


class PurchaseOrderChanged(ProjectEvent):
    """A hint: the project's requisitions and orders are read in procurement."""

    newest_counts: ClassVar[bool] = False

    order: ExternalId
    """Id of the order in procurement."""
