"""A firm that is ready to bill: projects open in PSA and ERP, contracts kept, work written and approved.

An activation does this for real; where billing itself is shown or attacked, it would only take time. What
is written here lands under keys of its own (`stage/...`), so that nobody counts it among the effects of a
process.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, cast

import httpx

from composition import VENDORS, connector_settings
from connectors.ports import CrmPort, ErpPort, PsaPort, SystemPort
from domain.billing_contract import SystemRefs, contract_of, with_terms
from domain.commands import CreateCustomer, CreateProject, OpenProject, PlannedTask, PlanProject
from domain.money import Money
from domain.policy import Role
from domain.project_contract import ProjectContract
from domain.selling import BillingMethod, ContractLine, Deal
from drill.firm_setup import FirmSetup
from firm.model import Firm
from store.ports import Store

_PATIENCE = 30.0
"""Seconds."""
_CLEAN = 11
"""So many deals of the seed's plan, the flagship first, are signed and without defects."""


@dataclass(frozen=True)
class Systems:
    """The systems of the firm, as its own connectors reach them."""

    crm: CrmPort
    psa: PsaPort
    erp: ErpPort


@asynccontextmanager
async def systems_of(setup: FirmSetup) -> AsyncIterator[Systems]:
    """Connectors of the three roles, closed at the end; patient, unlike those of the firm under attack."""
    roles: tuple[Role, ...] = ("crm", "psa", "erp")
    ports = {role: _patient(setup, setup.system(role)) for role in roles}
    try:
        yield Systems(
            crm=cast(CrmPort, ports["crm"]), psa=cast(PsaPort, ports["psa"]), erp=cast(ErpPort, ports["erp"])
        )
    finally:
        for port in ports.values():
            await port.aclose()


def _patient(setup: FirmSetup, system: str) -> SystemPort:
    settings = connector_settings(setup.firm, system, setup.environ)
    vendor = VENDORS[setup.firm.systems[system].vendor]
    return vendor.build(system, settings.model_copy(update={"timeout_seconds": _PATIENCE}))


@dataclass(frozen=True)
class Sold:
    """One line of a contract: hours at `price` with a cap, or a milestone of `amount`."""

    name: str
    price: str = ""
    cap: str = ""
    amount: str = ""
    number: int = 0
    """Of the line; `numbered` sets it."""

    def line(self, currency: str, first_cycle: date) -> ContractLine:
        """As the contract has it. Months of time are billed by the calendar from `first_cycle` on."""
        by_time = bool(self.price)
        return ContractLine(
            id=f"line-{self.number}",
            number=self.number,
            name=self.name,
            billing_method=BillingMethod.TIME_AND_MATERIALS if by_time else BillingMethod.MILESTONE,
            unit_price=Decimal(self.price) if by_time else None,
            amount=None if by_time else Money.of(self.amount, currency),
            cap=Money.of(self.cap, currency) if self.cap else None,
            starts_on=first_cycle if by_time else None,
        )


@dataclass(frozen=True)
class Worked:
    """Hours of one person on one day, for a line of the contract."""

    line: int
    day: date
    hours: str
    person: int = 0
    """Which of the PSA's people."""


@dataclass(frozen=True)
class Spent:
    """An expense of one person on one day."""

    line: int
    day: date
    amount: str
    person: int = 0


@dataclass(frozen=True)
class ToBill:
    """A project as it is put on the stage."""

    number: str
    deal: str
    """Id of a signed deal in the CRM: customer, entity and currency are those of it."""
    starts_on: date
    ends_on: date
    sold: Sequence[Sold]
    work: Sequence[Worked] = ()
    spent: Sequence[Spent] = ()

    @property
    def contract_number(self) -> str:
        """By which the firm's file names its terms."""
        return f"C-{self.number}"


class Stage:
    """Puts projects into the systems of a sandbox and into our store."""

    def __init__(self, firm: Firm, store: Store, sandbox: httpx.AsyncClient, systems: Systems) -> None:
        self._firm = firm
        self._store = store
        self._sandbox = sandbox
        self._systems = systems
        self._people: list[dict[str, Any]] = []

    async def signed_deals(self) -> dict[str, list[str]]:
        """Ids of signed deals that pass every gate, by currency: the first of the seed's plan are such."""
        rows = await self._rows("Opportunity", self._systems.crm.system)
        signed = [row for row in rows if row.get("StageName") == "Closed Won" and row.get("ContractId")]
        found: dict[str, list[str]] = {}
        for row in sorted(signed, key=lambda row: str(row["Id"]))[:_CLEAN]:
            found.setdefault(row["CurrencyIsoCode"], []).append(row["Id"])
        return found

    async def put(self, wanted: ToBill) -> ProjectContract:
        """One project, open for time, with its contract kept and its work approved."""
        deal = await self._systems.crm.read_deal(wanted.deal)
        contract = self._contract(wanted, deal)
        contract = contract.with_changes(**dict(await self._open(contract)))
        psa, erp = self._systems.psa.system, self._systems.erp.system
        id = f"project:{wanted.number}"
        await self._store.references.put(id, psa, "project", contract.psa_project)
        await self._store.references.put(id, erp, "project", contract.erp_project)
        await self._store.billing.put_contract(contract)
        await self._work(wanted, contract.psa_project)
        return contract

    def _contract(self, wanted: ToBill, deal: Deal) -> ProjectContract:
        signed = contract_of(deal, wanted.number, SystemRefs())
        entity = signed.entity
        terms = self._firm.billing_terms(entity, wanted.contract_number, signed.currency)
        bare = signed.with_changes(
            number=wanted.contract_number,
            title=wanted.number,
            starts_on=wanted.starts_on,
            ends_on=wanted.ends_on,
            value=None,
            customer_po=None,
            # The calendar bills nothing until all is played: no day bills otherwise than another.
            lines=tuple(sold.line(signed.currency, wanted.ends_on) for sold in wanted.sold),
        )
        unheld = bare.with_changes(
            terms=bare.terms.with_changes(retention=terms.retention, payment_terms="Net 30")
        )
        return with_terms(unheld, terms)

    async def _open(self, contract: ProjectContract) -> SystemRefs:
        """Customer, project and tasks in PSA and ERP."""
        psa, erp = self._systems.psa, self._systems.erp
        key = f"stage/{contract.project}"
        in_psa = (await psa.apply(_customer(contract), f"{key}/psa.customer/1")).external_id
        in_erp = (await erp.apply(_customer(contract), f"{key}/erp.customer/1")).external_id
        workspace = (await psa.apply(_project(contract, in_psa), f"{key}/psa.project/1")).external_id
        await psa.apply(OpenProject(project_external_id=workspace), f"{key}/psa.open/1")
        tasks = tuple(PlannedTask(ref=str(line.number), title=line.name) for line in contract.lines)
        await psa.apply(PlanProject(project_external_id=workspace, tasks=tasks), f"{key}/psa.plan/1")
        project_key = f"{key}/erp.project/1"
        project = (await erp.apply(_project(contract, in_erp), project_key)).external_id
        return SystemRefs(
            psa_project=workspace, erp_customer=in_erp, erp_project=project, erp_project_key=project_key
        )

    async def _work(self, wanted: ToBill, workspace: str) -> None:
        """People write what they worked and spent; somebody else approves it."""
        if not (wanted.work or wanted.spent):
            return
        people = await self._workers()
        stories = await self._stories(workspace)
        for worked in wanted.work:
            await self._add(
                "worked_time",
                user=people[worked.person]["id"],
                story=stories[worked.line],
                date=worked.day.isoformat(),
                hours=worked.hours,
            )
        for spent in wanted.spent:
            await self._spend(spent, workspace, people[spent.person]["id"], stories[spent.line])
        await self._add("approvals", workspace=workspace, approver=people[-1]["email_address"])

    async def _spend(self, spent: Spent, workspace: str, user: str, story: str) -> None:
        whose = {"workspace_id": int(workspace), "user_id": int(user)}
        expense = await self._add(
            "expenses",
            **whose,
            story_id=int(story),
            date=spent.day.isoformat(),
            category="Travel",
            amount_in_cents=int(Decimal(spent.amount) * 100),
            reimbursable=True,
        )
        await self._add("expense_report_submissions", **whose, line_item_ids=[int(expense["id"])])

    async def _workers(self) -> list[dict[str, Any]]:
        if not self._people:
            rows = await self._rows("users")
            self._people = [row for row in rows if row["role_id"]]
        return self._people

    async def _stories(self, workspace: str) -> dict[int, str]:
        """Line of the contract -> its task, in the order in which the plan made them."""
        rows = [row for row in await self._rows("stories") if row["workspace_id"] == workspace]
        made = sorted(rows, key=lambda row: int(row["id"]))
        return {number: row["id"] for number, row in enumerate(made, 1)}

    async def _rows(self, collection: str, system: str = "") -> list[dict[str, Any]]:
        answer = await self._sandbox.get(f"/_control/{system or self._systems.psa.system}/{collection}")
        answer.raise_for_status()
        return list(answer.json()["records"])

    async def _add(self, collection: str, **fields: Any) -> dict[str, Any]:
        """What a person does in the PSA's screens."""
        answer = await self._sandbox.post(f"/_control/{self._systems.psa.system}/{collection}", json=fields)
        answer.raise_for_status()
        return dict(answer.json())


def numbered(sold: Sequence[Sold]) -> tuple[Sold, ...]:
    """`sold` with numbers from 1 on."""
    return tuple(replace(line, number=number) for number, line in enumerate(sold, 1))


def _customer(contract: ProjectContract) -> CreateCustomer:
    return CreateCustomer(
        name=f"{contract.customer_name} {contract.project}",
        legal_name=contract.customer_name,
        crm_id=contract.customer,
        tax_id=contract.customer_tax_id,
        address=contract.customer_address,
        currency=contract.currency,
        payment_terms=contract.terms.payment_terms,
        entity=contract.entity,
    )


def _project(contract: ProjectContract, customer: str) -> CreateProject:
    return CreateProject(
        number=contract.project,
        title=contract.title,
        customer_external_id=customer,
        entity=contract.entity,
        currency=contract.currency,
        budget=Money.zero(contract.currency),
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        contract_number=contract.number,
        crm_id=contract.deal,
    )
