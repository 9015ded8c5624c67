"""A worker with the whole of a project's billing, over fake systems and an invoice that posts at once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.testing._timeskipping import TimeSkippingConfig
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from activities.attention import AttentionActivities
    from activities.boundary import Boundary
    from activities.crm import CrmActivities
    from activities.decisions import DecisionActivities
    from activities.effects import EffectRunner
    from activities.erp_billing import ErpBillingActivities
    from activities.failures import Patience
    from activities.process import ProcessActivities
    from activities.project_billing import ProjectBillingActivities
    from activities.psa_released import PsaReleasedActivities
    from domain.attention import Decision, DecisionRef, EventRef
    from domain.billable import Billable
    from domain.billing_commands import DraftLine
    from domain.billing_process import InvoiceInput
    from domain.books import InvoiceFacts
    from domain.intake import PsaInvoice
    from domain.invoice_state import InvoiceRow, LineShare, PricedInvoice, PricedLine
    from domain.money import Money, total
    from domain.project_contract import BillingTerms, ProjectContract
    from domain.project_processes import ProjectBillingState, ProjectBillingView
    from domain.quantity import Quantity
    from domain.selling import BillingMethod, ContractLine
    from local.temporal_server import find_binary, tuning_flags
    from runtime.plugin import FairleadPlugin
    from runtime.visibility import register
    from store.ports import InboxRow
    from tests.support.activation_firm import FakeCrm, FakeErp, FakePsa, FirmFile, a_deal, a_policy
    from workflows.project_billing import ProjectBilling
    from workflows.shared.search_attributes import ATTRIBUTES, initial_attributes

PROJECT = "DE01-7K3QXW"
BERLIN = "Europe/Berlin"


def eur(amount: object) -> Money:
    return Money.of(str(amount), "EUR")


def a_contract(**changes: Any) -> ProjectContract:
    """December to March: a milestone over 30,000, an architect by the hour, a service by the month."""
    made = ProjectContract(
        project=PROJECT, deal="006A", number="00000100", title="Alpenglow rollout", entity="DE01",
        region="DE", currency="EUR", value=eur("62000.00"), signed_on=date(2026, 11, 16),
        starts_on=date(2026, 12, 1), ends_on=date(2027, 3, 31), customer="001A",
        customer_name="Alpenglow AG", rate_card="RC-DE-2026", psa_project="9001", erp_project="netsuite-7",
        lines=(milestone_line(), time_line(), service_line()),
    )  # fmt: skip
    return made.with_changes(**changes)


def milestone_line(**changes: Any) -> ContractLine:
    line = ContractLine(
        id="l1", number=1, name="Design signed off", billing_method=BillingMethod.MILESTONE,
        amount=eur("30000.00"), due_on=date(2027, 1, 29),
    )  # fmt: skip
    return line.with_changes(**changes)


def time_line(**changes: Any) -> ContractLine:
    line = ContractLine(
        id="l2", number=2, name="Architecture", billing_method=BillingMethod.TIME_AND_MATERIALS,
        quantity=Decimal(100), unit_price=Decimal(200), amount=eur("20000.00"), role="Architect",
        starts_on=date(2026, 12, 1), ends_on=date(2027, 2, 26),
    )  # fmt: skip
    return line.with_changes(**changes)


def service_line(**changes: Any) -> ContractLine:
    line = ContractLine(
        id="l3", number=3, name="Managed service", billing_method=BillingMethod.SUBSCRIPTION,
        amount=eur("12000.00"), frequency="monthly",
    )  # fmt: skip
    return line.with_changes(**changes)


def an_entry(key: str, day: date, **changes: Any) -> Billable:
    made = Billable(
        key=f"kantata:time:{key}", kind="time", source="kantata", external_id=key, content_hash=key,
        project=PROJECT, line=2, task_ref="2", entity="DE01", resource="u1", role="Architect", work_date=day,
        quantity=Quantity(amount=Decimal(60), unit="minutes"),
    )  # fmt: skip
    return made.with_changes(**changes)


class FakeInvoicing:
    """Instead of pricing: an hour is 100, retention as the contract says, the advance drawn in full."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[InvoiceInput] = []

    @activity.defn(name="fake.bill")
    async def bill(self, input: InvoiceInput) -> str:
        billing, id = self._store.billing, activity.info().workflow_id or ""
        self.asked.append(input)
        contract = await billing.contract(input.project)
        row = await billing.invoice(id) or InvoiceRow(
            id=id, project=input.project, entity=contract.entity, customer=contract.customer,
            events=input.events, service_from=input.service_from, service_to=input.service_to,
        )  # fmt: skip
        await billing.put_invoice(row)
        rows = [event for event in await billing.events(input.project) if event.key in input.events]
        entries: Sequence[Billable] = []
        if any(event.kind == "time" for event in rows):
            entries = await billing.open_entries(input.project, up_to=input.service_to)
        await billing.cover(id, entries=[entry.key for entry in entries], events=input.events)
        lines = [
            self._line(event.kind, event.line, event.key, event.amount) for event in rows if event.amount
        ]
        lines += [self._line("time", entry.line, entry.key, eur("100.00")) for entry in entries]
        if not lines:
            # As an invoice without anything to bill: its event is void, and its work goes with another.
            await billing.put_invoice(row.with_changes(stage="empty"))
            await billing.release(id)
            for event in rows:
                await billing.void_event(event.key, reason="nothing to bill")
            return "empty"
        lines += await self._held(contract, lines)
        posted = row.with_changes(stage="posted", number=f"INV-{len(self.asked)}", priced=_priced(lines))
        await billing.settle(id, posted)
        return "posted"

    async def _held(self, contract: Any, lines: list[PricedLine]) -> list[PricedLine]:
        work = [one.line.net for one in lines if one.line.kind not in ("advance", "retention_release")]
        net, held = total(work, "EUR"), []
        if contract.terms.retention.tiers and net.amount:
            kept = net.times(contract.terms.retention.tiers[0].percent / 100)
            held.append(self._line("retention", 0, "", -kept))
            net = net - kept
        left = (await self._store.billing.totals(contract.project)).advance_left
        if left.amount and net.amount:
            held.append(self._line("advance_applied", 0, "", -min(left, net)))
        return held

    def _line(self, kind: Any, line: int, key: str, net: Money | None) -> PricedLine:
        kinds = {"psa": "time", "above_cap": "time"}
        draft = DraftLine(
            ref=key or kind, kind=kinds.get(kind, kind), description=kind, net=net, contract_line=line
        )
        return PricedLine(line=draft, shares=(LineShare(key=key, net=net),) if key and net else ())


def _priced(lines: list[PricedLine]) -> PricedInvoice:
    def of(kind: str) -> Money:
        return -total([one.line.net for one in lines if one.line.kind == kind], "EUR")

    net = total([one.line.net for one in lines], "EUR")
    return PricedInvoice(
        lines=tuple(lines), currency="EUR", net=net, tax=eur(0), gross=net, retention=of("retention"),
        advance_applied=of("advance_applied"), adjusted=eur(0), content_hash=str(net),
    )  # fmt: skip


@workflow.defn(name="Invoice")
class PostedAtOnce:
    """Stands for the invoice process."""

    @workflow.run
    async def run(self, input: InvoiceInput) -> str:
        result: str = await workflow.execute_activity(
            "fake.bill", input, start_to_close_timeout=timedelta(seconds=30), result_type=str
        )
        return result


class ReleasingPsa(FakePsa):
    def __init__(self) -> None:
        super().__init__()
        self.released: list[PsaInvoice] = []

    async def released_invoices(self, since: datetime | None, limit: int = 200) -> list[PsaInvoice]:
        return [one for one in self.released if since is None or one.version >= since]


class BillingErp(FakeErp):
    def __init__(self) -> None:
        super().__init__()
        self.invoices: list[InvoiceFacts] = []

    async def project_invoices(self, project_external_id: str) -> list[InvoiceFacts]:
        return self.invoices


class Terms(FirmFile):
    """The firm's file with terms a test sets."""

    terms = BillingTerms(in_arrears=False)

    def billing_terms(self, entity: str, contract_number: str, currency: str) -> BillingTerms:
        return self.terms


@dataclass
class BilledProject:
    """A running project."""

    client: Client
    store: Any
    queue: str
    crm: FakeCrm
    psa: ReleasingPsa
    erp: BillingErp
    file: Terms
    invoicing: FakeInvoicing
    firm: str = field(default_factory=lambda: f"acme-{uuid.uuid4().hex[:8]}")
    """Of its own, as workflow ids are: an invoice of another test may still run."""
    handle: WorkflowHandle[Any, Any] = field(init=False)
    events: int = 0
    last_decision: str = ""

    @property
    def key(self) -> str:
        return f"billing/{self.firm}/{PROJECT}"

    async def start(
        self, contract: ProjectContract | None = None, **options: Any
    ) -> WorkflowHandle[Any, Any]:
        """Start the billing as the activation hands it over."""
        state = ProjectBillingState(
            firm=self.firm, project=PROJECT, deal="006A", customer="001A", correlation="activation/acme/006A",
            contract=contract or a_contract(),
        )  # fmt: skip
        await self.client.start_workflow(
            ProjectBilling.run, state, id=self.key, task_queue=self.queue,
            search_attributes=initial_attributes("billing", state.correlation, stage="open for billing"),
            **options,
        )  # fmt: skip
        self.handle = self.client.get_workflow_handle(self.key)
        return self.handle

    async def decide(self, action: str, actor: str = "ines@firm.example", **fields: Any) -> str:
        """Write a decision row and tell the process its id; the process's answer."""
        id = f"decision-{uuid.uuid4().hex[:12]}"
        update = fields.pop("update", "steer")
        decision = Decision(
            id=id, actor=actor, role="approver", action=action, process=self.key, at=datetime.now(UTC),
            **fields,
        )  # type: ignore[arg-type]  # fmt: skip
        await self.store.decisions.add(decision)
        self.last_decision = id
        answer: str = await self.handle.execute_update(update, DecisionRef(id=id), id=id)
        return answer

    async def tell(self, type: str, data: dict[str, Any], *, at: datetime | None = None) -> str:
        """Put an event into the inbox and signal it, as the gateway does; the row's id."""
        self.events += 1
        version = at or datetime(2027, 1, 29, 16, self.events, tzinfo=UTC)
        id = f"test:e{self.events}"
        body = {
            "specversion": "1.0", "id": f"e{self.events}", "source": "/test", "type": type,
            "data": {"project": PROJECT, "version": version.isoformat(), **data},
        }  # fmt: skip
        await self.store.inbox.put(
            InboxRow(
                id=id, source="test", event_id=f"e{self.events}", type=type, subject=PROJECT, version=version,
                body=body, received_at=version,
            )
        )  # fmt: skip
        await self.handle.signal("event_received", EventRef(id=id, type=type))
        return id

    async def applied(self, id: str) -> InboxRow:
        """Wait until the process has applied this event."""
        async with asyncio.timeout(20):
            while True:
                row: InboxRow = await self.store.inbox.get(id)
                if row.state == "applied":
                    await self.view()
                    return row
                await asyncio.sleep(0.02)

    async def view(self) -> ProjectBillingView:
        handle = self.client.get_workflow_handle_for(ProjectBilling.run, self.key)
        async with asyncio.timeout(20):
            while True:
                try:
                    view: ProjectBillingView = await handle.query(ProjectBilling.status)
                    return view
                except RPCError as error:
                    if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                        raise
                    await asyncio.sleep(0.02)  # a run that has just begun

    async def begun(self) -> ProjectBillingView:
        """Wait until the contract is kept."""
        async with asyncio.timeout(20):
            while not ((view := await self.view()).revision or view.attention):
                await asyncio.sleep(0.02)
            return view

    async def attention(self, count: int = 1) -> Any:
        """Wait until so many exceptions are open, in the store too."""
        async with asyncio.timeout(20):
            while len(shown := list(await self.store.attention.list(process=self.key))) != count:
                await asyncio.sleep(0.02)
            return shown

    async def posted(self, count: int) -> list[InvoiceRow]:
        """Wait until so many invoices are posted; those, oldest first."""
        async with asyncio.timeout(20):
            while len(rows := await self._posted()) < count:
                await asyncio.sleep(0.02)
            return rows

    async def _posted(self) -> list[InvoiceRow]:
        rows = await self.store.billing.invoices(project=PROJECT)
        return sorted(
            [row for row in rows if row.stage == "posted" and row.events], key=lambda row: row.updated_at
        )


@asynccontextmanager
async def virtual_time() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server on which a process's clock is moved by `env.fast_forward(handle, duration)` alone.

    The other time-skipping server leaks a lock when a parent continues as new beside a child that runs on;
    here each process has its own clock, which a child takes over when it is started.
    """
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        plugins=[FairleadPlugin(failure_types=[Exception])],
        dev_server_existing_path=str(find_binary()),
        dev_server_log_level="error",
        # The key is that of this server's version, and experimental like the feature.
        dev_server_extra_args=[
            *tuning_flags(), "--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true",
        ],
    )  # fmt: skip
    async with environment:
        await register(environment.client, ATTRIBUTES)
        yield environment


@asynccontextmanager
async def running_billing(client: Client, store: Any, **worker_options: Any) -> AsyncIterator[BilledProject]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    policy = a_policy(queue)
    policy = policy.with_changes(
        entities=tuple(one.with_changes(time_zone=BERLIN) for one in policy.entities)
    )
    firm = BilledProject(
        client, store, queue, FakeCrm(a_deal()), ReleasingPsa(), BillingErp(), Terms(policy),
        FakeInvoicing(store),
    )  # fmt: skip
    boundary = Boundary(Patience(transient=20.0))

    def effects(port: Any) -> EffectRunner:
        return EffectRunner(port, store, commit_limit=timedelta(milliseconds=100))

    processes = ProcessActivities(store, firm.file)
    billing = ProjectBillingActivities(store, firm.file, firm.file)
    crm = CrmActivities(firm.crm, effects(firm.crm), store, boundary)
    psa = PsaReleasedActivities(firm.psa, effects(firm.psa), store, boundary)
    erp = ErpBillingActivities(firm.erp, effects(firm.erp), store, boundary)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[ProjectBilling, PostedAtOnce],
        activities=[
            processes.open, processes.close, processes.apply_event,
            DecisionActivities(store).claim, AttentionActivities(store).put,
            billing.begin, billing.look, billing.take_event, billing.change_contract, billing.bill_now,
            billing.final_account,
            crm.read_deal, psa.take_released, psa.poll_released, erp.observe_invoices, firm.invoicing.bill,
        ],
        **worker_options,
    )  # fmt: skip
    async with worker:
        yield firm
