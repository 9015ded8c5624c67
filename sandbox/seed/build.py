"""Puts the firm together. Each part draws from a generator of its own: a larger firm starts the same."""

from random import Random

from sandbox.seed import catalogue, material, parties, people
from sandbox.seed.deals import Pipeline
from sandbox.seed.firm import Firm, FirmSize


def build(size: FirmSize) -> Firm:
    """The firm of a seed, size and day."""
    customers = parties.customers(_chance(size, "customers"), size.customers)
    suppliers = parties.suppliers(_chance(size, "suppliers"))
    workers = people.workers(_chance(size, "workers"), size.workers, suppliers)
    deals = Pipeline(_chance(size, "deals"), customers, suppliers, workers, size.as_of).deals(size.deals)
    return Firm(
        size=size,
        name=catalogue.FIRM_NAME,
        today=size.as_of,
        entities=catalogue.ENTITIES,
        practices=catalogue.PRACTICES,
        products=catalogue.PRODUCTS,
        payment_terms=catalogue.PAYMENT_TERMS,
        periods=catalogue.periods(size.as_of),
        customers=customers,
        suppliers=suppliers,
        workers=workers,
        rate_roles=material.rate_roles(),
        deals=deals,
    )


def _chance(size: FirmSize, part: str) -> Random:
    return Random(f"{size.seed}/{part}")  # noqa: S311  repeatable, not secret
