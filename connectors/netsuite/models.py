"""NetSuite's records as we read them (REST record browser 2026.1). A field without default is needed."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from connectors.http.shapes import VendorShape


def _as_reference(value: Any) -> Any:
    return {"id": str(value)} if isinstance(value, str | int) and not isinstance(value, bool) else value


class Ref(VendorShape):
    """A reference or an enumeration; `simpleEnumFormat` gives the bare id."""

    id: str
    ref_name: str = Field(default="", alias="refName")
    external_id: str = Field(default="", alias="externalId")


Reference = Annotated[Ref, BeforeValidator(_as_reference)]


class Job(VendorShape):
    """A project. Dates are absent when not set."""

    id: str
    entity_id: str = Field(alias="entityId")
    company_name: str = Field(alias="companyName")
    parent: Reference
    currency: Reference | None = None
    starts_on: date | None = Field(default=None, alias="startDate")
    ends_on: date | None = Field(default=None, alias="projectedEndDate")
    allow_time: bool = Field(alias="allowTime")
    allow_expenses: bool = Field(alias="allowExpenses")
    is_inactive: bool = Field(alias="isInactive")

    @property
    def number(self) -> str:
        """The project's own number: a project below a customer may show as `Customer : Project`."""
        return self.entity_id.rsplit(" : ", 1)[-1]


class Customer(VendorShape):
    id: str
    entity_id: str = Field(default="", alias="entityId")
    company_name: str = Field(alias="companyName")
    is_inactive: bool = Field(default=False, alias="isInactive")


class MilestoneLine(VendorShape):
    amount: Decimal = Field(alias="milestoneAmount")
    due_on: date | None = Field(default=None, alias="milestoneDate")
    comments: str = ""


class RecurrenceLine(VendorShape):
    """`amount` is billed `count` times."""

    amount: Decimal
    count: int = 1
    due_on: date | None = Field(default=None, alias="recurrenceDate")


class Milestones(VendorShape):
    items: list[MilestoneLine] = []


class Recurrences(VendorShape):
    items: list[RecurrenceLine] = []


class BillingSchedule(VendorShape):
    """`milestone` and `recurrence` come inline with `expandSubResources`."""

    id: str
    name: str
    job: Reference | None = None
    initial_amount: Decimal = Field(default=Decimal(0), alias="initialAmount")
    is_inactive: bool = Field(default=False, alias="isInactive")
    milestone: Milestones = Milestones()
    recurrence: Recurrences = Recurrences()

    @property
    def amounts(self) -> list[Decimal]:
        """What is billed, bill by bill."""
        recurring = [line.amount for line in self.recurrence.items for _ in range(line.count)]
        initial = [self.initial_amount] if self.initial_amount else []
        return [*initial, *(line.amount for line in self.milestone.items), *recurring]


class TaxRegistration(VendorShape):
    country: str = Field(default="", alias="nexusCountry")


class TaxRegistrations(VendorShape):
    items: list[TaxRegistration] = []


class Subsidiary(VendorShape):
    id: str
    name: str
    legal_name: str = Field(default="", alias="legalName")
    country: Reference
    currency: Reference
    is_inactive: bool = Field(default=False, alias="isInactive")
    is_elimination: bool = Field(default=False, alias="isElimination")
    tax_registration: TaxRegistrations = Field(default=TaxRegistrations(), alias="taxRegistration")
    last_modified: str = Field(default="", alias="lastModifiedDate")


class CustomerRow(VendorShape):
    """A customer as our SuiteQL query shows it: every value is text, nulls are left out."""

    id: str
    entity_id: str = Field(default="", alias="entityid")
    company_name: str = Field(alias="companyname")
    is_inactive: str = Field(alias="isinactive")
    credit_hold: str = Field(default="AUTO", alias="creditholdoverride")
    credit_limit: Decimal | None = Field(default=None, alias="creditlimit")
    balance: Decimal | None = None
    tax_id: str = Field(default="", alias="taxid")
    currency: str | None = None
    terms: str | None = None
    subsidiary: str = ""
    """External id of the subsidiary."""
    modified: str = ""


class PeriodRow(VendorShape):
    id: str
    starts_on: date = Field(alias="startdate")
