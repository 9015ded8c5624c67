"""Canonical commands of buying: the need told to procurement, and the two ways it is taken back.

The supplier's invoice and its bill in the books are not written here: procurement receives them, the ERP
books them.
"""

from datetime import date
from typing import ClassVar, Self

from pydantic import Field, model_validator

from domain.account_roles import AccountRole
from domain.buying import PurchaseLine
from domain.commands import Command
from domain.invariants import distinct, in_currency
from domain.money import Money, total


class RequestPurchase(Command):
    """Ask procurement for a supplier's work on a project, and submit it for approval there.

    One supplier per requisition: it becomes one order. Undone by `WithdrawRequisition` until it is ordered,
    after that by `CancelPurchaseOrder`.
    """

    noun: ClassVar[str] = "purchase requisition"
    compared: ClassVar[tuple[str, ...]] = (
        "project",
        "entity",
        "supplier",
        "currency",
        "needed_on",
        "total",
        "line_count",
    )

    project: str
    """Number of the project the cost belongs to."""
    entity: str
    """Legal entity that buys: it decides chart of accounts and address."""
    supplier: str
    """The supplier's number in procurement, as `Supplier.id` has it."""
    currency: str
    needed_on: date
    lines: tuple[PurchaseLine, ...] = Field(min_length=1)
    cost: AccountRole = AccountRole.SUBCONTRACT_COST
    """What kind of cost it is; which account plays the role is said in the firm's file."""
    requested_by: str = ""
    """Login of the person procurement asks back; empty for the one in the firm's file."""
    reason: str = ""

    @property
    def total(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @property
    def line_count(self) -> int:
        return len(self.lines)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"requisition for project {self.project}"
        in_currency(self.currency, [line.amount for line in self.lines], what)
        distinct([line.ref for line in self.lines], f"{what}: line")
        return self


class WithdrawRequisition(Command):
    """Undo of `RequestPurchase`, while it is not ordered yet."""

    noun: ClassVar[str] = "requisition withdrawal"
    compared: ClassVar[tuple[str, ...]] = ("withdrawn",)

    requisition_external_id: str
    reason: str = ""
    withdrawn: bool = True


class CancelPurchaseOrder(Command):
    """Undo of an order the supplier has not accepted; an accepted one is cancelled by a person."""

    noun: ClassVar[str] = "purchase order cancellation"
    compared: ClassVar[tuple[str, ...]] = ("cancelled",)

    order_external_id: str
    reason: str = ""
    cancelled: bool = True
