"""Handing a project over to the processes that live on with it: durable, keyed, outliving their starter."""

import asyncio

from temporalio import workflow
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import activation
from domain.identity import process_key
from domain.procurement import stage
from domain.procurement_process import PROCUREMENT, ProcurementLine, ProcurementState
from domain.project_contract import ProjectContract
from domain.project_processes import (
    BILLING,
    OPEN_FOR_BILLING,
    ProjectBillingState,
)
from domain.selling import Deal
from workflows.shared.search_attributes import initial_attributes


async def hand_over_project(
    firm: str,
    number: str,
    deal: Deal,
    correlation: str,
    contract: ProjectContract,
    purchases: ProcurementState | None = None,
) -> tuple[str, ...]:
    """Start the project's billing by `contract`, and procurement where suppliers deliver; their workflow ids.

    `purchases` is what was requested; without it procurement only notes what awaits a requisition. Only the
    start is awaited; an id that runs already counts as handed over, since the key is ours.
    """
    starts = [_start_billing(firm, number, deal, correlation, contract)]
    if purchases is not None or activation.subcontract_lines(deal):
        noted = purchases or _noted(firm, number, deal, correlation)
        starts.append(_start_procurement(noted, deal))
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


def _noted(firm: str, number: str, deal: Deal, correlation: str) -> ProcurementState:
    lines = tuple(
        ProcurementLine(
            ref=str(line.number), name=line.name, supplier=line.supplier or "", role=line.role or ""
        )
        for line in activation.subcontract_lines(deal)
    )
    return ProcurementState(firm=firm, project=number, correlation=correlation, lines=lines)


async def _start_procurement(state: ProcurementState, deal: Deal) -> str:
    attributes = initial_attributes(
        PROCUREMENT,
        state.correlation,
        stage=stage(state.lines),
        project=state.project,
        customer=deal.customer.external_id,
    )
    id = process_key(PROCUREMENT, state.firm, state.project)
    summary = f"Subcontractors of {state.project}"
    return await start_child("SubcontractorProcurement", id, state, attributes, summary)


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
