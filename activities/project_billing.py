"""A project's billing in our own store: its contract, what falls due, and what is told from outside.

All of it is short and idempotent by keys of its own: the key of a billing event, the revision of a contract.
Whether something was handed over before is the workflow's to know; here the same question has one answer.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.process import Policies
from domain import billing_calendar as calendar
from domain.billing_contract import SystemRefs, contract_of, contract_problems, with_terms
from domain.billing_events import ContractChanged, MilestoneAccepted, ProgressReported, PsaInvoiceReleased
from domain.billing_final import FinalFacts, FinalTotals, final_stand
from domain.billing_steps import (
    BillingBegin,
    BillingBegun,
    BillingLook,
    BillingSeen,
    BillNow,
    BillNowResult,
    ChangeContract,
    ContractChange,
    EventTaken,
    FinalAccount,
    FinalStand,
    TakeEvent,
)
from domain.billing_triggers import BillingProblem, Verdict, milestone_verdict, progress_verdict
from domain.calendar import Period
from domain.contract_change import change_step, judge_change
from domain.events import DealSigned, EventRefused, parse
from domain.invoice_state import BillingEventRow
from domain.policy import PolicySnapshot
from domain.project_contract import BillingTerms, ProjectContract
from domain.project_processes import BILLING, DueEvent
from domain.rules.proration import local_day
from domain.rules.retention import due_release
from store.ports import StaleReference, Store, StoreError, StoreUnavailable

CONTRACT = "contract"
"""Step of the exception of a contract that cannot be billed."""
_MOST = 200


class Terms(Protocol):
    """The firm's file, as far as it says how a project is billed."""

    def billing_terms(self, entity: str, contract_number: str, currency: str) -> BillingTerms: ...


class ProjectBillingActivities:
    """On our own queue: Fairlead's store and the firm's file."""

    def __init__(self, store: Store, policies: Policies, terms: Terms) -> None:
        self._store = store
        self._billing = store.billing
        self._policies = policies
        self._terms = terms

    @activity.defn(name="billing.begin")
    async def begin(self, input: BillingBegin) -> BillingBegun:
        """Open the process, keep its contract under the firm's terms, and look what is due."""
        policies, project = self._policies.snapshot().without_gates(), input.look.project
        row = await self._store.processes.open(
            activity.info().workflow_id or "",
            BILLING,
            input.run_id,
            f"project {project}",
            policy_hash=policies.file_hash,
            policy_json=policies.model_dump_json(),
        )
        begun = BillingBegun(generation=row.generation, policies=policies, seen=BillingSeen())
        if row.state == "done":
            return begun.with_changes(ended=True)
        try:
            contract = await self._keep_contract(project, input.contract)
        except (KeyError, ValueError) as error:
            problem = _problem(CONTRACT, f"Project {project} has no terms in the firm's file", str(error))
            return begun.with_changes(seen=BillingSeen(problem=problem))
        return begun.with_changes(seen=await self._seen(contract, input.look))

    @activity.defn(name="billing.look")
    async def look(self, input: BillingLook) -> BillingSeen:
        """What is due by the calendar at this moment, as events in the store."""
        return await self._seen(await self._billing.contract(input.project), input)

    @activity.defn(name="billing.take_event")
    async def take_event(self, input: TakeEvent) -> EventTaken:
        """What an event of the inbox means here; the row is `applied` from then on."""
        row = await self._store.inbox.get(input.event.id)
        if row is None:
            raise ApplicationError(
                f"event {input.event.id} is not in the inbox (restored backup?); it will be sent again",
                type=StaleReference.__name__,
                non_retryable=True,
            )
        try:
            event = parse(row.body)
        except EventRefused as error:
            raise ApplicationError(
                f"event {row.id} cannot be read: {error}", type="Rejected", non_retryable=True
            ) from error
        taken, told = EventTaken(told_at=event.version), event.data
        if isinstance(told, ContractChanged | DealSigned):
            taken = taken.with_changes(contract_changed=True, deal=told.deal or "")
        elif isinstance(told, PsaInvoiceReleased):
            taken = taken.with_changes(psa_invoice=told.invoice)
        elif isinstance(told, MilestoneAccepted | ProgressReported):
            taken = await self._told(input.look, told)
        await self._store.inbox.mark(
            row.id, "applied", process=activity.info().workflow_id or "", note=taken.note or row.note
        )
        return taken

    @activity.defn(name="billing.change_contract")
    async def change_contract(self, input: ChangeContract) -> ContractChange:
        """Keep a signed change as a new revision; anything else is a problem or changes nothing."""
        project, deal = input.look.project, input.deal
        kept = await self._billing.contract(project)
        change = ContractChange(step=change_step(deal, kept.deal if kept else deal.external_id))
        try:
            if kept is None:
                # A project that was activated before contracts were kept.
                await self._keep_contract(project, contract_of(deal, project, SystemRefs()))
                return change.with_changes(revision=1)
            read = contract_of(deal, project, _refs(kept), revision=kept.revision)
            verdict = judge_change(kept, deal, _under(kept, read), await self._billing.events(project))
            if verdict.revision is not None:
                await self._billing.put_contract(verdict.revision)
        except StoreUnavailable:
            raise  # says nothing of the deal: repeated
        except (KeyError, ValueError, StoreError) as error:
            headline = f"Deal {deal.external_id} cannot be billed as it is"
            return change.with_changes(problem=_problem(change.step, headline, str(error)))
        if verdict.revision is None:
            return change.with_changes(problem=verdict.problem)
        above = [event for event in await self._open(project) if event.kind == "above_cap"]
        return change.with_changes(revision=verdict.revision.revision, due=_due(above))

    @activity.defn(name="billing.bill_now")
    async def bill_now(self, input: BillNow) -> BillNowResult:
        """What is open until a day: due by the calendar, left over, and work of the cycle that runs."""
        contract = await self._kept(input.look.project)
        today = self._today(contract, input.look)
        until = input.until or today
        if until > today:
            return BillNowResult(refused=f"{until} has not come where {contract.entity} is; today is {today}")
        kept = await self._billing.events(contract.project)
        await self._add(calendar.due_events(contract, None, until, kept, late_work=True))
        if await self._open_work(contract, until):
            # A cycle that waits takes the work; beside it an interim one would be empty. One that was billed
            # empty before the work came in is void, and takes nothing.
            waiting = await self._open(contract.project)
            interim = calendar.interim_event(contract, until, today, kept)
            if interim is not None and not any(event.kind == "time" for event in waiting):
                await self._add([interim])
        return BillNowResult(due=_due(await self._open(contract.project)))

    @activity.defn(name="billing.final_account")
    async def final_account(self, input: FinalAccount) -> FinalStand:
        """The next part of the final account: last bills, then retention, then the rest of an advance."""
        contract = await self._kept(input.look.project)
        today, project = self._today(contract, input.look), contract.project
        kept = await self._billing.events(project)
        work = await self._open_work(contract, today)
        rows = [
            *calendar.due_events(contract, None, today, kept),
            *calendar.final_events(contract, today, kept, open_work=work > 0),
        ]
        await self._add(rows)
        totals = await self._billing.totals(project)
        facts = FinalFacts(
            events=tuple(await self._open(project)),
            invoices=tuple(await self._billing.documents(project)),
            held=await self._held_work(contract, today),
            totals=FinalTotals(retained=totals.retained, advance_left=totals.advance_left),
            refund_settled=input.refund_settled,
        )
        stand, release = final_stand(contract, facts)
        if release is not None:
            event = calendar.retention_release(contract, release, today, kept)
            await self._add([event])
            return stand.with_changes(due=_due([event]))
        return stand

    # -- inside -----------------------------------------------------------------------------------

    async def _keep_contract(self, project: str, handed: ProjectContract | None) -> ProjectContract | None:
        """The contract as it is kept; the first time with the terms the firm adds. A kept one stands."""
        if handed is None:
            return await self._billing.contract(project)
        terms = self._terms.billing_terms(handed.entity, handed.number, handed.currency)
        contract = with_terms(handed, terms)
        try:
            await self._billing.put_contract(contract)
        except StoreError:
            kept = await self._billing.contract(project)
            if kept is None:
                raise
            return kept
        return contract

    async def _seen(self, contract: ProjectContract | None, look: BillingLook) -> BillingSeen:
        if contract is None:
            text = "it was activated before contracts were kept, or a backup was restored"
            return BillingSeen(problem=_problem(CONTRACT, f"Project {look.project} has no contract", text))
        today = self._today(contract, look)
        seen = BillingSeen(
            through=today,
            period=str(Period.of(today)),
            wake_at=calendar.instant_of(calendar.next_due(contract, today), self._zone(contract)),
            entity=contract.entity,
            customer=contract.customer,
            revision=contract.revision,
            observes_erp=bool(calendar.billed_by(contract, "erp")),
        )
        problems = "; ".join(contract_problems(contract))
        try:
            rows = [] if problems else await self._due(contract, look.through, today)
        except ValueError as error:
            problems, rows = str(error), []
        if problems:
            # Nothing was taken up: it is looked at again once the contract is put right.
            headline = f"Contract {contract.number} cannot be billed"
            return seen.with_changes(through=look.through, problem=_problem(CONTRACT, headline, problems))
        return seen.with_changes(due=_due(rows))

    async def _due(
        self, contract: ProjectContract, through: date | None, today: date
    ) -> list[BillingEventRow]:
        """Events due since `through`, kept; of those kept before, the ones that are not billed."""
        late = today > contract.ends_on and bool(await self._open_work(contract, today))
        if not late and not calendar.due_events(contract, through, today):
            rows, kept = [], None
        else:
            kept = await self._billing.events(contract.project)
            rows = calendar.due_events(contract, through, today, kept, late_work=late)
        if calendar.retention_due(contract, today):
            totals = await self._billing.totals(contract.project)
            release = due_release(contract.terms.retention, totals.retained, today)
            if release is not None:
                kept = kept or await self._billing.events(contract.project)
                rows.append(calendar.retention_release(contract, release.amount, today, kept))
        await self._add(rows)
        return [row for row in rows if _open(row)]

    async def _told(self, look: BillingLook, told: MilestoneAccepted | ProgressReported) -> EventTaken:
        contract = await self._kept(look.project)
        kept = await self._billing.events(look.project)
        today = self._today(contract, look)
        if isinstance(told, MilestoneAccepted):
            verdict = milestone_verdict(contract, told, kept, today)
        else:
            verdict = progress_verdict(contract, told, kept, today)
        return await take_verdict(self._store, verdict)

    async def _add(self, rows: Sequence[BillingEventRow]) -> None:
        for row in rows:
            if not row.invoice and not row.void:
                await self._billing.add_event(row)

    async def _open(self, project: str) -> Sequence[BillingEventRow]:
        return await self._billing.events(project, open_only=True)

    async def _open_work(self, contract: ProjectContract, until: date) -> int:
        """Entries we would bill now, at most a page of them."""
        ours = {line.number for line in calendar.billed_by(contract, "fairlead")}
        page = await self._billing.open_entries(contract.project, up_to=until, limit=_MOST)
        return sum(1 for entry in page if entry.line in ours and not entry.held and not entry.parked)

    async def _held_work(self, contract: ProjectContract, until: date) -> int:
        """Entries that wait for a person, at most a page of them."""
        ours = {line.number for line in calendar.billed_by(contract, "fairlead")}
        page = await self._billing.open_entries(contract.project, up_to=until, limit=_MOST)
        return sum(1 for entry in page if entry.line in ours and (entry.held or entry.parked))

    async def _kept(self, project: str) -> ProjectContract:
        contract = await self._billing.contract(project)
        if contract is None:
            raise ApplicationError(
                f"project {project} has no contract in the store (restored backup?)",
                type=StaleReference.__name__,
                non_retryable=True,
            )
        return contract

    def _today(self, contract: ProjectContract, look: BillingLook) -> date:
        return local_day(look.at, self._zone(contract))

    def _zone(self, contract: ProjectContract) -> str:
        """Time zone of the entity that bills; it decides the day."""
        return _zone_of(self._policies.snapshot(), contract.entity)


async def take_verdict(store: Store, verdict: Verdict) -> EventTaken:
    """Keep what a verdict makes due, or drop what it voids."""
    if verdict.void:
        await store.billing.void_event(verdict.void, reason=verdict.note)
    if verdict.event is not None:
        await store.billing.add_event(verdict.event)
    return EventTaken(
        due=_due([verdict.event])[0] if verdict.event else None,
        problem=verdict.problem,
        heals=verdict.heals,
        note=verdict.note,
    )


def _due(rows: Sequence[BillingEventRow]) -> tuple[DueEvent, ...]:
    return tuple(DueEvent.of(row) for row in rows)


def _open(row: BillingEventRow) -> bool:
    return not row.invoice and not row.void


def _refs(contract: ProjectContract) -> SystemRefs:
    return SystemRefs.model_validate(
        {name: value for name, value in dict(contract).items() if name in SystemRefs.model_fields}
    )


def _under(kept: ProjectContract, read: ProjectContract) -> ProjectContract:
    """`read` under the terms that are billed by: a change of the firm's file alone changes no contract."""
    terms = with_terms(read, kept.terms).terms
    return read.with_changes(terms=terms)


def _zone_of(policies: PolicySnapshot, entity: str) -> str:
    known = policies.entity(entity)
    return known.time_zone if known else "UTC"


def _problem(step: str, headline: str, detail: str) -> BillingProblem:
    return BillingProblem(step=step, headline=headline, detail=detail)
