"""`GET /`: what there is at this address, for people and scripts that come by."""

from fastapi import APIRouter


def routes(firm: str) -> APIRouter:
    router = APIRouter(tags=["index"])

    @router.get("/")
    async def index() -> dict[str, object]:
        """The addresses of this gateway."""
        return {
            "name": "Fairlead gateway",
            "firm": firm,
            "addresses": {
                "/hooks/{source}": "POST a signed event of a registered source",
                "/healthz": "store and Temporal, each by name",
                "/readyz": "whether events are accepted",
                "/openapi.json": "this interface, described",
            },
        }

    return router
