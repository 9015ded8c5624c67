"""The interface, described (OpenAPI 3.1): served at `/v1/openapi.json`, kept as `docs/openapi.json`.

`python -m gateway.api_document` writes the file anew; a test holds it against the app.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from domain.access import Function, needed
from gateway.access import GUARD, requires
from gateway.api_models import CustomerQuestion, ProjectRequest
from gateway.api_request import only_query
from gateway.problems import MEDIA_TYPE
from runtime.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "openapi.json"
VERSION = "1"
"""Of the interface: raised by a change that breaks who calls."""

_ASKED: dict[str, type[BaseModel]] = {
    "/v1/customers/validate": CustomerQuestion,
    "/v1/projects": ProjectRequest,
}
"""Bodies that are read strictly by hand, so that the framework does not know them."""
_QUERY = {
    "/v1/projects/{project}/billing-status": {
        "name": "live",
        "in": "query",
        "description": "Ask the ERP for its documents too.",
        "schema": {"type": "boolean", "default": False},
    }
}
_HEADER = {
    "/v1/projects": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "1 to 200 printable ASCII characters; the same key for every repeat of one request.",
        "schema": {"type": "string"},
    }
}
_PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457). It repeats nothing of the request.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}
_REFUSALS = {
    "401": "No bearer token, or one that is not accepted; see WWW-Authenticate",
    "403": "The token's roles do not open this",
    "503": "Somebody did not answer in time: `detail` names the system, Retry-After says when to ask again",
}


def routes() -> APIRouter:
    router = APIRouter(tags=["api"])

    @router.get("/v1/openapi.json", dependencies=[requires(Function.DESCRIBE)])
    async def interface(request: Request) -> dict[str, Any]:
        """This interface, described."""
        only_query(request, ())
        return document(request.app)

    return router


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`, made once."""
    if not app.openapi_schema:
        app.openapi_schema = _made(app)
    return app.openapi_schema


def guarded(route: APIRoute) -> Function | None:
    """The function a route asks for; None where it asks for none."""
    for dependency in route.dependant.dependencies:
        function = getattr(dependency.call, GUARD, None)
        if isinstance(function, Function):
            return function
    return None


def all_routes(routes: list[Any]) -> Iterator[Any]:
    """Every route, those of included routers too."""
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is None:
            yield route
        else:
            yield from all_routes(inner)


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title="Fairlead gateway",
        version=VERSION,
        description="Signed events in, and the synchronous API. See docs/api.md.",
        routes=app.routes,
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    _, bodies = models_json_schema(
        [(model, "validation") for model in _ASKED.values()], ref_template="#/components/schemas/{model}"
    )
    schemas.update(bodies.get("$defs", {}))
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "Where the firm's file has [access]."}
    }
    for route in all_routes(app.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in sorted(route.methods or ()):
                _complete(made["paths"][route.path_format][method.lower()], route)
    return made


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    """What the framework cannot know of an operation: its body, its roles, how it refuses."""
    path, responses = route.path, operation.setdefault("responses", {})
    responses.pop("422", None)
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses["default"] = {"description": "Refused", "content": problem}
    if path in _ASKED:
        schema = {"$ref": f"#/components/schemas/{_ASKED[path].__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    more = [table[path] for table in (_QUERY, _HEADER) if path in table]
    if more:
        operation["parameters"] = [*operation.get("parameters", []), *more]
    function = guarded(route)
    if function is not None:
        operation["security"] = [{"bearer": []}]
        operation["description"] = f"{operation.get('description', '')}\n\nRoles: {needed(function)}.".strip()
        for status, words in _REFUSALS.items():
            responses[status] = {"description": words, "content": problem}


def text() -> str:
    """The document as it stands in the file: that of a gateway of the example firm."""
    from gateway.server import gateway_app

    with TemporaryDirectory() as home:
        firm = ROOT / "examples" / "firm" / "fairlead.toml"
        (Path(home) / "store.db").touch()  # nothing is read of it
        app = gateway_app(Settings(home=Path(home), firm_file=firm, store_url=f"sqlite:///{home}/store.db"))
        return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
