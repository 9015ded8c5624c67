"""Expected tax of a supply: place, treatment, rate, the words on the invoice, and the evidence it rests on.

Source: rule 14 (tax); EU VAT directive 2006/112/EC Art. 44, 45, 47, 59, 194, 196; sales taxes of the
US states; India's CGST and IGST Acts. It is the value we expect: where a tax engine or the ERP decides, its
answer is posted and this is held against it. Rates are those of the tax point, so that a credit note and a
late correction come out as the original did.

Codes are made of country, tax and rate, such as `DE-VAT-19`, `US-TX-5`, `IN-IGST-18`, or of country and
treatment: `DE-REVERSE`, `DE-EXPORT`, `US-EXEMPT`, `US-NONE`. A connector maps them to its system's own.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from domain.base import Canonical
from domain.books import TaxComponent, TaxDecision
from domain.invoice_state import InvoiceFinding
from domain.supply import Place, Supply, TaxParty
from domain.tax_ids import problem_with
from domain.tax_regimes import TaxRegime

DECIDED_BY = "fairlead"
Treatment = Literal["domestic", "reverse_charge", "export", "exempt", "untaxed"]
_CODES: Mapping[Treatment, str] = {
    "reverse_charge": "REVERSE",
    "export": "EXPORT",
    "exempt": "EXEMPT",
    "untaxed": "NONE",
}


class ExpectedTax(Canonical):
    """The decision, or none where something decisive is unknown; and what it still lacks."""

    decision: TaxDecision | None = None
    evidence: tuple[str, ...] = ()
    """What it rests on, such as both VAT numbers."""
    missing: tuple[InvoiceFinding, ...] = ()
    """Evidence that must be there before it is invoiced so."""

    @property
    def sound(self) -> bool:
        return self.decision is not None and not self.missing


def percent_text(percent: Decimal) -> str:
    """`19`, `25.5`: without the zeros that carry nothing."""
    return f"{percent.normalize():f}"


def charged(
    supply: Supply, place: Place, tax: str, percent: Decimal, components: tuple[TaxComponent, ...] = ()
) -> TaxDecision:
    """Taxed at `place` under the tax called `tax`, such as `DE-VAT`."""
    return TaxDecision(
        place=place_text(place),
        treatment="domestic",
        code=f"{tax}-{percent_text(percent)}",
        rate_percent=percent,
        components=components,
        decided_by=DECIDED_BY,
        on=supply.on,
    )


def uncharged(supply: Supply, place: Place, treatment: Treatment, words: str = "") -> TaxDecision:
    return TaxDecision(
        place=place_text(place),
        treatment=treatment,
        code=f"{supply.supplier.country}-{_CODES[treatment]}",
        rate_percent=Decimal(0),
        words=words,
        decided_by=DECIDED_BY,
        on=supply.on,
    )


def place_text(place: Place) -> str:
    return f"{place.country}-{place.state}" if place.state else place.country


def lacking(field: str, rule: str, problem: str) -> InvoiceFinding:
    return InvoiceFinding(rule=f"tax.{rule}", field=field, problem=problem)


def no_rate(regime: TaxRegime, supply: Supply) -> ExpectedTax:
    """No rate of the regime holds at the tax point."""
    what = f"no rate of {regime.country} holds on {supply.on}: add it to [tax.{regime.country}]"
    return ExpectedTax(missing=(lacking("tax.rate", "rate", what),))


def registration(party: TaxParty, field: str, country: str, why: str) -> str | InvoiceFinding:
    """The party's number in `country` as evidence, or what is wrong with it."""
    problem = problem_with(party.tax_id, country) if party.tax_id else "it is missing"
    if problem is None:
        return f"{party.name or field} {party.tax_id}"
    who = party.name or field.partition(".")[0]
    text = f"{why} needs the registration number of {who} in {country}: {problem}"
    return lacking(field, "registration", text)


def with_registrations(
    decision: TaxDecision, *needed: str | InvoiceFinding, evidence: tuple[str, ...] = ()
) -> ExpectedTax:
    """The decision with each registration as evidence or as missing."""
    return ExpectedTax(
        decision=decision,
        evidence=(*(proof for proof in needed if isinstance(proof, str)), *evidence),
        missing=tuple(finding for finding in needed if isinstance(finding, InvoiceFinding)),
    )


def differences(expected: TaxDecision, decided: TaxDecision) -> Iterator[InvoiceFinding]:
    """Where another's decision differs from the expected one: a person looks before it is posted."""
    for name in ("place", "treatment", "code", "rate_percent"):
        ours, theirs = getattr(expected, name), getattr(decided, name)
        if ours != theirs:
            yield InvoiceFinding(
                rule="tax.expected_value",
                field=f"tax.{name}",
                problem=f"{decided.decided_by} says {theirs}, expected is {ours}: see which of both is right",
            )
    if expected.words and not decided.words:
        yield InvoiceFinding(
            rule="tax.words",
            field="tax.words",
            problem=f"the invoice lacks the words {expected.words!r}, which the law asks for",
        )
