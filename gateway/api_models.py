"""What the API is asked: refused is whatever is not named here, and nothing that was sent is repeated."""

import unicodedata
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from domain.base import Edge
from domain.event_data import ExternalId
from domain.money import Money, MoneyError

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that are not seen or change how others are seen: bidi marks, NUL, line ends."""


def _visible(text: str) -> str:
    if any(unicodedata.category(letter) in _HIDDEN for letter in text):
        raise ValueError("holds a character that cannot be seen")
    return text.strip()


def _amount(value: Any) -> Any:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return value
    raise ValueError("must be a decimal number, best as text")


def _money(value: Any) -> Any:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise ValueError("must hold amount and currency, and nothing else")
    try:
        return Money.of(_amount(value["amount"]), value["currency"])
    except (MoneyError, TypeError):
        raise ValueError("is no amount in an ISO 4217 currency with its number of decimals") from None


Text = Annotated[str, Field(max_length=200), AfterValidator(_visible)]
CountryCode = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class AmountText(Edge):
    """A decimal number as text, with the decimals its ISO 4217 currency has."""

    amount: str
    currency: CurrencyCode


Amount = Annotated[Money, BeforeValidator(_money, json_schema_input_type=AmountText)]


class PostalAddress(Edge):
    street: Text = ""
    city: Text = ""
    postal_code: Text = ""
    state: Text = ""
    country: CountryCode = ""
    """ISO 3166-1 alpha-2: decides how the tax registration number is checked."""


class CustomerData(Edge):
    """A customer as the CRM knows it."""

    external_id: ExternalId
    """Id in the CRM."""
    name: Annotated[Text, Field(min_length=1)]
    legal_name: Text | None = None
    tax_id: Annotated[Text, Field(max_length=40)] | None = None
    address: PostalAddress = PostalAddress()
    currency: CurrencyCode | None = None
    payment_terms: Text | None = None
    credit_hold: bool = False
    erp_id: ExternalId | None = None
    """The ERP customer a person chose where there are several."""


class CustomerQuestion(Edge):
    """`POST /v1/customers/validate`."""

    customer: CustomerData
    entity: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")]
    """Code of the legal entity that would bill the customer."""
    contract_value: Amount | None = None
    """Judged against the credit limit, where it is known."""


class ProjectRequest(Edge):
    """`POST /v1/projects`."""

    deal: ExternalId
    """Id of the signed deal in the CRM."""
