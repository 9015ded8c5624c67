"""The floor: a bare Temporal workflow that makes the calls of an activation, and nothing else.

No store, no journal, no audit, no gates, no look-ups after a lost answer, no heartbeats, no search
attributes, no processes that live on. One activity for each vendor activity of Fairlead, in the same order,
on the same kind of queues; the same update for staffing.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import workflow

STEP = "floor.step"
"""Name of the one activity; `floor_worker.py` has it."""


@dataclass
class StepInput:
    """Which recorded step to replay, for which run, with the ids that former steps took."""

    script: str
    step: int
    run: str
    ids: dict[str, str]


@dataclass
class FloorInput:
    """A whole run. `groups` holds (number of the step, task queue)."""

    script: str
    run: str
    groups: list[list[tuple[int, str]]]
    waits_before: int | None
    ids: dict[str, str] = field(default_factory=dict)


@workflow.defn(name="FloorActivation")
class FloorActivation:
    """One activation's calls."""

    def __init__(self) -> None:
        self._approved = ""

    @workflow.run
    async def run(self, input: FloorInput) -> str:
        ids = dict(input.ids)
        for number, group in enumerate(input.groups):
            if number == input.waits_before:
                await workflow.wait_condition(lambda: bool(self._approved))
            taken = await asyncio.gather(
                *(
                    workflow.execute_activity(
                        STEP,
                        StepInput(script=input.script, step=step, run=input.run, ids=ids),
                        task_queue=queue,
                        start_to_close_timeout=timedelta(seconds=60),
                        result_type=dict[str, str],
                    )
                    for step, queue in group
                )
            )
            for found in taken:
                ids.update(found)
        return input.run

    @workflow.update(name="approve_staffing")
    async def approve_staffing(self, decision: str) -> str:
        """The staffing decision."""
        self._approved = decision
        return "approved"
