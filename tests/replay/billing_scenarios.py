"""What is recorded of a project's billing: a life with its decisions, months of a calendar, a takeover."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.boundary import Boundary
from activities.psa_released import PsaReleasedActivities
from domain.calendar import months_later
from domain.intake import PsaInvoice
from domain.project_processes import HoldRequest, ProjectBillingState
from domain.ticks import ReleasedInvoicesTick
from tests.support.activation_firm import Firm
from tests.support.project_billing_firm import (
    BilledProject,
    a_contract,
    eur,
    milestone_line,
    running_billing,
    service_line,
    time_line,
)
from workflows.project_billing import ProjectBilling
from workflows.shared.search_attributes import initial_attributes
from workflows.tick import PollReleasedInvoices

Handle = WorkflowHandle[Any, Any]
ACCEPTED = {
    "document": "https://documents.example/4711.pdf",
    "accepted_by": "it.lead@alpenglow.example",
    "accepted_on": "2026-11-20",
}


async def billed(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Milestones, a hold, an exception left by two, a signed change, an invoice of the PSA, the end."""
    async with running_billing(firm.client, firm.store) as billing:
        deal = billing.crm.deal
        assert deal is not None
        lines = (milestone_line(), milestone_line(id="l2", number=2, name="Go live"))
        by_psa = time_line(number=3, billing_authority="psa", amount=eur("100.00"))
        handle = await billing.start(a_contract(lines=(*lines, by_psa), value=eur("60000.00")))
        await billing.begun()
        first = await _current(billing)
        await _milestones(billing)
        await _changed(billing, deal)
        billing.psa.released = [
            PsaInvoice(
                external_id="20481", number="K-17", project_external_id="9001", currency="EUR",
                net=eur("50.00"), state="released", dated=date(2026, 11, 20),
                version=datetime(2026, 11, 20, 8, tzinfo=UTC),
            )
        ]  # fmt: skip
        at = billing.psa.released[0].version
        await billing.applied(await billing.tell("psa.invoice_released", {"invoice": "20481"}, at=at))
        await billing.posted(3)
        await billing.decide("bill_now")
        await billing.decide("close", reason="delivered")
        await _finish(handle)
        last = await _current(billing)
        child = firm.client.get_workflow_handle((await billing.posted(3))[0].id)
        assert (await child.describe()).status is WorkflowExecutionStatus.COMPLETED
        return [first, last]


async def _milestones(billing: BilledProject) -> None:
    """Two on hold, told twice; a third that there is not."""
    await billing.decide("hold", reason="disputed")
    for milestone in ("2", "1", "2", "7"):
        await billing.applied(await billing.tell("milestone.accepted", {**ACCEPTED, "milestone": milestone}))
    (item,) = await billing.attention()
    await billing.decide("release")
    await billing.posted(2)
    await billing.decide("skip", update="resolve", target=item.id, reason="sent by mistake")
    first = billing.last_decision
    await billing.decide("second", update="second", target=first, actor="karl@firm.example")
    await billing.attention(0)


async def _changed(billing: BilledProject, deal: Any) -> None:
    """An order that is not signed, and then is."""
    added = milestone_line(id="o1", number=9, name="Second site", amount=eur("8000.00"))
    order = deal.contract.with_changes(number="00000101", lines=(added,), value=eur("8000.00"))
    billing.crm.deal = deal.with_changes(external_id="006B", kind="change_order", won=False, contract=order)
    await billing.applied(await billing.tell("contract.changed", {"deal": "006B"}))
    (item,) = await billing.attention()
    billing.crm.deal = billing.crm.deal.with_changes(won=True) if billing.crm.deal else None
    await billing.decide("retry", update="resolve", target=item.id)
    await billing.attention(0)


async def taken_over(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """A run of 0.1.0, without a contract: the first thing it meets makes it read its contract."""
    async with running_billing(firm.client, firm.store) as billing:
        state = ProjectBillingState(
            firm="acme", project="DE01-7K3QXW", deal="006A", customer="001A", correlation=firm.process
        )
        handle = await firm.client.start_workflow(
            ProjectBilling.run,
            state,
            id=billing.key,
            task_queue=billing.queue,
            search_attributes=initial_attributes("billing", firm.process),
        )
        billing.handle = firm.client.get_workflow_handle(billing.key)
        first = firm.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        await billing.handle.signal("hold", HoldRequest(reason="disputed"))
        await _closed(first, WorkflowExecutionStatus.CONTINUED_AS_NEW)
        async with asyncio.timeout(20):
            while (view := await billing.view()).revision != 1:
                await asyncio.sleep(0.02)
        assert view.on_hold
        return [first, await _current(billing)]


async def months(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Cycles and periods, an advance, and what the ERP bills of a line of its own; a run each month."""
    async with running_billing(firm.client, firm.store) as billing:
        start = (datetime.now(UTC).date().replace(day=1) + timedelta(days=32)).replace(day=1)
        by_erp = service_line(id="l9", number=9, name="Hosting", billing_authority="erp")
        lines = (time_line(starts_on=None, ends_on=None), service_line(), by_erp)
        await billing.start(a_contract(lines=lines, starts_on=start, ends_on=months_later(start, 6)))
        await billing.begun()
        first = await _current(billing)
        for month in range(2):
            now = await env.get_current_time(billing.handle)
            day = months_later(start, month)
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            assert await env.fast_forward(billing.handle, noon - now)
            await billing.posted(1 + month)
            await billing.attention(1)
        return [first, await _current(billing)]


async def released_polled(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """What a schedule starts."""
    async with running_billing(firm.client, firm.store) as billing:
        psa = PsaReleasedActivities(billing.psa, None, firm.store, Boundary())  # type: ignore[arg-type]
        queue = f"{billing.queue}-tick"
        async with Worker(
            firm.client, task_queue=queue, workflows=[PollReleasedInvoices], activities=[psa.poll_released]
        ):
            handle = await firm.client.start_workflow(
                PollReleasedInvoices.run,
                ReleasedInvoicesTick(system="kantata", task_queue=queue),
                id=f"tick/poll-released-invoices/acme/{uuid.uuid4().hex[:8]}",
                task_queue=queue,
            )
            async with asyncio.timeout(30):
                await handle.result()
        return [handle]


async def _current(billing: BilledProject) -> Handle:
    run = (await billing.handle.describe()).run_id
    return billing.client.get_workflow_handle(billing.key, run_id=run)


async def _finish(handle: Handle) -> None:
    async with asyncio.timeout(30):
        await handle.result()


async def _closed(handle: Handle, status: WorkflowExecutionStatus) -> None:
    async with asyncio.timeout(30):
        while (await handle.describe()).status is not status:
            await asyncio.sleep(0.05)
