"""Resource tick: what a schedule starts to wake the sync of one HR account, started when none runs."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.identity import process_key
    from domain.resource_sync import RESOURCES, ResourceSyncState, ResourceTick, WakeSync
    from workflows.shared.search_attributes import initial_attributes


@workflow.defn(name="ResourceTick")
class WakeResourceSync:
    """Wakes one resource sync: HR tells nobody what changed. Owned by delivery operations."""

    @workflow.run
    async def run(self, tick: ResourceTick) -> str:
        """Whether it was `started` or `woken`."""
        id = process_key(RESOURCES, tick.firm, tick.hr)
        try:
            await workflow.start_child_workflow(
                "ResourceSync",
                ResourceSyncState(firm=tick.firm, hr=tick.hr, psa=tick.psa, requested_by="schedule"),
                id=id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                search_attributes=initial_attributes(RESOURCES, id),
                static_summary=f"People of {tick.hr} and {tick.psa}",
            )
            return "started"
        except WorkflowAlreadyStartedError:
            await workflow.get_external_workflow_handle(id).signal("wake", WakeSync(by="schedule"))
            return "woken"
