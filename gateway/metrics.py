"""`GET /metrics` for Prometheus: the gateway's requests, and what stands open in the store.

A request is counted under the template of its route (`/hooks/{source}`), never under its address.
"""

import time

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.access import Caller, Function
from gateway.access import requires
from runtime.metrics import CONTENT_TYPE_LATEST, SECONDS, Figures
from store.ports import Store

UNKNOWN = "unknown"
"""Instead of the address of a request that met no route."""
_METHODS = frozenset("GET POST PUT PATCH DELETE OPTIONS HEAD".split())


class GatewayFigures(Figures):
    """The figures of a gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = Counter(
            "fairlead_gateway_requests",
            "Requests by route, method and status",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "fairlead_gateway_request_seconds",
            "Time until a request was answered",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )


def install(app: FastAPI, store: Store) -> None:
    """Count every request of `app`, and tell the figures at `/metrics`."""
    figures = GatewayFigures()
    app.add_middleware(_Counted, figures=figures)
    app.include_router(_routes(figures, store))


def route_of(scope: Scope) -> str:
    """The template of the route that a request met."""
    return str(getattr(scope.get("route"), "path", UNKNOWN))


def _routes(figures: GatewayFigures, store: Store) -> APIRouter:
    router = APIRouter(tags=["metrics"])
    caller = requires(Function.READ_METRICS)

    @router.get("/metrics")
    async def metrics(by: Caller = caller) -> Response:
        """All figures in Prometheus' text format, read now."""
        figures.stand(await store.standing.figures())
        return Response(figures.text(), media_type=CONTENT_TYPE_LATEST)

    return router


class _Counted:
    """Counts requests and their time, also those that are refused or fail."""

    def __init__(self, app: ASGIApp, figures: GatewayFigures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = route_of(scope)
            method = scope["method"] if scope["method"] in _METHODS else UNKNOWN
            self._figures.requests.labels(route, method, str(status)).inc()
            self._figures.seconds.labels(route).observe(time.monotonic() - began)
