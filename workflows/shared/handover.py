"""Handing a project over to the processes that live on with it: durable, keyed, outliving their starter."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import activation
from domain.identity import process_key
from domain.project_processes import (
    BILLING,
    PROCUREMENT,
    ProcurementLine,
    ProcurementState,
    ProjectBillingState,
)
from domain.selling import Deal
from workflows.shared.search_attributes import initial_attributes


async def hand_over_project(firm: str, number: str, deal: Deal, correlation: str) -> tuple[str, ...]:
    """Start the project's billing, and procurement where suppliers deliver; returns their workflow ids.

    Only the start is awaited; an id that runs already counts as handed over, since the key is ours.
    """
    billing = ProjectBillingState(
        firm=firm,
        project=number,
        deal=deal.external_id,
        customer=deal.customer.external_id,
        correlation=correlation,
    )
    ids = [
        await _start(
            "ProjectBilling", BILLING, firm, number, billing, f"Billing of project {number}", correlation
        )
    ]
    lines = activation.subcontract_lines(deal)
    if lines:
        procurement = ProcurementState(
            firm=firm,
            project=number,
            correlation=correlation,
            lines=tuple(
                ProcurementLine(
                    ref=str(line.number), name=line.name, supplier=line.supplier or "", role=line.role or ""
                )
                for line in lines
            ),
        )
        summary = f"Subcontractors of project {number}"
        ids.append(
            await _start(
                "SubcontractorProcurement", PROCUREMENT, firm, number, procurement, summary, correlation
            )
        )
    return tuple(ids)


async def _start(
    kind: str, process: str, firm: str, number: str, state: object, summary: str, correlation: str
) -> str:
    workflow_id = process_key(process, firm, number)
    try:
        await workflow.start_child_workflow(
            kind,
            state,
            id=workflow_id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=initial_attributes(process, correlation),
            static_summary=summary,
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("handed over before", extra={"process": workflow_id})
    return workflow_id
