"""Events that cross a system's border: the catalogue, the CloudEvents 1.0 envelope, and reading one.

Every event type has one entry in `catalogue()`. The envelope refuses what it does not know; the data of
an event is read tolerantly, so that a producer may send more than we ask for. A change of a data model
must stay acceptable to what producers already send (`domain.event_schemas.incompatible_changes`, checked
against `docs/events/catalog.json`); anything else is a new version beside the old one, which gets a
sunset date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from domain.base import Edge
from domain.billing_events import ContractChanged, MilestoneAccepted, ProgressReported, PsaInvoiceReleased
from domain.event_data import EventData, ExternalId, Stamp
from domain.procurement_events import ORDER_CHANGED, PurchaseOrderChanged
from domain.readiness import OwnerGroup


class Envelope(Edge):
    """CloudEvents 1.0, structured mode, one event. The names are those of the specification."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
    """Unique per source; the same for every delivery of the same event."""
    source: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,500}$")]
    type: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,119}$")]
    subject: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,200}$")] | None = None
    time: Stamp | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,500}$")] | None = None
    """`urn:fairlead:event:<type>:<version>`; without it the newest version of the type is meant."""
    data: dict[str, Any]


class DealSigned(EventData):
    """A deal was won and its contract signed. A hint: the deal is read from the CRM before acting."""

    subject_field: ClassVar[str] = "deal"

    deal: ExternalId
    org: ExternalId | None = None
    """The CRM's tenant, such as the Salesforce organization id."""


class DealChanged(DealSigned):
    """A signed deal, its contract or its customer was changed in the CRM after signature."""


class StaffingDecided(EventData):
    """The staffing tool decided on a request for people."""

    subject_field: ClassVar[str] = "request"

    project: ExternalId
    """Number of the project the request belongs to."""
    request: ExternalId
    """Id of the request in the staffing tool."""
    decision: Literal["approved", "rejected"]
    decided_by: Annotated[str, Field(max_length=200)] = ""
    """E-mail address of who decided; must not be who asked."""
    reason: Annotated[str, Field(max_length=1000)] = ""


class TimeApproved(EventData):
    """Time or expenses of a project were approved. A hint: the PSA is read before anything is believed."""

    subject_field: ClassVar[str] = "project"

    project: ExternalId
    """Of the project in the PSA, or its number."""
    system: ExternalId | None = None
    """The PSA, by its name in the firm's file; none means every one."""


class PeopleChanged(EventData):
    """People, their absences or their assignments changed. A hint: HR and PSA are read before anything."""

    subject_field: ClassVar[str] = "system"

    system: ExternalId
    """The HR account or the PSA, by its name in the firm's file."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One version of one type of event, as the catalogue lists it."""

    name: str
    version: int
    summary: str
    owner: OwnerGroup
    """Who answers for the type, and gets what cannot be applied."""
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    data: type[EventData]
    example: Mapping[str, Any]
    """Data of one believable event."""
    sunset: date | None = None
    """Last day this version is accepted; none while it is current."""

    @property
    def schema_urn(self) -> str:
        return f"urn:fairlead:event:{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was understood."""

    id: str
    source: str
    kind: EventType
    data: EventData

    @property
    def type(self) -> str:
        return self.kind.name

    @property
    def subject(self) -> str:
        return self.data.subject

    @property
    def version(self) -> datetime:
        return self.data.version


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field. Holds nothing the sender wrote, so that it can be shown anywhere."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class EventRefused(ValueError):
    """An event that cannot be read; `problems` name each field and what is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class UnknownEventType(EventRefused):
    """A well-formed envelope of a type or version that the catalogue does not list."""


def parse(body: Mapping[str, Any]) -> Event:
    """The event in a CloudEvents body. Raises `UnknownEventType` or `EventRefused`."""
    envelope = read_envelope(body)
    kind = _kind_of(envelope)
    try:
        data = kind.data.model_validate(envelope.data)
    except ValidationError as error:
        raise EventRefused(*_problems(error, "data")) from None
    if envelope.subject is not None and envelope.subject != data.subject:
        raise EventRefused(Problem("subject", "must name the same object as data, or be left out"))
    return Event(envelope.id, envelope.source, kind, data)


def read_envelope(body: Mapping[str, Any]) -> Envelope:
    """The envelope alone, whatever the type. Raises `EventRefused`."""
    try:
        return Envelope.model_validate(body)
    except ValidationError as error:
        raise EventRefused(*_problems(error)) from None


def catalogue() -> tuple[EventType, ...]:
    """Every event type and version that is accepted, in order of name and version."""
    return tuple(sorted(_CATALOGUE, key=lambda kind: (kind.name, kind.version)))


def newest(name: str) -> EventType:
    """The newest version of a type. Raises `KeyError` naming the types there are."""
    versions = [kind for kind in catalogue() if kind.name == name]
    if not versions:
        known = ", ".join(sorted({kind.name for kind in _CATALOGUE}))
        raise KeyError(f"there is no event type {name!r}; the catalogue lists {known}")
    return versions[-1]


def _kind_of(envelope: Envelope) -> EventType:
    versions = [kind for kind in catalogue() if kind.name == envelope.type]
    if not versions:
        raise UnknownEventType(
            Problem("type", "is not in the catalogue; `fairlead events catalog` lists the types")
        )
    if envelope.dataschema is None:
        return versions[-1]
    for kind in versions:
        if kind.schema_urn == envelope.dataschema:
            return kind
    known = ", ".join(kind.schema_urn for kind in versions)
    raise UnknownEventType(Problem("dataschema", f"is none of the accepted versions: {known}"))


def _problems(error: ValidationError, prefix: str = "") -> list[Problem]:
    """Pydantic's findings without any text of the sender: a refused field's name is the sender's."""
    problems: dict[Problem, None] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        if detail["type"] == "extra_forbidden":
            problems[Problem(prefix or "envelope", "holds an attribute that CloudEvents 1.0 lacks")] = None
            continue
        place = ".".join([prefix, *map(str, detail["loc"])]).strip(".")
        problems[Problem(place or "event", detail["msg"].removeprefix("Value error, "))] = None
    return list(problems)


_CRM_CONSUMER = ("ProjectActivation",)
_BILLING = ("ProjectBilling",)
_CATALOGUE = (
    EventType(
        name="deal.signed",
        version=1,
        summary="A deal was won and its contract signed",
        owner=OwnerGroup.ENTERPRISE_ARCHITECTURE,
        producers=("crm",),
        consumers=_CRM_CONSUMER,
        data=DealSigned,
        example={
            "deal": "006WX0000012AbCYAU",
            "org": "00DWX0000009zXyEAI",
            "version": "2026-11-23T06:00:00.000Z",
        },
    ),
    EventType(
        name="deal.changed",
        version=1,
        summary="A signed deal was changed in the CRM after its signature",
        owner=OwnerGroup.ENTERPRISE_ARCHITECTURE,
        producers=("crm",),
        consumers=_CRM_CONSUMER,
        data=DealChanged,
        example={
            "deal": "006WX0000012AbCYAU",
            "org": "00DWX0000009zXyEAI",
            "version": "2026-11-24T09:30:00.000Z",
        },
    ),
    EventType(
        name="staffing.decided",
        version=1,
        summary="The staffing tool approved or rejected a request for people",
        owner=OwnerGroup.DELIVERY_OPERATIONS,
        producers=("staffing tool", "psa"),
        consumers=("ProjectActivation",),
        data=StaffingDecided,
        example={
            "project": "DE01-7K3QXW",
            "request": "REQ-1042",
            "decision": "approved",
            "decided_by": "practice.lead@fairlead.example",
            "version": "2026-11-25T14:05:00.000Z",
        },
    ),
    EventType(
        name="people.changed",
        version=1,
        summary="People, absences or assignments changed in HR or in the PSA",
        owner=OwnerGroup.DELIVERY_OPERATIONS,
        producers=("hr", "psa"),
        consumers=("ResourceSync",),
        data=PeopleChanged,
        example={"system": "workday", "version": "2026-12-07T16:20:00.000Z"},
    ),
    EventType(
        name="time.approved",
        version=1,
        summary="Time or expenses of a project were approved in the PSA",
        owner=OwnerGroup.DELIVERY_OPERATIONS,
        producers=("psa",),
        consumers=("TimePosting",),
        data=TimeApproved,
        example={
            "project": "DE01-7K3QXW",
            "system": "kantata",
            "version": "2026-12-07T16:20:00.000Z",
        },
    ),
    EventType(
        name="milestone.accepted",
        version=1,
        summary="The customer has accepted a milestone of a project",
        owner=OwnerGroup.DELIVERY_OPERATIONS,
        producers=("psa", "document signing"),
        consumers=_BILLING,
        data=MilestoneAccepted,
        example={
            "project": "DE01-7K3QXW",
            "milestone": "1",
            "document": "https://documents.fairlead.example/acceptances/4711.pdf",
            "accepted_by": "it.lead@alpenglow.example",
            "accepted_on": "2027-01-29",
            "amount": "30000.00",
            "currency": "EUR",
            "version": "2027-01-29T16:20:00.000Z",
        },
    ),
    EventType(
        name="progress.reported",
        version=1,
        summary="Progress of a line that is billed by percent complete was agreed",
        owner=OwnerGroup.DELIVERY_OPERATIONS,
        producers=("psa",),
        consumers=_BILLING,
        data=ProgressReported,
        example={
            "project": "DE01-7K3QXW",
            "line": "4",
            "period": "2027-01",
            "percent": "37.5",
            "document": "https://documents.fairlead.example/progress/2027-01.pdf",
            "agreed_by": "it.lead@alpenglow.example",
            "version": "2027-02-01T09:00:00.000Z",
        },
    ),
    EventType(
        name="contract.changed",
        version=1,
        summary="The contract of an active project, or a change order to it, was changed in the CRM",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        producers=("crm",),
        consumers=_BILLING,
        data=ContractChanged,
        example={
            "project": "DE01-7K3QXW",
            "deal": "006WX0000012AbCYAU",
            "version": "2027-02-03T11:15:00.000Z",
        },
    ),
    EventType(
        name="psa.invoice_released",
        version=1,
        summary="An invoice of a project was released, or cancelled, in the PSA that bills it",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        producers=("psa",),
        consumers=_BILLING,
        data=PsaInvoiceReleased,
        example={
            "project": "DE01-7K3QXW",
            "invoice": "20481",
            "version": "2027-02-01T08:00:00.000Z",
        },
    ),
    EventType(
        name=ORDER_CHANGED,
        version=1,
        summary="A purchase order of a project was made, changed, accepted or cancelled in procurement",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        producers=("procurement",),
        consumers=("SubcontractorProcurement",),
        data=PurchaseOrderChanged,
        example={
            "project": "DE01-7K3QXW",
            "order": "10",
            "version": "2026-12-01T09:45:00.000Z",
        },
    ),
)
