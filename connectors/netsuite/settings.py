"""What a firm's file says about its NetSuite account. Secrets arrive here resolved, never as defaults."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.http.assertion import Algorithm
from domain.base import Edge
from domain.billing_commands import LineKind

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

TENANT_ITEMS: dict[LineKind, str] = {
    "time": "Time",
    "expense": "Expense",
    "milestone": "Milestone",
    "subscription": "Subscription",
    "percent": "Percent Complete",
    "retention": "Retention",
    "retention_release": "Retention",
    "advance": "Advance",
    "advance_applied": "Advance",
    "adjustment": "Price Adjustment",
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
    post_client_id: str = ""
    post_certificate_id: str = ""
    post_private_key: str = Field(default="", repr=False)
    """A second integration that alone posts, credits and writes journals; without it the first one does."""
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
    items: dict[LineKind, str] = TENANT_ITEMS
    """What an invoice line bills -> name of the item in this account, whose account the line posts to."""
    tax_codes: dict[str, str] = {}
    """Code of a tax as Fairlead expects it -> name of the tax code here; a code not listed is the name."""
    accounts: dict[str, dict[str, str]] = {}
    """Legal entity, or `*` for all -> account role -> account number. `bank`: where payments go."""
    accounting_book: int = Field(default=1, ge=1)
    """Number of the book whose ledger is read; 1 is the primary one."""
    tax_code_field: str = "taxCode"
    """Column of an invoice line that takes the tax code."""
    line_ref_field: str = "custcol_fairlead_line"
    transaction_key_field: str = "custbody_fairlead_key"
    post_key_field: str = "custbody_fairlead_post_key"
    approval_field: str = "custbody_fairlead_approval"
    approver_field: str = "custbody_fairlead_approver"
    reason_field: str = "custbody_fairlead_reason"
    """Why a draft was rejected or an invoice credited."""
    invoice_project_column: str = "job"
    """SuiteQL column of a transaction that holds the project."""
    account_name_column: str = "fullname"
    tax_column: str = "defaulttaxreg"
    """SuiteQL column of the customer that holds the tax registration number."""
    balance_column: str = "balance"

    @field_validator(
        *("customer_key_field", "customer_crm_field", "project_key_field", "project_crm_field"),
        *("schedule_key_field", "tax_column", "balance_column"),
        *("tax_code_field", "line_ref_field", "transaction_key_field", "post_key_field", "approval_field"),
        *("approver_field", "reason_field", "invoice_project_column", "account_name_column"),
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
            ("items", set(self.items), set(TENANT_ITEMS)),
        ):
            if given != wanted:
                raise ValueError(f"{name} lacks {', '.join(sorted(wanted - given))}")
        return self

    @model_validator(mode="after")
    def _second_identity_is_whole(self) -> Self:
        parts = (self.post_client_id, self.post_certificate_id, self.post_private_key)
        if any(parts) and not all(parts):
            raise ValueError("post_client_id, post_certificate_id and post_private_key go together")
        return self

    @property
    def posts_apart(self) -> bool:
        """Whether a second identity posts."""
        return bool(self.post_client_id)

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

    def entity_of(self, external_id: str) -> str:
        """The legal entity whose subsidiary has this external id; the id itself for an unknown pattern."""
        for code, known in self.subsidiaries.items():
            if known == external_id:
                return code
        head, _, tail = self.subsidiary_external_id.partition("{code}")
        whole = external_id.startswith(head) and external_id.endswith(tail)
        if whole and len(external_id) > len(head + tail):
            return external_id[len(head) : len(external_id) - len(tail)]
        return external_id

    def account_number(self, entity: str, role: str) -> str:
        """Number of the account of a role in a legal entity; empty where none is set."""
        return self.accounts.get(entity, {}).get(role) or self.accounts.get("*", {}).get(role, "")
