"""What a firm's file says about its NetSuite account. Secrets arrive here resolved, never as defaults."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.http.assertion import Algorithm
from domain.base import Edge

COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
TENANT_BILLING_TYPES: dict[Literal["fixed", "time_and_materials", "mixed"], str] = {
    "fixed": "Fixed Bid, Milestone",
    "time_and_materials": "Time and Materials",
    "mixed": "Charge-Based",
}
TENANT_SCHEDULE_TYPES: dict[Literal["milestone", "recurring"], str] = {
    "milestone": "Fixed Bid, Milestone",
    "recurring": "Standard",
}


class NetSuiteSettings(Edge):
    """One `[systems.<name>]` section with `vendor = "netsuite"`.

    Internal ids never stand here: they differ between sandbox, preview and production. What the vendor's
    documents leave open, or an account may change (labels, custom fields, SuiteQL columns), does, with the
    sandbox tenant's values as defaults.
    """

    account: str
    """Account id, such as `1234567_SB1`."""
    base_url: str = ""
    """Default: the account's own host, `https://1234567-sb1.suitetalk.api.netsuite.com`."""

    client_id: str
    certificate_id: str
    """Id of the certificate mapping: the `kid` of our assertions."""
    private_key: str = Field(repr=False)
    """PEM text of the key whose certificate is mapped to the integration."""
    algorithm: Algorithm = "PS256"
    token_path: str = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  an address, not a secret
    audience: str = ""
    """Default: the address of the token endpoint."""
    scope: tuple[str, ...] = ("rest_webservices", "restlets")
    assertion_seconds: int = Field(default=300, ge=30, le=3600)

    timeout_seconds: float = Field(default=60.0, gt=0, le=900)
    in_flight: int = Field(default=3, ge=1)
    """Cap of our calls at once: below the account's concurrency limit, which all integrations share."""
    page_size: int = Field(default=1000, ge=1, le=1000)
    reference_seconds: int = Field(default=600, ge=0)
    """How long ids of currencies, terms and list values are kept. Facts for gates are never kept."""

    subsidiaries: dict[str, str] = {}
    """Legal entity code -> external id of the subsidiary, where it is not `subsidiary_external_id`."""
    subsidiary_external_id: str = "sub-{code}"
    customer_key_field: str = "custentity_fairlead_key"
    customer_crm_field: str = "custentity_crm_id"
    project_key_field: str = "custentity_fairlead_key"
    project_crm_field: str = "custentity_crm_id"
    project_budget_field: str = "jobPrice"
    """Field of the project that takes the budget; empty to leave it out."""
    schedule_key_field: str = "custrecord_fairlead_key"
    billing_types: dict[Literal["fixed", "time_and_materials", "mixed"], str] = TENANT_BILLING_TYPES
    """Way of billing -> label of the project's billing type in this account."""
    expense_type: str = "Regular"
    """Label of the project expense type; empty to leave it out."""
    schedule_types: dict[Literal["milestone", "recurring"], str] = TENANT_SCHEDULE_TYPES
    """Kind of schedule -> label of the billing schedule type in this account."""
    tax_column: str = "defaulttaxreg"
    """SuiteQL column of the customer that holds the tax registration number."""
    balance_column: str = "balance"

    @field_validator(
        *("customer_key_field", "customer_crm_field", "project_key_field", "project_crm_field"),
        *("schedule_key_field", "tax_column", "balance_column"),
    )
    @classmethod
    def _is_a_name(cls, given: str) -> str:
        # These names become part of query text, where nothing can be bound.
        if not COLUMN.fullmatch(given):
            raise ValueError(f"{given!r} is not a field name (letters, digits and underscores)")
        return given

    @field_validator("algorithm")
    @classmethod
    def _is_accepted(cls, given: Algorithm) -> Algorithm:
        if given == "RS256":
            raise ValueError("NetSuite accepts PS256, PS384, PS512, ES256, ES384 and ES512, not RS256")
        return given

    @field_validator("account")
    @classmethod
    def _is_an_account(cls, given: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", given):
            raise ValueError(f"{given!r} is not an account id, such as 1234567 or 1234567_SB1")
        return given

    @model_validator(mode="after")
    def _all_kinds_have_labels(self) -> Self:
        for name, given, wanted in (
            ("billing_types", set(self.billing_types), set(TENANT_BILLING_TYPES)),
            ("schedule_types", set(self.schedule_types), set(TENANT_SCHEDULE_TYPES)),
        ):
            if given != wanted:
                raise ValueError(f"{name} lacks {', '.join(sorted(wanted - given))}")
        return self

    @property
    def address(self) -> str:
        """Base URL of the account: in host names the id is lower case with hyphens."""
        host = self.account.lower().replace("_", "-")
        return (self.base_url or f"https://{host}.suitetalk.api.netsuite.com").rstrip("/")

    @property
    def token_audience(self) -> str:
        return self.audience or self.address + self.token_path

    def subsidiary_of(self, entity: str) -> str:
        """External id of the subsidiary that is the legal entity `entity`."""
        return self.subsidiaries.get(entity) or self.subsidiary_external_id.replace("{code}", entity)
