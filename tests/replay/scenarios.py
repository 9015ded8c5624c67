"""What is recorded: each scenario drives its processes and returns those whose histories are kept."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.boundary import Boundary
from activities.crm import CrmActivities
from activities.effects import EffectRunner
from connectors.errors import Rejected
from domain.attention import EventRef
from domain.delivery import StaffingAnswer
from domain.money import Money
from domain.ticks import DealPollTick, IntakeTick
from tests.replay import (
    billing_scenarios,
    invoice_scenarios,
    people_scenarios,
    procurement_scenarios,
    watch_scenarios,
)
from tests.support.activation_firm import NOW, Firm, a_deal
from tests.support.intake_firm import activated, expense, running_intake, time_entry
from workflows.intake_tick import WakeTimePosting
from workflows.tick import PollSignedDeals

Handle = WorkflowHandle[Any, Any]
Scenario = Callable[[WorkflowEnvironment, Firm], Awaitable[Sequence[Handle]]]


async def happy(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """From the signed deal to the hand-over; procurement is closed, billing waits for what falls due."""
    handle = await _awaiting_staffing(firm)
    await firm.decide("approve_staffing", "approve_staffing")
    result = await _finish(handle)
    billing, procurement = (firm.client.get_workflow_handle(id) for id in result["handed_over"])
    await procurement.signal("close")
    await _finish(procurement)
    return [handle, billing, procurement]


async def waiting(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Open: an event has arrived, and staffing is not approved yet."""
    handle = await _awaiting_staffing(firm)
    await handle.signal("event_received", EventRef(id="sf:gone", type="deal.changed"))
    return [handle]


async def red_gate_corrected_by_two(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """The contract's value is wrong; one person corrects it, another agrees."""
    firm.crm.deal = a_deal(contract=_contract().with_changes(value=Money.of("61000.00", "EUR")))
    handle = await firm.start()
    view = await firm.reached("gates before creation", attention=1)
    correction = {"contract.value": "60000.00"}
    target = view.attention[0].id
    first = await firm.decide("resolve", "correct", target=target, payload=correction, reason="typo")
    await firm.decide("second", "second", target=first, actor="karl@firm.example")
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    await _finish(handle)
    return [handle]


async def red_gate_handed_over_and_skipped(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    firm.crm.deal = a_deal(customer=a_deal().customer.with_changes(credit_hold=True))
    handle = await firm.start()
    target = (await firm.reached("gates before creation", attention=1)).attention[0].id
    owner = {"owner": "enterprise_architecture"}
    await firm.decide("resolve", "hand_over", target=target, payload=owner, reason="their data")
    skip = await firm.decide("resolve", "skip", target=target, reason="released by phone")
    await firm.decide("second", "second", target=skip, actor="karl@firm.example", role="controller")
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    await _finish(handle)
    return [handle]


async def refused_write_retried(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    firm.erp.fail("erp.project", Rejected("no base rate for 2026-12", system="netsuite", field="currency"))
    handle = await firm.start()
    target = (await firm.reached("creating", attention=1)).attention[0].id
    await firm.decide("resolve", "retry", target=target)
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    await _finish(handle)
    return [handle]


async def cancelled_with_undo(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    handle = await _awaiting_staffing(firm)
    await firm.decide("cancel", "cancel", reason="signed by mistake")
    await _finish(handle)
    return [handle]


async def cancelled_by_temporal(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    handle = await _awaiting_staffing(firm)
    await handle.cancel()
    await _closed(handle, WorkflowExecutionStatus.CANCELED)
    return [handle]


async def failed_undo_settled_by_hand(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    firm.erp.fail("erp.project/1/undo", *[Rejected("has transactions", system="netsuite")] * 9)
    handle = await _awaiting_staffing(firm)
    await firm.decide("cancel", "cancel", reason="stop")
    target = (await firm.reached("cancelling", attention=1)).attention[0].id
    skip = await firm.decide("resolve", "skip", target=target, reason="made inactive by hand")
    await firm.decide("second", "second", target=skip, actor="karl@firm.example")
    await _finish(handle)
    return [handle]


async def staffing_polled(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Nobody tells us that staffing has answered: the PSA is asked again after a while."""
    handle = await firm.start(run_timeout=timedelta(days=30))
    with env.auto_time_skipping_disabled():
        await firm.reached("awaiting staffing")
    await env.sleep(timedelta(minutes=16))
    with env.auto_time_skipping_disabled():
        await firm.reached("awaiting staffing")
        firm.psa.answers = [
            StaffingAnswer(request_external_id=record.external_id, state="approved")
            for key, (_, record) in firm.psa.records.items()
            if "psa.request" in key
        ]
    await env.sleep(timedelta(minutes=31))
    with env.auto_time_skipping_disabled():
        await _finish(firm.client.get_workflow_handle(firm.process))
    return [handle]


async def polled(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """What a schedule starts."""
    effects = EffectRunner(firm.crm, firm.store, commit_limit=timedelta(seconds=1))
    crm = CrmActivities(firm.crm, effects, firm.store, Boundary(), clock=lambda: NOW)
    queue = f"{firm.queue}-tick"
    async with Worker(
        firm.client, task_queue=queue, workflows=[PollSignedDeals], activities=[crm.poll_signed_deals]
    ):
        handle = await firm.client.start_workflow(
            PollSignedDeals.run,
            DealPollTick(system="salesforce", task_queue=queue),
            id=f"tick/poll-deals/acme/{uuid.uuid4().hex[:8]}",
            task_queue=queue,
        )
        await _finish(handle)
    return [handle]


async def time_posted(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Two drains over several runs, woken by a tick: a feed that fails, refused time that comes in later."""
    async with running_intake(firm.client, firm.store) as intake:
        await activated(firm.store)
        psa = intake.psa
        psa.approve(*(time_entry(f"t{number}", resource=f"u{number}") for number in range(7)))
        psa.approve(time_entry("late", task_open=False), expense())
        psa.failures[2] = Rejected("the scope time:read is missing", system=psa.system)
        first = await intake.start(slice_pages=2, slices_per_run=3)
        blocked = await intake.until(lambda view: view.blocked)
        await intake.decide("retry", blocked.attention[0].id)
        await intake.drained()
        psa.edit(time_entry("late"))
        tick = await firm.client.start_workflow(
            WakeTimePosting.run,
            IntakeTick(firm=intake.firm, system=psa.system),
            id=f"tick/post-time/{intake.firm}",
            task_queue=intake.queue,
        )
        await tick.result()
        await intake.until(lambda view: view.served == 2)
        last = firm.client.get_workflow_handle(intake.process, run_id=(await first.describe()).run_id)
        begun = firm.client.get_workflow_handle(intake.process, run_id=first.first_execution_run_id)
        return [tick, begun, last]


async def people_synced(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Two syncs over several runs, woken by a tick; a side that fails, and a difference that heals."""
    return await people_scenarios.people_synced(firm)


ON_DEV_SERVER: dict[str, Scenario] = {
    "happy": happy,
    "waiting": waiting,
    "red-gate-corrected-by-two": red_gate_corrected_by_two,
    "red-gate-handed-over-and-skipped": red_gate_handed_over_and_skipped,
    "refused-write-retried": refused_write_retried,
    "cancelled-with-undo": cancelled_with_undo,
    "cancelled-by-temporal": cancelled_by_temporal,
    "failed-undo-settled-by-hand": failed_undo_settled_by_hand,
    "billed": billing_scenarios.billed,
    "taken-over": billing_scenarios.taken_over,
    "released-polled": billing_scenarios.released_polled,
    "invoiced": invoice_scenarios.invoiced,
    "invoice-cured": invoice_scenarios.invoice_cured,
    "invoice-differs": invoice_scenarios.invoice_differs,
    "invoice-discarded": invoice_scenarios.invoice_discarded,
    "invoice-waiting": invoice_scenarios.invoice_waiting,
    "invoice-cancelled-by-temporal": invoice_scenarios.invoice_cancelled_by_temporal,
    "nothing-invoiced": invoice_scenarios.nothing_invoiced,
    "credit-redated": invoice_scenarios.credit_redated,
    "credit-rejected": invoice_scenarios.credit_rejected,
    "credit-refused": invoice_scenarios.credit_refused,
    "procured": procurement_scenarios.procured,
    "purchases-taken-back": procurement_scenarios.purchases_taken_back,
    "requisitions-requested": procurement_scenarios.requisitions_requested,
    "orders-polled": procurement_scenarios.orders_polled,
    "polled": polled,
    "time-posted": time_posted,
    "watched": watch_scenarios.watched,
    "watched-in-part": watch_scenarios.watched_in_part,
    "people-synced": people_synced,
}
WITH_TIME_SKIPPING: dict[str, Scenario] = {"staffing-polled": staffing_polled}
IN_VIRTUAL_TIME: dict[str, Scenario] = {"months": billing_scenarios.months}


async def _awaiting_staffing(firm: Firm) -> Handle:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    return handle


async def _finish(handle: Handle) -> Any:
    async with asyncio.timeout(30):
        result = await handle.result()
    return result if isinstance(result, dict) or result is None else dict(result)


async def _closed(handle: Handle, status: WorkflowExecutionStatus) -> None:
    async with asyncio.timeout(30):
        while (await handle.describe()).status is not status:
            await asyncio.sleep(0.05)


def _contract() -> Any:
    return a_deal().contract
