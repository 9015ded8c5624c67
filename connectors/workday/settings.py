"""What a firm's file says about its Workday tenant. Secrets arrive here resolved, never as defaults."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.http.assertion import Signer
from domain.base import Edge

Service = Literal["staffing", "absenceManagement", "projects"]
PlanLineField = Literal["project", "workers", "starts_on", "ends_on", "hours", "percent", "role", "key"]
UtilizationField = Literal["project", "worker", "dated", "hours", "key", "costed"]
CalendarColumn = Literal["code", "country", "weekly_hours", "holidays", "holiday"]

TENANT_SERVICES: dict[Service, str] = {"staffing": "v6", "absenceManagement": "v1", "projects": "v1"}
TENANT_PLAN_LINE: dict[PlanLineField, str] = {
    "project": "project",
    "workers": "workers",
    "starts_on": "startDate",
    "ends_on": "endDate",
    "hours": "estimatedHours",
    "percent": "percentAllocation",
    "role": "role",
    "key": "memo",
}
TENANT_UTILIZATION: dict[UtilizationField, str] = {
    "project": "project",
    "worker": "worker",
    "dated": "transactionDate",
    "hours": "hours",
    "key": "memo",
    "costed": "includeCost",
}
TENANT_CALENDAR_COLUMNS: dict[CalendarColumn, str] = {
    "code": "Calendar_ID",
    "country": "Country_Code",
    "weekly_hours": "Weekly_Hours",
    "holidays": "Holidays",
    "holiday": "Holiday_Date",
}
HOSTS = (".workday.com", ".myworkday.com")
LOOPBACK = ("127.0.0.1", "::1")


class WorkdaySettings(Edge):
    """One `[systems.<name>]` section with `vendor = "workday"`.

    Host, tenant and token address are three facts of the tenant ("View API Clients" shows them); none is
    derived from another. What the vendor's documents leave open, or a tenant may change (service versions,
    field names of the resource plan, columns of reports), is here, with the sandbox tenant's as default.
    """

    base_url: str
    """The tenant's service host, such as `https://wd5-services1.myworkday.com`."""
    tenant: str = Field(pattern=r"^[A-Za-z0-9_]{1,60}$")
    token_url: str
    """Token endpoint, such as `https://wd5-services1.myworkday.com/ccx/oauth2/acme/token`."""

    auth: Literal["refresh_token", "jwt_bearer"] = "refresh_token"
    client_id: str
    client_secret: str = Field(default="", repr=False)
    refresh_token: str = Field(default="", repr=False)
    username: str = ""
    """Integration system user that a JWT speaks for."""
    private_key: str = Field(default="", repr=False)
    """PEM text of the RSA key whose certificate the API client knows."""
    audience: str = "wd"

    services: dict[Service, str] = Field(default={}, validate_default=True)
    """REST service -> version, for versions that differ from the defaults."""
    soap_version: str = Field(default="v44.1", pattern=r"^v[0-9]{2}\.[0-9]$")

    companies: dict[str, str] = {}
    """Company reference id -> legal entity, where it is not the entity's code itself."""
    company_type: str = "COMPANY"
    """Organization type id of companies."""
    organisation_type: str = "SUPERVISORY"
    roles: dict[str, str] = {}
    """Job profile id -> role; a profile that is not listed gives its name."""
    grades: dict[str, str] = {}
    """Management level id -> grade; a level that is not listed gives its id."""
    calendars: dict[str, str] = {}
    """Location id -> region; a location that is not listed gives its country (ISO 3166-1 alpha-2)."""
    work_email_usage: str = "WORK"
    """Communication usage type id of the address at work."""
    skill_levels: bool = True
    """Whether levels of skills come into Workday from an outside source."""

    look_ahead_days: int = Field(default=92, ge=0, le=730)
    """How far hires and leavers are seen ahead of their day; 0 shows them on the day."""
    feed_overlap_seconds: int = Field(default=600, ge=0, le=86_400)
    """How much before `since` is read again: a change is entered some time before it can be read."""

    counted_absences: tuple[str, ...] = ("Approved", "Successfully Completed")
    """Status of an absence, by id or name, in which it makes unavailable."""
    ignored_absences: tuple[str, ...] = ("Submitted", "In Progress", "Denied", "Canceled", "Sent Back")
    """Status in which it does not. An absence in any other is told as unreadable."""
    hour_units: tuple[str, ...] = ("Hours",)
    """Unit, by id or name, in which an absence is given in hours."""
    day_units: tuple[str, ...] = ("Days",)
    hours_per_week: int = Field(default=40, ge=1, le=168)
    """Full week of a worker whose scheduled hours Workday does not tell; five days share it."""

    calendar_report: str = Field(default="", pattern=r"^([^/\s]+/[^/\s]+)?$")
    """Custom report of work calendars as `<owner>/<report>`, enabled as web service; empty: there is none."""
    calendar_columns: dict[CalendarColumn, str] = Field(default={}, validate_default=True)
    """Column -> its XML alias in that report."""

    project_number_field: str = "projectId"
    """Field of a project that holds its number."""
    assignment_path: str = "resourcePlanLines"
    assignment_project_param: str = "project"
    """Query parameter that lists the plan lines of one project."""
    assignment_fields: dict[PlanLineField, str] = Field(default={}, validate_default=True)
    utilization_path: str = "adHocProjectTimeTransactions"
    utilization_project_param: str = "projectOrProjectHierarchy"
    utilization_fields: dict[UtilizationField, str] = Field(default={}, validate_default=True)

    timeout_seconds: float = Field(default=60.0, gt=0, le=900)
    """The first page of a list builds the vendor's cache of it and is slow: no tight limit."""
    in_flight: int = Field(default=5, ge=0)
    """Cap of calls at once from this process; 0 for none."""
    page_size: int = Field(default=100, ge=11, le=100)
    """Rows of a REST page; the vendor takes 100 at most and gives 20 where nothing is asked for."""

    @field_validator("base_url", "token_url")
    @classmethod
    def _of_workday(cls, address: str) -> str:
        host = urlsplit(address).hostname or ""
        # A name without a dot is of this machine or its own network, such as the sandbox's.
        if "." in host and host not in LOOPBACK and not host.endswith(HOSTS):
            raise ValueError(
                f"{host or address!r} is no host of Workday: it must end in {' or '.join(HOSTS)}"
            )
        return address

    @field_validator("services")
    @classmethod
    def _all_services(cls, given: dict[Service, str]) -> dict[Service, str]:
        return TENANT_SERVICES | given

    @field_validator("assignment_fields")
    @classmethod
    def _all_of_a_line(cls, given: dict[PlanLineField, str]) -> dict[PlanLineField, str]:
        return TENANT_PLAN_LINE | given

    @field_validator("utilization_fields")
    @classmethod
    def _all_of_utilization(cls, given: dict[UtilizationField, str]) -> dict[UtilizationField, str]:
        return TENANT_UTILIZATION | given

    @field_validator("calendar_columns")
    @classmethod
    def _all_columns(cls, given: dict[CalendarColumn, str]) -> dict[CalendarColumn, str]:
        return TENANT_CALENDAR_COLUMNS | given

    @model_validator(mode="after")
    def _credentials_of_the_flow(self) -> Self:
        needed = (
            {"client_secret": self.client_secret, "refresh_token": self.refresh_token}
            if self.auth == "refresh_token"
            else {"username": self.username, "private_key": self.private_key}
        )
        missing = [name for name, value in needed.items() if not value]
        if missing:
            raise ValueError(f"auth = {self.auth!r} needs {' and '.join(missing)}")
        if self.auth == "jwt_bearer":
            Signer(self.private_key, "RS256")
        return self

    def entity(self, company: str) -> str:
        """The legal entity that is the company with this reference id."""
        return self.companies.get(company, company)
