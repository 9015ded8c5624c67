"""`GET /v1/processes/{id}`: how a process stands, from the store: it answers while Temporal is away."""

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel

from domain.access import Function
from domain.attention import Action, AttentionItem, AttentionState
from domain.readiness import OwnerGroup
from gateway.access import requires
from gateway.api_request import only_query
from gateway.deadline import Deadline
from gateway.problems import Refusal
from store.ports import ProcessState, Store

_LONGEST_ID = 400


class ExceptionShown(BaseModel):
    """What waits for a person."""

    id: str
    headline: str
    detail: str
    owner: OwnerGroup
    due_at: AwareDatetime
    state: AttentionState
    actions: list[Action]


class ProcessStatus(BaseModel):
    id: str
    kind: str
    state: ProcessState
    stage: str
    generation: int
    title: str
    customer: str
    entity: str
    project: str
    started_at: AwareDatetime
    updated_at: AwareDatetime
    ended_at: AwareDatetime | None
    exceptions: list[ExceptionShown]


def routes(store: Store, firm: str) -> APIRouter:
    router = APIRouter(tags=["api"])

    @router.get("/v1/processes/{id:path}", dependencies=[requires(Function.READ_PROCESSES)])
    async def process_status(id: str, request: Request) -> ProcessStatus:
        """State, stage and open exceptions of one process, by its workflow id."""
        only_query(request, ())
        parts = id.split("/", 2)
        if len(id) > _LONGEST_ID or not id.isprintable() or len(parts) < 3 or parts[1] != firm:
            raise _unknown()
        async with Deadline.of(request).waiting_for("Fairlead's store"):
            row = await store.processes.get(id)
            if row is None:
                raise _unknown()
            waiting = await store.attention.list(process=id)
        return ProcessStatus(
            id=row.key,
            **{name: getattr(row, name) for name in ProcessStatus.model_fields if name in _ROW_FIELDS},
            exceptions=[shown(item) for item in waiting],
        )

    return router


_ROW_FIELDS = frozenset(
    "kind state stage generation title customer entity project started_at updated_at ended_at".split()
)


def shown(item: AttentionItem) -> ExceptionShown:
    """An exception as the API tells it."""
    return ExceptionShown(
        id=item.id,
        headline=item.headline,
        detail=item.detail,
        owner=item.owner,
        due_at=item.due_at,
        state=item.state,
        actions=list(item.actions),
    )


def _unknown() -> Refusal:
    return Refusal(404, "No process of that id is known.")
