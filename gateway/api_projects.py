"""`POST /v1/projects`: a signed deal is to become a project. Asked twice, it still becomes one."""

from datetime import datetime
from typing import Annotated, Literal, cast

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel
from temporalio.service import RPCError

from connectors.errors import NotFound
from connectors.ports import CrmPort
from domain.access import Caller, Function
from domain.activation_process import ACTIVATION, ActivationResult
from domain.identity import process_key
from domain.policy import PolicySnapshot
from domain.selling import Deal
from gateway.access import requires
from gateway.api_models import ProjectRequest
from gateway.api_request import idempotency_key, read_model
from gateway.api_systems import Systems
from gateway.deadline import Deadline, no_answer
from gateway.dispatch import StartActivation
from gateway.problems import Refusal
from gateway.temporal_link import TemporalLink
from runtime.connect import NoTemporal
from runtime.settings import Settings
from store.ports import ProcessRow, Store

_log = structlog.get_logger("fairlead.gateway.api")

_FIRST_STAGE = "reading the deal"
_AGAIN = "It may have been started: ask again, it is joined then and never started twice."


class ProjectAnswer(BaseModel):
    """`started` now, `joined` one that runs, or `active` already."""

    answer: Literal["started", "joined", "active"]
    process: str
    """Its workflow id; see `GET /v1/processes/{id}`."""
    deal: str
    stage: str
    project: str = ""
    """Number of the project, once it has one."""
    requested_by: str = ""
    since: AwareDatetime | None = None


def routes(
    policy: PolicySnapshot,
    settings: Settings,
    store: Store,
    temporal: TemporalLink,
    systems: Systems,
    start: StartActivation,
) -> APIRouter:
    router = APIRouter(tags=["api"])
    activations = _Activations(policy, settings, store, temporal, systems, start)

    @router.post(
        "/v1/projects",
        status_code=202,
        responses={200: {"model": ProjectAnswer, "description": "It runs, or is active, already"}},
    )
    async def start_project(
        request: Request, response: Response, caller: Annotated[Caller, requires(Function.START_PROJECTS)]
    ) -> ProjectAnswer:
        """Start the activation of a signed deal, or join the one there is. Send an `Idempotency-Key`."""
        key = idempotency_key(request)
        asked = await read_model(request, ProjectRequest)
        answer = await activations.ask(Deadline.of(request), asked.deal, caller, key)
        response.status_code = 202 if answer.answer == "started" else 200
        response.headers["Location"] = f"/v1/processes/{answer.process}"
        return answer

    return router


class _Activations:
    def __init__(
        self,
        policy: PolicySnapshot,
        settings: Settings,
        store: Store,
        temporal: TemporalLink,
        systems: Systems,
        start: StartActivation,
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._store = store
        self._temporal = temporal
        self._systems = systems
        self._start = start

    async def ask(self, deadline: Deadline, deal: str, caller: Caller, key: str) -> ProjectAnswer:
        """Raises `Refusal`: 404 no such deal, 409 not signed, 422 the key was used for another deal, 503."""
        async with deadline.waiting_for("Fairlead's store"):
            row = await self._row(deal)
        if row is None or row.state not in ("running", "done"):
            found = await self._signed(deadline, deal)
            if found.external_id != deal:  # the CRM may know a longer form of the id
                deal = found.external_id
                async with deadline.waiting_for("Fairlead's store"):
                    row = await self._row(deal)
        async with deadline.waiting_for("Fairlead's store"):
            await self._note(deal, caller, key)
        if row is not None and row.state == "done":
            return _active(row, deal)
        refusal = no_answer("Temporal", again=_AGAIN)
        async with deadline.waiting_for("Temporal", refusal):
            return await self._started(deal, caller, row)

    async def _row(self, deal: str) -> ProcessRow | None:
        return await self._store.processes.get(process_key(ACTIVATION, self._policy.firm, deal))

    async def _signed(self, deadline: Deadline, deal: str) -> Deal:
        for system in dict.fromkeys(route.system for route in self._policy.routes if route.role == "crm"):
            try:
                found = await self._systems.ask(
                    deadline, system, lambda port: cast(CrmPort, port).read_deal(deal)
                )
            except NotFound:
                continue
            if not found.signed:
                raise Refusal(
                    409, "The deal is not signed: it needs a won stage and a signature date in the CRM."
                )
            return found
        raise Refusal(404, "No CRM of this firm has a deal of that id. Nothing was started.")

    async def _note(self, deal: str, caller: Caller, key: str) -> None:
        """Audited before it is done. The first use of a key is what counts; keys are each caller's own."""
        if not key:
            return
        entry = await self._store.audit.add(
            f"api:{self._policy.firm}",
            actor=caller.actor,
            what=f"activation of deal {deal} asked for",
            key=f"projects/{caller.actor}/{key}",
            object=f"deal {deal}",
        )
        if entry.object != f"deal {deal}":
            raise Refusal(422, "This Idempotency-Key was used for another deal; use a new one.")

    async def _started(self, deal: str, caller: Caller, row: ProcessRow | None) -> ProjectAnswer:
        try:
            started = await self._start(
                await self._temporal.client(),
                self._settings,
                firm=self._policy.firm,
                deal=deal,
                requested_by=caller.person or "api",
            )
        except (NoTemporal, RPCError, OSError) as error:
            _log.warning("activation_not_started", deal=deal, reason=str(error))
            raise no_answer("Temporal", again=_AGAIN) from None
        return ProjectAnswer(
            answer="joined" if started.joined else "started",
            process=started.workflow_id,
            deal=deal,
            stage=row.stage if row is not None and started.joined and row.stage else _FIRST_STAGE,
            project=row.project if row is not None and started.joined else "",
            requested_by=caller.actor,
            since=_since(row) if started.joined else None,
        )


def _active(row: ProcessRow, deal: str) -> ProjectAnswer:
    result = ActivationResult.model_validate_json(row.result_json)
    return ProjectAnswer(
        answer="active",
        process=row.key,
        deal=deal,
        stage=row.stage or result.state,
        project=result.project,
        since=row.ended_at,
    )


def _since(row: ProcessRow | None) -> datetime | None:
    return row.started_at if row is not None else None
