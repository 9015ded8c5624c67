"""Canonical commands: everything Fairlead ever writes into another system, one model per write.

One command is one effect: it lands in its system exactly once under its effect key. A connector
implements `find(command, key)` and `apply(command, key)` for the commands of its role; the effect
journal hashes the command (never the vendor's body, which an upgraded mapping may change); `matter()`
names the fields that are compared after a look-up or a read-back.
"""

from datetime import date
from typing import ClassVar, Literal

from domain.base import Canonical, Value
from domain.money import Exact, Money
from domain.selling import Address


class Command(Canonical):
    """A write in canonical terms. `noun` is the object in business words, for people and the journal."""

    noun: ClassVar[str] = ""
    compared: ClassVar[tuple[str, ...]] = ()
    """Fields that must be equal in the system after the write."""

    def matter(self) -> dict[str, str]:
        """The fields that matter, as canonical text: dates ISO, money `12.50 EUR`, booleans true/false."""
        return {name: canonical_text(getattr(self, name)) for name in self.compared}


def canonical_text(value: object) -> str:
    """One spelling per value, so that what was sent and what was read back can be compared."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Money):
        return str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


class Record(Canonical):
    """What a system holds after a write, or what a look-up by key found."""

    external_id: str
    number: str = ""
    """The human number, where the system gives one."""
    fields: dict[str, str] = {}
    """The fields of `Command.matter()` that this system can show, in the same canonical text."""
    request_id: str = ""
    url: str = ""

    def differences(self, command: Command) -> dict[str, tuple[str, str]]:
        """Fields whose value here differs from the command's: name -> (sent, found)."""
        sent = command.matter()
        return {
            name: (sent[name], found) for name, found in self.fields.items() if sent.get(name, found) != found
        }


class CreateCustomer(Command):
    """Create the customer (ERP customer, PSA client). Never undone: other deals may use it by then."""

    noun: ClassVar[str] = "customer"
    compared: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    legal_name: str | None = None
    crm_id: str
    tax_id: str | None = None
    address: Address = Address()
    currency: str | None = None
    payment_terms: str | None = None
    entity: str


class CreateProject(Command):
    """Create the project, closed for time and billing."""

    noun: ClassVar[str] = "project"
    compared: ClassVar[tuple[str, ...]] = ("number", "title", "starts_on", "ends_on", "customer_external_id")

    number: str
    title: str
    customer_external_id: str
    entity: str
    currency: str
    budget: Money
    starts_on: date
    ends_on: date
    manager_email: str | None = None
    template: str | None = None
    contract_number: str = ""
    crm_id: str = ""
    """External id of the deal."""
    billing: Literal["fixed", "time_and_materials", "mixed"] = "mixed"


class PlannedTask(Value):
    ref: str
    """Stable within the project, such as the contract line's number."""
    title: str
    kind: Literal["task", "milestone"] = "task"
    starts_on: date | None = None
    ends_on: date | None = None
    hours: Exact | None = None
    budget: Money | None = None
    billable: bool = True


class PlanProject(Command):
    """Tasks and milestones of a project, in one bulk write."""

    noun: ClassVar[str] = "project plan"
    compared: ClassVar[tuple[str, ...]] = ("task_count",)

    project_external_id: str
    tasks: tuple[PlannedTask, ...]

    @property
    def task_count(self) -> int:
        return len(self.tasks)


class Seat(Value):
    """A role on the project to be filled by a person."""

    ref: str
    role: str
    grade: str | None = None
    skills: tuple[str, ...] = ()
    hours: Exact
    starts_on: date
    ends_on: date


class AddSeats(Command):
    """Unnamed role seats on the project, in one bulk write."""

    noun: ClassVar[str] = "project roles"
    compared: ClassVar[tuple[str, ...]] = ("seat_count",)

    project_external_id: str
    seats: tuple[Seat, ...]

    @property
    def seat_count(self) -> int:
        return len(self.seats)


class RequestStaffing(Command):
    """Ask staffing to fill one seat. `revision` rises when the demand changes."""

    noun: ClassVar[str] = "resource request"
    compared: ClassVar[tuple[str, ...]] = ("starts_on", "ends_on")

    project_external_id: str
    seats_key: str
    """Effect key of the `AddSeats` that made the seat: with `seat.ref` it finds the seat in the PSA."""
    seat: Seat
    revision: int = 1
    approver_email: str | None = None

    @property
    def starts_on(self) -> date:
        return self.seat.starts_on

    @property
    def ends_on(self) -> date:
        return self.seat.ends_on


class ScheduleLine(Value):
    ref: str
    description: str
    amount: Money
    due_on: date
    kind: Literal["milestone", "recurring"] = "milestone"


class CreateBillingSchedule(Command):
    """The ERP's plan of what will be billed when; its lines sum to the fixed value of the contract."""

    noun: ClassVar[str] = "billing schedule"
    compared: ClassVar[tuple[str, ...]] = ("total", "line_count")

    name: str
    project_external_id: str
    project_key: str
    """Effect key of the ERP project."""
    currency: str
    lines: tuple[ScheduleLine, ...]

    @property
    def total(self) -> Money:
        result = Money.zero(self.currency)
        for line in self.lines:
            result = result + line.amount
        return result

    @property
    def line_count(self) -> int:
        return len(self.lines)


class OpenProject(Command):
    """Open the project for time and expense."""

    noun: ClassVar[str] = "project opening"
    compared: ClassVar[tuple[str, ...]] = ("open",)

    project_external_id: str
    open: bool = True


class CancelProject(Command):
    """Undo of `CreateProject`: archived or inactive, never deleted."""

    noun: ClassVar[str] = "project cancellation"
    compared: ClassVar[tuple[str, ...]] = ("cancelled",)

    project_external_id: str
    reason: str = ""
    cancelled: bool = True


class WithdrawStaffing(Command):
    """Undo of `RequestStaffing`."""

    noun: ClassVar[str] = "resource request withdrawal"
    compared: ClassVar[tuple[str, ...]] = ("withdrawn",)

    request_external_id: str
    withdrawn: bool = True


class VoidBillingSchedule(Command):
    """Undo of `CreateBillingSchedule`; only while nothing has been billed from it."""

    noun: ClassVar[str] = "billing schedule voiding"
    compared: ClassVar[tuple[str, ...]] = ("voided",)

    schedule_external_id: str
    voided: bool = True


DealStatus = Literal["Not Started", "Activating", "Active", "Cancelled"]


class MarkDeal(Command):
    """Tell the CRM what has become of its deal."""

    noun: ClassVar[str] = "deal status"
    compared: ClassVar[tuple[str, ...]] = ("status", "project_number")

    deal_external_id: str
    status: DealStatus
    project_number: str = ""
