"""Starting processes from outside: CLI, gateway and tests start them the same way."""

from typing import Protocol

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.activation_process import ACTIVATION, ProjectActivationInput
from domain.attention import EventRef
from domain.base import Value
from domain.billing_process import CREDIT, CreditInput, credit_id
from domain.identity import process_key
from domain.resource_sync import RESOURCES, ResourceSyncState, WakeSync
from domain.time_posting import TIME, TimePostingState, Wake
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


async def wake_time_posting(
    client: Client, settings: OwnQueue, *, firm: str, system: str, by: str, again: bool = False
) -> Started:
    """Have the time posting of the PSA `system` look for approved work; it is started when none runs.

    `again` looks at everything that is refused, too. Raises `ValueError` for a name no id can be made of.
    """
    workflow_id = process_key(TIME, firm, system)
    handle = await client.start_workflow(
        "TimePosting",
        TimePostingState(firm=firm, system=system, requested_by=by),
        id=workflow_id,
        task_queue=settings.own_queue,
        search_attributes=initial_attributes(TIME, workflow_id),
        static_summary=f"Time and expenses of {system}",
        start_signal="wake",
        start_signal_args=[Wake(by=by, again=again)],
    )
    return Started(workflow_id=workflow_id, run_id=handle.result_run_id or "")


async def wake_resource_sync(
    client: Client, settings: OwnQueue, *, firm: str, hr: str, psa: str, by: str
) -> Started:
    """Have the sync of an HR account look for changes on both sides; it is started when none runs.

    Raises `ValueError` for a name no id can be made of.
    """
    workflow_id = process_key(RESOURCES, firm, hr)
    handle = await client.start_workflow(
        "ResourceSync",
        ResourceSyncState(firm=firm, hr=hr, psa=psa, requested_by=by),
        id=workflow_id,
        task_queue=settings.own_queue,
        search_attributes=initial_attributes(RESOURCES, workflow_id),
        static_summary=f"People of {hr} and {psa}",
        start_signal="wake",
        start_signal_args=[WakeSync(by=by)],
    )
    return Started(workflow_id=workflow_id, run_id=handle.result_run_id or "")


async def start_credit(client: Client, settings: OwnQueue, request: CreditInput, *, project: str) -> Started:
    """Ask for a credit note to an invoice of `project`; the same request again joins the one that runs.

    Raises `ValueError` for an invoice that cannot be part of a workflow id.
    """
    workflow_id = credit_id(request.firm, request)
    try:
        handle = await client.start_workflow(
            "InvoiceCredit",
            request,
            id=workflow_id,
            task_queue=settings.own_queue,
            search_attributes=initial_attributes(CREDIT, workflow_id, project=project),
            static_summary=f"Credit note to an invoice of {project}",
            static_details=f"Requested by {request.requested_by}.",
        )
    except WorkflowAlreadyStartedError as running:
        return Started(workflow_id=workflow_id, run_id=running.run_id or "", joined=True)
    return Started(workflow_id=workflow_id, run_id=handle.first_execution_run_id or "")
