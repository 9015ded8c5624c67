"""Goods and services tax on services of a supplier in India.

Source: IGST Act 2017 s. 7, 8 (between or within states), s. 12(2) (place: a registered customer's state, else
its address on record), s. 12(3) (land: where it lies), s. 2(6) and 16 (export, zero-rated under a letter of
undertaking); CGST Act 2017 s. 9: within a state half goes to the Union and half to the state.
"""

from domain.books import TaxComponent
from domain.rules.gst_states import UNION_TERRITORIES, state_of
from domain.rules.tax import (
    ExpectedTax,
    charged,
    lacking,
    no_rate,
    percent_text,
    place_text,
    registration,
    uncharged,
    with_registrations,
)
from domain.supply import Place, Supply, TaxParty
from domain.tax_ids import gst_state
from domain.tax_regimes import InGst


def in_gst(supply: Supply, regime: InGst) -> ExpectedTax:
    country = supply.land.country if supply.land else supply.customer.country
    if country != "IN":
        return _export(supply, country, regime)
    ours = _state(supply.supplier)
    theirs = state_of(supply.land.state) if supply.land else _state(supply.customer)
    if ours is None or theirs is None:
        side = "supplier" if ours is None else "land" if supply.land else "customer"
        what = f"the state of the {side} decides between CGST with SGST and IGST, and it is unknown: enter it"
        return ExpectedTax(missing=(lacking(f"{side}.state", "place", what),))
    rate = regime.rate_on(supply.on)
    if rate is None:
        return no_rate(regime, supply)
    place = Place(country="IN", state=theirs)
    if ours == theirs:
        half, state_tax = rate.percent / 2, "UTGST" if theirs in UNION_TERRITORIES else "SGST"
        parts = tuple(
            TaxComponent(code=f"IN-{tax}-{percent_text(half)}", rate_percent=half)
            for tax in ("CGST", state_tax)
        )
        decision = charged(supply, place, f"IN-CGST-{state_tax}", rate.percent, parts)
    else:
        decision = charged(supply, place, "IN-IGST", rate.percent)
    return with_registrations(
        decision,
        registration(supply.supplier, "supplier.tax_id", "IN", "GST"),
        evidence=(f"supplied from IN-{ours} to {place_text(place)}",),
    )


def _export(supply: Supply, country: str, regime: InGst) -> ExpectedTax:
    place, letter = Place(country=country), regime.undertaking_on(supply.on)
    decision = uncharged(supply, place, "export", regime.export_words)
    if letter is None:
        what = (
            f"export without tax needs a letter of undertaking for {supply.on}: file it and add it under "
            "[[tax.IN.undertakings]]"
        )
        return ExpectedTax(decision=decision, missing=(lacking("tax.undertakings", "undertaking", what),))
    return ExpectedTax(decision=decision, evidence=(f"letter of undertaking {letter.reference}",))


def _state(party: TaxParty) -> str | None:
    """By the registration number, else by the address on record."""
    return state_of(gst_state(party.tax_id) or party.state)
