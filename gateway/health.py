"""Is the gateway up, and may events be sent to it?"""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from gateway.temporal_link import TemporalLink
from store.ports import Store, StoreError


def routes(store: Store, temporal: TemporalLink) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def health() -> JSONResponse:
        """Each thing the gateway needs, by name: 200 when all answer, 503 when one does not."""
        return _answer({"store": await _store_problem(store), "temporal": await temporal.check()})

    @router.get("/readyz")
    async def ready() -> JSONResponse:
        """Whether events are accepted. The store alone decides: without Temporal they wait in the inbox."""
        return _answer({"store": await _store_problem(store)})

    return router


async def _store_problem(store: Store) -> str:
    try:
        await store.ready()
    except StoreError as error:
        return str(error)
    return ""


def _answer(problems: dict[str, str]) -> JSONResponse:
    healthy = not any(problems.values())
    checks = {
        name: {"ok": not problem} | ({"problem": problem} if problem else {})
        for name, problem in problems.items()
    }
    document = {"status": "ok" if healthy else "degraded", "checks": checks}
    return JSONResponse(document, 200 if healthy else 503)
