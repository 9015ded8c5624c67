"""What many runs left in Temporal: how large they are, when they ended, and where their time went."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

_AT_ONCE = 8


@dataclass(frozen=True)
class ActivityTime:
    """Mean seconds of one kind of activity, of those that are activities of the server."""

    name: str
    count: int
    waited: float
    """From being scheduled until a worker began."""
    ran: float
    """From then until it was done."""


@dataclass(frozen=True)
class Histories:
    """Of many runs."""

    events: int
    """Of the longest."""
    size: int
    """Bytes of the largest."""
    payload: int
    """Bytes of the largest event, payload and all."""
    largest_event: str
    repeated: dict[str, int]
    """Why workflow tasks were done again -> how often: timed out, or failed with these words."""
    ended: float
    """When the last event of all was written, in seconds since the epoch."""
    activities: tuple[ActivityTime, ...]


async def histories(client: Client, ids: Sequence[str]) -> Histories:
    """Look at the newest run of each of `ids`."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(id: str) -> Sequence[HistoryEvent]:
        async with gate:
            return (await client.get_workflow_handle(id).fetch_history()).events

    runs = await asyncio.gather(*(one(id) for id in ids))
    sizes = [[event.ByteSize() for event in run] for run in runs]
    largest = max((event for run in runs for event in run), key=HistoryEvent.ByteSize)
    return Histories(
        events=max(map(len, sizes)),
        size=max(map(sum, sizes)),
        payload=largest.ByteSize(),
        largest_event=EventType.Name(largest.event_type).removeprefix("EVENT_TYPE_").lower(),
        repeated=dict(Counter(why for run in runs for event in run if (why := _repeated(event)))),
        ended=max(_seconds(run[-1]) for run in runs),
        activities=_times(runs),
    )


def _repeated(event: HistoryEvent) -> str:
    """Why a workflow task that ended so was done again; empty for other events."""
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        kind = event.workflow_task_timed_out_event_attributes.timeout_type
        return f"timed out: {TimeoutType.Name(kind).removeprefix('TIMEOUT_TYPE_').lower()}"
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        return event.workflow_task_failed_event_attributes.failure.message[:300]
    return ""


def _times(runs: Sequence[Sequence[HistoryEvent]]) -> tuple[ActivityTime, ...]:
    """In the order in which they are first scheduled."""
    waited: dict[str, list[float]] = defaultdict(list)
    ran: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        known: dict[int, HistoryEvent] = {}
        for event in run:
            known[event.event_id] = event
            if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                continue
            done = event.activity_task_completed_event_attributes
            planned, began = known[done.scheduled_event_id], known[done.started_event_id]
            name = planned.activity_task_scheduled_event_attributes.activity_type.name
            waited[name].append(_seconds(began) - _seconds(planned))
            ran[name].append(_seconds(event) - _seconds(began))
    return tuple(
        ActivityTime(name, len(spans), sum(spans) / len(spans), sum(ran[name]) / len(spans))
        for name, spans in waited.items()
    )


def _seconds(event: HistoryEvent) -> float:
    return event.event_time.seconds + event.event_time.nanos / 1e9
