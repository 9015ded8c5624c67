"""Every activity of the project activation: its input, its queue, its profile and its business summary.

What is created is created from the plan: the deal as it stood when creation began. What was made from it
is undone from it, whatever the deal says by then.
"""

from collections.abc import Awaitable, Mapping
from typing import Any

from temporalio import workflow
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from activities.crm import CrmActivities, MarkDealInput, ReadDeal
from activities.erp import ErpActivities, ErpCustomerInput, ErpProjectInput, ScheduleInput, ScheduleRef
from activities.gates import GateActivities, JudgeGates
from activities.process import CloseProcess, OpenedProcess, ProcessActivities
from activities.procurement import ProcurementActivities, PurchaseInput
from activities.psa import (
    ProjectRef,
    PsaActivities,
    PsaProject,
    PsaProjectInput,
    StaffingInput,
    StaffingRequests,
)
from activities.steps import Step
from domain import activation
from domain.activation_process import ActivationResult, ProjectActivationInput
from domain.billing_contract import SystemRefs, contract_of
from domain.books import BillingScheduleFacts, PartyFacts
from domain.commands import AddSeats, CreateBillingSchedule, Record
from domain.delivery import StaffingAnswer, StaffingState
from domain.identity import customer_key, project_number
from domain.policy import PolicySnapshot, Role, Route
from domain.procurement_process import PurchaseNeed, Requested
from domain.project_contract import ProjectContract
from domain.readiness import Gate, GateResult
from domain.selling import Deal
from workflows.shared import options


class ActivationCalls:
    """The calls of one activation, in one generation, under its policies."""

    def __init__(self, input: ProjectActivationInput, opened: OpenedProcess) -> None:
        self._input = input
        self.policies: PolicySnapshot = opened.policies
        self.generation = opened.generation
        self.deal: Deal | None = None
        """The plan; follows the deal as it is read until creation begins."""

    @property
    def plan(self) -> Deal:
        if self.deal is None:
            raise RuntimeError("the deal is used before it was read")
        return self.deal

    @property
    def number(self) -> str:
        """Number of the project that the deal becomes."""
        return project_number(self._entity or "NONE", self._input.deal, self.generation)

    def route(self, role: Role) -> Route:
        return self.policies.route(role, self._entity)

    # -- the process itself -----------------------------------------------------------------------

    def close(self, result: ActivationResult) -> Awaitable[None]:
        spoken = f"active as {result.project}" if result.state == "active" else f"cancelled: {result.reason}"
        return workflow.execute_local_activity_method(
            ProcessActivities.close,
            CloseProcess(
                key=workflow.info().workflow_id,
                generation=self.generation,
                state="done" if result.state == "active" else "cancelled",
                stage=result.state,
                project=result.project,
                result_json=result.model_dump_json(),
                summary=f"project {spoken}",
            ),
            **self._bookkeeping("Close the process"),
        )

    def judge(
        self,
        phase: str,
        round: int,
        deal: Deal,
        *,
        facts: PartyFacts | None,
        skips: Mapping[Gate, str],
        baseline: Deal | None = None,
        staffing: StaffingState | None = None,
        schedule: BillingScheduleFacts | None = None,
    ) -> Awaitable[list[GateResult]]:
        return workflow.execute_local_activity_method(
            GateActivities.judge,
            JudgeGates(
                process=workflow.info().workflow_id,
                generation=self.generation,
                phase=phase,
                round=round,
                deal=deal,
                baseline=baseline,
                project=self.number if baseline else "",
                facts=facts,
                staffing=staffing,
                schedule=schedule,
                skips=dict(skips),
            ),
            **self._bookkeeping(f"Judge the gates {phase.replace('_', ' ')}"),
        )

    # -- CRM --------------------------------------------------------------------------------------

    def read_deal(self, corrections: Mapping[str, str]) -> Awaitable[Deal]:
        deal = self._input.deal
        return workflow.execute_activity_method(
            CrmActivities.read_deal,
            ReadDeal(deal=deal, corrections=dict(corrections)),
            **self._read("crm", f"Read deal {deal}"),
        )

    def mark_deal(self) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            CrmActivities.mark_deal,
            self._mark_input(),
            **self._write("crm", f"Mark deal {self._input.deal} active"),
        )

    def restore_deal(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            CrmActivities.restore_deal,
            self._mark_input(),
            **self._write("crm", f"Restore deal {self._input.deal}"),
        )

    # -- PSA --------------------------------------------------------------------------------------

    def create_project(self) -> Awaitable[PsaProject]:
        return workflow.execute_activity_method(
            PsaActivities.create_project,
            self._psa_project(),
            **self._write("psa", f"Create project {self.number} with its plan"),
        )

    def cancel_project(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            PsaActivities.cancel_project,
            self._psa_project(),
            **self._write("psa", f"Cancel project {self.number}"),
        )

    def seats(self, project: PsaProject) -> AddSeats | None:
        """The roles to staff; None when there are none."""
        return activation.seats(self.plan, project.project.external_id)

    def request_staffing(self, seats: AddSeats) -> Awaitable[StaffingRequests]:
        return workflow.execute_activity_method(
            PsaActivities.request_staffing,
            self._staffing_input(seats),
            **self._write("psa", f"Ask staffing for the roles of {self.number}"),
        )

    def withdraw_staffing(self, seats: AddSeats) -> Awaitable[int]:
        return workflow.execute_activity_method(
            PsaActivities.withdraw_staffing,
            self._staffing_input(seats),
            **self._write("psa", f"Withdraw the resource requests of {self.number}"),
        )

    def staffing_answers(self, project: PsaProject) -> Awaitable[list[StaffingAnswer]]:
        return workflow.execute_activity_method(
            PsaActivities.staffing_answers,
            self._ref(project.project),
            **self._read("psa", f"Staffing answers for {self.number}"),
        )

    def open_for_time(self, project: PsaProject) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            PsaActivities.open_project,
            self._ref(project.project),
            **self._write("psa", f"Open {self.number} for time and expense"),
        )

    # -- procurement ------------------------------------------------------------------------------

    @property
    def procures(self) -> bool:
        """Whether a system plays procurement for the entity of the deal."""
        return any(
            route.role == "procurement" and route.entity in (None, self._entity)
            for route in self.policies.routes
        )

    def needs(self) -> tuple[PurchaseNeed, ...]:
        """What suppliers deliver."""
        return activation.purchase_needs(self.plan)

    def request_purchases(self) -> Awaitable[list[Requested]]:
        return workflow.execute_activity_method(
            ProcurementActivities.request,
            self._purchases(),
            **self._write("procurement", f"Request the suppliers of {self.number}"),
        )

    def withdraw_purchases(self) -> Awaitable[int]:
        return workflow.execute_activity_method(
            ProcurementActivities.withdraw_all,
            self._purchases(),
            **self._write("procurement", f"Take back the requisitions of {self.number}"),
        )

    # -- ERP --------------------------------------------------------------------------------------

    def party_facts(self, deal: Deal) -> Awaitable[PartyFacts]:
        key = customer_key(self._input.firm, deal.customer.external_id, self.route("erp").system)
        return workflow.execute_activity_method(
            ErpActivities.party_facts,
            activation.party_query(deal, key, workflow.now().date()),
            **self._read("erp", f"Look up customer {deal.customer.external_id} in the ERP"),
        )

    def create_customer(self) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpActivities.create_customer,
            ErpCustomerInput(
                **self._base(), customer=self.plan.customer.id, command=activation.erp_customer(self.plan)
            ),
            **self._write("erp", f"Create the customer of {self.number}"),
        )

    def create_erp_project(self, customer: str) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpActivities.create_project,
            self._erp_project(customer),
            **self._write("erp", f"Create project {self.number} for accounting"),
        )

    def cancel_erp_project(self, customer: str) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            ErpActivities.cancel_project,
            self._erp_project(customer),
            **self._write("erp", f"Deactivate project {self.number}"),
        )

    def planned_schedule(self, project: Record) -> CreateBillingSchedule | None:
        """What is billed by plan; None when nothing is."""
        key = Step(**self._base()).key("erp.project")
        return activation.billing_schedule(self.plan, self.number, project.external_id, key)

    def create_billing_schedule(self, schedule: CreateBillingSchedule) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpActivities.create_billing_schedule,
            ScheduleInput(**self._base(), command=schedule),
            **self._write("erp", f"Create the billing schedule of {self.number}"),
        )

    def void_billing_schedule(self, schedule: CreateBillingSchedule) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            ErpActivities.void_billing_schedule,
            ScheduleInput(**self._base(), command=schedule),
            **self._write("erp", f"Void the billing schedule of {self.number}"),
        )

    def billing_schedule(self, schedule: Record) -> Awaitable[BillingScheduleFacts]:
        return workflow.execute_activity_method(
            ErpActivities.billing_schedule,
            ScheduleRef(schedule_external_id=schedule.external_id),
            **self._read("erp", f"Read back the billing schedule of {self.number}"),
        )

    def contract(
        self, psa_project: PsaProject, customer: str, erp_project: Record, schedule: Record | None
    ) -> ProjectContract:
        """What the project is billed by: the plan as it was signed, and where it lives in each system."""
        refs = SystemRefs(
            psa_project=psa_project.project.external_id,
            erp_customer=customer,
            erp_project=erp_project.external_id,
            erp_project_key=Step(**self._base()).key("erp.project"),
            erp_schedule=schedule.external_id if schedule else "",
        )
        return contract_of(self.plan, self.number, refs)

    def open_for_accounting(self, project: Record) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpActivities.open_project,
            self._ref(project),
            **self._write("erp", f"Open {self.number} for accounting"),
        )

    # -- inside -----------------------------------------------------------------------------------

    @property
    def _entity(self) -> str | None:
        return self.deal.contract.billing_entity if self.deal and self.deal.contract else None

    def _read(self, role: Role, summary: str) -> ActivityConfig:
        return options.read(self.route(role), self.policies.timing, summary)

    def _write(self, role: Role, summary: str) -> ActivityConfig:
        return options.write(self.route(role), self.policies.timing, summary)

    def _bookkeeping(self, summary: str) -> LocalActivityConfig:
        return options.bookkeeping(summary, self.policies.timing)

    def _base(self) -> dict[str, Any]:
        step = Step(
            process=workflow.info().workflow_id,
            firm=self._input.firm,
            generation=self.generation,
            reason=self._input.requested_by,
        )
        return dict(step)

    def _psa_project(self) -> PsaProjectInput:
        templates = self.policies.templates
        template = templates.get(self.plan.region or "", templates.get("default"))
        return PsaProjectInput(
            **self._base(),
            client=activation.psa_customer(self.plan),
            project=activation.psa_project(self.plan, self.number, template),
            tasks=activation.planned_tasks(self.plan),
        )

    def _erp_project(self, customer: str) -> ErpProjectInput:
        return ErpProjectInput(
            **self._base(), command=activation.erp_project(self.plan, self.number, customer)
        )

    def _ref(self, project: Record) -> ProjectRef:
        return ProjectRef(**self._base(), project_external_id=project.external_id)

    def _staffing_input(self, seats: AddSeats) -> StaffingInput:
        return StaffingInput(
            **self._base(),
            seats=seats,
            approver_email=self.policies.staffing_approver_email,
            entity=self._entity or "",
        )

    def _purchases(self) -> PurchaseInput:
        return PurchaseInput(
            **self._base(), project=self.number, entity=self._entity or "", needs=self.needs()
        )

    def _mark_input(self) -> MarkDealInput:
        return MarkDealInput(
            **self._base(), deal_external_id=self._input.deal, status="Active", project_number=self.number
        )
