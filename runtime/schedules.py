"""Schedules of the firm, kept as its file says: created, changed or removed when a worker starts."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.resource_sync import ResourceTick
from domain.ticks import DealPollTick, IntakeTick, PurchaseOrdersTick, ReleasedInvoicesTick
from domain.watching import WatchTick


def deal_poll_id(firm: str, system: str) -> str:
    return f"poll-deals/{firm}/{system}"


def intake_id(firm: str, system: str) -> str:
    return f"post-time/{firm}/{system}"


def released_invoices_id(firm: str, system: str) -> str:
    return f"poll-released-invoices/{firm}/{system}"


def purchase_orders_id(firm: str, system: str) -> str:
    return f"poll-purchase-orders/{firm}/{system}"


def resources_id(firm: str, hr: str) -> str:
    return f"sync-resources/{firm}/{hr}"


def watch_id(firm: str) -> str:
    return f"watch/{firm}"


async def keep_deal_poll(
    client: Client, firm: str, own_queue: str, tick: DealPollTick, every: timedelta | None
) -> None:
    """Poll for signed deals `every` so often; None removes the schedule. Workers race for the same."""
    id, summary = deal_poll_id(firm, tick.system), f"Poll {tick.system} for signed deals"
    action = ScheduleActionStartWorkflow(
        "DealPollTick", tick, id=f"tick/{id}", task_queue=own_queue, static_summary=summary
    )
    await _keep(client, id, action, every)


async def keep_intake(client: Client, own_queue: str, tick: IntakeTick, every: timedelta | None) -> None:
    """Wake the time posting of a PSA `every` so often; None removes the schedule."""
    id, summary = intake_id(tick.firm, tick.system), f"Wake the time posting of {tick.system}"
    action = ScheduleActionStartWorkflow(
        "IntakeTick", tick, id=f"tick/{id}", task_queue=own_queue, static_summary=summary
    )
    await _keep(client, id, action, every)


async def keep_released_invoices(
    client: Client, firm: str, own_queue: str, tick: ReleasedInvoicesTick, every: timedelta | None
) -> None:
    """Poll a PSA for released invoices `every` so often; None removes the schedule."""
    id, summary = released_invoices_id(firm, tick.system), f"Poll {tick.system} for released invoices"
    action = ScheduleActionStartWorkflow(
        "ReleasedInvoicesTick", tick, id=f"tick/{id}", task_queue=own_queue, static_summary=summary
    )
    await _keep(client, id, action, every)


async def keep_purchase_orders(
    client: Client, own_queue: str, tick: PurchaseOrdersTick, every: timedelta | None
) -> None:
    """Poll a procurement system for changed orders `every` so often; None removes the schedule."""
    id, summary = purchase_orders_id(tick.firm, tick.system), f"Poll {tick.system} for changed orders"
    action = ScheduleActionStartWorkflow(
        "PurchaseOrdersTick", tick, id=f"tick/{id}", task_queue=own_queue, static_summary=summary
    )
    await _keep(client, id, action, every)


async def keep_resources(client: Client, own_queue: str, tick: ResourceTick, every: timedelta | None) -> None:
    """Wake the sync of an HR account `every` so often, and at once the first time; None removes it."""
    id, summary = resources_id(tick.firm, tick.hr), f"Wake the sync of {tick.hr} and {tick.psa}"
    action = ScheduleActionStartWorkflow(
        "ResourceTick", tick, id=f"tick/{id}", task_queue=own_queue, static_summary=summary
    )
    await _keep(client, id, action, every, at_once=True)


async def keep_watch(client: Client, own_queue: str, tick: WatchTick, every: timedelta | None) -> None:
    """Look at every alert rule `every` so often; None removes the schedule."""
    id, summary = watch_id(tick.firm), "Look at every alert rule"
    action = ScheduleActionStartWorkflow(
        "Watch", tick, id=f"tick/{id}", task_queue=own_queue, static_summary=summary
    )
    await _keep(client, id, action, every)


async def _keep(
    client: Client,
    id: str,
    action: ScheduleActionStartWorkflow,
    every: timedelta | None,
    *,
    at_once: bool = False,
) -> None:
    if every is None:
        await _remove(client, id)
        return
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], time_zone_name="UTC"),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )
    try:
        await client.create_schedule(id, schedule, trigger_immediately=at_once)
    except ScheduleAlreadyRunningError:

        def changed(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(id).update(changed)


async def _remove(client: Client, id: str) -> None:
    try:
        await client.get_schedule_handle(id).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
