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

from domain.ticks import DealPollTick


def deal_poll_id(firm: str, system: str) -> str:
    return f"poll-deals/{firm}/{system}"


async def keep_deal_poll(
    client: Client, firm: str, own_queue: str, tick: DealPollTick, every: timedelta | None
) -> None:
    """Poll for signed deals `every` so often; None removes the schedule. Workers race for the same."""
    id = deal_poll_id(firm, tick.system)
    if every is None:
        await _remove(client, id)
        return
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "DealPollTick",
            tick,
            id=f"tick/{id}",
            task_queue=own_queue,
            static_summary=f"Poll {tick.system} for signed deals",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], time_zone_name="UTC"),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )
    try:
        await client.create_schedule(id, schedule)
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
