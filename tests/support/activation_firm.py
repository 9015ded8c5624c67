"""A worker with every activity of the activation over fake systems, on a real Temporal server."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.attention import AttentionActivities
from activities.boundary import Boundary
from activities.crm import CrmActivities
from activities.decisions import DecisionActivities
from activities.effects import EffectRunner
from activities.erp import ErpActivities
from activities.failures import Patience
from activities.gates import GateActivities
from activities.process import ProcessActivities
from activities.procurement_rows import ProcurementRowActivities
from activities.project_billing import ProjectBillingActivities
from activities.psa import PsaActivities
from connectors.errors import ConnectorError, NotFound
from domain.activation_process import ProjectActivationInput
from domain.attention import Decision, DecisionRef
from domain.books import BillingScheduleFacts, EntityFacts, PartyFacts, PartyQuery
from domain.commands import Command, CreateBillingSchedule, Record
from domain.delivery import StaffingAnswer
from domain.money import Money
from domain.policy import EntityPolicy, Person, PolicySnapshot, Route, Timing
from domain.project_contract import BillingTerms
from domain.readiness import Gate, GateProfile, GateRule, OwnerGroup
from domain.selling import (
    Address,
    BillingMethod,
    Contract,
    ContractLine,
    Customer,
    Deal,
    RateCard,
    RateCardRole,
    RevenueMethod,
)
from workflows.project_activation import ProjectActivation
from workflows.project_billing import ProjectBilling
from workflows.shared.search_attributes import initial_attributes
from workflows.subcontractor_procurement import SubcontractorProcurement

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


class FakeSystem:
    """A system that keeps what is written, by effect key, and fails on demand."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.records: dict[str, tuple[Command, Record]] = {}
        self.applied: list[tuple[str, Command]] = []
        self.failures: dict[str, list[ConnectorError]] = {}
        self.after_apply: Callable[[str], None] = lambda key: None

    def fail(self, key_part: str, *errors: ConnectorError) -> None:
        """The next writes whose key contains `key_part` fail with `errors`, in order."""
        self.failures.setdefault(key_part, []).extend(errors)

    async def find(self, command: Command, key: str) -> Record | None:
        known = self.records.get(key)
        return known[1] if known else None

    async def apply(self, command: Command, key: str) -> Record:
        for part, errors in self.failures.items():
            if part in key and errors:
                raise errors.pop(0)
        record = Record(
            external_id=f"{self.system}-{len(self.records) + 1}", number=command.noun, fields=command.matter()
        )
        self.records[key] = (command, record)
        self.applied.append((key, command))
        self.after_apply(key)
        return record

    async def check(self) -> list[Any]:
        return []

    async def aclose(self) -> None:
        return None

    def keys(self) -> list[str]:
        """Effect keys in order of writing, without the process part."""
        return [key.split("/", 3)[-1] for key, _ in self.applied]


class FakeCrm(FakeSystem):
    def __init__(self, deal: Deal) -> None:
        super().__init__("salesforce")
        self.deal: Deal | None = deal
        self.reads = 0

    async def read_deal(self, deal_id: str) -> Deal:
        self.reads += 1
        if self.deal is None:
            raise NotFound(f"deal {deal_id} is not in the CRM", system=self.system)
        return self.deal

    async def signed_deals(self, since: datetime | None, limit: int = 200) -> list[Any]:
        return []


class FakePsa(FakeSystem):
    def __init__(self) -> None:
        super().__init__("kantata")
        self.answers: list[StaffingAnswer] = []

    async def staffing_answers(self, project_external_id: str) -> list[StaffingAnswer]:
        return self.answers

    async def changes(self, since: datetime, limit: int = 200) -> list[Any]:
        return []


class FakeErp(FakeSystem):
    def __init__(self) -> None:
        super().__init__("netsuite")
        self.facts = PartyFacts(
            entity=EntityFacts(
                code="DE01",
                external_id="2",
                name="Beratung GmbH",
                active=True,
                currency="EUR",
                country="DE",
                tax_registrations=("DE",),
                open_periods=("2026-11", "2026-12", "2027-01", "2027-02"),
            ),
            as_of=NOW,
        )

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        return self.facts

    async def billing_schedule(self, external_id: str) -> BillingScheduleFacts:
        for command, record in self.records.values():
            if record.external_id == external_id and isinstance(command, CreateBillingSchedule):
                return BillingScheduleFacts(
                    external_id=external_id, total=command.total, line_count=command.line_count
                )
        raise NotFound(f"schedule {external_id}", system=self.system)


def a_deal(**changes: Any) -> Deal:
    """A signed deal of the German entity: one milestone, one role by the hour, one supplier's line."""
    lines = (
        ContractLine(
            id="l1", number=1, name="Design signed off", billing_method=BillingMethod.MILESTONE,
            revenue_method=RevenueMethod.MILESTONE, amount=Money.of("30000.00", "EUR"),
            due_on=date(2027, 1, 29),
        ),
        ContractLine(
            id="l2", number=2, name="Architecture", billing_method=BillingMethod.TIME_AND_MATERIALS,
            revenue_method=RevenueMethod.RIGHT_TO_INVOICE, quantity=Decimal(100), unit_price=Decimal(200),
            amount=Money.of("20000.00", "EUR"), role="Architect", starts_on=date(2026, 12, 1),
            ends_on=date(2027, 2, 26),
        ),
        ContractLine(
            id="l3", number=3, name="Penetration test", billing_method=BillingMethod.TIME_AND_MATERIALS,
            revenue_method=RevenueMethod.RIGHT_TO_INVOICE, quantity=Decimal(50), unit_price=Decimal(200),
            amount=Money.of("10000.00", "EUR"), role="Architect", subcontracted=True, supplier="Redwood Ltd",
            starts_on=date(2026, 12, 1), ends_on=date(2027, 2, 26),
        ),
    )  # fmt: skip
    contract = Contract(
        id="contract:salesforce:800", external_id="800", number="00000100", status="Activated",
        value=Money.of("60000.00", "EUR"), signed_on=date(2026, 11, 16), starts_on=date(2026, 12, 1),
        ends_on=date(2027, 3, 31), billing_entity="DE01", rate_card="RC-DE-2026", lines=lines,
    )  # fmt: skip
    deal = Deal(
        id="deal:salesforce:006A", external_id="006A", name="Alpenglow rollout", stage="Closed Won", won=True,
        currency="EUR", region="DE", starts_on=date(2026, 12, 1), ends_on=date(2027, 3, 31),
        owner_email="olga@firm.example", project_manager_email="petra@firm.example",
        customer=Customer(
            id="customer:salesforce:001A", external_id="001A", name="Alpenglow AG", tax_id="DE136695976",
            address=Address(country="DE", city="Berlin"), currency="EUR", payment_terms="Net 30",
        ),
        contract=contract, version=NOW,
    )  # fmt: skip
    return deal.with_changes(**changes)


def a_policy(queue: str, **changes: Any) -> PolicySnapshot:
    owner = {
        Gate.RATE_CARD: OwnerGroup.DELIVERY_OPERATIONS,
        Gate.STAFFING: OwnerGroup.DELIVERY_OPERATIONS,
    }
    before = [g for g in Gate if g is not Gate.STAFFING]
    rules = [
        GateRule(
            gate=g,
            phase="before_creation",
            owner=owner.get(g, OwnerGroup.FINANCE_SYSTEMS),
            skip_role="controller",
        )
        for g in before
    ]
    rules += [
        GateRule(
            gate=g,
            phase="before_opening",
            owner=owner.get(g, OwnerGroup.FINANCE_SYSTEMS),
            skip_role="practice_lead",
        )
        for g in (Gate.STAFFING, Gate.BILLING_STRUCTURE)
    ]
    policy = PolicySnapshot(
        firm="acme",
        file_hash="h" * 64,
        routes=tuple(
            Route(role=role, system=system, task_queue=queue)  # type: ignore[arg-type]
            for role, system in (("crm", "salesforce"), ("psa", "kantata"), ("erp", "netsuite"))
        ),
        profiles=(GateProfile(region="default", rules=tuple(rules)),),
        entities=(
            EntityPolicy(code="DE01", name="Beratung GmbH", country="DE", currency="EUR", region="DE"),
        ),
        owners=tuple(
            Person(
                group=g,
                name=g.value,
                email=f"{g.value}@firm.example",
                escalates_to=f"head-of-{g.value}@firm.example",
            )
            for g in OwnerGroup
        ),
        timing=Timing(heartbeat_timeout=2.0),
    )
    return policy.with_changes(**changes)


class FirmFile:
    """Policies and rate cards of the test firm."""

    def __init__(self, policy: PolicySnapshot) -> None:
        self.policy = policy

    def snapshot(self) -> PolicySnapshot:
        return self.policy

    def billing_terms(self, entity: str, contract_number: str, currency: str) -> BillingTerms:
        return BillingTerms()

    def card(self, code: str) -> RateCard | None:
        return RateCard(
            code="RC-DE-2026", version="1", currency="EUR",
            valid_from=date(2026, 1, 1), valid_to=date(2027, 12, 31),
            roles=(
                RateCardRole(
                    role="Architect", price=Decimal(200), floor_price=Decimal(150), cost_rate=Decimal("110.5")
                ),
            ),
        )  # fmt: skip


@dataclass
class Firm:
    """A running firm: fake systems, a real store, a real worker."""

    client: Client
    store: Any
    queue: str
    crm: FakeCrm
    psa: FakePsa
    erp: FakeErp
    file: FirmFile
    deal_id: str = field(default_factory=lambda: f"006{uuid.uuid4().hex[:10]}")

    @property
    def process(self) -> str:
        return f"activation/acme/{self.deal_id}"

    async def start(self, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start the activation as the CLI would."""
        return await self.client.start_workflow(
            ProjectActivation.run,
            ProjectActivationInput(firm="acme", deal=self.deal_id, requested_by="olga@firm.example"),
            id=self.process,
            task_queue=self.queue,
            search_attributes=initial_attributes("activation", self.process),
            **options,
        )

    async def decide(self, update: str, action: str, actor: str = "ines@firm.example", **fields: Any) -> str:
        """Write a decision row and tell the process its id; returns the decision's id."""
        id = f"decision-{uuid.uuid4().hex[:12]}"
        decision = Decision(
            id=id, actor=actor, role=fields.pop("role", "approver"), action=action, process=self.process,
            at=datetime.now(UTC), **fields,
        )  # type: ignore[arg-type]  # fmt: skip
        await self.store.decisions.add(decision)
        handle = self.client.get_workflow_handle(self.process)
        await handle.execute_update(update, DecisionRef(id=id))
        return id

    async def reached(self, stage: str, *, attention: int = 0) -> Any:
        """Wait until it is at `stage` with `attention` open exceptions, in the store too; its view."""
        async with asyncio.timeout(20):
            while True:
                try:
                    view = await self.view()
                except RPCError:  # the first workflow task has not run yet
                    view = None
                if view and view.stage == stage and len(view.attention) == attention:
                    shown = await self.store.attention.list(process=self.process)
                    if len(shown) == attention:
                        return view
                await asyncio.sleep(0.02)

    async def intended(self, step: str) -> None:
        """Wait until the journal knows the effect `step`."""
        async with asyncio.timeout(20):
            while await self.store.effects.get(f"{self.process}/{step}") is None:
                await asyncio.sleep(0.02)

    async def view(self) -> Any:
        return await self.client.get_workflow_handle_for(ProjectActivation.run, self.process).query(
            ProjectActivation.status
        )


@asynccontextmanager
async def running_firm(client: Client, store: Any, **worker_options: Any) -> AsyncIterator[Firm]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    firm = Firm(client, store, queue, FakeCrm(a_deal()), FakePsa(), FakeErp(), FirmFile(a_policy(queue)))
    boundary = Boundary(Patience(transient=20.0))

    def effects(port: Any) -> EffectRunner:
        return EffectRunner(port, store, commit_limit=timedelta(milliseconds=100))

    processes = ProcessActivities(store, firm.file)
    gates = GateActivities(store, firm.file, clock=lambda: NOW)
    crm = CrmActivities(firm.crm, effects(firm.crm), store, boundary)
    psa = PsaActivities(firm.psa, effects(firm.psa), store, boundary)
    erp = ErpActivities(firm.erp, effects(firm.erp), store, boundary)
    decisions, attention = DecisionActivities(store), AttentionActivities(store)
    billing = ProjectBillingActivities(store, firm.file, firm.file)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[ProjectActivation, ProjectBilling, SubcontractorProcurement],
        activities=[
            processes.open, processes.close, processes.apply_event,
            gates.judge, decisions.claim, attention.put, ProcurementRowActivities(store).record,
            billing.begin, billing.look, billing.take_event, billing.change_contract, billing.bill_now,
            billing.final_account,
            crm.read_deal, crm.mark_deal, crm.restore_deal,
            psa.create_project, psa.cancel_project, psa.request_staffing, psa.withdraw_staffing,
            psa.staffing_answers, psa.open_project,
            erp.party_facts, erp.create_customer, erp.create_project, erp.cancel_project,
            erp.create_billing_schedule, erp.void_billing_schedule, erp.billing_schedule, erp.open_project,
        ],
        **worker_options,
    )  # fmt: skip
    async with worker:
        yield firm
