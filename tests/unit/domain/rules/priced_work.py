"""A small contract with entries of time and expense on it, to be bent by each test."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.billable import Billable
from domain.money import Money
from domain.project_contract import BillingTerms, ProjectContract
from domain.quantity import Quantity, Unit
from domain.rules.pricing import Rate, RatedEntry
from domain.selling import BillingMethod, ContractLine, RateCard, RateCardRole

DAY = date(2027, 1, 4)


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def cents(amount: int) -> Money:
    return Money.of(Decimal(amount).scaleb(-2), "EUR")


def contract(*lines: ContractLine, **terms: Any) -> ProjectContract:
    return ProjectContract(
        project="P1",
        deal="006",
        number="C-1",
        title="Rollout",
        entity="DE",
        region="DE",
        currency="EUR",
        signed_on=date(2026, 12, 1),
        starts_on=date(2027, 1, 1),
        ends_on=date(2027, 12, 31),
        customer="001",
        customer_name="Acme",
        rate_card="RC",
        lines=lines or (time_line(),),
        terms=BillingTerms(**terms),
    )


def time_line(**changes: Any) -> ContractLine:
    given: dict[str, Any] = {
        "id": "l1",
        "number": 1,
        "name": "Architecture",
        "billing_method": BillingMethod.TIME_AND_MATERIALS,
        "role": "Architect",
        "grade": "Senior",
    }
    return ContractLine(**{**given, **changes})


def entry(key: str, minutes: object = 60, unit: Unit = "minutes", **changes: Any) -> Billable:
    given: dict[str, Any] = {
        "key": key,
        "kind": "time",
        "source": "kantata",
        "external_id": key,
        "content_hash": key,
        "project": "P1",
        "line": 1,
        "entity": "DE",
        "resource": "ada",
        "role": "Architect",
        "grade": "Senior",
        "work_date": DAY,
        "quantity": Quantity(amount=Decimal(str(minutes)), unit=unit),
    }
    return Billable(**{**given, **changes})


def expense(key: str, amount: object, **changes: Any) -> Billable:
    given: dict[str, Any] = {"kind": "expense", "quantity": None, "amount": eur(amount), "category": "Meals"}
    return entry(key, **{**given, **changes})


def rated(key: str, minutes: object = 60, price: object = 150, **changes: Any) -> RatedEntry:
    rate = Rate(price=Decimal(str(price)), currency="EUR", source="line 1")
    return RatedEntry(entry=entry(key, minutes, **changes), rate=rate)


def card(version: str, first: date, last: date, *roles: RateCardRole, currency: str = "EUR") -> RateCard:
    return RateCard(
        code="RC", version=version, currency=currency, valid_from=first, valid_to=last, roles=roles
    )


PRICES = st.decimals(0, 500, places=4)
MINUTES = st.integers(-600, 600)
CENTS = st.integers(0, 10_000_000)
