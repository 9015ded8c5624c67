"""What a firm's file says about its Salesforce org. Secrets arrive here resolved, never as defaults."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.salesforce import fields
from domain.base import Edge
from domain.selling import Authority, BillingMethod, RevenueMethod

TENANT_BILLING_METHODS = {
    "Time and Materials": BillingMethod.TIME_AND_MATERIALS,
    "Milestone": BillingMethod.MILESTONE,
    "Subscription": BillingMethod.SUBSCRIPTION,
    "Percent Complete": BillingMethod.PERCENT_COMPLETE,
}
TENANT_REVENUE_METHODS = {
    "Right to Invoice": RevenueMethod.RIGHT_TO_INVOICE,
    "Cost to Cost": RevenueMethod.COST_TO_COST,
    "Milestone": RevenueMethod.MILESTONE,
    "Straight Line": RevenueMethod.STRAIGHT_LINE,
}
Frequency = Literal["monthly", "quarterly"]


class SalesforceSettings(Edge):
    """One `[systems.<name>]` section with `vendor = "salesforce"`.

    Where the platform's documents leave a point open (token path, audience, picklist values, country
    codes) the value is here, with the sandbox tenant's as default.
    """

    base_url: str
    """The org's My Domain address, such as `https://acme.my.salesforce.com`."""
    api_version: str = Field(default="v66.0", pattern=r"^v[1-9]\d\.0$")

    auth: Literal["client_credentials", "jwt_bearer"] = "client_credentials"
    client_id: str
    client_secret: str = Field(default="", repr=False)
    basic: bool = False
    """Send id and secret in a Basic header instead of the form."""
    username: str = ""
    private_key: str = Field(default="", repr=False)
    """PEM text of the RSA key whose certificate the org knows."""
    audience: str = "https://login.salesforce.com"
    token_url: str = "/services/oauth2/token"  # noqa: S105  an address, not a secret
    """A path below `base_url`, or an absolute address where tokens come from another host."""

    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    in_flight: int = Field(default=10, ge=0)
    """Cap of calls at once from this process; 0 for none. The org itself caps calls of 20 s and more."""
    page_size: int = Field(default=2000, ge=1, le=2000)
    """Rows asked for at once."""

    fields: dict[str, str] = Field(default={}, validate_default=True)
    """Canonical path -> field API name, for names that differ from the defaults."""
    billing_methods: dict[str, BillingMethod] = TENANT_BILLING_METHODS
    revenue_methods: dict[str, RevenueMethod] = TENANT_REVENUE_METHODS
    frequencies: dict[str, Frequency] = {"Monthly": "monthly", "Quarterly": "quarterly"}
    renewal_types: tuple[str, ...] = ("Renewal",)
    """Values of Opportunity.Type that mean a renewal."""
    currency: str = ""
    """Currency of an org without multi-currency, whose records carry none."""
    billing_authority: Authority = "fairlead"
    revenue_authority: Authority = "erp"

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, given: dict[str, str]) -> dict[str, str]:
        return fields.merged(given)

    @model_validator(mode="after")
    def _credentials_of_the_flow(self) -> Self:
        needed = (
            {"client_secret": self.client_secret}
            if self.auth == "client_credentials"
            else {"username": self.username, "private_key": self.private_key}
        )
        missing = [name for name, value in needed.items() if not value]
        if missing:
            raise ValueError(f"auth = {self.auth!r} needs {' and '.join(missing)}")
        return self
