"""What is recorded of invoices and credit notes: the ways through them that differ in their commands."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Rejected
from tests.support.activation_firm import Firm
from tests.support.billing_firm import APPROVER, BillingFirm, eur, finish, running_billing, terms

Handle = WorkflowHandle[Any, Any]


async def invoiced(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Reviewed, approved, posted and told; credited whole, and billed again."""
    async with running_billing(env.client, firm.store) as billing:
        handle = await _reviewed(billing)
        await billing.decide(handle, "prebill", "release_prebill")
        await billing.reached(handle, "awaiting approval", attention=1)
        await billing.decide(handle, "approve", "approve", actor=APPROVER)
        await finish(handle)
        credit = await billing.credit(handle.id, rebill=True)
        await billing.reached(credit, "awaiting approval", attention=1)
        await billing.decide(credit, "approve", "approve", actor=APPROVER)
        again = billing.client.get_workflow_handle((await finish(credit)).rebilled_as)
        await billing.reached(again, "pre-bill review")
        await billing.decide(again, "cancel", "cancel", reason="not yet")
        await finish(again)
        return [handle, credit]


async def invoice_cured(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """A rate is missing, the approval is voided by a change, and the period is closed."""
    async with running_billing(env.client, firm.store) as billing:
        billing.erp.closed_before = date(2027, 3, 1)
        handle = await _reviewed(billing, line=3, role="Wizard")
        await billing.decide(handle, "prebill", "release_prebill")
        blocked = (await billing.reached(handle, "pricing", attention=1)).attention[0]
        billing.rules.prices["Wizard"] = Decimal(300)
        await billing.decide(handle, "resolve", "retry", target=blocked.id)
        await billing.reached(handle, "awaiting approval", attention=1)
        down = {"amount": "600.00"}
        first = await billing.decide(handle, "prebill", "write_down", target="kantata:time:1", payload=down)
        await billing.decide(handle, "second", "second", target=first, actor="olga@firm.example")
        await billing.reached(handle, "awaiting approval", attention=1)
        await billing.decide(handle, "approve", "approve", actor=APPROVER)
        closed = (await billing.reached(handle, "posting", attention=1)).attention[0]
        day = {"dated": "2027-03-01"}
        await billing.decide(handle, "correct", "correct", target=closed.id, payload=day)
        await finish(handle)
        return [handle]


async def invoice_differs(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Posted with another tax, and the PSA is told by hand."""
    async with running_billing(env.client, firm.store) as billing:
        billing.erp.tax_off = Decimal("0.01")
        billing.psa.fail("psa.billing", Rejected("no", system="kantata"))
        await billing.contract()
        await billing.work("1")
        handle = await billing.bill(await billing.cycle())
        for stage in ("posting", "telling"):
            item = (await billing.reached(handle, stage, attention=1)).attention[0]
            await billing.agreed(handle, "skip", item.id, reason="seen")
        await finish(handle)
        return [handle]


async def invoice_discarded(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Cancelled with a draft in the ERP."""
    async with running_billing(env.client, firm.store) as billing:
        billing.erp.fail("erp.post", Rejected("no", system="netsuite"))
        await billing.contract()
        await billing.work("1")
        handle = await billing.bill(await billing.cycle())
        await billing.reached(handle, "posting", attention=1)
        await billing.decide(handle, "cancel", "cancel", reason="wrong month")
        await finish(handle)
        return [handle]


async def invoice_waiting(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Open: in the review."""
    async with running_billing(env.client, firm.store) as billing:
        return [await _reviewed(billing)]


async def invoice_cancelled_by_temporal(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    async with running_billing(env.client, firm.store) as billing:
        handle = await _reviewed(billing)
        await handle.cancel()
        await _closed(handle, WorkflowExecutionStatus.CANCELED)
        return [handle]


async def nothing_invoiced(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    async with running_billing(env.client, firm.store) as billing:
        await billing.contract()
        handle = await billing.bill(await billing.cycle())
        await finish(handle)
        return [handle]


async def credit_redated(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """A price reduction in a closed period."""
    async with running_billing(env.client, firm.store) as billing:
        await billing.contract()
        await billing.work("1")
        invoice = await billing.billed(await billing.cycle())
        billing.erp.closed_before = date(2027, 3, 1)
        handle = await billing.credit(invoice.invoice, amount=eur(100), reason="concession")
        await billing.reached(handle, "awaiting approval", attention=1)
        await billing.decide(handle, "approve", "approve", actor=APPROVER)
        closed = (await billing.reached(handle, "posting", attention=1)).attention[0]
        day = {"dated": "2027-03-01"}
        await billing.decide(handle, "correct", "correct", target=closed.id, payload=day)
        await finish(handle)
        return [handle]


async def credit_rejected(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    async with running_billing(env.client, firm.store) as billing:
        await billing.contract()
        await billing.work("1")
        invoice = await billing.billed(await billing.cycle())
        handle = await billing.credit(invoice.invoice)
        await billing.reached(handle, "awaiting approval", attention=1)
        await billing.decide(handle, "reject", "reject", actor=APPROVER, reason="it was done")
        await finish(handle)
        return [handle]


async def credit_refused(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    async with running_billing(env.client, firm.store) as billing:
        await billing.contract()
        await billing.work("1")
        invoice = await billing.billed(await billing.cycle())
        handle = await billing.credit(invoice.invoice, reason="uncollectible")
        await finish(handle)
        return [handle]


async def _reviewed(billing: BillingFirm, **changes: Any) -> Handle:
    """An invoice of one entry in its review, above the limit of approval."""
    await billing.contract(terms=terms(prebill=True, approval_limit=eur(1000)))
    await billing.work("1", 10, **changes)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "pre-bill review")
    return handle


async def _closed(handle: Handle, status: WorkflowExecutionStatus) -> None:
    async with asyncio.timeout(30):
        while (await handle.describe()).status is not status:
            await asyncio.sleep(0.05)
