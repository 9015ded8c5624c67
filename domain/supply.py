"""A supply: what is sold by whom to whom, as far as its tax depends on it."""

from datetime import date

from domain.base import Canonical, Value
from domain.money import Money


class Place(Value):
    country: str
    """ISO 3166-1 alpha-2."""
    state: str = ""
    """ISO 3166-2 part after the country, such as TX or MH."""


class TaxParty(Value):
    """One side of a supply."""

    name: str = ""
    country: str
    """Of its seat, or of the establishment that sells or buys."""
    state: str = ""
    tax_id: str = ""
    """Registration number in its country: VAT number, GSTIN, EIN."""
    registrations: tuple[str, ...] = ()
    """Other countries in which it is registered for tax."""
    business: bool = True
    """Buys for its business; false for a consumer or a body that is no taxable person."""


class Supply(Canonical):
    """A service. `on` is its tax point: rates and rules of that day hold, whatever happens later."""

    id: str
    """Canonical id of the document, and the line within it."""
    supplier: TaxParty
    customer: TaxParty
    service: str = "consulting"
    """Kind of service, as the firm's tax tables name it."""
    land: Place | None = None
    """Where the land or building lies that the service is about, if it is."""
    net: Money
    on: date
    exemption: str = ""
    """The provision or certificate that exempts it, in the words for the invoice."""
