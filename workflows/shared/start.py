"""Starting processes from outside: CLI, gateway and tests start them the same way."""

from typing import Protocol

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.activation_process import ACTIVATION, ProjectActivationInput
from domain.attention import EventRef
from domain.base import Value
from domain.identity import process_key
from workflows.shared.search_attributes import initial_attributes


class OwnQueue(Protocol):
    """The part of the settings a start needs: the queue of workflows in this lane."""

    @property
    def own_queue(self) -> str: ...


class Started(Value):
    workflow_id: str
    run_id: str
    joined: bool = False
    """True when the process was running already; both starters see the same one."""


async def start_activation(
    client: Client,
    settings: OwnQueue,
    *,
    firm: str,
    deal: str,
    requested_by: str,
    event: EventRef | None = None,
) -> Started:
    """Start the activation of `deal`, or join the one that runs; an event is signalled to it either way.

    Raises `ValueError` for a deal id that cannot be part of a workflow id.
    """
    workflow_id = process_key(ACTIVATION, firm, deal)
    try:
        handle = await client.start_workflow(
            "ProjectActivation",
            ProjectActivationInput(firm=firm, deal=deal, requested_by=requested_by, event=event),
            id=workflow_id,
            task_queue=settings.own_queue,
            search_attributes=initial_attributes(ACTIVATION, workflow_id),
            static_summary=f"Project activation of deal {deal}",
            static_details=f"Requested by {requested_by or 'an operator'}.",
        )
    except WorkflowAlreadyStartedError as running:
        if event is not None:
            await client.get_workflow_handle(workflow_id).signal("event_received", event)
        return Started(workflow_id=workflow_id, run_id=running.run_id or "", joined=True)
    return Started(workflow_id=workflow_id, run_id=handle.first_execution_run_id or "")
