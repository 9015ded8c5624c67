"""The firm as its NetSuite account holds it before anything happens.

Three subsidiaries, currencies, terms, fiscal years with quarters and months, service items, the ledger
(`seed_ledger.py`), and the customers
that finance knows already, one of them twice under one tax id. References between systems are not here: a
customer of the CRM is recognised by its tax id only.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite import seed_ledger
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.writes import Write, Writer
from sandbox.seed.firm import AccountingPeriod, Address, Customer, Entity, Firm

CURRENCY_NAMES = {"USD": "US Dollar", "EUR": "Euro", "INR": "Indian Rupee", "GBP": "British Pound"}
CURRENCY_NAMES |= {"JPY": "Japanese Yen", "BHD": "Bahraini Dinar"}
PRECISION = {"JPY": 0, "BHD": 3}
CREDIT_LIMITS = {"INR": Decimal(500_000_000)}
DEFAULT_LIMIT = Decimal(10_000_000)


def fill(plan: Firm, store: RecordStore) -> None:
    """Write the firm into an empty store."""
    books = _Books(store)
    currencies = {code: books.add("currency", _currency(code)) for code in _codes(plan)}
    terms = {
        term.name: books.add("term", {"name": term.name, "daysUntilNetDue": term.days})
        for term in plan.payment_terms
    }
    subsidiaries = {
        entity.code: books.add("subsidiary", _subsidiary(entity, currencies)) for entity in plan.entities
    }
    _fill_periods(plan, books)
    accounts = seed_ledger.fill_chart(plan, books, subsidiaries)
    for product in plan.products:
        item = {"itemId": product.code, "displayName": product.name, "externalId": f"item-{product.code}"}
        books.add("serviceSaleItem", item | {"incomeAccount": accounts[seed_ledger.CONTRACT]})
    seed_ledger.fill_items(books, accounts)
    seed_ledger.fill_taxes(plan, books, subsidiaries, accounts)
    seed_ledger.fill_rates(plan, books, currencies)
    homes = _home_entities(plan)
    for customer in plan.customers:
        if not customer.in_erp:
            continue
        references = {
            "subsidiary": subsidiaries[homes[customer.key]].id,
            "currency": currencies[customer.currency].id,
            "terms": terms[customer.payment_terms].id,
        }
        books.add("customer", _customer(customer, customer.name) | references)
        if customer.erp_duplicate:
            books.add("customer", _customer(customer, f"{customer.name} (old)") | references)


class _Books:
    """Adds records with all checks of the API, as a person with every permission."""

    def __init__(self, store: RecordStore) -> None:
        self._writer = Writer(store)

    def add(self, record_type: str, fields: Mapping[str, Any]) -> Record:
        write = Write("create", RECORD_TYPES[record_type], raw=fields, level="error", privileged=True)
        return self._writer.store(write)


def _codes(plan: Firm) -> list[str]:
    return list(dict.fromkeys((*plan.currencies, *CURRENCY_NAMES)))


def _currency(code: str) -> dict[str, Any]:
    return {
        "name": CURRENCY_NAMES.get(code, code),
        "symbol": code,
        "currencyPrecision": PRECISION.get(code, 2),
        "isInactive": False,
        "isBaseCurrency": code == "USD",
        "exchangeRate": 1 if code == "USD" else None,
    }


def _subsidiary(entity: Entity, currencies: Mapping[str, Record]) -> dict[str, Any]:
    registration = {"nexusCountry": entity.country, "taxRegistrationNumber": entity.tax_id}
    return {
        "externalId": f"sub-{entity.code}",
        "tranPrefix": entity.code,
        "name": entity.name,
        "legalName": entity.name,
        "country": entity.country,
        "currency": currencies[entity.currency].id,
        "federalIdNumber": entity.tax_id if entity.country == "US" else None,
        "state": entity.address.state,
        "isElimination": False,
        "taxRegistration": {"items": [registration | {"effectiveFrom": "2020-01-01"}]},
    }


def _customer(customer: Customer, name: str) -> dict[str, Any]:
    registration = {"nexusCountry": customer.country, "taxRegistrationNumber": customer.tax_id}
    return {
        "companyName": name,
        "email": customer.email,
        "creditHoldOverride": "ON" if customer.credit_hold else "AUTO",
        "creditLimit": CREDIT_LIMITS.get(customer.currency, DEFAULT_LIMIT),
        "defaultTaxReg": customer.tax_id,
        "taxRegistration": {"items": [registration] if customer.tax_id else []},
        "addressBook": {"items": [_address(customer.legal_name, customer.address)]},
    }


def _address(addressee: str, address: Address) -> dict[str, Any]:
    shown = {
        "addressee": addressee,
        "addr1": address.street,
        "city": address.city,
        "state": address.state,
        "zip": address.postal_code,
        "country": address.country,
    }
    return {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": shown}


def _fill_periods(plan: Firm, books: _Books) -> None:
    parents: dict[str, str] = {}
    for period in plan.periods:
        year = f"FY {period.start.year}"
        quarter = f"Q{(period.start.month + 2) // 3} {period.start.year}"
        months = [each for each in plan.periods if each.start.year == period.start.year]
        if year not in parents:
            parents[year] = books.add("accountingPeriod", _span(year, months, {"isYear": True})).id
        if quarter not in parents:
            third = (period.start.month + 2) // 3
            of_quarter = [each for each in months if (each.start.month + 2) // 3 == third]
            span = _span(quarter, of_quarter, {"isQuarter": True, "parent": parents[year]})
            parents[quarter] = books.add("accountingPeriod", span).id
        month = {"isPosting": True, "parent": parents[quarter], "externalId": f"period-{period.start:%Y-%m}"}
        books.add("accountingPeriod", _span(period.start.strftime("%b %Y"), [period], month))


def _span(name: str, months: list[AccountingPeriod], kind: Mapping[str, Any]) -> dict[str, Any]:
    closed = all(month.closed for month in months)
    locks = dict.fromkeys(("allLocked", "arLocked", "apLocked", "payrollLocked"), closed)
    flags = {"isYear": False, "isQuarter": False, "isPosting": False, "isAdjust": False, "closed": closed}
    dates = {"startDate": months[0].start.isoformat(), "endDate": months[-1].end.isoformat()}
    return {"periodName": name, **dates, **flags, **locks, **kind}


def _home_entities(plan: Firm) -> dict[str, str]:
    """The subsidiary each customer belongs to: the one that sells to it, else the one of its region."""
    homes = {customer.key: _nearest(plan, customer) for customer in plan.customers}
    for deal in reversed(plan.deals):
        if deal.entity is not None:
            homes[deal.customer] = deal.entity
    for deal in reversed(plan.deals):
        if deal.entity is not None and deal.signed_on is not None:
            homes[deal.customer] = deal.entity
    return homes


def _nearest(plan: Firm, customer: Customer) -> str:
    near = [entity.code for entity in plan.entities if entity.region == customer.region]
    return near[0] if near else plan.entities[0].code
