"""Intake tick: what a schedule starts to wake the time posting of one PSA, which it starts when none runs."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.identity import process_key
    from domain.ticks import IntakeTick
    from domain.time_posting import TIME, TimePostingState, Wake
    from workflows.shared.search_attributes import initial_attributes


@workflow.defn(name="IntakeTick")
class WakeTimePosting:
    """Wakes one time posting: not every PSA tells what was approved. Owned by delivery operations."""

    @workflow.run
    async def run(self, tick: IntakeTick) -> str:
        """Whether it was `started` or `woken`."""
        id = process_key(TIME, tick.firm, tick.system)
        try:
            await workflow.start_child_workflow(
                "TimePosting",
                TimePostingState(firm=tick.firm, system=tick.system, requested_by="schedule"),
                id=id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                search_attributes=initial_attributes(TIME, id),
                static_summary=f"Time and expenses of {tick.system}",
            )
            return "started"
        except WorkflowAlreadyStartedError:
            await workflow.get_external_workflow_handle(id).signal("wake", Wake(by="schedule"))
            return "woken"
