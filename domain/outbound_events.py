"""The types of events that Fairlead tells: their data, owners and consumers.

A change of a data model must leave everything a receiver relies on (`domain.outbound_schemas`, checked
against `docs/events/catalog.json`); anything else is a new version beside the old one.
"""

from datetime import date
from typing import Any, ClassVar

from pydantic import AwareDatetime

from domain.base import Value
from domain.money import Exact
from domain.outbound import OutboundData, OutboundType
from domain.readiness import OwnerGroup


class DemandPublished(OutboundData):
    """A project needs a role. Staffing answers with `staffing.decided`, naming project and request."""

    subject_field: ClassVar[str] = "request"

    project: str
    request: str
    """Id of the resource request in the PSA."""
    ref: str
    """Of the role within the project."""
    role: str
    grade: str | None = None
    skills: tuple[str, ...] = ()
    seats: int = 1
    hours: Exact
    """Of all seats, over the whole time."""
    starts_on: date
    ends_on: date
    revision: int = 1
    """Rises when the demand changes: a higher one replaces the lower."""


class DemandWithdrawn(OutboundData):
    """A role is not needed any more. Who does not know the request ignores it."""

    subject_field: ClassVar[str] = "request"

    project: str
    request: str
    ref: str
    role: str
    revision: int = 1


class SystemObject(Value):
    """What was made in a system."""

    system: str
    object: str
    id: str
    number: str = ""


class ProjectActivated(OutboundData):
    """A signed deal has become an operational project in every system."""

    subject_field: ClassVar[str] = "project"

    project: str
    deal: str
    generation: int = 1
    records: tuple[SystemObject, ...] = ()


class ActivationCancelled(OutboundData):
    """An activation was stopped and what it had made was undone."""

    subject_field: ClassVar[str] = "deal"

    deal: str
    project: str = ""
    """Empty when none was made."""
    generation: int = 1


class _Document(OutboundData):
    subject_field: ClassVar[str] = "invoice"

    invoice: str
    """Our id of the invoice."""
    number: str
    """That the ERP gave the document."""
    project: str
    entity: str
    customer: str
    """Id of the customer in the CRM."""
    currency: str
    net: Exact
    tax: Exact
    gross: Exact
    dated: date | None = None


class InvoicePosted(_Document):
    """An invoice stands in the ERP's ledger."""

    due_on: date | None = None
    service_from: date
    service_to: date


class InvoiceCredited(_Document):
    """A credit note to the invoice stands in the ERP's ledger. Amounts are what is credited."""

    credit_note: str
    """Our id of the credit note."""
    reason: str = ""


class ExceptionRaised(OutboundData):
    """A process waits for a person. What it is about is read in Fairlead, by who may."""

    subject_field: ClassVar[str] = "exception"

    exception: str
    process: str
    step: str
    owner: str
    raised_at: AwareDatetime
    due_at: AwareDatetime


class ExceptionResolved(OutboundData):
    """A person has settled the exception, or its cause has gone."""

    subject_field: ClassVar[str] = "exception"

    exception: str
    process: str
    step: str
    owner: str


_PROCESS = "activation/fairlead-demo/006WX0000012AbCYAU"
_DEMAND = {
    "project": "DE01-7K3QXW",
    "request": "REQ-1042",
    "ref": "2",
    "role": "Solution Architect",
}
_INVOICE = {
    "invoice": "invoice/fairlead-demo/DE01-7K3QXW:1:1:1",
    "project": "DE01-7K3QXW",
    "entity": "DE01",
    "customer": "001WX000003Hq2tYAC",
    "currency": "EUR",
    "net": "30000.00",
    "tax": "5700.00",
    "gross": "35700.00",
}
_EXCEPTION: dict[str, Any] = {
    "exception": f"{_PROCESS}/erp.project/1",
    "process": _PROCESS,
    "step": "erp.project",
    "owner": "finance_systems",
}

DEMAND_PUBLISHED = OutboundType(
    name="demand.published",
    version=1,
    summary="A project needs a role: skills, hours and dates",
    owner=OwnerGroup.DELIVERY_OPERATIONS,
    consumers=("staffing tool",),
    data=DemandPublished,
    example=_DEMAND
    | {
        "grade": "Senior",
        "skills": ["Integration", "German"],
        "seats": 1,
        "hours": "120",
        "starts_on": "2026-12-01",
        "ends_on": "2027-02-26",
        "revision": 1,
    },
)
DEMAND_WITHDRAWN = OutboundType(
    name="demand.withdrawn",
    version=1,
    summary="A role is not needed any more",
    owner=OwnerGroup.DELIVERY_OPERATIONS,
    consumers=("staffing tool",),
    data=DemandWithdrawn,
    example=_DEMAND | {"revision": 1},
)
PROJECT_ACTIVATED = OutboundType(
    name="project.activated",
    version=1,
    summary="A signed deal has become an operational project",
    owner=OwnerGroup.ENTERPRISE_ARCHITECTURE,
    consumers=("staffing tool", "data warehouse"),
    data=ProjectActivated,
    example={
        "project": "DE01-7K3QXW",
        "deal": "006WX0000012AbCYAU",
        "generation": 1,
        "records": [{"system": "kantata", "object": "project", "id": "4711", "number": "DE01-7K3QXW"}],
    },
)
ACTIVATION_CANCELLED = OutboundType(
    name="activation.cancelled",
    version=1,
    summary="An activation was stopped and undone",
    owner=OwnerGroup.ENTERPRISE_ARCHITECTURE,
    consumers=("staffing tool", "data warehouse"),
    data=ActivationCancelled,
    example={"deal": "006WX0000012AbCYAU", "project": "DE01-7K3QXW", "generation": 1},
)
INVOICE_POSTED = OutboundType(
    name="invoice.posted",
    version=1,
    summary="An invoice stands in the ERP's ledger",
    owner=OwnerGroup.FINANCE_SYSTEMS,
    consumers=("data warehouse", "collections"),
    data=InvoicePosted,
    example=_INVOICE
    | {
        "number": "INV-20481",
        "dated": "2027-01-31",
        "due_on": "2027-03-02",
        "service_from": "2027-01-01",
        "service_to": "2027-01-31",
    },
)
INVOICE_CREDITED = OutboundType(
    name="invoice.credited",
    version=1,
    summary="A credit note stands in the ERP's ledger",
    owner=OwnerGroup.FINANCE_SYSTEMS,
    consumers=("data warehouse", "collections"),
    data=InvoiceCredited,
    example=_INVOICE
    | {
        "number": "CM-1007",
        "dated": "2027-02-05",
        "credit_note": "credit/fairlead-demo/DE01-7K3QXW:1:1:1:1",
        "reason": "billing_error",
    },
)
EXCEPTION_RAISED = OutboundType(
    name="exception.raised",
    version=1,
    summary="A process waits for a person",
    owner=OwnerGroup.PLATFORM_ENGINEERING,
    consumers=("service desk",),
    data=ExceptionRaised,
    example=_EXCEPTION | {"raised_at": "2026-11-23T08:00:00Z", "due_at": "2026-11-24T08:00:00Z"},
)
EXCEPTION_RESOLVED = OutboundType(
    name="exception.resolved",
    version=1,
    summary="An exception was settled",
    owner=OwnerGroup.PLATFORM_ENGINEERING,
    consumers=("service desk",),
    data=ExceptionResolved,
    example=_EXCEPTION,
)

_PUBLISHED = (
    *(DEMAND_PUBLISHED, DEMAND_WITHDRAWN, PROJECT_ACTIVATED, ACTIVATION_CANCELLED),
    *(INVOICE_POSTED, INVOICE_CREDITED, EXCEPTION_RAISED, EXCEPTION_RESOLVED),
)


def published() -> tuple[OutboundType, ...]:
    """Every type and version that is told, in order of name and version."""
    return tuple(sorted(_PUBLISHED, key=lambda kind: (kind.name, kind.version)))
