"""Tick: what a schedule starts. One poll, then it ends; what it finds goes through the inbox."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.crm import CrmActivities, PollDeals, PollResult
    from activities.procurement import ProcurementActivities
    from activities.procurement_events import PolledOrders, PollOrders
    from activities.psa_released import PolledReleased, PollReleased, PsaReleasedActivities
    from domain.policy import Route, Timing
    from domain.ticks import DealPollTick, PurchaseOrdersTick, ReleasedInvoicesTick
    from workflows.shared import options


@workflow.defn(name="DealPollTick")
class PollSignedDeals:
    """Polls the CRM for signed deals: not every firm has its events on. Owned by platform engineering."""

    @workflow.run
    async def run(self, tick: DealPollTick) -> PollResult:
        route = Route(role="crm", system=tick.system, task_queue=tick.task_queue)
        patience = timedelta(seconds=tick.give_up_after)
        return await workflow.execute_activity_method(
            CrmActivities.poll_signed_deals,
            PollDeals(system=tick.system, overlap_seconds=tick.overlap_seconds),
            **options.poll(route, Timing(), f"Poll {tick.system} for signed deals", patience),
        )


@workflow.defn(name="ReleasedInvoicesTick")
class PollReleasedInvoices:
    """Polls a PSA for invoices it released by its own authority. Owned by finance systems."""

    @workflow.run
    async def run(self, tick: ReleasedInvoicesTick) -> PolledReleased:
        route = Route(role="psa", system=tick.system, task_queue=tick.task_queue)
        patience = timedelta(seconds=tick.give_up_after)
        return await workflow.execute_activity_method(
            PsaReleasedActivities.poll_released,
            PollReleased(system=tick.system, overlap_seconds=tick.overlap_seconds),
            **options.poll(route, Timing(), f"Poll {tick.system} for released invoices", patience),
        )


@workflow.defn(name="PurchaseOrdersTick")
class PollPurchaseOrders:
    """Polls procurement for changed orders, once for all projects. Owned by finance systems."""

    @workflow.run
    async def run(self, tick: PurchaseOrdersTick) -> PolledOrders:
        route = Route(role="procurement", system=tick.system, task_queue=tick.task_queue)
        patience = timedelta(seconds=tick.give_up_after)
        return await workflow.execute_activity_method(
            ProcurementActivities.poll_orders,
            PollOrders(firm=tick.firm, system=tick.system, overlap_seconds=tick.overlap_seconds),
            **options.poll(route, Timing(), f"Poll {tick.system} for changed orders", patience),
        )
