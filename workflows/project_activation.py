"""Project activation: a signed deal becomes an operational project in every system.

    read the deal -> gates before creation -> customer, project and plan, closed for time
    -> demand to staffing, billing schedule -> staffing approved -> gates before opening, on evidence
    read anew -> open -> CRM told -> billing and procurement live on with the project

Whatever fails for good waits for its owner and goes on where it stood; a cancel at any point undoes
everything, newest first, in every system.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.crm import CrmActivities, MarkDealInput, ReadDeal
    from activities.decisions import REFUSED
    from activities.erp import ErpActivities, ErpProjectInput, ScheduleInput, ScheduleRef
    from activities.gates import GateActivities, JudgeGates
    from activities.process import CloseProcess, OpenedProcess, OpenProcess, ProcessActivities
    from activities.psa import ProjectRef, PsaActivities, PsaProject, PsaProjectInput, StaffingInput
    from activities.steps import DealStep
    from domain import activation, corrections
    from domain.activation_process import (
        ACTIVATION,
        ActivationResult,
        ActivationView,
        ProjectActivationInput,
        Stage,
        SystemRecord,
    )
    from domain.attention import Action, Decision, DecisionRef
    from domain.books import BillingScheduleFacts, PartyFacts
    from domain.commands import Record
    from domain.delivery import StaffingAnswer, StaffingDemand, StaffingState
    from domain.gates.customer_data import matched_customer
    from domain.identity import project_number
    from domain.policy import Role, Route, Timing
    from domain.readiness import Gate, GateResult
    from domain.selling import Deal
    from workflows.shared import options, search_attributes
    from workflows.shared.checklist import cell
    from workflows.shared.handover import hand_over_project
    from workflows.shared.process import Compensated, Process

_STEPS: tuple[tuple[str, str, Role | None], ...] = (
    ("read", "Read the signed deal", "crm"),
    ("party_facts", "Look up entity and customer", "erp"),
    ("erp.customer", "Customer", "erp"),
    ("psa.project", "Project and plan", "psa"),
    ("erp.project", "Project for accounting", "erp"),
    ("psa.staffing", "Resource requests", "psa"),
    ("erp.billing_schedule", "Billing schedule", "erp"),
    ("psa.open", "Open for time and expense", "psa"),
    ("erp.open", "Open for accounting", "erp"),
    ("crm.active", "Tell the CRM", "crm"),
)
_LONGEST_POLL = timedelta(hours=6)
_WAITING_RULE = "staffing.unanswered"


@workflow.defn(name="ProjectActivation")
class ProjectActivation(Process):
    """One signed deal. Workflow id `activation/<firm>/<deal>`; owned by delivery operations."""

    @workflow.init
    def __init__(self, input: ProjectActivationInput) -> None:
        Process.__init__(self, f"deal {input.deal}")
        self._input = input
        self._generation = 1
        self._deal: Deal | None = None
        self._baseline: Deal | None = None
        self._facts: PartyFacts | None = None
        self._schedule: BillingScheduleFacts | None = None
        self._gates: dict[Gate, GateResult] = {}
        self._skips: dict[Gate, str] = {}
        self._rounds = 0
        self._records: dict[str, SystemRecord] = {}
        self._demands: tuple[StaffingDemand, ...] = ()
        self._answers: tuple[StaffingAnswer, ...] = ()
        self._staffing_approver: str | None = None
        self._staffing_due: datetime | None = None
        self._polls = 0
        self._handed_over: tuple[str, ...] = ()
        self._stage: Stage = "reading the deal"

    @workflow.run
    async def run(self, input: ProjectActivationInput) -> ActivationResult:
        opened = await self._open(input)
        if opened.state == "done":
            return ActivationResult.model_validate_json(opened.result_json).with_changes(joined=True)
        stopped: BaseException | None = None
        try:
            result = await self._activate()
        except (Compensated, asyncio.CancelledError) as stop:
            if isinstance(stop, asyncio.CancelledError) and not self.cancelled_by_temporal():
                raise
            stopped = stop
            result = await self._cancelled(stop)
        await self._close(result)
        if isinstance(stopped, asyncio.CancelledError):
            raise stopped
        return result

    async def _activate(self) -> ActivationResult:
        await self._pass_gates_before_creation()
        customer = await self._customer()
        project = await self._create_psa_project()
        erp_project = await self._create_erp_project(customer)
        await self._request_staffing(project)
        schedule = await self._create_billing_schedule(erp_project)
        await self._pass_gates_before_opening(project, schedule)
        await self._open_everywhere(project, erp_project)
        return await self._hand_over()

    # -- opening and closing ----------------------------------------------------------------------

    async def _open(self, input: ProjectActivationInput) -> OpenedProcess:
        info = workflow.info()
        opened = await workflow.execute_activity_method(
            ProcessActivities.open,
            OpenProcess(
                key=info.workflow_id,
                kind=ACTIVATION,
                run_id=info.run_id,
                requested_by=input.requested_by,
                title=f"deal {input.deal}",
            ),
            **options.own("Open the process and take the policies it runs under"),
        )
        self.policies, self._generation = opened.policies, opened.generation
        self.desk.use(opened.policies)
        for step, label, role in _STEPS:
            self.checklist.declare(step, label, self._route(role).system if role else "")
        if input.event is not None:
            await self.event_received(input.event)
        return opened

    async def _close(self, result: ActivationResult) -> None:
        spoken = f"active as {result.project}" if result.state == "active" else f"cancelled: {result.reason}"
        await workflow.execute_activity_method(
            ProcessActivities.close,
            CloseProcess(
                key=workflow.info().workflow_id,
                generation=self._generation,
                state="done" if result.state == "active" else "cancelled",
                result_json=result.model_dump_json(),
                summary=f"project {spoken}",
            ),
            **options.own("Close the process"),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _cancelled(self, stop: BaseException) -> ActivationResult:
        """Undo everything, newest first; what a person settled by hand counts as undone."""
        reason = stop.reason if isinstance(stop, Compensated) else "cancelled by temporal"
        self._enter("cancelling")
        await self.compensate()
        self._enter("cancelled")
        return self._result("cancelled", reason)

    # -- gates ------------------------------------------------------------------------------------

    async def _pass_gates_before_creation(self) -> None:
        await self._read_deal()
        self._enter("gates before creation")
        while True:
            await self._read_parties()
            if await self._gates_pass("before_creation"):
                return
            await self._attend_gates("before_creation")
            await self._read_deal()

    async def _pass_gates_before_opening(self, project: PsaProject, schedule: Record | None) -> None:
        """Staffing first; then all evidence is read anew: what was green weeks ago may not be so now."""
        if self._demands:
            self._enter("awaiting staffing")
            await self._pause_for_staffing()
        while True:
            await asyncio.gather(
                self._read_deal(),
                self._read_parties(),
                self._read_answers(project),
                self._read_schedule(schedule),
            )
            passed = await self._gates_pass("before_opening")
            if passed:
                return
            if self._waits_for_staffing():
                await self._pause_for_staffing()
            else:
                self._enter("gates before opening")
                await self._attend_gates("before_opening")

    async def _gates_pass(self, phase: str) -> bool:
        self._rounds += 1
        results = await workflow.execute_activity_method(
            GateActivities.judge,
            JudgeGates(
                process=workflow.info().workflow_id,
                generation=self._generation,
                phase=phase,
                round=self._rounds,
                deal=self._known_deal,
                baseline=self._baseline,
                project=self._number if phase == "before_opening" else "",
                facts=self._facts,
                staffing=self._staffing_state() if phase == "before_opening" else None,
                schedule=self._schedule,
                skips=self._skips,
            ),
            **options.own(f"Judge the gates {phase.replace('_', ' ')}"),
        )
        self._gates.update({r.gate: _pending_if_waiting(r) for r in results if r.phase == phase})
        for result in results:
            item = self.desk.item(f"gate.{result.gate}")
            if result.passed and item is not None:
                await self.desk.resolve(item, f"gate {result.gate.label} is {result.state}")
        self._refresh()
        return all(result.passed for result in results)

    async def _attend_gates(self, phase: str) -> None:
        """Put every red gate on its owner's list and wait until something changes."""
        for result in list(self._gates.values()):
            if result.phase == phase and not result.passed:
                await self._attend_gate(result)
        while True:
            decision = await self.decided(
                f"Waiting for gates {phase.replace('_', ' ')}",
                timeout=self._next_pause() if self._gate_pending(Gate.STAFFING) else None,
            )
            if decision is None or self._changes_gates(decision):
                return

    async def _attend_gate(self, result: GateResult) -> None:
        rule = self.known_policies.profile(self._known_deal.region).rule_for(result.gate, result.phase)
        await self.desk.raise_item(
            f"gate.{result.gate}",
            f"Gate {result.gate.label} is red",
            owner=result.owner,
            detail="; ".join(finding.message for finding in result.findings),
            object=self._object,
            amount=self._value(),
            error_class="GateRed",
            sla=timedelta(hours=rule.sla_hours),
            actions=[action for action in Action if action is not Action.SKIP or rule.skip_role],
            skip_role=rule.skip_role,
            findings=result.findings,
        )

    def _changes_gates(self, decision: Decision) -> bool:
        if decision.action == "skip":
            item = next((i for i in self.desk.open_items if i.id == decision.target), None)
            if item is not None and item.step.startswith("gate."):
                self._skips[Gate(item.step.removeprefix("gate."))] = decision.reason
        self._take_approval(decision)
        return decision.action in ("retry", "correct", "skip", "approve_staffing", "evidence")

    # -- reading ----------------------------------------------------------------------------------

    async def _read_deal(self) -> None:
        deal = await self.step(
            "read",
            lambda: workflow.execute_activity_method(
                CrmActivities.read_deal,
                ReadDeal(deal=self._input.deal, corrections=self.corrections),
                **options.read(self._route("crm"), self._timing, f"Read deal {self._input.deal}"),
            ),
            role="crm",
        )
        self._deal = deal
        self._object = f"deal {deal.external_id} {deal.name}"

    async def _read_parties(self) -> None:
        self._facts = await self.step(
            "party_facts",
            lambda: workflow.execute_activity_method(
                ErpActivities.party_facts,
                activation.party_query(
                    self._known_deal, self._deal_step().customer_key("erp.customer"), workflow.now().date()
                ),
                **options.read(
                    self._route("erp"),
                    self._timing,
                    f"Look up {self._known_deal.customer.external_id} in the ERP",
                ),
            ),
            role="erp",
        )

    async def _read_answers(self, project: PsaProject) -> None:
        if not self._demands:
            return
        self._answers = tuple(
            await self.step(
                "psa.answers",
                lambda: workflow.execute_activity_method(
                    PsaActivities.staffing_answers,
                    self._project_ref(project.project),
                    **options.read(self._route("psa"), self._timing, f"Staffing answers for {self._number}"),
                ),
                role="psa",
            )
        )

    async def _read_schedule(self, schedule: Record | None) -> None:
        if schedule is None:
            return
        self._schedule = await self.step(
            "erp.schedule_read",
            lambda: workflow.execute_activity_method(
                ErpActivities.billing_schedule,
                ScheduleRef(schedule_external_id=schedule.external_id),
                **options.read(self._route("erp"), self._timing, f"Read back the schedule of {self._number}"),
            ),
            role="erp",
        )

    # -- creating ---------------------------------------------------------------------------------

    async def _customer(self) -> str:
        """Id of the customer in the ERP: matched by tax or registration id, else created."""
        self._enter("creating")
        self._baseline = self._known_deal
        known = matched_customer(self._known_deal, self._facts)
        if known is not None:
            self.checklist.set("erp.customer", "done", f"known as {known.number or known.external_id}")
            return known.external_id
        record = await self.step(
            "erp.customer",
            lambda: workflow.execute_activity_method(
                ErpActivities.create_customer,
                self._deal_step(),
                **options.write(self._route("erp"), self._timing, f"Create the customer of {self._number}"),
            ),
            role="erp",
        )
        self._keep("erp.customer", "erp", "customer", record)
        return record.external_id

    async def _create_psa_project(self) -> PsaProject:
        deal = self._plan_deal
        templates = self.known_policies.templates
        made: PsaProject = await self.step(
            "psa.project",
            lambda: workflow.execute_activity_method(
                PsaActivities.create_project,
                self._psa_input(templates.get(deal.region or "", templates.get("default"))),
                **options.write(
                    self._route("psa"), self._timing, f"Create project {self._number} with its plan"
                ),
            ),
            role="psa",
            amount=self._value(),
            undo=lambda: workflow.execute_activity_method(
                PsaActivities.cancel_project,
                self._psa_input(None),
                **options.write(self._route("psa"), self._timing, f"Cancel project {self._number}"),
            ),
        )
        self._keep("psa.project", "psa", "project", made.project)
        return made

    async def _create_erp_project(self, customer: str) -> Record:
        record = await self.step(
            "erp.project",
            lambda: workflow.execute_activity_method(
                ErpActivities.create_project,
                self._erp_input(customer),
                **options.write(
                    self._route("erp"), self._timing, f"Create project {self._number} for accounting"
                ),
            ),
            role="erp",
            amount=self._value(),
            undo=lambda: workflow.execute_activity_method(
                ErpActivities.cancel_project,
                self._erp_input(customer),
                **options.write(self._route("erp"), self._timing, f"Deactivate project {self._number}"),
            ),
        )
        self._keep("erp.project", "erp", "project", record)
        return record

    async def _request_staffing(self, project: PsaProject) -> None:
        if activation.seats(self._plan_deal, project.project.external_id) is None:
            self.checklist.set("psa.staffing", "skipped", "no role to staff")
            return
        asked = await self.step(
            "psa.staffing",
            lambda: workflow.execute_activity_method(
                PsaActivities.request_staffing,
                self._staffing_input(project),
                **options.write(
                    self._route("psa"), self._timing, f"Ask staffing for the roles of {self._number}"
                ),
            ),
            role="psa",
            undo=lambda: workflow.execute_activity_method(
                PsaActivities.withdraw_staffing,
                self._staffing_input(project),
                **options.write(self._route("psa"), self._timing, f"Withdraw the requests of {self._number}"),
            ),
        )
        self._demands = asked.demands

    async def _create_billing_schedule(self, erp_project: Record) -> Record | None:
        record = await self.step(
            "erp.billing_schedule",
            lambda: workflow.execute_activity_method(
                ErpActivities.create_billing_schedule,
                self._schedule_input(erp_project),
                **options.write(
                    self._route("erp"), self._timing, f"Create the billing schedule of {self._number}"
                ),
            ),
            role="erp",
            amount=self._value(),
            undo=lambda: workflow.execute_activity_method(
                ErpActivities.void_billing_schedule,
                self._schedule_input(erp_project),
                **options.write(
                    self._route("erp"), self._timing, f"Void the billing schedule of {self._number}"
                ),
            ),
        )
        if record is None:
            self.checklist.set("erp.billing_schedule", "skipped", "nothing is billed by plan")
        else:
            self._keep("erp.billing_schedule", "erp", "billing schedule", record)
        return record

    # -- staffing ---------------------------------------------------------------------------------

    async def _pause_for_staffing(self) -> None:
        """Wait for an approval. Staffing tools without events are asked again at growing intervals."""
        if self._staffing_approver is not None:
            return
        if self._staffing_due is None:
            rule = self.known_policies.profile(self._plan_deal.region).rule_for(
                Gate.STAFFING, "before_opening"
            )
            self._staffing_due = workflow.now() + timedelta(hours=rule.sla_hours)
        left = max(self._staffing_due - workflow.now(), timedelta(0))
        decision = await self.decided(
            f"Waiting for staffing approval of {self._number}", timeout=min(self._next_pause(), left)
        )
        if decision is not None:
            self._changes_gates(decision)

    def _next_pause(self) -> timedelta:
        first = timedelta(minutes=self.known_policies.staffing_poll_minutes)
        self._polls += 1
        doubled: timedelta = first * (1 << min(self._polls - 1, 10))
        return min(doubled, _LONGEST_POLL)

    def _waits_for_staffing(self) -> bool:
        """Whether nothing but an unanswered request keeps the gates from passing, and it is not overdue."""
        red = [gate for gate in self._gates.values() if gate.phase == "before_opening" and not gate.passed]
        overdue = self._staffing_due is not None and workflow.now() >= self._staffing_due
        return not overdue and all(gate.state == "pending" for gate in red)

    def _gate_pending(self, gate: Gate) -> bool:
        return gate in self._gates and self._gates[gate].state == "pending"

    def _take_approval(self, decision: Decision) -> None:
        if decision.action == "approve_staffing":
            self._staffing_approver = decision.actor

    def _staffing_state(self) -> StaffingState:
        deal = self._plan_deal
        return StaffingState(
            demands=self._demands,
            answers=self._answers,
            requested_by=deal.project_manager_email or deal.owner_email or "",
            approved_by=self._staffing_approver,
            approved_revision=1 if self._staffing_approver else None,
        )

    # -- opening ----------------------------------------------------------------------------------

    async def _open_everywhere(self, project: PsaProject, erp_project: Record) -> None:
        self._enter("opening")
        await self.step(
            "erp.open",
            lambda: workflow.execute_activity_method(
                ErpActivities.open_project,
                self._project_ref(erp_project),
                **options.write(self._route("erp"), self._timing, f"Open {self._number} for accounting"),
            ),
            role="erp",
        )
        await self.step(
            "psa.open",
            lambda: workflow.execute_activity_method(
                PsaActivities.open_project,
                self._project_ref(project.project),
                **options.write(
                    self._route("psa"), self._timing, f"Open {self._number} for time and expense"
                ),
            ),
            role="psa",
        )
        marked = await self.step(
            "crm.active",
            lambda: workflow.execute_activity_method(
                CrmActivities.mark_deal,
                self._mark_input(),
                **options.write(self._route("crm"), self._timing, f"Mark deal {self._input.deal} active"),
            ),
            role="crm",
            undo=lambda: workflow.execute_activity_method(
                CrmActivities.restore_deal,
                self._mark_input(),
                **options.write(self._route("crm"), self._timing, f"Restore deal {self._input.deal}"),
            ),
        )
        self._keep("crm.active", "crm", "deal", marked)

    async def _hand_over(self) -> ActivationResult:
        self.point_of_no_return()
        self._handed_over = await hand_over_project(
            self._input.firm, self._number, self._known_deal, workflow.info().workflow_id
        )
        self._enter("active")
        return self._result("active")

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
        deal = self._deal
        return ActivationView(
            deal=self._input.deal,
            deal_name=deal.name if deal else "",
            customer=deal.customer.name if deal else "",
            entity=(deal.contract.billing_entity or "") if deal and deal.contract else "",
            project=self._number if self._records else "",
            generation=self._generation,
            stage=self._stage,
            gates=tuple(self._gates.values()),
            steps=self.checklist.steps,
            attention=self.desk.open_items,
            records=tuple(self._records.values()),
            staffing_asked=tuple(demand.role for demand in self._demands)
            if self._stage == "awaiting staffing"
            else (),
            started_at=workflow.info().start_time,
            finished=self._stage in ("active", "cancelled"),
        )

    def check_decision(self, decision: Decision) -> None:
        if decision.action == "approve_staffing":
            requester = self._staffing_state().requested_by if self._deal else ""
            if requester and requester.casefold() == decision.actor.casefold():
                raise ApplicationError(
                    f"{decision.actor} asked for this staffing; another person approves it",
                    type=REFUSED,
                    non_retryable=True,
                )
        if decision.action == "correct" and self._deal is not None:
            try:
                corrections.apply(self._deal, decision.payload)
            except ValueError as error:
                raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from error

    def corrected(self, payload: dict[str, str]) -> None:
        """While things are being created, a correction changes what is created from then on."""
        if self._stage == "creating" and self._baseline is not None:
            self._baseline = corrections.apply(self._baseline, payload)

    def details(self) -> str:
        rows = [
            f"| {g.gate.label} | {g.phase.replace('_', ' ')} | {g.state} | {g.owner.value} "
            f"| {cell('; '.join(f.message for f in g.findings))} |"
            for g in self._gates.values()
            if g.state != "not_required"
        ]
        return self.checklist.markdown(self.desk.open_items, rows)

    # -- small things -----------------------------------------------------------------------------

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        self.checklist.stage = stage
        deal = self._deal
        if stage == "creating" and deal is not None:
            search_attributes.upsert(stage=stage, project=self._number)
        elif stage == "gates before creation" and deal is not None:
            entity = deal.contract.billing_entity if deal.contract else None
            search_attributes.upsert(stage=stage, customer=deal.customer.external_id, entity=entity)
        else:
            search_attributes.upsert(stage=stage)
        self._refresh()

    def _keep(self, step: str, role: Role, noun: str, record: Record) -> None:
        system = self._route(role).system
        self._records[step] = SystemRecord(
            system=system, noun=noun, external_id=record.external_id, number=record.number, url=record.url
        )
        self.checklist.set(step, "done", record.number or record.external_id)

    def _result(self, state: str, reason: str = "") -> ActivationResult:
        return ActivationResult.model_validate(
            {
                "state": state,
                "deal": self._input.deal,
                "project": self._number if self._records else "",
                "generation": self._generation,
                "records": tuple(self._records.values()),
                "reason": reason,
                "handed_over": self._handed_over,
            }
        )

    @property
    def _known_deal(self) -> Deal:
        if self._deal is None:
            raise RuntimeError("the deal is used before it was read")
        return self._deal

    @property
    def _plan_deal(self) -> Deal:
        """The deal as it was when creation began: what was made from it is undone from it."""
        return self._baseline or self._known_deal

    @property
    def _number(self) -> str:
        contract = self._plan_deal.contract
        entity = contract.billing_entity if contract else None
        return project_number(entity or "NONE", self._input.deal, self._generation)

    @property
    def _timing(self) -> Timing:
        return self.known_policies.timing

    def _route(self, role: Role) -> Route:
        entity = self._deal.contract.billing_entity if self._deal and self._deal.contract else None
        return self.known_policies.route(role, entity)

    def _value(self) -> str:
        contract = self._deal.contract if self._deal else None
        return str(contract.value) if contract and contract.value else ""

    def _deal_step(self) -> DealStep:
        return DealStep(
            process=workflow.info().workflow_id,
            firm=self._input.firm,
            generation=self._generation,
            reason=self._input.requested_by,
            deal=self._plan_deal,
            number=self._number,
        )

    def _psa_input(self, template: str | None) -> PsaProjectInput:
        return PsaProjectInput(**dict(self._deal_step()), template=template)

    def _erp_input(self, customer: str) -> ErpProjectInput:
        return ErpProjectInput(**dict(self._deal_step()), customer_external_id=customer)

    def _staffing_input(self, project: PsaProject) -> StaffingInput:
        return StaffingInput(
            **dict(self._deal_step()),
            project_external_id=project.project.external_id,
            approver_email=self.known_policies.staffing_approver_email,
        )

    def _schedule_input(self, erp_project: Record) -> ScheduleInput:
        return ScheduleInput(**dict(self._deal_step()), project_external_id=erp_project.external_id)

    def _project_ref(self, project: Record) -> ProjectRef:
        return ProjectRef(
            process=workflow.info().workflow_id,
            firm=self._input.firm,
            generation=self._generation,
            reason=self._input.requested_by,
            project_external_id=project.external_id,
        )

    def _mark_input(self) -> MarkDealInput:
        return MarkDealInput(
            process=workflow.info().workflow_id,
            firm=self._input.firm,
            generation=self._generation,
            reason=self._input.requested_by,
            deal_external_id=self._input.deal,
            status="Active",
            project_number=self._number,
        )


def _pending_if_waiting(result: GateResult) -> GateResult:
    """A request that staffing has not answered yet is not wrong, it waits."""
    waits = result.findings and all(finding.rule == _WAITING_RULE for finding in result.findings)
    return result.with_changes(state="pending") if result.state == "red" and waits else result
