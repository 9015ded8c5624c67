"""The PSA: the project with its plan, the demand for people, opening and cancelling."""

from collections.abc import Mapping, Sequence
from functools import partial

from temporalio import activity

from activities.boundary import Boundary, utc_now
from activities.effects import EffectRunner
from activities.steps import Step
from connectors.ports import PsaPort
from domain import activation
from domain.base import Canonical
from domain.commands import (
    AddSeats,
    CancelProject,
    CreateCustomer,
    CreateProject,
    OpenProject,
    PlannedTask,
    PlanProject,
    Record,
    RequestStaffing,
    WithdrawStaffing,
)
from domain.delivery import StaffingAnswer, StaffingDemand
from domain.identity import customer_key
from domain.outbound import OutboxNote
from domain.outbound_notes import demand_published, demand_withdrawn
from domain.staffing_demand import StaffingRequest
from store.ports import Reference, Store


class PsaProjectInput(Step):
    client: CreateCustomer
    project: CreateProject
    """Of the client that is made, or found, first."""
    tasks: tuple[PlannedTask, ...] = ()


class PsaProject(Canonical):
    """What `psa.create_project` made."""

    project: Record
    customer: Record
    tasks: int = 0


class StaffingInput(Step):
    seats: AddSeats
    approver_email: str | None = None
    entity: str = ""
    """Legal entity of the project, for whoever staffs it."""


class StaffingRequests(Canonical):
    """What was asked of staffing, with the ids of the requests in the PSA."""

    demands: tuple[StaffingDemand, ...] = ()


class ProjectRef(Step):
    project_external_id: str


class PsaActivities:
    """Registered on the task queue of the PSA's account."""

    def __init__(self, port: PsaPort, effects: EffectRunner, store: Store, boundary: Boundary) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._boundary = boundary

    @activity.defn(name="psa.create_project")
    async def create_project(self, input: PsaProjectInput) -> PsaProject:
        """Client, project from template (closed for time) and plan. Undo: `psa.cancel_project`."""
        async with self._boundary():
            customer = await self._effects.write(
                input.client,
                customer_key(input.firm, input.client.crm_id, self._port.system),
                input.context("psa.customer"),
                shared=True,
            )
            project = await self._effects.write(
                input.project.with_changes(customer_external_id=customer.external_id),
                input.key("psa.project"),
                input.context("psa.project"),
                made=Reference(canonical_id=f"project:{input.project.number}", object="project"),
            )
            plan = PlanProject(project_external_id=project.external_id, tasks=input.tasks)
            await self._effects.write(plan, input.key("psa.plan"), input.context("psa.plan"))
            return PsaProject(project=project, customer=customer, tasks=plan.task_count)

    @activity.defn(name="psa.cancel_project")
    async def cancel_project(self, input: PsaProjectInput) -> Record | None:
        """Undo of `psa.create_project`: archived with its plan and seats, never deleted."""
        async with self._boundary():
            return await self._effects.undo(
                input.project,
                input.key("psa.project"),
                lambda external_id: CancelProject(project_external_id=external_id, reason=input.reason),
                input.context("psa.project"),
            )

    @activity.defn(name="psa.request_staffing")
    async def request_staffing(self, input: StaffingInput) -> StaffingRequests:
        """The seats, and a resource request for each. Undo: `psa.withdraw_staffing`."""
        async with self._boundary():
            await self._effects.write(input.seats, input.key("psa.seats"), input.context("psa.seats"))
            requests, number = _requests(input), await self._number(input)
            records = [
                await self._effects.write(
                    request,
                    input.key(step),
                    input.context(step),
                    tells=partial(_published, input.key(step), number, request),
                )
                for step, request in requests
            ]
            ids = [record.external_id for record in records]
            await self._store.people.ask(_asked(input, number, ids))
        return StaffingRequests(
            demands=activation.staffing_demands([request for _, request in requests], ids)
        )

    @activity.defn(name="psa.withdraw_staffing")
    async def withdraw_staffing(self, input: StaffingInput) -> int:
        """Undo of `psa.request_staffing`; returns how many requests were withdrawn."""
        withdrawn = 0
        async with self._boundary():
            number = await self._number(input)
            for step, request in reversed(_requests(input)):
                record = await self._effects.undo(
                    request,
                    input.key(step),
                    lambda external_id: WithdrawStaffing(request_external_id=external_id),
                    input.context(step),
                    tells=partial(_withdrawn, input.key(step), number, request),
                )
                withdrawn += record is not None
            await self._answered(input.process, {}, withdrawn=True)
        return withdrawn

    @activity.defn(name="psa.staffing_answers")
    async def staffing_answers(self, input: ProjectRef) -> list[StaffingAnswer]:
        """Where every resource request of the project stands."""
        async with self._boundary():
            answers: Sequence[StaffingAnswer] = await self._port.staffing_answers(input.project_external_id)
            await self._answered(input.process, {one.request_external_id: one for one in answers})
            return list(answers)

    async def _answered(
        self, process: str, answers: Mapping[str, StaffingAnswer], *, withdrawn: bool = False
    ) -> None:
        """Keep how what is open of a process was answered."""
        standing = await self._store.people.demand(process=process)
        given: list[StaffingRequest] = []
        for asked in standing:
            answer = answers.get(asked.request_external_id)
            state = "withdrawn" if withdrawn else answer.state if answer else asked.state
            resource = (answer.resource if answer else None) or asked.resource
            given.append(asked.with_changes(state=state, resource=resource, answered_at=utc_now()))
        await self._store.people.answer(process, given)

    @activity.defn(name="psa.open_project")
    async def open_project(self, input: ProjectRef) -> Record:
        """Open for time and expense. Undone by `psa.cancel_project`."""
        async with self._boundary():
            return await self._effects.write(
                OpenProject(project_external_id=input.project_external_id),
                input.key("psa.open"),
                input.context("psa.open"),
            )

    async def _number(self, input: StaffingInput) -> str:
        """Number of the project, by which others know it: kept when it was made."""
        made = input.seats.project_external_id
        project = await self._store.references.canonical(self._port.system, "project", made)
        return (project or made).removeprefix("project:")


def _asked(input: StaffingInput, project: str, ids: Sequence[str]) -> list[StaffingRequest]:
    """What was asked, for the work list of staffing and for capacity."""
    return [
        StaffingRequest(
            key=f"{input.process}/{request.seat.ref}/{input.generation}",
            process=input.process,
            project=project,
            entity=input.entity,
            ref=request.seat.ref,
            role=request.seat.role,
            grade=request.seat.grade or "",
            skills=request.seat.skills,
            hours=request.seat.hours,
            starts_on=request.seat.starts_on,
            ends_on=request.seat.ends_on,
            revision=request.revision,
            request_external_id=id,
            asked_at=utc_now(),
        )
        for (_, request), id in zip(_requests(input), ids, strict=True)
    ]


def _published(key: str, project: str, asked: RequestStaffing, record: Record) -> Sequence[OutboxNote]:
    return (demand_published(key, project, asked, record.external_id),)


def _withdrawn(key: str, project: str, asked: RequestStaffing, record: Record) -> Sequence[OutboxNote]:
    return (demand_withdrawn(key, project, asked, record.external_id),)


def _requests(input: StaffingInput) -> list[tuple[str, RequestStaffing]]:
    """Step name and command of every resource request, in order."""
    return [
        (f"psa.request.{request.seat.ref}", request)
        for request in activation.staffing_requests(
            input.seats, seats_key=input.key("psa.seats"), approver_email=input.approver_email
        )
    ]
