"""The firm's deals: the flagship, clean signed ones, planted defects, and the rest of the pipeline."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from sandbox.seed import lines
from sandbox.seed.catalogue import ENTITIES, PRACTICES
from sandbox.seed.dates import in_month, month_end, opening
from sandbox.seed.firm import Customer, Deal, DealLine, Entity, Supplier, Worker
from sandbox.seed.material import rate_card

WON, LOST = "Closed Won", "Closed Lost"
FLAGSHIP_NAME = "Polaris Managed Operations"
"""Followed by the year in which it ends."""
DEFECTS = (
    "no_billing_entity",
    "customer_without_tax_id",
    "milestones_do_not_sum",
    "role_not_on_rate_card",
    "customer_twice_in_erp",
)
CLEAN_FIRST = 10
"""Clean signed deals that come before the planted defects."""
_REST = ("clean", "open", "clean", "lost", "clean", "open", "clean", "unsigned")
_STARTS = ((0, 1), (0, 15), (1, 4), (1, 15))
"""Months after the opening, and the day of that month."""
_OPEN_STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review")
_NOUNS = {
    "DLV": ("Portal Rebuild", "Data Platform", "Claims Workflow", "Mobile Service", "Integration Hub"),
    "OPS": ("Managed Operations", "Service Desk", "Cloud Run", "Application Care", "Night Operations"),
    "ADV": ("Operating Model", "Target Architecture", "Cost Review", "Sourcing Study", "Compliance Check"),
}
_OWNERS = {"US": "grace.holt", "DE": "henrik.vogel", "IN": "leela.krishnan"}


class Pipeline:
    """Builds deals over given customers, suppliers and workers, as they stand on the day `as_of`."""

    def __init__(
        self,
        chance: Random,
        customers: tuple[Customer, ...],
        lenders: tuple[Supplier, ...],
        staff: tuple[Worker, ...],
        as_of: date,
    ) -> None:
        self._chance = chance
        self._customers = customers
        self._lenders = lenders
        self._staff = staff
        self._as_of = as_of
        self._opening = opening(as_of)

    def deals(self, count: int) -> tuple[Deal, ...]:
        """`count` deals: flagship, ten clean, the defects, then the rest in turn."""
        if not self._customers:
            return ()
        return tuple(self._deal(number) for number in range(count))

    def _deal(self, number: int) -> Deal:
        if number == 0:
            return self._flagship()
        kind = _kind(number)
        entity = ENTITIES[number % 3]
        if kind in ("customer_without_tax_id", "milestones_do_not_sum"):
            entity = ENTITIES[1]
        deal = self._usual(number, entity, kind)
        return self._spoiled(deal, kind) if kind in DEFECTS else self._staged(deal, kind)

    def _usual(self, number: int, entity: Entity, kind: str) -> Deal:
        """A clean, signed deal; what makes it otherwise comes after."""
        chance = self._chance
        practice = PRACTICES[number % 7 % len(PRACTICES)].code
        signed_on = self._as_of - timedelta(days=53 - chance.randint(0, 51))
        month, on = chance.choice(_STARTS)
        start = in_month(self._opening, month, on)
        end = month_end(start, chance.choice((3, 6, 9, 12)))
        terms = self._terms(number, entity, practice, start, end)
        shape = lines.SHAPES[1 if kind == "milestones_do_not_sum" else number % len(lines.SHAPES)]
        sold = shape(chance, terms)
        value = sum((line.total for line in sold), Decimal(0))
        customer = self._customer(entity, kind)
        has_order = chance.random() < 0.6
        return Deal(
            key=f"D-{number + 1:04d}",
            name=f"{customer.name} {chance.choice(_NOUNS[practice])}"[:120],
            customer=customer.key,
            entity=entity.code,
            region=entity.region,
            practice=practice,
            currency=entity.currency,
            stage=WON,
            close_date=signed_on,
            start=start,
            end=end,
            contract_value=value,
            rate_card=entity.rate_card,
            owner_email=f"{_OWNERS[entity.region]}@fairlead.example",
            project_manager_email=self._project_manager(entity),
            lines=_numbered(number, sold),
            signed_on=signed_on,
            contract_activated=True,
            retention_percent=Decimal(chance.choice((0, 0, 0, 5, 10))),
            customer_po=f"PO-{chance.randint(100000, 999999)}" if has_order else None,
            customer_po_amount=value if has_order else None,
            customer_po_expiry=end + timedelta(days=90) if has_order else None,
        )

    def _staged(self, deal: Deal, kind: str) -> Deal:
        chance = self._chance
        if kind == "clean":
            return deal
        if kind == "unsigned":
            return replace(deal, signed_on=None, contract_activated=False)
        stage = LOST if kind == "lost" else chance.choice(_OPEN_STAGES)
        ahead = timedelta(days=7 + chance.randint(0, 90)) if kind == "open" else None
        close = deal.close_date if ahead is None else self._as_of + ahead
        unsigned = replace(deal, stage=stage, signed_on=None, contract_activated=False, close_date=close)
        return replace(unsigned, customer_po=None, customer_po_amount=None, customer_po_expiry=None)

    def _spoiled(self, deal: Deal, kind: str) -> Deal:
        if kind == "no_billing_entity":
            return replace(deal, entity=None, defect=kind)
        if kind == "milestones_do_not_sum":
            return replace(deal, contract_value=deal.contract_value + 5000, defect=kind)
        if kind == "role_not_on_rate_card":
            entity = next(entity for entity in ENTITIES if entity.code == deal.entity)
            terms = self._terms(int(deal.key[2:]), entity, deal.practice, deal.start, deal.end)
            rate = replace(rate_card(entity.rate_card)[0], role="Quantum Computing Specialist")
            odd = lines.hourly(terms, rate, Decimal(200), rate.price, capped=True, lender=None)
            sold = _numbered(int(deal.key[2:]) - 1, [*deal.lines, odd])
            return replace(deal, lines=sold, contract_value=deal.contract_value + odd.total, defect=kind)
        return replace(deal, defect=kind)

    def _customer(self, entity: Entity, kind: str) -> Customer:
        local = [customer for customer in self._customers if customer.country == entity.country]
        if kind == "customer_without_tax_id":
            fitting = [customer for customer in local if customer.tax_id is None]
        elif kind == "customer_twice_in_erp":
            fitting = [customer for customer in self._customers if customer.erp_duplicate]
        else:
            fitting = [c for c in local if c.tax_id and not c.erp_duplicate and not c.credit_hold]
        return self._chance.choice(fitting or local or list(self._customers))

    def _terms(self, number: int, entity: Entity, practice: str, start: date, end: date) -> lines.Terms:
        lenders = [lender for lender in self._lenders if lender.country == entity.country]
        card = rate_card(entity.rate_card)
        return lines.Terms(f"D-{number + 1:04d}", practice, entity.currency, start, end, card, lenders)

    def _project_manager(self, entity: Entity) -> str:
        able = [w.email for w in self._staff if w.entity == entity.code and w.role == "Project Manager"]
        return self._chance.choice(able) if able else f"projects.{entity.code.lower()}@fairlead.example"

    def _flagship(self) -> Deal:
        """Phased milestones, hours under a cap, a monthly subscription, and one role of a subcontractor."""
        entity = ENTITIES[1]
        deal = self._usual(0, entity, "clean")
        start = self._opening
        end = month_end(start, 12)
        signed_on = self._as_of - timedelta(days=5)
        terms = self._terms(0, entity, "OPS", start, end)
        rates = {(rate.role, rate.grade): rate for rate in terms.card}
        architect, tester = rates["Architect", "Senior"], rates["QA Analyst", "Consultant"]
        partner = next((lender for lender in terms.lenders if "QA Analyst" in lender.roles), None)
        sold = [
            lines.milestone(terms, "Transition concept accepted", Decimal(48000), in_month(start, 1, 15)),
            lines.milestone(terms, "Transition complete", Decimal(72000), in_month(start, 2, 26)),
            lines.milestone(terms, "Service acceptance", Decimal(60000), month_end(start, 4)),
            lines.hourly(terms, architect, Decimal(400), architect.price, capped=True, lender=None),
            lines.subscription(terms, "Managed operations", Decimal(18500)),
            lines.hourly(terms, tester, Decimal(320), tester.price, capped=True, lender=partner),
        ]
        value = sum((line.total for line in sold), Decimal(0))
        local = [c for c in self._customers if c.key == "C-0002"] or list(self._customers)
        return replace(
            deal,
            name=f"{FLAGSHIP_NAME} {end.year}",
            customer=local[0].key,
            practice="OPS",
            start=start,
            end=end,
            signed_on=signed_on,
            close_date=signed_on,
            contract_value=value,
            lines=_numbered(0, sold),
            retention_percent=Decimal(5),
            customer_po=f"PO-{signed_on.year}-POLARIS",
            customer_po_amount=value,
            customer_po_expiry=month_end(start, 14),
            flagship=True,
        )


def _kind(number: int) -> str:
    if number <= CLEAN_FIRST:
        return "clean"
    if number <= CLEAN_FIRST + len(DEFECTS):
        return DEFECTS[number - CLEAN_FIRST - 1]
    return _REST[(number - CLEAN_FIRST - len(DEFECTS) - 1) % len(_REST)]


def _numbered(number: int, sold: list[DealLine]) -> tuple[DealLine, ...]:
    return tuple(replace(line, key=f"D-{number + 1:04d}-{place:02d}") for place, line in enumerate(sold, 1))
