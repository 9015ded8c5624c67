"""Opening a process: its row in the store, and the policies it runs under from here on."""

from temporalio import workflow

from activities.process import OpenedProcess, OpenProcess, ProcessActivities
from workflows.shared import options


async def open_process(kind: str, title: str, requested_by: str) -> OpenedProcess:
    """Open the process; its answer holds the policies that everything else needs."""
    info = workflow.info()
    return await workflow.execute_local_activity_method(
        ProcessActivities.open,
        OpenProcess(
            key=info.workflow_id, kind=kind, run_id=info.run_id, requested_by=requested_by, title=title
        ),
        **options.bookkeeping("Open the process and take the policies it runs under"),
    )
