"""Expected tax: each rule of place with its evidence, for a firm in Germany, the United States and India."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Rejected
from connectors.ports import TaxEngine
from connectors.regime_tax import RegimeTaxEngine
from domain.money import Money
from domain.rules.expected_tax import expected_tax
from domain.rules.gst_states import state_of
from domain.rules.tax import ExpectedTax, differences
from domain.rules.withholding import expected_withholding
from domain.supply import Place, TaxParty
from domain.tax_ids import EU_MEMBERS
from domain.tax_regimes import EuVat, TaxRegimes
from tests.unit.domain.rules.tax_cases import (
    AMERICAN,
    FRENCH_CUSTOMER,
    GERMAN,
    GERMAN_CUSTOMER,
    INDIAN,
    REGIMES,
    TODAY,
    supply,
)


def decided(supplier: TaxParty, customer: TaxParty, **changes: object) -> tuple[str, str, Decimal]:
    found = expected_tax(supply(supplier, customer, **changes), REGIMES)
    assert found.decision is not None, found.missing
    assert found.sound, found.missing
    return found.decision.place, found.decision.code, found.decision.rate_percent


def missing(found: ExpectedTax) -> list[tuple[str, str]]:
    return [(finding.field, finding.rule) for finding in found.missing]


def test_a_german_business_pays_german_vat() -> None:
    assert decided(GERMAN, GERMAN_CUSTOMER) == ("DE", "DE-VAT-19", Decimal(19))


@pytest.mark.parametrize(
    ("on", "percent"), [("2020-06-30", 19), ("2020-07-01", 16), ("2020-12-31", 16), ("2021-01-01", 19)]
)
def test_the_rate_is_that_of_the_tax_point(on: str, percent: int) -> None:
    assert decided(GERMAN, GERMAN_CUSTOMER, on=date.fromisoformat(on))[2] == percent


def test_a_business_elsewhere_in_the_union_owes_the_tax_itself() -> None:
    found = expected_tax(supply(GERMAN, FRENCH_CUSTOMER), REGIMES)
    assert found.decision is not None
    assert (found.decision.place, found.decision.treatment, found.decision.rate_percent) == (
        "FR",
        "reverse_charge",
        Decimal(0),
    )
    assert found.decision.words == "Steuerschuldnerschaft des Leistungsempfängers (reverse charge)"
    assert found.evidence == ("Fairlead Beratung GmbH DE136695976", "Lumière SA FR40303265045")


def test_reverse_charge_needs_both_numbers() -> None:
    nameless = FRENCH_CUSTOMER.with_changes(tax_id="")
    mistyped = GERMAN.with_changes(tax_id="DE136695977")
    assert missing(expected_tax(supply(GERMAN, nameless), REGIMES)) == [
        ("customer.tax_id", "tax.registration")
    ]
    found = expected_tax(supply(mistyped, nameless), REGIMES)
    assert [finding.field for finding in found.missing] == ["supplier.tax_id", "customer.tax_id"]
    assert "check digit" in found.missing[0].problem
    assert "Lumière SA in FR: it is missing" in found.missing[1].problem


def test_a_consumer_in_the_union_pays_the_suppliers_tax() -> None:
    consumer = TaxParty(country="FR", business=False)
    assert decided(GERMAN, consumer) == ("DE", "DE-VAT-19", Decimal(19))


def test_outside_the_union_there_is_no_vat_but_for_what_article_59_leaves_out() -> None:
    swiss, person = TaxParty(country="CH"), TaxParty(country="CH", business=False)
    assert decided(GERMAN, swiss) == ("CH", "DE-EXPORT", Decimal(0))
    assert decided(GERMAN, person, service="consulting")[1] == "DE-EXPORT"
    assert decided(GERMAN, person, service="event")[1] == "DE-VAT-19"


def test_work_on_land_is_taxed_where_it_lies() -> None:
    """Austria taxes it by its own rate, which needs a registration there; the customer sits elsewhere."""
    land = Place(country="AT")
    found = expected_tax(supply(GERMAN, FRENCH_CUSTOMER, land=land), REGIMES)
    assert missing(found) == [("supplier.registrations", "tax.land")]
    registered = GERMAN.with_changes(registrations=("AT",))
    assert decided(registered, FRENCH_CUSTOMER, land=land) == ("AT", "AT-VAT-20", Decimal(20))
    assert decided(GERMAN, FRENCH_CUSTOMER, land=Place(country="DE")) == ("DE", "DE-VAT-19", Decimal(19))
    assert decided(GERMAN, FRENCH_CUSTOMER, land=Place(country="CH"))[1] == "DE-EXPORT"


def test_land_in_a_country_that_shifts_the_tax() -> None:
    """A French firm on a German building, for a German business (§ 13b UStG)."""
    french = FRENCH_CUSTOMER
    assert decided(french, GERMAN_CUSTOMER, land=Place(country="DE")) == ("DE", "FR-REVERSE", Decimal(0))
    consumer = TaxParty(country="DE", business=False)
    found = expected_tax(supply(french, consumer, land=Place(country="DE")), REGIMES)
    assert missing(found) == [("supplier.registrations", "tax.land")]


def test_consulting_is_untaxed_in_the_united_states_by_default() -> None:
    texan = TaxParty(country="US", state="TX")
    assert decided(AMERICAN, texan) == ("US-TX", "US-NONE", Decimal(0))
    assert decided(AMERICAN, texan, service="data_processing") == ("US-TX", "US-TX-5", Decimal(5))
    assert decided(AMERICAN, TaxParty(country="US", state="CT")) == ("US-CT", "US-CT-6.35", Decimal("6.35"))


def test_without_nexus_nothing_is_collected_and_the_evidence_says_so() -> None:
    found = expected_tax(supply(AMERICAN, TaxParty(country="US", state="HI")), REGIMES)
    assert found.decision is not None
    assert found.decision.treatment == "untaxed"
    assert found.evidence == ("US-HI taxes consulting, but the firm has no nexus there",)


def test_a_state_rate_begins_on_its_day() -> None:
    customer = TaxParty(country="US", state="WA")
    assert decided(AMERICAN, customer, service="software", on=date(2025, 9, 30))[1] == "US-NONE"
    assert decided(AMERICAN, customer, service="software", on=date(2025, 10, 1))[1] == "US-WA-6.5"


def test_a_customer_without_a_state_has_no_tax_yet() -> None:
    found = expected_tax(supply(AMERICAN, TaxParty(country="US")), REGIMES)
    assert (found.decision, missing(found)) == (None, [("customer.state", "tax.place")])


def test_american_work_for_a_customer_abroad() -> None:
    assert decided(AMERICAN, GERMAN_CUSTOMER) == ("DE", "US-EXPORT", Decimal(0))


def test_within_an_indian_state_half_goes_to_each() -> None:
    found = expected_tax(supply(INDIAN, INDIAN), REGIMES)
    assert found.decision is not None
    assert (found.decision.place, found.decision.code) == ("IN-MH", "IN-CGST-SGST-18")
    assert [(part.code, part.rate_percent) for part in found.decision.components] == [
        ("IN-CGST-9", Decimal(9)),
        ("IN-SGST-9", Decimal(9)),
    ]


def test_between_indian_states_and_in_a_union_territory() -> None:
    assert decided(INDIAN, TaxParty(country="IN", state="KA")) == ("IN-KA", "IN-IGST-18", Decimal(18))
    chandigarh = TaxParty(country="IN", state="CH", tax_id="")
    here = INDIAN.with_changes(tax_id="27AAPFU0939F1ZV")
    assert decided(here, chandigarh)[1] == "IN-IGST-18"
    local = expected_tax(supply(here, here, land=Place(country="IN", state="27")), REGIMES)
    assert local.decision is not None
    assert local.decision.code == "IN-CGST-SGST-18"


def test_the_number_on_record_goes_before_the_address() -> None:
    moved = INDIAN.with_changes(state="KA")
    assert decided(INDIAN, moved)[0] == "IN-MH"


def test_an_indian_export_needs_an_undertaking_that_holds() -> None:
    found = expected_tax(supply(INDIAN, GERMAN_CUSTOMER), REGIMES)
    assert found.sound
    assert found.decision is not None
    assert (found.decision.code, found.decision.place) == ("IN-EXPORT", "DE")
    assert "letter of undertaking" in found.decision.words
    late = expected_tax(supply(INDIAN, GERMAN_CUSTOMER, on=date(2030, 1, 1)), REGIMES)
    assert missing(late) == [("tax.undertakings", "tax.undertaking")]


def test_an_unknown_state_of_india() -> None:
    found = expected_tax(supply(INDIAN, TaxParty(country="IN", state="Atlantis")), REGIMES)
    assert missing(found) == [("customer.state", "tax.place")]


def test_old_and_new_codes_of_a_state() -> None:
    assert [state_of(code) for code in ("36", "TG", "ts", "IN-TS")] == ["TS"] * 4
    assert [state_of(code) for code in ("", "99", "XX")] == [None] * 3


def test_an_exemption_stands_with_its_words() -> None:
    found = expected_tax(supply(GERMAN, GERMAN_CUSTOMER, exemption="§ 4 Nr. 21 UStG"), REGIMES)
    assert found.decision is not None
    assert (found.decision.treatment, found.decision.words) == ("exempt", "§ 4 Nr. 21 UStG")


def test_a_country_without_a_table_and_a_day_without_a_rate() -> None:
    found = expected_tax(supply(TaxParty(country="GB", tax_id="GB1"), GERMAN_CUSTOMER), REGIMES)
    assert missing(found) == [("tax.regime", "tax.regime")]
    assert "add [tax.GB]" in found.missing[0].problem
    early = expected_tax(supply(GERMAN, GERMAN_CUSTOMER, on=date(2006, 12, 31)), REGIMES)
    assert missing(early) == [("tax.rate", "tax.rate")]


def test_tds_is_taken_of_the_net_and_pays_the_receivable() -> None:
    sold = supply(INDIAN, INDIAN, net=Money.of(100000, "INR"))
    expected = expected_withholding(sold, Money.of(18000, "INR"), REGIMES)
    assert expected is not None
    assert (expected.withheld, expected.to_bank) == (Money.of(10000, "INR"), Money.of(108000, "INR"))
    assert expected.receivable == Money.of(118000, "INR")
    assert expected.provision == "s. 393(1) Income-tax Act 2025"


def test_nothing_is_withheld_across_borders_by_consumers_or_before_the_rule() -> None:
    tax = Money.of(0, "EUR")
    consumer = INDIAN.with_changes(business=False)
    for sold in (
        supply(GERMAN, INDIAN),
        supply(INDIAN, consumer),
        supply(GERMAN, GERMAN_CUSTOMER),
        supply(INDIAN, INDIAN, on=date(2016, 1, 1)),
    ):
        assert expected_withholding(sold, tax, REGIMES) is None


def test_another_decision_is_held_against_the_expected_one() -> None:
    ours = expected_tax(supply(GERMAN, FRENCH_CUSTOMER), REGIMES).decision
    assert ours is not None
    assert not list(differences(ours, ours.with_changes(decided_by="engine")))
    theirs = ours.with_changes(
        decided_by="engine", treatment="domestic", rate_percent=Decimal(20), code="FR-VAT-20", words=""
    )
    assert [finding.field for finding in differences(ours, theirs)] == [
        "tax.treatment",
        "tax.code",
        "tax.rate_percent",
        "tax.words",
    ]


async def test_the_default_engine_decides_or_names_what_is_missing() -> None:
    engine: TaxEngine = RegimeTaxEngine(REGIMES)
    assert (await engine.decide(supply(GERMAN, GERMAN_CUSTOMER))).code == "DE-VAT-19"
    with pytest.raises(Rejected, match="reverse charge from DE to FR") as caught:
        await engine.decide(supply(GERMAN, FRENCH_CUSTOMER.with_changes(tax_id="")))
    assert (caught.value.field, caught.value.rule) == ("customer.tax_id", "tax.registration")


def test_every_member_of_the_union_has_a_rate_today() -> None:
    rates = {country: REGIMES.of(country) for country in EU_MEMBERS}
    assert all(isinstance(regime, EuVat) and regime.rate_on(TODAY) for regime in rates.values())


PARTIES = st.builds(
    TaxParty,
    country=st.sampled_from(["DE", "FR", "IN", "US", "CH", "AT", "GB"]),
    state=st.sampled_from(["", "TX", "CT", "KA", "MH", "BY"]),
    tax_id=st.sampled_from(["", "DE136695976", "FR40303265045", "27AAPFU0939F1ZV", "12-3456789"]),
    registrations=st.sampled_from([(), ("AT",)]),
    business=st.booleans(),
)


@given(
    PARTIES,
    PARTIES,
    st.sampled_from(["consulting", "software", "event"]),
    st.none()
    | st.builds(Place, country=st.sampled_from(["DE", "AT", "CH", "IN", "US"]), state=st.just("27")),
    st.dates(date(1990, 1, 1), date(2040, 1, 1)),
)
def test_every_supply_has_a_sound_answer_or_says_what_is_missing(
    supplier: TaxParty, customer: TaxParty, service: str, land: Place | None, on: date
) -> None:
    found = expected_tax(supply(supplier, customer, service=service, land=land, on=on), REGIMES)
    assert found.sound != bool(found.missing)
    assert all(finding.problem and finding.field for finding in found.missing)
    decision = found.decision
    if decision is None:
        return
    assert (decision.rate_percent > 0) == (decision.treatment == "domestic")
    if decision.treatment == "reverse_charge":
        assert decision.words
        assert {supplier.country, decision.place} <= EU_MEMBERS
        assert supplier.country != decision.place
        assert found.missing or len(found.evidence) == 2


def test_no_table_no_answer() -> None:
    assert not expected_tax(supply(GERMAN, GERMAN_CUSTOMER), TaxRegimes([])).sound
