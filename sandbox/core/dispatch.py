"""Serving one system: route, authenticate, strike with faults, run the handler in a transaction, answer, log.

Emulators do not use this file; they supply routes and error bodies (emulator.py).
"""

import asyncio
import time
import traceback

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sandbox.core import clock, content_faults
from sandbox.core.call import Answer, Call, Refused
from sandbox.core.emulator import Emulator, Route
from sandbox.core.exchange import Exchange, write_marker
from sandbox.core.faults import Fault, FaultEngine
from sandbox.core.records import RecordStore
from sandbox.core.requests import RequestLog
from sandbox.core.routing import Router


class SystemApp:
    """The ASGI application of one emulated system, mounted under `/<name>`."""

    def __init__(
        self, emulator: Emulator, store: RecordStore, faults: FaultEngine, log: RequestLog, latency_ms: int
    ) -> None:
        self._emulator = emulator
        self._store = store
        self._faults = faults
        self._log = log
        self._latency = latency_ms / 1000
        self._router = Router(emulator.routes())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        started, in_flight = time.perf_counter(), self._log.begin(self._emulator.name)
        serving = _Serving()
        call: Call | None = None
        try:
            call = self._call(scope, await exchange.read_body())
            await self._serve(call, exchange, serving, in_flight)
        finally:
            shown = (
                f"{call.path}?{call.query_string}"
                if call and call.query_string
                else call.path
                if call
                else ""
            )
            ms = (time.perf_counter() - started) * 1000
            name, method = self._emulator.name, scope["method"]
            self._log.end(name, method, shown, serving.status, serving.faults, ms, in_flight)

    def _call(self, scope: Scope, body: bytes) -> Call:
        headers = Headers(scope=scope)
        prefix = f"/{self._emulator.name}"
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").split("?")[0]
        return Call(
            system=self._emulator.name,
            method=scope["method"],
            path=path.removeprefix(prefix) or "/",
            query_string=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            base_url=f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}{prefix}",
            store=self._store,
            errors=self._emulator.errors,
        )

    async def _serve(self, call: Call, exchange: Exchange, serving: "_Serving", in_flight: int) -> None:
        found = self._router.find(call.method, call.path)
        if found is None:
            unknown = self._emulator.errors.unknown_path(call.method, call.path)
            await self._finish(call, exchange, serving, unknown)
            return
        route, call.params = found
        refusal = self._admit(call, route, in_flight, serving)
        if refusal is not None:
            await self._finish(call, exchange, serving, refusal)
            return
        fault = self._faults.strike(("before", "after"), call, route, self._emulator.writes(call, route))
        if self._latency:
            await asyncio.sleep(self._latency)
        if fault is not None:
            serving.faults.append(fault.kind)
        if fault is not None and fault.behaviour.stage == "before":
            await self._strike_before(fault, call, exchange, serving)
            return
        answer = self._run(call, route, serving)
        self._emulator.finish(call, answer)
        if fault is None:
            await serving.send(exchange, answer)
        else:
            await self._strike_after(fault, call, answer, exchange, serving)

    def _admit(self, call: Call, route: Route, in_flight: int, serving: "_Serving") -> Answer | None:
        """Authentication and the account's limit; the refusal, or None."""
        if route.kind == "token":
            return None
        if self._faults.strike_kind("token_expired", call, route, self._emulator.writes(call, route)):
            serving.faults.append("token_expired")
            self._emulator.expire_tokens()
        try:
            self._emulator.authenticate(call)
        except Refused as refused:
            return refused.answer
        limit = self._emulator.concurrency_limit
        return self._emulator.errors.concurrency() if limit is not None and in_flight > limit else None

    def _run(self, call: Call, route: Route, serving: "_Serving") -> Answer:
        writes = self._emulator.writes(call, route)

        def draw(kind: str) -> Fault | None:
            fault = None if route.kind == "token" else self._faults.strike_kind(kind, call, route, writes)
            if fault is not None:
                serving.faults.append(kind)
            return fault

        call.draw = draw
        stale = draw("stale_read")
        horizon = clock.now() - (stale.seconds or 0) if stale is not None else None
        try:
            with self._store.database.transaction(), self._store.database.as_of(horizon):
                answer = route.handler(call)
        except Refused as refused:
            return refused.answer
        except Exception:
            traceback.print_exc()
            detail = f"{call.system} {call.method} {call.path}: a fault of the sandbox itself, see its output"
            return Answer(
                500, {"title": "Sandbox error", "detail": detail}, media_type="application/problem+json"
            )
        return content_faults.apply(answer, self._emulator, draw)

    async def _strike_before(self, fault: Fault, call: Call, exchange: Exchange, serving: "_Serving") -> None:
        if fault.kind == "reset_before":
            await exchange.abort()
            return
        if fault.kind in ("timeout_not_applied", "hold_before_apply"):
            write_marker(fault.marker, f"{call.method} {call.path}\n")
            if await exchange.hold(fault.seconds):
                return
        await self._finish(call, exchange, serving, _refusal(fault, self._emulator))

    async def _strike_after(
        self, fault: Fault, call: Call, answer: Answer, exchange: Exchange, serving: "_Serving"
    ) -> None:
        if fault.kind == "reset":
            await exchange.send_part(answer)
            return
        if fault.kind == "error_after_apply":
            await self._finish(call, exchange, serving, self._emulator.errors.server_error())
            return
        write_marker(fault.marker, f"{call.method} {call.path} {answer.status}\n")
        if not await exchange.hold(fault.seconds):
            await serving.send(exchange, answer)

    async def _finish(self, call: Call, exchange: Exchange, serving: "_Serving", answer: Answer) -> None:
        self._emulator.finish(call, answer)
        await serving.send(exchange, answer)


class _Serving:
    """What became of a request, for the log."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.faults: list[str] = []

    async def send(self, exchange: Exchange, answer: Answer) -> None:
        await exchange.send(answer)
        self.status = answer.status


def _refusal(fault: Fault, emulator: Emulator) -> Answer:
    errors = emulator.errors
    if fault.kind == "reject":
        return errors.rejected(fault.field)
    if fault.kind == "throttle_retry_after":
        answer = errors.throttle()
        answer.status = 429
        answer.headers["Retry-After"] = str(int(fault.seconds or 0))
        return answer
    return {
        "throttle": errors.throttle,
        "server_error": errors.server_error,
        "record_locked": errors.locked,
        "period_closed": errors.period_closed,
        "concurrency": errors.concurrency,
    }.get(fault.kind, errors.unavailable)()
