"""Projects to be billed: open in the ERP, sold in the CRM, their work approved in the PSA.

What Fairlead bills has its contract and its work in the store besides; what the floor bills has not.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import httpx

from bench.deals import CUSTOMERS, BenchDeal, clean_deals, is_clean, seeded
from connectors.ports import CrmPort, ErpPort
from domain.billable import Billable
from domain.billing_contract import SystemRefs, contract_of, with_terms
from domain.calendar import Period
from domain.commands import CreateCustomer, CreateProject
from domain.identity import content_hash, short_key
from domain.money import Money
from domain.project_contract import ProjectContract, RetentionTerms
from domain.quantity import Quantity
from domain.rules.proration import local_day
from domain.selling import BillingMethod, ContractLine
from firm.model import Firm
from store.ports import Store

ENTITY, PSA, ERP = "US01", "kantata", "netsuite"
PER_PROJECT = 30
HOURS, PRICE = Decimal(8), Decimal(150)
_PAGE = 1_000
_AT_ONCE = 4
_LINE = ContractLine(
    id="l1",
    number=1,
    name="Delivery",
    billing_method=BillingMethod.TIME_AND_MATERIALS,
    unit_price=PRICE,
)


@dataclass(frozen=True)
class BenchProject:
    """One project with approved work that nobody has billed."""

    contract: ProjectContract
    entries: tuple[str, ...]
    """Ids in the PSA."""

    @property
    def texts(self) -> tuple[str, ...]:
        """What is this project's own in the calls of its invoice, beside effect keys: always in one order."""
        contract = self.contract
        in_systems = (contract.deal, contract.erp_customer, contract.erp_project, contract.psa_project)
        return (contract.project, short_key(contract.erp_project_key), *in_systems, *self.entries)


def deals_needed(projects: int) -> int:
    """How many deals to seed for so many of the entity, one for each project."""
    count = 64
    while len(_sold(count)) < projects:
        count *= 2
    return count


def sandbox_size(deals: int) -> tuple[str, ...]:
    """Arguments of a sandbox with `deals` deals."""
    return ("--deals", str(deals), "--customers", str(CUSTOMERS))


def _sold(count: int) -> dict[int, str]:
    """Place in the seed -> customer, of deals of the entity whose customer has a clean one, too."""
    ours = {place: deal for place, deal in enumerate(seeded(count)) if deal.entity == ENTITY}
    known = {deal.customer for deal in ours.values() if is_clean(deal)}
    return {place: deal.customer for place, deal in ours.items() if deal.customer in known}


class Projects:
    """Makes projects in the systems of the sandbox, which was seeded with `deals` deals."""

    def __init__(
        self, firm: Firm, sandbox: httpx.AsyncClient, crm: CrmPort, erp: ErpPort, deals: int
    ) -> None:
        self._firm = firm
        self._sandbox = sandbox
        self._crm = crm
        self._erp = erp
        self._deals = deals
        self._signed: dict[str, ProjectContract] = {}
        self._made = 0

    async def make(self, count: int) -> list[BenchProject]:
        """The next `count` projects."""
        ids = [row["Id"] for row in await records(self._sandbox, "salesforce", "Opportunity")]
        sold = [(ids[place], customer) for place, customer in _sold(self._deals).items()][self._made :]
        await self._sign()
        work = await self._approved(count)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(place: int) -> BenchProject:
            deal, customer = sold[place]
            workspace, entries = work[place]
            number = f"BENCH-{first + place:05}"
            contract = self._signed[customer].with_changes(
                project=number,
                number=f"C-{number}",
                title=f"Volume {number}",
                deal=deal,
                psa_project=workspace,
                erp_project_key=f"bench/{number}/erp.project/1",
            )
            async with gate:
                made = await self._erp.apply(_project(contract), contract.erp_project_key)
            return BenchProject(contract.with_changes(erp_project=made.external_id), entries)

        first, self._made = self._made + 1, self._made + count
        return await asyncio.gather(*(one(place) for place in range(count)))

    async def _sign(self) -> None:
        """A contract of each customer, like one it has signed; the ERP knows the customer."""
        if self._signed:
            return
        pool = await clean_deals(self._sandbox, self._deals)
        pool.left = [deal for deal in pool.left if deal.entity == ENTITY]
        self._signed = {deal.customer: await self._like(deal) for deal in pool.take_one_each("customer")}

    async def _like(self, deal: BenchDeal) -> ProjectContract:
        first, last = months(self._firm)
        signed = contract_of(await self._crm.read_deal(deal.id), deal.id, SystemRefs()).with_changes(
            starts_on=first, ends_on=last, value=None, customer_po=None, lines=(_LINE,)
        )
        unheld = signed.with_changes(terms=signed.terms.with_changes(retention=RetentionTerms()))
        terms = self._firm.billing_terms(ENTITY, signed.number, signed.currency)
        contract = with_terms(unheld, terms)
        made = await self._erp.apply(_customer(contract), f"bench/{deal.customer}/erp.customer/1")
        return contract.with_changes(erp_customer=made.external_id)

    async def _approved(self, count: int) -> list[tuple[str, tuple[str, ...]]]:
        """(project in the PSA, ids of its approved entries)."""
        wanted = {"entries": count * PER_PROJECT, "projects": count}
        made = await self._sandbox.post(f"/_control/{PSA}/bulk_time", json=wanted)
        made.raise_for_status()
        entries: dict[str, list[str]] = defaultdict(list)
        for row in await records(self._sandbox, PSA, "time_entries"):
            entries[str(row["workspace_id"])].append(str(row["id"]))
        return [(str(id), tuple(entries[str(id)])) for id in made.json()["workspaces"]]


async def keep(store: Store, projects: Sequence[BenchProject], today: date) -> None:
    """Contracts, cross-references and approved work of `projects`, put into the store directly."""
    for project in projects:
        contract = project.contract
        await store.billing.put_contract(contract)
        for system, id in ((PSA, contract.psa_project), (ERP, contract.erp_project)):
            await store.references.put(f"project:{contract.project}", system, "project", id)
    entries = [entry for project in projects for entry in _billables(project, today)]
    for start in range(0, len(entries), _PAGE):
        await store.billing.take_in(entries[start : start + _PAGE])


def months(firm: Firm) -> tuple[date, date]:
    """From the first of this month on, so that no cycle is due by itself; until the end of the next."""
    month = Period.of(today_of(firm))
    return month.first, month.next.last


def today_of(firm: Firm) -> date:
    """The day where the billing entity is."""
    zone = next(entity.time_zone for entity in firm.entities if entity.code == ENTITY)
    return local_day(datetime.now(UTC), zone)


async def records(sandbox: httpx.AsyncClient, system: str, kind: str) -> list[dict[str, Any]]:
    """Records as the sandbox keeps them."""
    answer = await sandbox.get(f"/_control/{system}/{kind}")
    answer.raise_for_status()
    return cast(list[dict[str, Any]], answer.json()["records"])


def value_of(projects: Sequence[BenchProject]) -> Money:
    """What all their work comes to."""
    entries = sum(len(project.entries) for project in projects)
    return Money(amount=entries * HOURS * PRICE, currency=projects[0].contract.currency)


def _billables(project: BenchProject, today: date) -> list[Billable]:
    """The approved entries as taken in; worked today, whatever the PSA says, so that one day bills all."""
    contract = project.contract
    return [
        Billable(
            key=f"{PSA}:time:{id}",
            kind="time",
            source=PSA,
            external_id=id,
            content_hash=content_hash(id),
            project=contract.project,
            line=_LINE.number,
            entity=contract.entity,
            resource=f"person-{place % 6}",
            role=f"Role {place % 3}",
            work_date=today,
            quantity=Quantity(amount=HOURS, unit="hours"),
            approved_by="bench",
        )
        for place, id in enumerate(project.entries)
    ]


def _customer(contract: ProjectContract) -> CreateCustomer:
    return CreateCustomer(
        name=f"{contract.customer_name} (bench)",
        legal_name=contract.customer_name,
        crm_id=contract.customer,
        tax_id=contract.customer_tax_id,
        address=contract.customer_address,
        currency=contract.currency,
        payment_terms=contract.terms.payment_terms,
        entity=contract.entity,
    )


def _project(contract: ProjectContract) -> CreateProject:
    return CreateProject(
        number=contract.project,
        title=contract.title,
        customer_external_id=contract.erp_customer,
        entity=contract.entity,
        currency=contract.currency,
        budget=Money.zero(contract.currency),
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        contract_number=contract.number,
        crm_id=contract.deal,
    )
