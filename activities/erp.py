"""The ERP: facts for the gates, the customer, the project, the billing schedule."""

from temporalio import activity

from activities.boundary import Boundary
from activities.effects import EffectRunner
from activities.psa import ProjectRef
from activities.steps import DealStep
from connectors.ports import ErpPort
from domain import activation
from domain.base import Canonical
from domain.books import BillingScheduleFacts, PartyFacts, PartyQuery
from domain.commands import (
    CancelProject,
    CreateBillingSchedule,
    CreateProject,
    OpenProject,
    Record,
    VoidBillingSchedule,
)
from store.ports import Store


class ErpProjectInput(DealStep):
    customer_external_id: str = ""
    """Id of the customer in the ERP; only an undo may leave it out."""


class ScheduleInput(DealStep):
    project_external_id: str


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
    async def create_customer(self, input: DealStep) -> Record:
        """The customer, where the ERP has none. Cannot be undone: other deals may use it by then."""
        async with self._boundary():
            record = await self._effects.write(
                activation.erp_customer(input.deal),
                input.customer_key(self._port.system),
                input.context("erp.customer"),
                shared=True,
            )
            await self._store.references.put(
                input.deal.customer.id, self._port.system, "customer", record.external_id
            )
            return record

    @activity.defn(name="erp.create_project")
    async def create_project(self, input: ErpProjectInput) -> Record:
        """The project, closed for time and billing. Undo: `erp.cancel_project`."""
        async with self._boundary():
            record = await self._effects.write(
                _project(input), input.key("erp.project"), input.context("erp.project")
            )
            await self._store.references.put(
                f"project:{input.number}", self._port.system, "project", record.external_id
            )
            return record

    @activity.defn(name="erp.cancel_project")
    async def cancel_project(self, input: ErpProjectInput) -> Record | None:
        """Undo of `erp.create_project`: inactive, never deleted."""
        async with self._boundary():
            return await self._effects.undo(
                _project(input),
                input.key("erp.project"),
                lambda external_id: CancelProject(project_external_id=external_id, reason=input.reason),
                input.context("erp.project"),
            )

    @activity.defn(name="erp.create_billing_schedule")
    async def create_billing_schedule(self, input: ScheduleInput) -> Record | None:
        """What is billed when; none where nothing is fixed. Undo: `erp.void_billing_schedule`."""
        command = _schedule(input)
        if command is None:
            return None
        async with self._boundary():
            return await self._effects.write(
                command, input.key("erp.billing_schedule"), input.context("erp.billing_schedule")
            )

    @activity.defn(name="erp.void_billing_schedule")
    async def void_billing_schedule(self, input: ScheduleInput) -> Record | None:
        """Undo of `erp.create_billing_schedule`, while nothing has been billed from it."""
        command = _schedule(input)
        if command is None:
            return None
        async with self._boundary():
            return await self._effects.undo(
                command,
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


def _project(input: ErpProjectInput) -> CreateProject:
    return activation.erp_project(input.deal, input.number, customer_external_id=input.customer_external_id)


def _schedule(input: ScheduleInput) -> CreateBillingSchedule | None:
    return activation.billing_schedule(
        input.deal,
        input.number,
        project_external_id=input.project_external_id,
        project_key=input.key("erp.project"),
    )
