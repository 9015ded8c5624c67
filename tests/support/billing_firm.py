"""A worker with every activity of invoices and credit notes over fake systems, on a real Temporal server.

Contracts are put into the store directly, and approved work is taken in as intake would.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.attention import AttentionActivities
from activities.billing_told import CrmBillingActivities, PsaBillingActivities
from activities.boundary import Boundary
from activities.crediting import CreditingActivities
from activities.decisions import DecisionActivities
from activities.effects import EffectRunner
from activities.erp_invoices import ErpInvoiceActivities
from activities.failures import Patience
from activities.invoicing import InvoicingActivities
from activities.prebill import PrebillActivities
from activities.pricing import PricingActivities
from activities.process import ProcessActivities
from domain.attention import Decision, DecisionRef
from domain.billable import Billable
from domain.billing_commands import MarkBilling
from domain.billing_process import (
    CreditInput,
    CreditResult,
    InvoiceInput,
    InvoiceResult,
    credit_id,
    invoice_id,
)
from domain.books import TaxDecision
from domain.invoice_state import BillingEventRow, EventKind, InvoiceRow
from domain.money import Money
from domain.project_contract import BillingTerms, ProjectContract
from domain.quantity import Quantity
from domain.rules.approval import ApprovalNeed, approval_need
from domain.rules.fx import RateTable
from domain.rules.tax import ExpectedTax
from domain.selling import BillingMethod, ContractLine, RateCard, RateCardRole
from serving import methods
from tests.support.activation_firm import FirmFile, a_policy
from tests.support.billing_systems import BillingSystem, Delivery, Ledger
from workflows.credit import InvoiceCredit
from workflows.invoice import Invoice
from workflows.shared.search_attributes import initial_attributes

TODAY = datetime(2027, 2, 1, 8, tzinfo=UTC)
JANUARY = (date(2027, 1, 1), date(2027, 1, 31))
ASKED_BY = "billing@firm.example"
MANAGER = "petra@firm.example"
APPROVER = "karl@firm.example"


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def terms(**changes: Any) -> BillingTerms:
    """Billed at once below 100,000; each test states what it is about."""
    given: dict[str, Any] = {
        "prebill": False,
        "approval_limit": eur(100_000),
        "write_down_limit": eur(500),
        "project_manager": MANAGER,
    }
    return BillingTerms(**{**given, **changes})


def a_contract(project: str, **changes: Any) -> ProjectContract:
    """Architecture by the hour at 200, a milestone of 30,000, and other work by the rate card."""
    by_time = BillingMethod.TIME_AND_MATERIALS
    lines = (
        ContractLine(
            id="l1", number=1, name="Architecture", billing_method=by_time, role="Architect",
            unit_price=Decimal(200),
        ),
        ContractLine(
            id="l2", number=2, name="Design", billing_method=BillingMethod.MILESTONE, amount=eur(30_000)
        ),
        ContractLine(id="l3", number=3, name="Support", billing_method=by_time),
    )  # fmt: skip
    given: dict[str, Any] = {
        "project": project, "deal": "006A", "number": "C-1", "title": "Rollout", "entity": "DE01",
        "region": "DE", "currency": "EUR", "signed_on": date(2026, 12, 1), "starts_on": date(2027, 1, 1),
        "ends_on": date(2027, 12, 31), "customer": "001A", "customer_name": "Alpenglow AG",
        "rate_card": "RC", "lines": lines, "terms": terms(), "psa_project": "77", "erp_customer": "C1",
        "erp_project": "J1",
    }  # fmt: skip
    return ProjectContract(**{**given, **changes})


class Rules:
    """Prices and taxes of the test firm; a test changes them in place."""

    def __init__(self) -> None:
        self.prices = {"Consultant": Decimal(150)}
        self.decision = TaxDecision(
            place="DE", treatment="domestic", code="DE-VAT-19", rate_percent=Decimal(19),
            decided_by="fairlead", on=date(2027, 2, 1),
        )  # fmt: skip

    def rate_cards(self) -> Sequence[RateCard]:
        roles = tuple(RateCardRole(role=role, price=price) for role, price in self.prices.items())
        first, last = date(2026, 1, 1), date(2028, 12, 31)
        return [
            RateCard(code="RC", version="1", currency="EUR", valid_from=first, valid_to=last, roles=roles)
        ]

    def expected_tax(self, contract: ProjectContract, net: Money, on: date) -> ExpectedTax:
        return ExpectedTax(decision=self.decision)

    def approval_need(self, total: Money, contract: ProjectContract, on: date) -> ApprovalNeed:
        limit = contract.terms.approval_limit
        limits = {limit.currency: limit.amount} if limit else {}
        return approval_need(total, limits, contract.currency, RateTable([]), on)


@dataclass
class BillingFirm:
    """A running firm with one project."""

    client: Client
    store: Any
    queue: str
    file: FirmFile
    rules: Rules = field(default_factory=Rules)
    crm: BillingSystem = field(default_factory=lambda: BillingSystem("salesforce"))
    psa: Delivery = field(default_factory=Delivery)
    erp: Ledger = field(default_factory=Ledger)
    project: str = field(default_factory=lambda: f"DE01-{uuid.uuid4().hex[:6].upper()}")

    # -- what there is to bill --------------------------------------------------------------------

    async def contract(self, **changes: Any) -> ProjectContract:
        contract = a_contract(changes.pop("project", self.project), **changes)
        await self.store.billing.put_contract(contract)
        return contract

    async def work(self, id: str, hours: object = 10, **changes: Any) -> str:
        """Take in approved time; returns its key."""
        given: dict[str, Any] = {
            "key": f"kantata:time:{id}", "kind": "time", "source": "kantata", "external_id": id,
            "content_hash": f"{id}/{hours}", "version": TODAY, "project": self.project, "line": 1,
            "entity": "DE01", "resource": "ada", "role": "Architect", "work_date": date(2027, 1, 12),
            "quantity": Quantity(amount=Decimal(str(hours)), unit="hours"), "approved_at": TODAY,
        }  # fmt: skip
        entry = Billable(**{**given, **changes})
        taken = await self.store.billing.take_in([entry])
        assert taken.new + taken.replaced == 1, taken
        return entry.key

    async def expense(self, id: str, amount: object, **changes: Any) -> str:
        key = f"kantata:expense:{id}"
        spent = {"key": key, "kind": "expense", "quantity": None, "amount": eur(amount), **changes}
        return await self.work(id, amount, **spent)

    async def event(
        self, kind: EventKind, occasion: str, amount: object = None, line: int = 0, **changes: Any
    ) -> str:
        """Add a billing event; returns its key."""
        event = BillingEventRow(
            key=f"{self.project}/{line}/{occasion}/1", project=self.project, line=line, kind=kind,
            occasion=occasion, amount=None if amount is None else eur(amount), due_on=date(2027, 2, 1),
            service_from=JANUARY[0], service_to=JANUARY[1], **changes,
        )  # fmt: skip
        await self.store.billing.add_event(event)
        return event.key

    async def cycle(self, occasion: str = "2027-01") -> str:
        """The time event of a month."""
        return await self.event("time", occasion)

    # -- invoices ---------------------------------------------------------------------------------

    async def bill(self, *events: str, to: date = JANUARY[1], **options: Any) -> WorkflowHandle[Any, Any]:
        """Start the invoice of `events`, as the project's billing does."""
        id = invoice_id("acme", events[0])
        return await self.client.start_workflow(
            Invoice.run,
            InvoiceInput(
                firm="acme", project=self.project, events=events, service_from=JANUARY[0], service_to=to,
                requested_by=ASKED_BY,
            ),
            id=id,
            task_queue=self.queue,
            search_attributes=initial_attributes("invoice", id),
            **options,
        )  # fmt: skip

    async def awaiting_approval(self) -> WorkflowHandle[Any, Any]:
        """The invoice of January, released by its manager and waiting for its approval."""
        handle = await self.bill(await self.cycle())
        await self.reached(handle, "pre-bill review")
        await self.decide(handle, "prebill", "release_prebill")
        await self.reached(handle, "awaiting approval", attention=1)
        return handle

    async def billed(self, *events: str, to: date = JANUARY[1]) -> InvoiceResult:
        """Bill `events` to the end."""
        return InvoiceResult.model_validate(await finish(await self.bill(*events, to=to)))

    async def credit(self, invoice: str, **asked: Any) -> WorkflowHandle[Any, Any]:
        given: dict[str, Any] = {
            "firm": "acme", "invoice": invoice, "reason": "billing_error", "reason_text": "wrong",
            "requested_by": ASKED_BY,
        }  # fmt: skip
        request = CreditInput(**{**given, **asked})
        id = credit_id("acme", request)
        return await self.client.start_workflow(
            InvoiceCredit.run,
            request,
            id=id,
            task_queue=self.queue,
            search_attributes=initial_attributes("credit", id),
        )

    async def credited(self, invoice: str, **asked: Any) -> CreditResult:
        """Credit to the end, approved by another person."""
        handle = await self.credit(invoice, **asked)
        await self.reached(handle, "awaiting approval", attention=1)
        await self.decide(handle, "approve", "approve", actor=APPROVER)
        return CreditResult.model_validate(await finish(handle))

    async def row(self, id: str) -> InvoiceRow:
        row = await self.store.billing.invoice(id)
        assert row is not None, id
        return InvoiceRow.model_validate(row)

    async def open_keys(self) -> list[str]:
        """What is on no live invoice: entries and events."""
        far = date(2029, 1, 1)
        entries = await self.store.billing.open_entries(self.project, up_to=far)
        events = await self.store.billing.events(self.project, open_only=True)
        return sorted([entry.key for entry in entries] + [event.key for event in events])

    @property
    def told(self) -> list[MarkBilling]:
        """What the CRM was told."""
        return [command for _, command in self.crm.applied if isinstance(command, MarkBilling)]

    # -- people -----------------------------------------------------------------------------------

    async def decide(
        self, handle: WorkflowHandle[Any, Any], update: str, action: str, actor: str = MANAGER, **fields: Any
    ) -> str:
        """Write a decision row and tell the process its id; returns the decision's id."""
        id = f"decision-{uuid.uuid4().hex[:12]}"
        given = {"id": id, "actor": actor, "role": "approver", "action": action, "process": handle.id}
        decision = Decision.model_validate({**given, "at": datetime.now(UTC), **fields})
        await self.store.decisions.add(decision)
        await handle.execute_update(update, DecisionRef(id=id))
        return id

    async def agreed(self, handle: WorkflowHandle[Any, Any], action: str, target: str, **fields: Any) -> None:
        """A decision on an exception that needs two persons, by both."""
        first = await self.decide(handle, "resolve", action, target=target, **fields)
        await self.decide(handle, "second", "second", target=first, actor=APPROVER)

    async def reached(self, handle: WorkflowHandle[Any, Any], stage: str, *, attention: int = 0) -> Any:
        """Wait until it is at `stage` with `attention` open exceptions, in the store too; its view."""
        view = None
        try:
            async with asyncio.timeout(20):
                while True:
                    view = await self.view(handle)
                    if view and view.stage == stage and len(view.attention) == attention:
                        shown = await self.store.attention.list(process=handle.id)
                        if len(shown) == attention:
                            return view
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not at {stage} with {attention}: {view}") from None

    async def view(self, handle: WorkflowHandle[Any, Any]) -> Any:
        """Its status; None before its first workflow task has run."""
        status: Any = Invoice.status if handle.id.startswith("invoice/") else InvoiceCredit.status
        try:
            return await handle.query(status)
        except RPCError:
            return None


def reason_of(caught: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str:
    """Why a decision was refused."""
    return str(caught.value.__cause__)


async def finish(handle: WorkflowHandle[Any, Any]) -> Any:
    async with asyncio.timeout(30):
        return await handle.result()


@asynccontextmanager
async def running_billing(client: Client, store: Any, **worker_options: Any) -> AsyncIterator[BillingFirm]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    firm = BillingFirm(client, store, queue, FirmFile(a_policy(queue)))
    boundary = Boundary(Patience(transient=20.0))

    def effects(port: Any) -> EffectRunner:
        return EffectRunner(port, store, commit_limit=timedelta(milliseconds=100))

    ports: tuple[tuple[Any, Any], ...] = (
        (ErpInvoiceActivities, firm.erp),
        (PsaBillingActivities, firm.psa),
        (CrmBillingActivities, firm.crm),
    )
    holders = [
        ProcessActivities(store, firm.file),
        DecisionActivities(store),
        AttentionActivities(store),
        InvoicingActivities(store),
        PrebillActivities(store),
        PricingActivities(store, firm.rules, clock=lambda: TODAY),
        CreditingActivities(store, clock=lambda: TODAY),
        *(kind(port, effects(port), store, boundary) for kind, port in ports),
    ]
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Invoice, InvoiceCredit],
        activities=[activity for holder in holders for activity in methods(holder)],
        **worker_options,
    )
    async with worker:
        yield firm
