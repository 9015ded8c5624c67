"""Coupa's shapes as far as they are read, and the `fields` that ask for exactly these.

Source: Coupa Core API (R39): keys with dashes, decimals as text, ids and versions as numbers, date-times with
offset. Always with `fields`: whole objects are very large.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, ConfigDict

from connectors.http import exact_json
from connectors.http.shapes import VendorShape
from domain.money import Exact

Fields = Sequence[str | Mapping[str, Any]]


def dashed(name: str) -> str:
    return name.replace("_", "-")


class CoupaShape(VendorShape):
    model_config = ConfigDict(alias_generator=dashed)


class Code(CoupaShape):
    code: str


class Named(CoupaShape):
    """A record of which only the id and what it is called are read."""

    id: int
    name: str | None = None
    code: str | None = None
    login: str | None = None


class Country(CoupaShape):
    code: str | None = None


class PrimaryAddress(CoupaShape):
    country: Country | None = None


class SupplierRow(CoupaShape):
    id: int
    number: str | None
    name: str
    status: str
    on_hold: bool
    tax_id: str | None = None
    currency: Code | None = None
    primary_address: PrimaryAddress | None = None


class SupplierRef(CoupaShape):
    id: int
    number: str | None = None


class AccountTypeRef(CoupaShape):
    name: str


class Account(CoupaShape):
    """The segments stand beside the rest, under names of their own."""

    model_config = ConfigDict(extra="allow")

    account_type: AccountTypeRef

    def segment(self, name: str) -> str:
        value = (self.model_extra or {}).get(name)
        return "" if value is None else str(value)


class Line(CoupaShape):
    """What requisition and order lines have in common. Without quantity it is a line of one amount."""

    id: int
    line_num: int
    description: str | None = None
    quantity: Exact | None = None
    total: Exact
    account: Account | None = None
    custom_fields: Mapping[str, Any]

    @property
    def rate(self) -> Decimal:
        raise NotImplementedError


class RequisitionLine(Line):
    unit_price: Exact
    need_by_date: datetime | None
    supplier: SupplierRef | None
    order_line_id: int | None

    @property
    def rate(self) -> Decimal:
        return self.unit_price


class OrderLine(Line):
    price: Exact

    @property
    def rate(self) -> Decimal:
        return self.price


class RequisitionRow(CoupaShape):
    id: int
    status: str
    currency: Code
    reject_reason_comment: str | None = None
    updated_at: AwareDatetime
    custom_fields: Mapping[str, Any]
    requisition_lines: tuple[RequisitionLine, ...]

    def custom(self, name: str) -> str:
        """A custom field as text, empty where it is not set."""
        return str(self.custom_fields.get(name) or "")


class RequisitionRef(CoupaShape):
    id: int


class OrderRow(CoupaShape):
    id: int
    po_number: str
    status: str
    version: int
    acknowledged_flag: bool
    transmission_status: str | None = None
    currency: Code
    supplier: SupplierRef
    requisition_header: RequisitionRef | None
    updated_at: AwareDatetime
    custom_fields: Mapping[str, Any]
    order_lines: tuple[OrderLine, ...]


class OrderState(CoupaShape):
    """As much of an order as its cancellation looks at."""

    id: int
    po_number: str
    status: str
    acknowledged_flag: bool


class OrderLineRef(CoupaShape):
    order_header_id: int


class Placed(CoupaShape):
    id: int


class Touched(Placed):
    """Place and change stamp of a row that may not be readable in whole."""

    po_number: str | None = None
    updated_at: AwareDatetime


def fields(shape: Fields) -> str:
    """A `fields` parameter."""
    return exact_json.encode(list(shape)).decode()


def _account(segments: Sequence[str]) -> Mapping[str, Any]:
    names = [segment.replace("-", "_") for segment in segments]
    return {"account": [*names, {"account_type": ["name"]}]}


_LINE: Fields = ("id", "line_num", "description", "quantity", "total", {"custom_fields": {}})
NAMED: Fields = ("id", "name")
CODED: Fields = ("id", "code")
USER: Fields = ("id", "login")
SUPPLIER: Fields = (
    *("id", "number", "name", "status", "on_hold", "tax_id"),
    *({"currency": ["code"]}, {"primary_address": [{"country": ["code"]}]}),
)
ORDER_STATE: Fields = ("id", "po_number", "status", "acknowledged_flag")
ORDER_OF_LINE: Fields = ("id", "order_header_id")


def requisition(segments: Sequence[str]) -> Fields:
    lines = [
        *_LINE,
        *("unit_price", "need_by_date", "order_line_id", {"supplier": ["id", "number"]}),
        _account(segments),
    ]
    return (
        *("id", "status", "reject_reason_comment", "updated_at", {"custom_fields": {}}),
        *({"currency": ["code"]}, {"requisition_lines": lines}),
    )


def order(segments: Sequence[str]) -> Fields:
    return (
        *("id", "po_number", "status", "version", "acknowledged_flag", "transmission_status", "updated_at"),
        *({"custom_fields": {}}, {"currency": ["code"]}, {"supplier": ["id", "number"]}),
        *({"requisition_header": ["id"]}, {"order_lines": [*_LINE, "price", _account(segments)]}),
    )
