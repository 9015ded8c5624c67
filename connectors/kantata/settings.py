"""What a firm's file says about its Kantata OX account. Secrets arrive here resolved, never as defaults."""

from typing import Literal

from pydantic import Field

from domain.base import Edge


class KantataSettings(Edge):
    """One `[systems.<name>]` section with `vendor = "kantata"`.

    Where the vendor's documents leave a point open (statuses, custom fields, retention, the way a project is
    closed for time) the value is here, with the sandbox account's as default.
    """

    base_url: str
    """Such as `https://api.mavenlink.com/api/v1`."""
    token: str = Field(repr=False, min_length=1)
    """Bearer token of the integration user, an account administrator. It does not expire."""
    app_url: str = ""
    """Address of the application for links to projects, such as `https://app.mavenlink.com`."""

    service_name: str = Field(default="fairlead", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    """Our name in external references. One record holds one reference per name."""
    creator_role: Literal["maven", "buyer"] = "maven"

    closed_status_key: int = 210
    """Project status of this account in which no time can be logged. A new project starts here."""
    open_status_key: int = 300
    """Project status in which the team logs time and expenses."""
    cancelled_status_key: int | None = 550
    """Status given to a cancelled project on top of archiving; none leaves the status as it is."""
    access_level: Literal["invitation", "open", "admin"] = "invitation"

    request_key_field: int = Field(default=9001, gt=0)
    """Id of the text custom field on workspace resources that holds the key of the latest request."""
    demand_field: int = Field(default=9002, gt=0)
    """Id of the text custom field on workspace resources that tells staffing what is asked for."""
    entity_field: int = Field(default=9003, ge=0)
    """Id of the text custom field on users that holds the legal entity; 0 where there is none."""
    region_field: int = Field(default=9004, ge=0)
    """The same for the region whose calendar applies."""
    last_day_field: int = Field(default=9005, ge=0)
    """The same for the last day of who leaves. Access is taken away by people, not by us."""
    invitation_permission: str = ""
    """Permission that invited people get; empty: what the account gives by default."""
    default_template: str = ""
    """Title or id of the project template used when a command names none; empty: no template."""
    default_approver_email: str = ""
    """Who decides resource requests when a command names nobody."""
    hours_per_day: int = Field(default=8, ge=1, le=24)
    """Working hours of a full day, from which an allocation percentage is figured."""
    base_units: dict[str, int] = {}
    """Base units per currency unit where Kantata's differ from ISO 4217 minor units."""
    group_lookup: Literal["filter", "references"] = "filter"
    """How a customer is looked up by key: by filter on workspace groups, or by `/external_references`."""

    event_feed: bool = True
    """Use the `subscribed_events` add-on; polling takes over where the account does not have it."""
    event_retention_days: int = Field(default=7, ge=1, le=9)
    """How far back the change feed can be trusted; the vendor's texts say 7 and 9 days."""
    feed_overlap_seconds: int = Field(default=5, ge=1, le=3600)
    """How much before `since` is read again, since the vendor's bounds may be exclusive."""

    read_invoiced: bool = True
    """Read approved work that is on an invoice of this account too. False saves reading every entry again
    after it was billed; right only where nobody but Fairlead makes invoices in Kantata."""

    timeout_seconds: float = Field(default=30.0, gt=0, le=180)
    in_flight: int = Field(default=8, ge=0)
    """Cap of calls at once from this process; 0 for none."""
    page_size: int = Field(default=200, ge=21, le=200)
    directory_seconds: int = Field(default=300, ge=0)
    """How long roles, users and templates are remembered."""
