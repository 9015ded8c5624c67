"""What a firm's file says about its Tryton. Secrets arrive here resolved, never as defaults."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from domain.base import Edge
from domain.billing_commands import LineKind

LINE_ROLES: dict[LineKind, str] = {
    "time": "contract_account",
    "expense": "contract_account",
    "milestone": "contract_account",
    "subscription": "contract_account",
    "percent": "contract_account",
    "adjustment": "contract_account",
    "retention": "retention",
    "retention_release": "retention",
    "advance": "advances",
    "advance_applied": "advances",
}
ACCOUNTS = {
    "bank": "1000",
    "receivable": "1100",
    "credit_loss_allowance": "1190",
    "contract_account": "1200",
    "retention": "1210",
    "withholding_receivable": "1220",
    "work_in_progress": "1300",
    "input_tax": "1400",
    "payable": "2000",
    "output_tax": "2100",
    "advances": "2200",
    "contract_liability": "2210",
    "received_not_invoiced": "2300",
    "employee_payable": "2310",
    "card_clearing": "2320",
    "accrued": "2400",
    "loss_provision": "2500",
    "revenue": "4000",
    "payment_tolerance": "4900",
    "fx_realised": "4950",
    "project_labour": "5000",
    "bench_labour": "5100",
    "labour_absorbed": "5200",
    "subcontract_cost": "5300",
    "project_expense": "5400",
    "contract_loss": "5500",
    "credit_loss": "5600",
}
ALL = "*"
"""In place of a legal entity: all of them."""
TAX_ID_TYPES = {
    **dict.fromkeys(
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(), "eu_vat"
    ),
    "GB": "gb_vat",
    "CH": "ch_vat",
    "US": "us_ein",
}


class TrytonSettings(Edge):
    """One `[systems.<name>]` section with `vendor = "tryton"`.

    Ids never stand here: things are named by their codes and names in Tryton. The defaults are those of the
    books that `local.tryton_server` makes.
    """

    base_url: str
    """Address of the server, such as `http://127.0.0.1:8600`."""
    database: str = "firm"
    username: str
    password: str = Field(repr=False)

    timeout_seconds: float = Field(default=60.0, gt=0, le=900)
    in_flight: int = Field(default=4, ge=1)
    """Cap of our calls at once. What posts at once is capped by `max_in_flight = 1` in the firm's file."""
    page_size: int = Field(default=500, ge=1, le=5000)
    reference_seconds: int = Field(default=600, ge=0)
    """How long ids of accounts, taxes and terms are kept. Facts for gates are never kept."""

    companies: dict[str, str] = {}
    """Legal entity code -> code of the company's party, where it is not the same."""
    accounts: dict[str, dict[str, str]] = {}
    """Legal entity code, or `*` for all -> account role -> code in the chart; added to the defaults."""
    control_roles: tuple[str, ...] = ("receivable", "payable", "bank")
    """Roles no journal may touch: they move through documents only."""
    line_roles: dict[LineKind, str] = {}
    """Kind of invoice line -> account role; added to the defaults."""
    tax_codes: dict[str, str] = {}
    """Tax code -> name of the tax in Tryton, where it is not the same."""
    units: dict[str, str] = {"h": "Hour", "hour": "Hour", "hours": "Hour", "d": "Day", "day": "Day"}
    """Unit of an invoice line -> name of the unit in Tryton; others stand in the description."""
    tax_id_types: dict[str, str] = {}
    """Country -> Tryton's type of tax identifier; added to the defaults."""
    payment_method: str = "Bank"
    journal_code: str = "MISC"
    """Code of the journal for general-ledger entries."""
    open_status: str = "Open"
    cancelled_status: str = "Cancelled"

    @field_validator("database")
    @classmethod
    def _is_a_name(cls, given: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,63}", given):
            raise ValueError(f"{given!r} is not the name of a database (letters, digits, _ and -)")
        return given

    @field_validator("username", "password")
    @classmethod
    def _is_given(cls, given: str) -> str:
        if not given.strip():
            raise ValueError("is empty; give user and password of the integration")
        return given.strip()

    @model_validator(mode="after")
    def _each_line_has_an_account(self) -> Self:
        roles = {**LINE_ROLES, **self.line_roles}.values()
        known = {**ACCOUNTS, **self.accounts.get(ALL, {})}
        missing = sorted({role for role in roles if role not in known})
        if missing:
            raise ValueError(f"line_roles names {', '.join(missing)}, which accounts does not know")
        return self

    def company_of(self, entity: str) -> str:
        """Code of the company that is the legal entity `entity`."""
        return self.companies.get(entity, entity)

    def entity_of(self, company: str) -> str:
        """Legal entity of the company with this code."""
        return next((entity for entity, code in self.companies.items() if code == company), company)

    def account_code(self, entity: str, role: str) -> str | None:
        """Code of the account that plays `role` in the books of `entity`; none for an unknown role."""
        own, common = self.accounts.get(entity, {}), self.accounts.get(ALL, {})
        return own.get(role) or common.get(role) or ACCOUNTS.get(role)

    def role_of(self, kind: LineKind) -> str:
        return {**LINE_ROLES, **self.line_roles}[kind]

    def tax_name(self, code: str) -> str:
        return self.tax_codes.get(code, code)

    def tax_id_type(self, country: str) -> str | None:
        return {**TAX_ID_TYPES, **self.tax_id_types}.get(country)
