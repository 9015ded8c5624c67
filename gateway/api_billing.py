"""`GET /v1/projects/{id}/billing-status`: what is billed of a project, what is not, and what comes next.

From the store alone, so that it answers while the ERP is down; with `?live=true` the ERP's own documents
stand beside it.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request

from connectors.errors import NotFound
from connectors.ports import ErpPort
from domain.access import Function
from domain.activation_process import ACTIVATION
from domain.attention import AttentionItem
from domain.billable import Billable
from domain.billing_calendar import billed_by, due_events, next_due
from domain.books import InvoiceFacts
from domain.identity import process_key
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.money import Money
from domain.policy import PolicySnapshot
from domain.procurement_process import PROCUREMENT
from domain.project_contract import ProjectContract
from domain.project_processes import BILLING
from domain.rules.errors import RuleError
from domain.selling import BillingMethod, ContractLine, RateCard
from domain.work_value import ValuedWork, value_work
from gateway.access import requires
from gateway.api_billing_shapes import (
    BillingStatus,
    ErpDocument,
    InvoiceStatus,
    LineStatus,
    LiveStatus,
    NextEvent,
    WorkStatus,
)
from gateway.api_processes import shown
from gateway.api_request import flag, identifier, only_query
from gateway.api_systems import Systems
from gateway.deadline import Deadline
from gateway.problems import Refusal
from store.billing_ports import ProjectTotals
from store.ports import Store

_PAGE = 1000
MOST_ENTRIES = 10_000
"""More open entries are counted, not valued: the answer would not come in time."""
MOST_INVOICES = 200
_STEPS_AHEAD = 24
"""Months looked through for what comes next."""
_ON_THEIR_WAY = ("collected", "priced", "approved", "drafted")


def routes(
    policy: PolicySnapshot,
    cards: Sequence[RateCard],
    store: Store,
    systems: Systems,
    now: Callable[[], datetime],
) -> APIRouter:
    router = APIRouter(tags=["api"])

    @router.get("/v1/projects/{project}/billing-status", dependencies=[requires(Function.READ_BILLING)])
    async def billing_status(project: str, request: Request) -> BillingStatus:
        """Contract lines, billed, unbilled, held, the next event and open exceptions; `live` asks the ERP."""
        only_query(request, ("live",))
        deadline, live = Deadline.of(request), flag(request, "live")
        async with deadline.waiting_for("Fairlead's store"):
            contract = await store.billing.contract(identifier(project))
            if contract is None:
                raise Refusal(404, "No project of that number has a contract here.")
            status = await _status(store, policy, cards, contract, now())
        if live:
            status.live = await _live(deadline, systems, policy, contract)
        return status

    return router


async def _status(
    store: Store,
    policy: PolicySnapshot,
    cards: Sequence[RateCard],
    contract: ProjectContract,
    at: datetime,
) -> BillingStatus:
    today = _today(policy, contract.entity, at)
    totals = await store.billing.totals(contract.project)
    rows = await store.billing.invoices(project=contract.project, limit=MOST_INVOICES)
    entries = await _open_entries(store, contract.project, today)
    valued, problem = _valued(entries, contract, cards)
    process = await store.processes.get(process_key(BILLING, policy.firm, contract.project))
    return BillingStatus(
        project=contract.project,
        contract=contract.number,
        revision=contract.revision,
        customer=contract.customer,
        entity=contract.entity,
        currency=contract.currency,
        value=contract.value,
        process=process.state if process else None,
        lines=[_line(line, totals, contract.currency) for line in contract.lines],
        billed=totals.billed,
        retained=totals.retained,
        advance_left=totals.advance_left,
        unbilled=_work([e for e in entries if not e.held and not e.parked], valued, contract.currency),
        held=_work([e for e in entries if e.held], valued, contract.currency),
        above_cap=_work([e for e in entries if e.parked and not e.held], valued, contract.currency),
        problem=problem,
        next_event=_next_event(contract, await store.billing.events(contract.project), today),
        invoices=[_invoice(row) for row in rows],
        exceptions=[shown(item) for item in await _exceptions(store, policy.firm, contract, rows)],
        as_of=at,
    )


async def _live(
    deadline: Deadline, systems: Systems, policy: PolicySnapshot, contract: ProjectContract
) -> LiveStatus:
    system = policy.route("erp", contract.entity).system
    try:
        found = await systems.ask(
            deadline, system, lambda port: cast(ErpPort, port).project_invoices(contract.erp_project)
        )
    except NotFound:
        found = []
    return LiveStatus(system=system, documents=[_document(one) for one in found])


async def _open_entries(store: Store, project: str, up_to: date) -> list[Billable]:
    found: list[Billable] = []
    after = ""
    while len(found) <= MOST_ENTRIES:
        page = await store.billing.open_entries(project, up_to=up_to, after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            break
        after = f"{page[-1].work_date}/{page[-1].key}"
    return found


def _valued(
    entries: Sequence[Billable], contract: ProjectContract, cards: Sequence[RateCard]
) -> tuple[ValuedWork | None, str]:
    if len(entries) > MOST_ENTRIES:
        return None, f"more than {MOST_ENTRIES} entries are open: `fairlead report burn` values them"
    try:
        return value_work(entries, contract, cards), ""
    except RuleError as error:
        return None, str(error)


def _work(entries: Sequence[Billable], valued: ValuedWork | None, currency: str) -> WorkStatus:
    return WorkStatus(
        entries=len(entries),
        value=valued.sum_of(entries, currency) if valued is not None else None,
        without_rate=len(valued.without_value(entries)) if valued is not None else 0,
        oldest=min((entry.work_date for entry in entries), default=None),
    )


def _next_event(contract: ProjectContract, kept: Sequence[BillingEventRow], today: date) -> NextEvent | None:
    """The earliest kept event without an invoice, else the first that the contract makes due."""
    waiting = sorted((e for e in kept if not e.void and not e.invoice), key=lambda e: (e.due_on, e.key))
    if waiting:
        first = waiting[0]
        return NextEvent(key=first.key, kind=first.kind, due_on=first.due_on, amount=first.amount)
    coming = [*_milestones(contract, kept), *_by_calendar(contract, kept, today)]
    return min(coming, key=lambda event: event.due_on, default=None)


def _milestones(contract: ProjectContract, kept: Sequence[BillingEventRow]) -> list[NextEvent]:
    """Milestones that nobody has accepted yet, on the day the contract gives them."""
    accepted = {event.line for event in kept if event.kind == "milestone" and not event.void}
    return [
        NextEvent(kind="milestone", due_on=line.due_on, amount=line.amount)
        for line in billed_by(contract, "fairlead")
        if line.billing_method is BillingMethod.MILESTONE and line.due_on and line.number not in accepted
    ]


def _by_calendar(contract: ProjectContract, kept: Sequence[BillingEventRow], today: date) -> list[NextEvent]:
    """What falls due by the calendar and has no event yet: as far ahead as it takes to find one."""
    known, day = {event.key for event in kept}, today
    for _ in range(_STEPS_AHEAD):
        day = next_due(contract, day)
        try:
            coming = [e for e in due_events(contract, None, day, kept) if e.key not in known]
        except RuleError:
            return []
        if coming or day > contract.ends_on:
            return [NextEvent(kind=e.kind, due_on=e.due_on, amount=e.amount) for e in coming]
    return []


async def _exceptions(
    store: Store, firm: str, contract: ProjectContract, rows: Sequence[InvoiceRow]
) -> list[AttentionItem]:
    processes = [
        process_key(ACTIVATION, firm, contract.deal),
        process_key(BILLING, firm, contract.project),
        process_key(PROCUREMENT, firm, contract.project),
        *(row.id for row in rows if row.stage in _ON_THEIR_WAY),
    ]
    found: list[AttentionItem] = []
    for process in processes:
        found += await store.attention.list(process=process)
    return sorted(found, key=lambda item: item.due_at)


def _line(line: ContractLine, totals: ProjectTotals, currency: str) -> LineStatus:
    return LineStatus(
        number=line.number,
        name=line.name,
        billing_method=line.billing_method,
        billing_authority=line.billing_authority,
        amount=line.amount,
        cap=line.cap,
        billed=totals.billed_by_line.get(line.number, Money.zero(currency)),
    )


def _invoice(row: InvoiceRow) -> InvoiceStatus:
    return InvoiceStatus(
        id=row.id,
        number=row.number,
        stage=row.stage,
        net=row.priced.net if row.priced else None,
        gross=row.priced.gross if row.priced else None,
        due_on=row.due_on,
        credits=row.credits,
    )


def _document(facts: InvoiceFacts) -> ErpDocument:
    return ErpDocument(
        external_id=facts.external_id,
        number=facts.number,
        state=facts.state,
        net=facts.net,
        gross=facts.gross,
        open_amount=facts.open_amount,
    )


def _today(policy: PolicySnapshot, code: str, at: datetime) -> date:
    entity = policy.entity(code)
    return at.astimezone(ZoneInfo(entity.time_zone if entity else "UTC")).date()
