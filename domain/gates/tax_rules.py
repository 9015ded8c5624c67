"""Gate "tax rules": both sides registered where they must be, and the place of supply known.

Source: EU VAT directive Art. 44 and 196 (services to businesses, reverse charge), Indian GST (place of
supply by state), US destination sourcing. The figure itself is the ERP's or the tax engine's.
"""

from collections.abc import Iterator

from domain.gates.case import Case
from domain.readiness import Evidence, Finding
from domain.tax_ids import EU_MEMBERS, gst_state, problem_with


def judge_tax_rules(case: Case) -> Iterator[Finding]:
    customer, entity = case.deal.customer, case.entity
    country = customer.address.country
    if not country:
        yield case.finding(
            "customer.address.country",
            "place.unknown",
            f"{customer.name} has no country, so the place of supply is unknown: enter the billing country "
            "on the CRM account",
        )
    elif _place_needs_state(case) and not (customer.address.state or gst_state(customer.tax_id)):
        yield case.finding(
            "customer.address.state",
            "place.state_unknown",
            f"{customer.name} has no state, which decides the tax in {country}: enter it on the CRM account",
        )
    if entity is None:
        return  # the legal entity gate says so
    yield from _judge_own_registration(case, entity.country)
    if country:
        yield from _judge_customer_registration(case, entity.country, country)


def tax_rules_evidence(case: Case) -> Iterator[Evidence]:
    customer = case.deal.customer
    if case.entity and customer.address.country:
        detail = _treatment(case.entity.country, customer.address.country, case)
        yield case.evidence("crm", customer.id, case.deal.version.isoformat(), detail)
    if case.facts and case.facts.entity:
        entity = case.facts.entity
        registered = ", ".join(entity.tax_registrations) or "nowhere"
        yield case.evidence(
            "erp",
            f"entity {entity.external_id}",
            entity.version,
            f"registered in {registered}",
            case.facts.as_of,
        )


def _place_needs_state(case: Case) -> bool:
    """Only a supply within the entity's country is taxed by state."""
    at_home = case.entity is None or case.entity.country == case.deal.customer.address.country
    return case.option("place") == "state" and at_home


def _judge_own_registration(case: Case, country: str) -> Iterator[Finding]:
    facts = case.facts.entity if case.facts else None
    if case.facts is None:
        yield case.finding(
            "contract.billing_entity",
            "erp.not_read",
            "the ERP was not read: the entity's tax registration cannot be checked; retry",
        )
    elif facts is not None and country not in facts.tax_registrations:
        yield case.finding(
            "contract.billing_entity",
            "tax_registration.entity",
            f"{facts.code} has no tax registration in {country} in the ERP: add it there",
            facts.code,
        )


def _judge_customer_registration(case: Case, ours: str, theirs: str) -> Iterator[Finding]:
    customer = case.deal.customer
    well_formed = bool(customer.tax_id) and problem_with(customer.tax_id or "", theirs) is None
    if well_formed:
        return
    if ours != theirs and {ours, theirs} <= EU_MEMBERS:
        yield case.finding(
            "customer.tax_id",
            "reverse_charge.customer_registration",
            f"a supply from {ours} to {theirs} is reverse charged, which needs a valid VAT number of "
            f"{customer.name}: enter it on the CRM account",
            customer.tax_id or "",
        )
    elif ours == theirs and case.option("customer_registration") == "required":
        yield case.finding(
            "customer.tax_id",
            "tax_registration.customer",
            f"a supply within {ours} needs a valid tax registration of {customer.name}: "
            "enter it on the CRM account",
            customer.tax_id or "",
        )


def _treatment(ours: str, theirs: str, case: Case) -> str:
    if ours != theirs:
        within_union = {ours, theirs} <= EU_MEMBERS
        return (
            f"{ours} to {theirs}: reverse charge"
            if within_union
            else f"{ours} to {theirs}: export of services"
        )
    state = case.deal.customer.address.state or gst_state(case.deal.customer.tax_id) or ""
    place = f"{theirs}-{state}" if state and case.option("place") == "state" else theirs
    withheld = ", tax withheld at source (TDS)" if case.option("withholding") == "tds" else ""
    return f"domestic supply, place {place}{withheld}"
