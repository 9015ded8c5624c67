"""From a deal to the commands that make it a project: pure, so that a repeat gives the same command.

Every builder raises `ValueError` naming what the deal lacks. The gates before creation refuse such a deal
in words a person can act on, so that here it is a defect of the process and not of the data.
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from domain.billing_schedule import schedule_lines
from domain.books import PartyQuery
from domain.commands import (
    AddSeats,
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    PlannedTask,
    RequestStaffing,
    Seat,
)
from domain.deal_dates import line_dates, project_dates
from domain.delivery import StaffingDemand
from domain.procurement_process import PurchaseNeed
from domain.selling import BillingMethod, Contract, ContractLine, Deal

_HOURS = Decimal("0.01")


def party_query(deal: Deal, customer_key: str, on: date) -> PartyQuery:
    """What to ask the ERP about the parties; `customer_key` is the key a created customer would carry."""
    return PartyQuery(
        entity=_entity(deal, required=False),
        customer_external_id=deal.customer.external_id,
        customer_key=customer_key,
        customer_name=deal.customer.name,
        tax_id=deal.customer.tax_id,
        currency=deal.currency,
        on=on,
    )


def erp_customer(deal: Deal) -> CreateCustomer:
    """The deal's customer as a new customer of the ERP, for the entity that bills it."""
    customer = deal.customer
    return CreateCustomer(
        name=customer.name,
        legal_name=customer.legal_name,
        crm_id=customer.external_id,
        tax_id=customer.tax_id,
        address=customer.address,
        currency=customer.currency or deal.currency,
        payment_terms=customer.payment_terms,
        entity=_entity(deal),
    )


def psa_customer(deal: Deal) -> CreateCustomer:
    """The deal's customer as a client of the PSA: the same facts, since the ERP owns none of them."""
    return erp_customer(deal)


def psa_project(deal: Deal, number: str, template: str | None = None) -> CreateProject:
    """The project in the PSA, from `template` where the firm's file names one for the region.

    Its client is made together with it: the id of that one is filled in then.
    """
    return _project(deal, number, customer_external_id="").with_changes(template=template)


def erp_project(deal: Deal, number: str, customer_external_id: str) -> CreateProject:
    """The project in the ERP."""
    return _project(deal, number, customer_external_id)


def planned_tasks(deal: Deal) -> tuple[PlannedTask, ...]:
    """One milestone per milestone line, one task per other line, in the order of the contract."""
    return tuple(_planned(line, deal) for line in deal.lines)


def seats(deal: Deal, project_external_id: str) -> AddSeats | None:
    """One seat per role sold by time and staffed by us; `None` when there is nobody to staff."""
    wanted = tuple(_seat(line, deal) for line in _staffed_lines(deal))
    return AddSeats(project_external_id=project_external_id, seats=wanted) if wanted else None


def staffing_requests(
    seats: AddSeats, seats_key: str, *, approver_email: str | None = None, revision: int = 1
) -> list[RequestStaffing]:
    """One request per seat that was added under `seats_key`."""
    return [
        RequestStaffing(
            project_external_id=seats.project_external_id,
            seats_key=seats_key,
            seat=seat,
            revision=revision,
            approver_email=approver_email,
        )
        for seat in seats.seats
    ]


def staffing_demands(
    requests: Sequence[RequestStaffing], external_ids: Sequence[str]
) -> tuple[StaffingDemand, ...]:
    """What was asked, with the ids the PSA gave the requests (in the same order), for the staffing gate."""
    return tuple(
        StaffingDemand(
            ref=request.seat.ref,
            role=request.seat.role,
            starts_on=request.seat.starts_on,
            ends_on=request.seat.ends_on,
            request_external_id=external_id,
        )
        for request, external_id in zip(requests, external_ids, strict=True)
    )


def billing_schedule(
    deal: Deal, number: str, project_external_id: str, project_key: str
) -> CreateBillingSchedule | None:
    """The ERP's billing schedule, named after the project; `None` when nothing is billed by plan."""
    lines = schedule_lines(deal)
    if not lines:
        return None
    return CreateBillingSchedule(
        name=number,
        project_external_id=project_external_id,
        project_key=project_key,
        currency=_currency(deal),
        lines=lines,
    )


def subcontract_lines(deal: Deal) -> list[ContractLine]:
    """Lines delivered by a supplier: procurement asks for them, staffing does not."""
    return [line for line in deal.lines if line.subcontracted]


def purchase_needs(deal: Deal) -> tuple[PurchaseNeed, ...]:
    """What each line of a supplier needs, in the order of the contract."""
    return tuple(_need(line, deal) for line in subcontract_lines(deal))


def _need(line: ContractLine, deal: Deal) -> PurchaseNeed:
    first, last = line_dates(line, deal) or _dates(deal)
    return PurchaseNeed(
        ref=str(line.number),
        name=line.name,
        supplier=line.supplier or "",
        role=line.role or "",
        grade=line.grade or "",
        hours=_hours(line),
        rate=line.cost_rate,
        price=line.unit_price,
        currency=_currency(deal),
        starts_on=first,
        ends_on=last,
        card=(deal.contract.rate_card or "") if deal.contract else "",
    )


def _project(deal: Deal, number: str, customer_external_id: str) -> CreateProject:
    contract, (first, last) = _contract(deal), _dates(deal)
    if contract.value is None:
        raise ValueError(f"deal {deal.external_id} has no contract value to budget the project with")
    return CreateProject(
        number=number,
        title=deal.name,
        customer_external_id=customer_external_id,
        entity=_entity(deal),
        currency=_currency(deal),
        budget=contract.value,
        starts_on=first,
        ends_on=last,
        manager_email=deal.project_manager_email,
        contract_number=contract.number,
        crm_id=deal.external_id,
        billing=_billing(deal),
    )


def _billing(deal: Deal) -> Literal["fixed", "time_and_materials", "mixed"]:
    by_time = [line.billing_method is BillingMethod.TIME_AND_MATERIALS for line in deal.lines]
    if by_time and all(by_time):
        return "time_and_materials"
    return "mixed" if any(by_time) else "fixed"


def _planned(line: ContractLine, deal: Deal) -> PlannedTask:
    first, last = line_dates(line, deal) or _dates(deal)
    if line.billing_method is BillingMethod.MILESTONE:
        due = line.due_on or last
        return PlannedTask(
            ref=str(line.number),
            title=line.name,
            kind="milestone",
            starts_on=due,
            ends_on=due,
            budget=line.amount,
        )
    by_time = line.billing_method is BillingMethod.TIME_AND_MATERIALS
    return PlannedTask(
        ref=str(line.number),
        title=line.name,
        starts_on=first,
        ends_on=last,
        hours=_hours(line) if by_time else None,
        budget=line.amount,
    )


def _staffed_lines(deal: Deal) -> list[ContractLine]:
    lines = deal.lines_billed_by(BillingMethod.TIME_AND_MATERIALS)
    return [line for line in lines if line.role and not line.subcontracted]


def _seat(line: ContractLine, deal: Deal) -> Seat:
    first, last = line_dates(line, deal) or _dates(deal)
    return Seat(
        ref=str(line.number),
        role=line.role or "",
        grade=line.grade,
        skills=line.skills,
        hours=_hours(line),
        starts_on=first,
        ends_on=last,
    )


def _hours(line: ContractLine) -> Decimal:
    """Estimated hours, else as many full hundredths as the cap pays for; zero when neither is known."""
    if line.quantity:
        return line.quantity
    if line.cap is None or not line.unit_price or line.unit_price < 0:
        return Decimal(0)
    return (line.cap.amount / line.unit_price).quantize(_HOURS, ROUND_DOWN)


def _contract(deal: Deal) -> Contract:
    if deal.contract is None:
        raise ValueError(f"deal {deal.external_id} has no contract")
    return deal.contract


def _entity(deal: Deal, *, required: bool = True) -> str:
    entity = deal.contract.billing_entity if deal.contract else None
    if entity is None and required:
        raise ValueError(f"deal {deal.external_id} names no billing entity")
    return entity or ""


def _currency(deal: Deal) -> str:
    if deal.currency is None:
        raise ValueError(f"deal {deal.external_id} has no currency")
    return deal.currency


def _dates(deal: Deal) -> tuple[date, date]:
    dates = project_dates(deal)
    if dates is None:
        raise ValueError(f"deal {deal.external_id} has no start and end date")
    return dates
