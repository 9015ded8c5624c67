"""What is recorded of a project's procurement: a life with its decisions, an end, a poll of all orders."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.money import Money
from domain.ticks import PurchaseOrdersTick
from tests.support.activation_firm import Firm, a_deal
from tests.support.procurement_firm import LINE, procuring, running_procurement
from workflows.tick import PollPurchaseOrders

Handle = WorkflowHandle[Any, Any]
CONTRACT_CHANGED = "contract.changed"


async def procured(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Over several runs: supplier stated, refusal, smaller contract, another order, accepted, closed."""
    async with running_procurement(firm.client, firm.store) as buying:
        first = await buying.start(_with_line(supplier="Willow Ltd"))
        (item,) = (await buying.at("need", attention=1)).attention
        await buying.decide("correct", item.id, payload={f"lines[{LINE}].supplier": "S-1"})
        id = await buying.requested()
        buying.buying.decide(id, "rejected", "too dear")
        await buying.event()
        (item,) = (await buying.at("rejected", attention=1)).attention
        await buying.agreed("correct", item.id, payload={f"lines[{LINE}].cost_rate": "100"})
        view = await buying.until(lambda view: view.lines[0].round == 2 and bool(view.lines[0].requisition))
        buying.crm.deal = _with_line(quantity=Decimal(20), supplier="S-1")
        await buying.event(kind=CONTRACT_CHANGED)
        view = await buying.until(lambda view: view.lines[0].round == 3 and bool(view.lines[0].requisition))
        assert view.lines[0].amount == Money.of("2000.00", "EUR")
        order = buying.buying.order(view.lines[0].requisition, supplier="S-2")
        await buying.event()
        (item,) = (await buying.at("ordered", attention=1)).attention
        buying.buying.change(order, supplier="S-1", state="accepted")
        await buying.decide("retry", item.id)
        await buying.at("accepted")
        await buying.handle.signal("close")
        await buying.ended()
        begun = firm.client.get_workflow_handle(buying.process, run_id=first.first_execution_run_id)
        last = firm.client.get_workflow_handle(buying.process, run_id=(await buying.handle.describe()).run_id)
        return [begun] if begun.run_id == last.run_id else [begun, last]


async def purchases_taken_back(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Cancelled with an order that its supplier has accepted: a person ends it."""
    async with running_procurement(firm.client, firm.store) as buying:
        await buying.start()
        order = buying.buying.order(await buying.requested(), state="accepted")
        await buying.event()
        await buying.at("accepted")
        await buying.decide("cancel", reason="deal lost")
        await buying.at("accepted", attention=1)
        buying.buying.change(order, state="cancelled")
        await buying.event()
        await buying.ended()
        return [buying.handle]


async def requisitions_requested(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """An activation whose firm names a system for procurement, cancelled with all it did."""
    async with procuring(firm):
        handle = await firm.start()
        await firm.reached("awaiting staffing")
        await firm.decide("cancel", "cancel", reason="signed by mistake")
        await handle.result()
        return [handle]


async def orders_polled(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """What a schedule starts."""
    async with running_procurement(firm.client, firm.store) as buying:
        handle = await firm.client.start_workflow(
            PollPurchaseOrders.run,
            PurchaseOrdersTick(firm="acme", system="coupa", task_queue=buying.queue),
            id=f"tick/poll-purchase-orders/acme/{uuid.uuid4().hex[:8]}",
            task_queue=buying.queue,
        )
        await handle.result()
        return [handle]


def _with_line(**changes: Any) -> Any:
    deal = a_deal()
    assert deal.contract is not None
    lines = tuple(line.with_changes(**changes) if str(line.number) == LINE else line for line in deal.lines)
    return deal.with_changes(contract=deal.contract.with_changes(lines=lines))
