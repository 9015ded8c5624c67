"""The ERP: facts for the gates, the customer, the project, the billing schedule."""

from temporalio import activity

from activities.boundary import Boundary
from activities.effects import EffectRunner
from activities.psa import ProjectRef
from activities.steps import Step
from connectors.ports import ErpPort
from domain.base import Canonical
from domain.books import BillingScheduleFacts, PartyFacts, PartyQuery
from domain.commands import (
    CancelProject,
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    OpenProject,
    Record,
    VoidBillingSchedule,
)
from domain.identity import customer_key
from store.ports import Reference, Store


class ErpCustomerInput(Step):
    customer: str
    """Canonical id of the customer."""
    command: CreateCustomer


class ErpProjectInput(Step):
    command: CreateProject


class ScheduleInput(Step):
    command: CreateBillingSchedule


class ScheduleRef(Canonical):
    schedule_external_id: str


class ErpActivities:
    """Registered on the task queue of the ERP's account."""

    def __init__(self, port: ErpPort, effects: EffectRunner, store: Store, boundary: Boundary) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._boundary = boundary

    @activity.defn(name="erp.party_facts")
    async def party_facts(self, input: PartyQuery) -> PartyFacts:
        """What the ERP knows of the contracting entity and the customer."""
        async with self._boundary():
            return await self._port.party_facts(input)

    @activity.defn(name="erp.create_customer")
    async def create_customer(self, input: ErpCustomerInput) -> Record:
        """The customer, where the ERP has none. Cannot be undone: other deals may use it by then."""
        async with self._boundary():
            return await self._effects.write(
                input.command,
                customer_key(input.firm, input.command.crm_id, self._port.system),
                input.context("erp.customer"),
                shared=True,
                made=Reference(canonical_id=input.customer, object="customer"),
            )

    @activity.defn(name="erp.create_project")
    async def create_project(self, input: ErpProjectInput) -> Record:
        """The project, closed for time and billing. Undo: `erp.cancel_project`."""
        async with self._boundary():
            return await self._effects.write(
                input.command,
                input.key("erp.project"),
                input.context("erp.project"),
                made=Reference(canonical_id=f"project:{input.command.number}", object="project"),
            )

    @activity.defn(name="erp.cancel_project")
    async def cancel_project(self, input: ErpProjectInput) -> Record | None:
        """Undo of `erp.create_project`: inactive, never deleted."""
        async with self._boundary():
            return await self._effects.undo(
                input.command,
                input.key("erp.project"),
                lambda external_id: CancelProject(project_external_id=external_id, reason=input.reason),
                input.context("erp.project"),
            )

    @activity.defn(name="erp.create_billing_schedule")
    async def create_billing_schedule(self, input: ScheduleInput) -> Record:
        """What is billed when. Undo: `erp.void_billing_schedule`."""
        async with self._boundary():
            return await self._effects.write(
                input.command, input.key("erp.billing_schedule"), input.context("erp.billing_schedule")
            )

    @activity.defn(name="erp.void_billing_schedule")
    async def void_billing_schedule(self, input: ScheduleInput) -> Record | None:
        """Undo of `erp.create_billing_schedule`, while nothing has been billed from it."""
        async with self._boundary():
            return await self._effects.undo(
                input.command,
                input.key("erp.billing_schedule"),
                lambda external_id: VoidBillingSchedule(schedule_external_id=external_id),
                input.context("erp.billing_schedule"),
            )

    @activity.defn(name="erp.billing_schedule")
    async def billing_schedule(self, input: ScheduleRef) -> BillingScheduleFacts:
        """The schedule read back."""
        async with self._boundary():
            return await self._port.billing_schedule(input.schedule_external_id)

    @activity.defn(name="erp.open_project")
    async def open_project(self, input: ProjectRef) -> Record:
        """Open for time and expense. Undone by `erp.cancel_project`."""
        async with self._boundary():
            return await self._effects.write(
                OpenProject(project_external_id=input.project_external_id),
                input.key("erp.open"),
                input.context("erp.open"),
            )
