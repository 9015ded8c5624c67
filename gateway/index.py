"""`GET /`: what there is at this address, for people and scripts that come by."""

from fastapi import APIRouter

from domain.access import Function
from gateway.access import requires


def routes(firm: str) -> APIRouter:
    router = APIRouter(tags=["index"])

    @router.get("/", dependencies=[requires(Function.DESCRIBE)])
    async def index() -> dict[str, object]:
        """The addresses of this gateway."""
        return {
            "name": "Fairlead gateway",
            "firm": firm,
            "addresses": {
                "/hooks/{source}": "POST a signed event of a registered source",
                "/healthz": "store and Temporal, each by name",
                "/readyz": "whether events are accepted",
                "/v1/customers/validate": "POST a customer: known to the ERP, new, or with problems",
                "/v1/projects": "POST a signed deal to be activated",
                "/v1/projects/{project}/billing-status": "billed, unbilled, held, next",
                "/v1/processes/{id}": "state, stage and exceptions of a process",
                "/v1/openapi.json": "this interface, described",
            },
        }

    return router
