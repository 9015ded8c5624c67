"""A span for every request, child of the `traceparent` that came with it."""

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import route_of
from runtime.tracing import PROPAGATOR

_tracer = trace.get_tracer("fairlead.gateway")


def install(app: FastAPI) -> None:
    """Trace every request of `app`; without a provider of traces that costs next to nothing."""
    app.add_middleware(_Traced)


class _Traced:
    """Names the route's template, never the address, which may hold a secret."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came_with = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
        with _tracer.start_as_current_span(
            scope["method"],
            context=PROPAGATOR.extract(came_with),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            try:
                await self._app(scope, receive, watched)
            finally:
                span.update_name(f"{scope['method']} {route_of(scope)}")
                span.set_attribute("http.route", route_of(scope))
