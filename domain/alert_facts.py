"""What the rules of alerts look at: each fact with what a person needs to know of it."""

from datetime import date, datetime, timedelta
from typing import Self

from pydantic import AwareDatetime

from domain.alert_state import AlertRule, Worth
from domain.base import Value
from domain.billing_calendar import instant_of
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.policy import PolicySnapshot
from domain.project_contract import ProjectContract
from domain.readiness import OwnerGroup
from domain.rules.proration import local_day


class Moment(Value):
    """An instant, and which day it is where each legal entity is."""

    at: AwareDatetime
    zones: dict[str, str] = {}
    """Entity -> IANA time zone; any other is in UTC."""

    @classmethod
    def of(cls, at: datetime, policies: PolicySnapshot) -> Self:
        return cls(at=at, zones={entity.code: entity.time_zone for entity in policies.entities})

    def today(self, entity: str) -> date:
        return local_day(self.at, self._zone(entity))

    def days_since(self, day: date, entity: str) -> int:
        return (self.today(entity) - day).days

    def before(self, days: int, entity: str) -> date:
        """The last day that is more than `days` ago."""
        return self.today(entity) - timedelta(days=days + 1)

    def begin(self, day: date, entity: str) -> datetime:
        """When `day` began there."""
        return instant_of(day, self._zone(entity))

    def _zone(self, entity: str) -> str:
        return self.zones.get(entity, "UTC")


class ProjectRef(Value):
    """Whose condition it is."""

    project: str = ""
    entity: str = ""
    customer: str = ""
    title: str = ""

    @classmethod
    def to(cls, project: str, contract: ProjectContract | None, entity: str = "") -> Self:
        if contract is None:
            return cls(project=project, entity=entity)
        return cls(
            project=project, entity=contract.entity, customer=contract.customer_name, title=contract.title
        )

    @property
    def spoken(self) -> str:
        return f"project {self.project} {self.title}".rstrip() if self.project else "no known project"


class OpenWork(Value):
    """Approved work of one project that is on no invoice and that we bill."""

    of: ProjectRef
    up_to: date
    oldest: date
    ready: int = 0
    held: int = 0
    parked: int = 0
    worth: Worth = Worth()

    @property
    def entries(self) -> int:
        return self.ready + self.held + self.parked


class OpenEvent(Value):
    """A billing event without an invoice, or one that should be there."""

    of: ProjectRef
    event: BillingEventRow
    line: str = ""
    """Name of its contract line."""
    worth: Worth = Worth()


class StandingInvoice(Value):
    of: ProjectRef
    invoice: InvoiceRow
    changed_at: AwareDatetime
    worth: Worth = Worth()


class QuietProcess(Value):
    """A running process, and since when nothing has changed in it."""

    key: str
    of: ProjectRef = ProjectRef()
    title: str = ""
    stage: str = ""
    owner: OwnerGroup
    waits_for: str = ""
    """Headline of its exception, where it has one."""
    changed_at: AwareDatetime


class StuckEvents(Value):
    """Events of one source and type that are not applied."""

    source: str
    type: str
    state: str
    count: int
    oldest: AwareDatetime
    note: str = ""
    """Of the oldest."""
    owner: OwnerGroup = OwnerGroup.ENTERPRISE_ARCHITECTURE


class UncheckedRule(Value):
    rule: AlertRule
    problem: str
    looked_at: AwareDatetime | None = None
    """When it was looked at last with success."""
