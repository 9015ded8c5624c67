"""Handing a project over to the processes that live on with it: durable, keyed, outliving their starter."""

import asyncio

from temporalio import workflow
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import activation
from domain.identity import process_key
from domain.project_contract import ProjectContract
from domain.project_processes import (
    BILLING,
    OPEN_FOR_BILLING,
    PROCUREMENT,
    REQUISITION_DUE,
    ProcurementLine,
    ProcurementState,
    ProjectBillingState,
)
from domain.selling import Deal
from workflows.shared.search_attributes import initial_attributes


async def hand_over_project(
    firm: str, number: str, deal: Deal, correlation: str, contract: ProjectContract
) -> tuple[str, ...]:
    """Start the project's billing by `contract`, and procurement where suppliers deliver; their workflow ids.

    Only the start is awaited; an id that runs already counts as handed over, since the key is ours.
    """
    starts = [_start_billing(firm, number, deal, correlation, contract)]
    if activation.subcontract_lines(deal):
        starts.append(_start_procurement(firm, number, deal, correlation))
    return tuple(await asyncio.gather(*starts))


async def _start_billing(
    firm: str, number: str, deal: Deal, correlation: str, contract: ProjectContract
) -> str:
    state = ProjectBillingState(
        firm=firm,
        project=number,
        deal=deal.external_id,
        customer=deal.customer.external_id,
        correlation=correlation,
        contract=contract,
    )
    attributes = initial_attributes(
        BILLING, correlation, stage=OPEN_FOR_BILLING, project=number, customer=deal.customer.external_id
    )
    id = process_key(BILLING, firm, number)
    return await start_child("ProjectBilling", id, state, attributes, f"Billing of project {number}")


async def _start_procurement(firm: str, number: str, deal: Deal, correlation: str) -> str:
    lines = tuple(
        ProcurementLine(
            ref=str(line.number), name=line.name, supplier=line.supplier or "", role=line.role or ""
        )
        for line in activation.subcontract_lines(deal)
    )
    state = ProcurementState(firm=firm, project=number, correlation=correlation, lines=lines)
    attributes = initial_attributes(
        PROCUREMENT, correlation, stage=REQUISITION_DUE, project=number, customer=deal.customer.external_id
    )
    id = process_key(PROCUREMENT, firm, number)
    return await start_child("SubcontractorProcurement", id, state, attributes, f"Subcontractors of {number}")


async def start_child(
    kind: str, id: str, state: object, attributes: TypedSearchAttributes, summary: str
) -> str:
    """Start a process that outlives this one, or find that it runs already; returns its workflow id."""
    try:
        await workflow.start_child_workflow(
            kind,
            state,
            id=id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=attributes,
            static_summary=summary,
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("handed over before", extra={"process": id})
    return id
