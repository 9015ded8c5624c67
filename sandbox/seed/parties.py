"""Customers and suppliers: real company names with invented addresses and tax ids that are valid in form."""

from random import Random

from sandbox.seed import tax_ids
from sandbox.seed.firm import Address, Customer, Supplier
from sandbox.seed.material import companies, names, places, rate_card, short

CURRENCY = {"US": "USD", "DE": "EUR", "IN": "INR"}
COUNTRIES = ("US", "DE", "IN")
_FORMS = {"US": "{} Inc.", "DE": "{} Deutschland GmbH", "IN": "{} India Private Limited"}
_STREETS = {
    "US": ("Market Street", "Main Street", "Broadway", "Lake Avenue", "Mission Street", "Park Avenue"),
    "DE": ("Friedrichstraße", "Hauptstraße", "Goethestraße", "Bahnhofstraße", "Lindenallee", "Marktplatz"),
    "IN": ("MG Road", "Residency Road", "Nehru Place", "Anna Salai", "Park Street", "Link Road"),
}
_TERMS = ("Net 30", "Net 30", "Net 45", "Net 60", "Net 14")
_INDUSTRIES = ("Consulting", "Government", "Technology", "Energy", "Healthcare")


def customers(chance: Random, count: int) -> tuple[Customer, ...]:
    """`count` customers over three countries in turn.

    Fixed places in the list carry the planted cases: the second of Germany and of India lack a tax id
    (keys C-0005, C-0006), the seventh is held twice by the ERP (C-0007), C-0010 is on credit hold. Three in
    five are known to the ERP; the flagship's customer (C-0002) is not.
    """
    return tuple(_customer(chance, number, companies()) for number in range(1, count + 1))


def _customer(chance: Random, number: int, known: tuple[tuple[str, str], ...]) -> Customer:
    contract, company = known[(number * 7) % len(known)]
    lap = (number * 7) // (7 * len(known))
    country = COUNTRIES[(number - 1) % 3]
    name = short(company) + (f" {lap + 1}" if lap else "")
    address, tax_id = located(chance, country)
    first, last = (chance.choice(words) for words in names(country))
    duplicate = number == 7
    return Customer(
        key=f"C-{number:04d}",
        name=name,
        legal_name=_FORMS[country].format(name),
        country=country,
        region=country,
        currency=CURRENCY[country],
        tax_id=None if number in (5, 6) else tax_id,
        address=address,
        payment_terms=chance.choice(_TERMS),
        email=f"accounts.payable@c{number:04d}.example",
        contact_first=first,
        contact_last=last,
        industry=chance.choice(_INDUSTRIES),
        source_contract=contract,
        in_erp=duplicate or (number % 5 in (1, 3, 4) and number not in (5, 6)),
        erp_duplicate=duplicate,
        credit_hold=number == 10,
    )


def suppliers(chance: Random, per_country: int = 4) -> tuple[Supplier, ...]:
    """Subcontracting firms: the same number in each country, each lending people for a few roles."""
    known = companies()
    found = []
    for number in range(1, 3 * per_country + 1):
        contract, company = known[-(number * 5)]
        country = COUNTRIES[(number - 1) % 3]
        address, tax_id = located(chance, country)
        roles = sorted({line.role for line in rate_card(f"RC-{country}-2026")})
        always = "QA Analyst" if number <= 3 else "Software Engineer"
        lent = sorted({always, *chance.sample(roles, 2)})
        name = short(company)
        supplier = Supplier(
            key=f"S-{number:03d}",
            name=_FORMS[country].format(name),
            country=country,
            region=country,
            currency=CURRENCY[country],
            tax_id=tax_id,
            address=address,
            payment_terms=chance.choice(_TERMS),
            email=f"billing@s{number:03d}.example",
            roles=tuple(lent),
            source_contract=contract,
        )
        found.append(supplier)
    return tuple(found)


def located(chance: Random, country: str) -> tuple[Address, str]:
    """An address in a country and a tax id that fits it."""
    place = chance.choice([place for place in places() if place["country"] == country])
    number, street = chance.randint(1, 180), chance.choice(_STREETS[country])
    line = f"{street} {number}" if country == "DE" else f"{number} {street}"
    address = Address(line, place["city"], place["state"], place["postal_code"], country)
    if country == "DE":
        return address, tax_ids.ust_id(chance)
    return address, tax_ids.gstin(chance, place["gst_code"]) if country == "IN" else tax_ids.ein(chance)
