"""What an ERP knows about the parties of a contract: facts that gates are judged on."""

from datetime import date

from pydantic import AwareDatetime

from domain.base import Canonical
from domain.money import Money


class ErpCustomer(Canonical):
    """A customer as the ERP holds it: a candidate for a match by tax or registration id."""

    external_id: str
    number: str = ""
    name: str
    tax_ids: tuple[str, ...] = ()
    active: bool = True
    on_credit_hold: bool = False
    credit_limit: Money | None = None
    balance: Money | None = None
    currency: str | None = None
    terms: str | None = None
    entity: str | None = None
    version: str = ""


class EntityFacts(Canonical):
    """A legal entity as the ERP holds it, with the periods that matter."""

    code: str
    external_id: str
    name: str
    active: bool
    currency: str
    country: str
    tax_registrations: tuple[str, ...] = ()
    """Countries of the entity's tax registrations."""
    open_periods: tuple[str, ...] = ()
    """`YYYY-MM` of the periods open for posting, oldest first."""
    version: str = ""


class PartyQuery(Canonical):
    """Who is asked about: the contracting entity and the customer, by every id we hold."""

    entity: str
    customer_external_id: str
    """Id of the customer in the CRM."""
    customer_key: str
    """Effect key under which we would have created the customer."""
    customer_name: str
    tax_id: str | None = None
    currency: str | None = None
    on: date


class PartyFacts(Canonical):
    """The ERP's answer. Several customers mean that a person decides."""

    entity: EntityFacts | None = None
    customers: tuple[ErpCustomer, ...] = ()
    """Matched by our key, by the CRM's id, or by tax id; never by name alone."""
    as_of: AwareDatetime


class BillingScheduleFacts(Canonical):
    """A billing schedule read back from the ERP."""

    external_id: str
    total: Money
    line_count: int
    active: bool = True
    version: str = ""
