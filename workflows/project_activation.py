"""Project activation: a signed deal becomes an operational project in every system.

    read the deal -> gates before creation -> customer, project and plan, closed for time
    -> demand to staffing, requisitions for suppliers, billing schedule -> staffing approved
    -> gates before opening, on evidence read anew -> open -> CRM told
    -> billing and procurement live on with the project

Whatever fails for good waits for its owner and goes on where it stood; a cancel at any point undoes
everything, newest first, in every system.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.process import OpenedProcess
    from activities.psa import PsaProject
    from domain import corrections, procurement
    from domain.activation import subcontract_lines
    from domain.activation_process import (
        ACTIVATION,
        ActivationResult,
        ActivationState,
        ActivationView,
        ProjectActivationInput,
        Stage,
        SystemRecord,
    )
    from domain.attention import Decision, DecisionRef
    from domain.books import BillingScheduleFacts, PartyFacts
    from domain.commands import Record
    from domain.delivery import StaffingAnswer, StaffingDemand, StaffingState
    from domain.gates.customer_data import matched_customer
    from domain.policy import Role
    from domain.procurement_process import ProcurementState, Requested
    from domain.project_contract import ProjectContract
    from domain.readiness import Gate
    from domain.selling import Deal
    from workflows.activation_calls import ActivationCalls
    from workflows.shared import search_attributes
    from workflows.shared.desk import refused
    from workflows.shared.gate_board import GateBoard
    from workflows.shared.handover import hand_over_project
    from workflows.shared.opening import open_process
    from workflows.shared.process import Compensated, Process

_STEPS: tuple[tuple[str, str, Role], ...] = (
    ("read", "Read the signed deal", "crm"),
    ("party_facts", "Look up entity and customer", "erp"),
    ("erp.customer", "Customer", "erp"),
    ("psa.project", "Project and plan", "psa"),
    ("erp.project", "Project for accounting", "erp"),
    ("psa.staffing", "Resource requests", "psa"),
    ("procurement.request", "Supplier requisitions", "procurement"),
    ("erp.billing_schedule", "Billing schedule", "erp"),
    ("erp.open", "Open for accounting", "erp"),
    ("psa.open", "Open for time and expense", "psa"),
    ("crm.active", "Tell the CRM", "crm"),
)
_BEFORE_CREATION, _BEFORE_OPENING = "before_creation", "before_opening"
_LONGEST_POLL = timedelta(hours=6)


@workflow.defn(name="ProjectActivation")
class ProjectActivation(Process):
    """One signed deal. Workflow id `activation/<firm>/<deal>`; owned by delivery operations."""

    @workflow.init
    def __init__(self, input: ProjectActivationInput) -> None:
        Process.__init__(self, f"deal {input.deal}")
        self._input = input
        self._calls: ActivationCalls | None = None
        self._deal: Deal | None = None
        self._created = False
        self._facts: PartyFacts | None = None
        self._schedule: BillingScheduleFacts | None = None
        self._gates = GateBoard(self.desk)
        self._records: dict[str, SystemRecord] = {}
        self._demands: tuple[StaffingDemand, ...] = ()
        self._buys = False
        self._requested: tuple[Requested, ...] = ()
        self._answers: tuple[StaffingAnswer, ...] = ()
        self._staffing_approver: str | None = None
        self._staffing_due: datetime | None = None
        self._polls = 0
        self._handed_over: tuple[str, ...] = ()
        self._stage: Stage = "reading the deal"
        self._shown: Stage = "reading the deal"

    @workflow.run
    async def run(self, input: ProjectActivationInput) -> ActivationResult:
        opened = await open_process(ACTIVATION, f"deal {input.deal}", input.requested_by)
        if opened.state == "done":
            return ActivationResult.model_validate_json(opened.result_json).with_changes(joined=True)
        stopped: BaseException | None = None
        try:
            await self._begin(opened)
            result = await self._activate()
        except (Compensated, asyncio.CancelledError) as stop:
            if isinstance(stop, asyncio.CancelledError) and not self.cancelled_by_temporal():
                raise
            stopped = stop
            result = await self._cancelled(stop)
        await self.calls.close(result)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if isinstance(stopped, asyncio.CancelledError):
            raise stopped
        return result

    async def _activate(self) -> ActivationResult:
        await self._pass_gates_before_creation()
        customer = await self._customer()
        project = await self._create_project()
        erp_project = await self._create_erp_project(customer)
        await self._request_staffing(project)
        await self._request_purchases()
        schedule = await self._create_billing_schedule(erp_project)
        await self._pass_gates_before_opening(project, schedule)
        contract = self.calls.contract(project, customer, erp_project, schedule)
        await self._open_everywhere(project, erp_project)
        return await self._hand_over(contract)

    async def _begin(self, opened: OpenedProcess) -> None:
        self._calls = ActivationCalls(self._input, opened)
        self.policies = opened.policies
        self.desk.use(opened.policies)
        for step, label, role in _STEPS:
            system = next((route.system for route in opened.policies.routes if route.role == role), "")
            if system:
                self.checklist.declare(step, label, system)
        if self._input.event is not None:
            await self.event_received(self._input.event)

    async def _cancelled(self, stop: BaseException) -> ActivationResult:
        """Undo everything, newest first; what a person settled by hand counts as undone."""
        reason = stop.reason if isinstance(stop, Compensated) else "cancelled by temporal"
        self._enter("cancelling")
        await self.compensate()
        self._enter("cancelled")
        return self._result("cancelled", reason)

    # -- gates ------------------------------------------------------------------------------------

    async def _pass_gates_before_creation(self) -> None:
        seen = self.desk.wakes
        await self._read_deal()
        self._enter("gates before creation", shown=False)
        while True:
            await self._read_parties()
            self._gates.rounds += 1
            judged = await self.calls.judge(
                _BEFORE_CREATION, self._gates.rounds, self.deal, facts=self._facts, skips=self._gates.skips
            )
            passed = await self._gates.take(_BEFORE_CREATION, judged)
            self._refresh()
            if passed:
                return
            await self._attend_gates(_BEFORE_CREATION, seen)
            seen = self.desk.wakes
            await self._read_deal()

    async def _pass_gates_before_opening(self, project: PsaProject, schedule: Record | None) -> None:
        """Staffing first; then all evidence is read anew: what was green weeks ago may not be so now."""
        if self._demands:
            self._enter("awaiting staffing", shown=self._staffing_approver is None)
            await self._pause_for_staffing(self.desk.wakes)
        seen = self.desk.wakes
        while not await self._ready_to_open(project, schedule):
            if self._gates.only_waits(_BEFORE_OPENING) and not self._staffing_overdue:
                await self._pause_for_staffing(seen)
            else:
                self._enter("gates before opening")
                await self._attend_gates(_BEFORE_OPENING, seen)
            seen = self.desk.wakes

    async def _ready_to_open(self, project: PsaProject, schedule: Record | None) -> bool:
        await asyncio.gather(
            self._read_deal(),
            self._read_parties(),
            self._read_answers(project),
            self._read_schedule(schedule),
        )
        self._gates.rounds += 1
        judged = await self.calls.judge(
            _BEFORE_OPENING,
            self._gates.rounds,
            self.deal,
            facts=self._facts,
            skips=self._gates.skips,
            baseline=self.calls.plan,
            staffing=self._staffing_state(),
            schedule=self._schedule,
        )
        passed = await self._gates.take(_BEFORE_OPENING, judged)
        self._refresh()
        return passed

    async def _attend_gates(self, phase: str, seen: int) -> None:
        """Put every red gate on its owner's list and wait until something changes after `seen`."""
        self._show_deal()
        profile = self.known_policies.profile(self.deal.region)
        await self._gates.attend(phase, profile, object=self._object, amount=self._value())
        while True:
            pause = self._next_pause() if self._gates.pending(Gate.STAFFING) else None
            what = f"Waiting for gates {phase.replace('_', ' ')}"
            decision = await self.decided(what, timeout=pause, since=seen)
            if decision is None or self._changes_gates(decision):
                return

    def _changes_gates(self, decision: Decision) -> bool:
        if decision.action == "skip":
            self._gates.skip(decision, self.item(decision.target))
        return decision.action in ("retry", "correct", "skip")

    # -- reading ----------------------------------------------------------------------------------

    async def _read_deal(self) -> None:
        self._deal = await self.step("read", lambda: self.calls.read_deal(self.corrections), role="crm")
        self._object = f"deal {self._deal.external_id} {self._deal.name}"
        if not self._created:
            self.calls.deal = self._deal

    async def _read_parties(self) -> None:
        self._facts = await self.step("party_facts", lambda: self.calls.party_facts(self.deal), role="erp")

    async def _read_answers(self, project: PsaProject) -> None:
        if self._demands:
            found = await self.step("psa.answers", lambda: self.calls.staffing_answers(project), role="psa")
            self._answers = tuple(found)

    async def _read_schedule(self, schedule: Record | None) -> None:
        if schedule is not None:
            self._schedule = await self.step(
                "erp.schedule_read", lambda: self.calls.billing_schedule(schedule), role="erp"
            )

    # -- creating ---------------------------------------------------------------------------------

    async def _customer(self) -> str:
        """Id of the customer in the ERP: matched by tax or registration id, else created."""
        self._created = True
        self._enter("creating", shown=False)
        self._show_deal()
        known = matched_customer(self.deal, self._facts)
        if known is not None:
            self.checklist.set("erp.customer", "done", f"known as {known.number or known.external_id}")
            return known.external_id
        record = await self.step("erp.customer", self.calls.create_customer, role="erp")
        self._keep("erp.customer", "erp", "customer", record)
        return record.external_id

    async def _create_project(self) -> PsaProject:
        made = await self.step(
            "psa.project",
            self.calls.create_project,
            role="psa",
            amount=self._value(),
            undo=self.calls.cancel_project,
        )
        self._keep("psa.project", "psa", "project", made.project)
        return made

    async def _create_erp_project(self, customer: str) -> Record:
        record = await self.step(
            "erp.project",
            lambda: self.calls.create_erp_project(customer),
            role="erp",
            amount=self._value(),
            undo=lambda: self.calls.cancel_erp_project(customer),
        )
        self._keep("erp.project", "erp", "project", record)
        return record

    async def _request_staffing(self, project: PsaProject) -> None:
        seats = self.calls.seats(project)
        if seats is None:
            self.checklist.set("psa.staffing", "skipped", "no role to staff")
            return
        asked = await self.step(
            "psa.staffing",
            lambda: self.calls.request_staffing(seats),
            role="psa",
            undo=lambda: self.calls.withdraw_staffing(seats),
        )
        self._demands = asked.demands

    async def _request_purchases(self) -> None:
        """A requisition per supplier; what it becomes is followed by the process that takes it over."""
        if not self.calls.procures:
            return
        if not subcontract_lines(self.calls.plan):
            self.checklist.set("procurement.request", "skipped", "no line of a supplier")
            return
        if not workflow.patched("requisitions"):
            return
        self._requested = tuple(
            await self.step(
                "procurement.request",
                self.calls.request_purchases,
                role="procurement",
                undo=self.calls.withdraw_purchases,
            )
        )
        self._buys = True
        system = self.calls.route("procurement").system
        for one in self._requested:
            self._records[one.key] = SystemRecord(
                system=system,
                noun="purchase requisition",
                external_id=one.requisition,
                number=one.number,
                url=one.url,
            )
        numbers = ", ".join(one.number or one.requisition for one in self._requested)
        self.checklist.set("procurement.request", "done", numbers)

    async def _create_billing_schedule(self, erp_project: Record) -> Record | None:
        schedule = self.calls.planned_schedule(erp_project)
        if schedule is None:
            self.checklist.set("erp.billing_schedule", "skipped", "nothing is billed by plan")
            return None
        record = await self.step(
            "erp.billing_schedule",
            lambda: self.calls.create_billing_schedule(schedule),
            role="erp",
            amount=self._value(),
            undo=lambda: self.calls.void_billing_schedule(schedule),
        )
        self._keep("erp.billing_schedule", "erp", "billing schedule", record)
        return record

    # -- staffing ---------------------------------------------------------------------------------

    async def _pause_for_staffing(self, seen: int) -> None:
        """Wait for an approval. Staffing tools without events are asked again at growing intervals."""
        if self._staffing_approver is not None:
            return
        if self._staffing_due is None:
            rule = self.known_policies.profile(self.deal.region).rule_for(Gate.STAFFING, _BEFORE_OPENING)
            self._staffing_due = workflow.now() + timedelta(hours=rule.sla_hours)
        left = max(self._staffing_due - workflow.now(), timedelta(0))
        decision = await self.decided(
            f"Waiting for staffing approval of {self.calls.number}",
            timeout=min(self._next_pause(), left),
            since=seen,
        )
        if decision is not None:
            self._changes_gates(decision)

    def _next_pause(self) -> timedelta:
        first = timedelta(minutes=self.known_policies.staffing_poll_minutes)
        self._polls += 1
        doubled: timedelta = first * (1 << min(self._polls - 1, 10))
        return min(doubled, _LONGEST_POLL)

    @property
    def _staffing_overdue(self) -> bool:
        return self._staffing_due is not None and workflow.now() >= self._staffing_due

    def _staffing_state(self) -> StaffingState:
        return StaffingState(
            demands=self._demands,
            answers=self._answers,
            requested_by=self._staffing_requester(),
            approved_by=self._staffing_approver,
            approved_revision=1 if self._staffing_approver else None,
        )

    def _staffing_requester(self) -> str:
        deal = self._deal
        return (deal.project_manager_email or deal.owner_email or "") if deal else ""

    # -- opening ----------------------------------------------------------------------------------

    async def _open_everywhere(self, project: PsaProject, erp_project: Record) -> None:
        # "creating" is true enough for what takes a second; that somebody is waited for no longer is not.
        self._enter("opening", shown=self._shown != "creating")
        await self.step("erp.open", lambda: self.calls.open_for_accounting(erp_project), role="erp")
        await self.step("psa.open", lambda: self.calls.open_for_time(project), role="psa")
        marked = await self.step("crm.active", self.calls.mark_deal, role="crm", undo=self.calls.restore_deal)
        self._keep("crm.active", "crm", "deal", marked)

    async def _hand_over(self, contract: ProjectContract) -> ActivationResult:
        self.point_of_no_return()
        self._handed_over = await hand_over_project(
            self._input.firm,
            self.calls.number,
            self.deal,
            workflow.info().workflow_id,
            contract,
            self._purchases() if self._buys else None,
        )
        self._enter("active")
        return self._result("active")

    def _purchases(self) -> ProcurementState:
        """What was requested, for the process that follows it."""
        route = self.calls.route("procurement")
        return ProcurementState(
            firm=self._input.firm,
            project=self.calls.number,
            correlation=workflow.info().workflow_id,
            lines=procurement.lines_of(self.calls.needs(), self._requested, workflow.now()),
            system=route.system,
            entity=contract.billing_entity or "" if (contract := self.calls.plan.contract) else "",
            deal=self._input.deal,
        )

    # -- handlers ---------------------------------------------------------------------------------

    @workflow.update(name="approve_staffing")
    async def approve_staffing(self, ref: DecisionRef) -> str:
        """Approve the staffing as a whole; the approver is never the one who asked."""
        return await self._decide(ref)

    @workflow.update(name="provide_evidence")
    async def provide_evidence(self, ref: DecisionRef) -> str:
        """Something was put right at its source: read the evidence again."""
        return await self._decide(ref)

    @workflow.query(name="status")
    def status(self) -> ActivationView:
        deal, waits = self._deal, self._stage == "awaiting staffing"
        return ActivationView(
            deal=self._input.deal,
            deal_name=deal.name if deal else "",
            customer=deal.customer.name if deal else "",
            entity=(deal.contract.billing_entity or "") if deal and deal.contract else "",
            project=self.calls.number if self._records else "",
            generation=self._calls.generation if self._calls else 1,
            stage=self._stage,
            gates=self._gates.results,
            steps=self.checklist.steps,
            attention=self.desk.open_items,
            records=tuple(self._records.values()),
            staffing_asked=tuple(demand.role for demand in self._demands) if waits else (),
            started_at=workflow.info().start_time,
            finished=self._stage in ("active", "cancelled"),
        )

    def check_decision(self, decision: Decision) -> None:
        if decision.action == "approve_staffing":
            requester = self._staffing_requester()
            if requester and requester.casefold() == decision.actor.casefold():
                raise refused(f"{decision.actor} asked for this staffing; another person approves it")
            seen, now = decision.payload.get("revision"), str(self._staffing_state().revision)
            if seen is not None and seen != now:
                raise refused(
                    f"this approves revision {seen} of the demand, which stands at revision {now}: look at it"
                    " again, then approve that"
                )
        if decision.action == "correct" and self._deal is not None:
            try:
                corrections.apply(self._deal, decision.payload)
            except ValueError as error:
                raise refused(str(error)) from error

    def take(self, decision: Decision) -> bool:
        """An approval counts from the moment it is given, even while other things are wrong."""
        if decision.action not in ("approve_staffing", "evidence"):
            return False
        if decision.action == "approve_staffing":
            self._staffing_approver = decision.actor
        self.desk.wake()
        return True

    def corrected(self, payload: dict[str, str]) -> None:
        """While things are being created, a correction changes what is created from then on."""
        if self._stage == "creating":
            self.calls.deal = corrections.apply(self.calls.plan, payload)

    def details(self) -> str:
        return self.checklist.markdown(self.desk.open_items, self._gates.rows())

    # -- small things -----------------------------------------------------------------------------

    @property
    def calls(self) -> ActivationCalls:
        if self._calls is None:
            raise RuntimeError("the process is used before it was opened")
        return self._calls

    @property
    def deal(self) -> Deal:
        """The deal as it was last read, with the corrections laid over."""
        if self._deal is None:
            raise RuntimeError("the deal is used before it was read")
        return self._deal

    def _enter(self, stage: Stage, *, shown: bool = True) -> None:
        """`shown`: in visibility too. Each time costs an event, so a stage that passes at once is not."""
        self._stage = stage
        self.checklist.stage = stage
        if shown:
            self._shown = stage
            search_attributes.upsert(stage=stage)
        self._refresh()

    def _show_deal(self) -> None:
        """Make the process findable by what the deal says."""
        deal = self.deal
        self._shown = self._stage
        search_attributes.upsert(
            stage=self._stage,
            customer=deal.customer.external_id,
            entity=deal.contract.billing_entity if deal.contract else None,
            project=self.calls.number if self._created else None,
        )

    def _keep(self, step: str, role: Role, noun: str, record: Record) -> None:
        self._records[step] = SystemRecord(
            system=self.calls.route(role).system,
            noun=noun,
            external_id=record.external_id,
            number=record.number,
            url=record.url,
        )
        self.checklist.set(step, "done", record.number or record.external_id)

    def _result(self, state: ActivationState, reason: str = "") -> ActivationResult:
        return ActivationResult(
            state=state,
            deal=self._input.deal,
            project=self.calls.number if self._records else "",
            generation=self.calls.generation,
            records=tuple(self._records.values()),
            reason=reason,
            handed_over=self._handed_over,
        )

    def _value(self) -> str:
        contract = self.deal.contract
        return str(contract.value) if contract and contract.value else ""
