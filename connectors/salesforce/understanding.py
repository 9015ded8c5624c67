"""Understanding single values of a record: total functions that report what they cannot understand.

A missing value is `None` and nothing else. A value that cannot be understood is `None` (or its fail-closed
form) plus a `Finding` naming the canonical field, the vendor's field and the value: a gate turns red on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import pycountry

from domain.money import MAX_ABSOLUTE, Money, MoneyError, exact, minor_units
from domain.readiness import Finding, Gate

GATES = {
    "customer": Gate.CUSTOMER_DATA,
    "customer.tax_id": Gate.TAX_RULES,
    "contract.billing_entity": Gate.LEGAL_ENTITY,
    "contract.rate_card": Gate.RATE_CARD,
}
"""The gate that judges a path, by its longest prefix here; all else is the billing structure's."""

_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one record: where it belongs canonically, and where it stands at the vendor."""

    path: str
    place: str
    """The vendor's name, such as `Contract.Contract_Value__c`."""
    value: Any


@dataclass(slots=True)
class Reading:
    """What has been found while reading one deal."""

    findings: list[Finding] = field(default_factory=list)

    def report(self, cell: Cell, rule: str, fact: str) -> None:
        """`fact` completes the sentence "<vendor field> holds <value>, …"."""
        shown = str(cell.value)[:200]
        message = f"{cell.place} holds {shown!r}, {fact}"
        self.findings.append(
            Finding(gate=gate_of(cell.path), field=cell.path, rule=rule, message=message, value=shown)
        )

    def text(self, cell: Cell) -> str | None:
        """The trimmed text, None when blank."""
        return str(cell.value).strip() or None if cell.value is not None else None

    def day(self, cell: Cell) -> date | None:
        if cell.value is None or cell.value == "":
            return None
        try:
            return date.fromisoformat(str(cell.value))
        except ValueError:
            self.report(cell, "date.invalid", "which is not a date such as 2026-12-01")
            return None

    def flag(self, cell: Cell, *, unclear: bool) -> bool:
        """A checkbox; empty means not ticked, and anything else than true or false means `unclear`."""
        if cell.value is None or isinstance(cell.value, bool):
            return bool(cell.value)
        self.report(cell, "flag.invalid", "which is neither true nor false")
        return unclear

    def number(self, cell: Cell, kind: str = "number") -> Decimal | None:
        """A finite number of zero or more. Rules `<kind>.not_a_number`, `.out_of_range`, `.negative`."""
        if cell.value is None or cell.value == "":
            return None
        try:
            number = exact(cell.value)
        except MoneyError:
            self._report_unusable(cell, kind)
            return None
        if number < 0:
            self.report(cell, f"{kind}.negative", "which is negative; it must be zero or more")
            return None
        return number

    def percent(self, cell: Cell) -> Decimal:
        """A percentage from 0 to 100; zero when empty."""
        number = self.number(cell, "percent")
        if number is not None and number > 100:
            self.report(cell, "percent.out_of_range", "which is more than 100 percent")
            return Decimal(0)
        return number or Decimal(0)

    def currency(self, cell: Cell) -> str | None:
        code = self.text(cell)
        if code is None:
            return None
        try:
            minor_units(code)
        except MoneyError:
            self.report(cell, "currency.unknown", "which is not a currency of ISO 4217 such as EUR")
            return None
        return code

    def money(self, cell: Cell, currency: str | None) -> Money | None:
        """An amount in `currency`; without one None, and the finding is the currency's own."""
        number = self.number(cell, "amount")
        if number is None or currency is None:
            return None
        try:
            return Money.of(number, currency)
        except MoneyError:
            allowed = f"but {currency} has {minor_units(currency)} decimals"
            self.report(cell, "amount.too_many_decimals", allowed)
            return None

    def country(self, cell: Cell) -> str:
        code = self.text(cell)
        if code is None or code in _COUNTRIES:
            return code or ""
        self.report(cell, "country.unknown", "which is not a country code of ISO 3166 such as DE")
        return ""

    def choice(self, cell: Cell, choices: Mapping[str, T], rule: str) -> T | None:
        """The canonical value of a picklist value; `choices` is the firm's translation."""
        shown = self.text(cell)
        if shown is None or shown in choices:
            return None if shown is None else choices[shown]
        self.report(cell, rule, f"which has no translation; known are {', '.join(choices)}")
        return None

    def _report_unusable(self, cell: Cell, kind: str) -> None:
        try:
            number = Decimal(str(cell.value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and abs(number) > MAX_ABSOLUTE:
            self.report(cell, f"{kind}.out_of_range", f"which is beyond {MAX_ABSOLUTE:f}")
        else:
            self.report(cell, f"{kind}.not_a_number", "which is not a number")


def gate_of(path: str) -> Gate:
    """The gate that judges the field `path`."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        gate = GATES.get(".".join(parts[:length]))
        if gate is not None:
            return gate
    return Gate.BILLING_STRUCTURE
