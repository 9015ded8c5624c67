"""A worker with subcontractor procurement over a fake procurement system, on a real Temporal server."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.attention import AttentionActivities
from activities.boundary import Boundary
from activities.crm import CrmActivities
from activities.decisions import DecisionActivities
from activities.effects import EffectRunner
from activities.failures import Patience
from activities.process import ProcessActivities
from activities.procurement import ProcurementActivities
from activities.procurement_rows import ProcurementRowActivities
from domain import activation, procurement
from domain.attention import Decision, DecisionAction, DecisionRef, EventRef
from domain.policy import ProcurementLimits, Route
from domain.procurement_events import ORDER_CHANGED
from domain.procurement_process import PROCUREMENT, ProcurementState, ProcurementView
from domain.selling import Deal
from store.ports import InboxRow
from tests.support.activation_firm import (
    NOW,
    FakeCrm,
    Firm,
    FirmFile,
    a_deal,
    a_policy,
)
from tests.support.buying_systems import FakeBuying
from workflows.shared.search_attributes import initial_attributes
from workflows.subcontractor_procurement import SubcontractorProcurement
from workflows.tick import PollPurchaseOrders

LINE = "3"
"""The line of a supplier in the deal of the tests."""
LIMITS = ProcurementLimits(approval_hours=72, acceptance_hours=120, poll_minutes=15)


@dataclass
class ProcurementFirm:
    """A running firm: a fake procurement system and CRM, a real store, a real worker."""

    client: Client
    store: Any
    queue: str
    crm: FakeCrm
    buying: FakeBuying
    file: FirmFile
    activities: ProcurementActivities
    project: str = field(default_factory=lambda: f"DE01-{uuid.uuid4().hex[:6].upper()}")

    @property
    def process(self) -> str:
        return f"procurement/acme/{self.project}"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.process)

    async def start(self, deal: Deal | None = None, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start as the activation would that has requested nothing yet."""
        needs = activation.purchase_needs(deal or a_deal())
        state = ProcurementState(
            firm="acme", project=self.project, correlation="activation/acme/006A", system="coupa",
            entity="DE01", deal="006A", lines=procurement.lines_of(needs, (), NOW),
        )  # fmt: skip
        return await self.client.start_workflow(
            SubcontractorProcurement.run, state, id=self.process, task_queue=self.queue,
            search_attributes=initial_attributes(PROCUREMENT, self.process), **options,
        )  # fmt: skip

    async def view(self) -> ProcurementView:
        view: ProcurementView = await self.handle.query("status", result_type=ProcurementView)
        return view

    async def until(self, reached: Callable[[ProcurementView], bool]) -> ProcurementView:
        async with asyncio.timeout(20):
            while True:
                try:
                    view = await self.view()
                except RPCError:  # the first workflow task has not run yet
                    view = None
                if view is not None and reached(view):
                    return view
                await asyncio.sleep(0.02)

    async def at(self, *states: str, attention: int = 0) -> ProcurementView:
        """Wait until its lines are in `states`, in order, with so many open exceptions."""
        return await self.until(
            lambda view: (
                tuple(line.state for line in view.lines) == states and len(view.attention) == attention
            )
        )

    async def requested(self) -> str:
        """Wait for the requisition of the first line; its id in procurement."""
        return (await self.at("requested")).lines[0].requisition

    async def event(self, id: str = "", kind: str = ORDER_CHANGED) -> EventRef:
        """Something has changed, as the gateway tells it; the same `id` is the same event."""
        event = id or f"coupa:{uuid.uuid4().hex[:8]}"
        await self.store.inbox.put(
            InboxRow(
                id=event, source="coupa", event_id=event.partition(":")[2], type=kind,
                subject=self.project, version=NOW,
                body={}, received_at=NOW,
            )
        )  # fmt: skip
        ref = EventRef(id=event, type=kind)
        await self.handle.signal("event_received", ref)
        return ref

    async def decide(
        self, action: DecisionAction, target: str = "", actor: str = "tom@firm.example", **fields: Any
    ) -> str:
        """Write a decision row and tell the process its id; returns the decision's id."""
        id = f"decision-{uuid.uuid4().hex[:12]}"
        decision = Decision(
            id=id, actor=actor, role="approver", action=action, process=self.process, target=target,
            at=datetime.now(UTC), **fields,
        )  # fmt: skip
        await self.store.decisions.add(decision)
        update = action if action in ("cancel", "second") else "resolve"
        await self.handle.execute_update(update, DecisionRef(id=id))
        return id

    async def agreed(self, action: DecisionAction, target: str, **fields: Any) -> None:
        """A decision that takes two."""
        first = await self.decide(action, target, **fields)
        await self.decide("second", first, actor="karl@firm.example")

    async def ended(self) -> Any:
        async with asyncio.timeout(20):
            return await self.handle.result()

    async def effects(self) -> list[tuple[str, str]]:
        """Step and state of everything that was written."""
        rows = await self.store.effects.list(self.process)
        return [(row.key.split("/", 3)[-1], row.state) for row in rows]


@asynccontextmanager
async def running_procurement(
    client: Client, store: Any, limits: ProcurementLimits = LIMITS, **worker_options: Any
) -> AsyncIterator[ProcurementFirm]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    policy = a_policy(queue)
    routes = (*policy.routes, Route(role="procurement", system="coupa", task_queue=queue))
    file = FirmFile(policy.with_changes(routes=routes, procurement=limits))
    crm, buying, boundary = FakeCrm(a_deal()), FakeBuying(), Boundary(Patience(transient=20.0))

    def effects(port: Any) -> EffectRunner:
        return EffectRunner(port, store, commit_limit=timedelta(milliseconds=100))

    processes, decisions = ProcessActivities(store, file), DecisionActivities(store)
    reads = CrmActivities(crm, effects(crm), store, boundary)
    asks = ProcurementActivities(buying, effects(buying), store, boundary, file)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[SubcontractorProcurement, PollPurchaseOrders],
        activities=[
            processes.open, processes.close, processes.apply_event, decisions.claim,
            AttentionActivities(store).put, ProcurementRowActivities(store).record, reads.read_deal,
            asks.request, asks.withdraw, asks.withdraw_all, asks.read, asks.poll_orders,
        ],
        **worker_options,
    )  # fmt: skip
    async with worker:
        yield ProcurementFirm(client, store, queue, crm, buying, file, asks)


@asynccontextmanager
async def procuring(firm: Firm) -> AsyncIterator[FakeBuying]:
    """Procurement for a firm that activates deals, on a queue of its own."""
    buying, queue, policy = FakeBuying(), f"{firm.queue}.coupa", firm.file.policy
    routes = (*policy.routes, Route(role="procurement", system="coupa", task_queue=queue))
    firm.file.policy = policy.with_changes(routes=routes)
    runner = EffectRunner(buying, firm.store, commit_limit=timedelta(milliseconds=100))
    asks = ProcurementActivities(buying, runner, firm.store, Boundary(Patience(transient=20.0)), firm.file)
    written: list[Callable[..., Any]] = [asks.request, asks.withdraw, asks.withdraw_all, asks.read]
    async with Worker(firm.client, task_queue=queue, activities=written):
        yield buying
