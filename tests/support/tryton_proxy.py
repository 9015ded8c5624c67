"""A loopback HTTP proxy before a real Tryton that injects faults: throttling, resets, lost answers, drift.

It speaks of the same kinds of fault as the sandbox (`sandbox/core/fault_kinds.py`). What it answers in
Tryton's place are Tryton's own words for the case; an expired session is a real one that Tryton refuses.
Calls go through one after the other, so that a look-up waits for a write whose client has gone away.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.core.faults import Fault, FaultEngine

SYSTEM = "tryton"
READING = {"search", "search_read", "search_count", "read", "fields_get", "get_preferences", "default_get"}
WARNING_PAGE = "<!doctype html><title>{0}</title><h1>{0}</h1><p>{1}</p>"


@dataclass(frozen=True)
class Rpc:
    """One call as the fault engine looks at it; `path` names the method."""

    system: str
    method: str
    path: str
    searchable: str


@dataclass(frozen=True)
class Way:
    kind: str
    posting: bool


@dataclass
class Exchange:
    """One request with what it takes to answer it."""

    head: str
    body: bytes
    call: Rpc
    way: Way
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.way.kind == "write"

    @property
    def path(self) -> str:
        return self.head.split(" ", 2)[1]


def writes(method: str, params: list[Any]) -> bool:
    """Whether a call changes the books. A wizard's sessions come and go without doing that."""
    if method.startswith("wizard."):
        return method.endswith(".execute")
    return method.startswith("model.") and method.rpartition(".")[2] not in READING


class TrytonProxy:
    """Start it, arm faults, read what went through, stop it."""

    def __init__(self, target: str) -> None:
        self.engine = FaultEngine((SYSTEM,))
        self.log: list[dict[str, Any]] = []
        """`POST` for calls that write, `GET` for those that read; the path is the method."""
        self.turn = asyncio.Lock()
        self._upstream = httpx.AsyncClient(base_url=target, timeout=60, trust_env=False)
        self._server: asyncio.Server | None = None
        self.base_url = ""
        self.interlude: Callable[[], None] | None = None
        """Done once, behind the next call's back: what another person does between two pages."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self._upstream.aclose()

    # ---- one request

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(await _received(reader, writer))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, exchange: Exchange) -> None:
        entry: dict[str, Any] = {"method": exchange.call.method, "path": exchange.call.path, "status": 0}
        self.log.append(entry)
        before = self._strike("before", exchange)
        if before is not None and before.kind != "token_expired":
            entry["status"] = await self._instead(before, exchange)
            return
        answer = await self._forward(exchange, broken=before is not None)
        entry["status"] = answer.status_code
        after = self._strike("after", exchange)
        if after is not None:
            entry["status"] = await self._spoilt(after, answer, exchange)
            return
        await _send(exchange, answer.status_code, self._drifted(answer, exchange))

    def _strike(self, stage: Any, exchange: Exchange) -> Fault | None:
        call, way = exchange.call, exchange.way
        return self.engine.strike((stage,), call, way, exchange.writes)  # type: ignore[arg-type]

    async def _forward(self, exchange: Exchange, broken: bool) -> httpx.Response:
        wanted = ("authorization", "content-type", "accept")
        headers = {name: exchange.headers[name] for name in wanted if name in exchange.headers}
        if broken and "authorization" in headers:
            headers["authorization"] = "Session YWRtaW46MTpleHBpcmVk"
        async with self.turn:
            answer = await self._upstream.post(exchange.path, content=exchange.body, headers=headers)
            if self.interlude is not None and exchange.way.kind == "read":
                doing, self.interlude = self.interlude, None
                await asyncio.to_thread(doing)
            return answer

    async def _instead(self, fault: Fault, exchange: Exchange) -> int:
        """Answer without asking Tryton; the status, 0 for none."""
        match fault.kind:
            case "reset_before":
                exchange.writer.transport.abort()
                return 0
            case "timeout_not_applied":
                await exchange.reader.read()
                return 0
            case "record_locked":
                return await _send(exchange, 200, _error("ConcurrencyException", "Records were modified"))
            case "reject":
                return await _send(exchange, 200, _error("UserError", ["The value is not valid.", "", None]))
            case "concurrency":
                return await _send(exchange, 503, _page("503 Service Unavailable", "database is locked"))
            case "throttle_retry_after":
                extra = {"Retry-After": f"{fault.seconds or 1:g}"}
                return await _send(exchange, 429, _page("429 Too Many Requests", ""), extra)
            case "throttle":
                return await _send(exchange, 429, _page("429 Too Many Requests", ""))
            case "unavailable":
                return await _send(exchange, 503, _page("503 Service Unavailable", "no server is available"))
        return await _send(exchange, 500, _page("500 Internal Server Error", ""))

    async def _spoilt(self, fault: Fault, answer: httpx.Response, exchange: Exchange) -> int:
        """What Tryton did stands; its answer does not arrive as it should."""
        match fault.kind:
            case "error_after_apply":
                return await _send(exchange, 500, _page("500 Internal Server Error", ""))
            case "timeout_applied":
                await exchange.reader.read()
            case _:
                exchange.writer.write(
                    _head(200, len(answer.content), {}) + answer.content[: len(answer.content) // 2]
                )
                await exchange.writer.drain()
                exchange.writer.transport.abort()
        return 0

    def _drifted(self, answer: httpx.Response, exchange: Exchange) -> bytes:
        """The answer with the armed faults in its records."""
        drifts = {
            kind: self.engine.strike_kind(kind, exchange.call, exchange.way, exchange.writes)  # type: ignore[arg-type]
            for kind in ("unknown_field", "missing_field", "new_enum")
        }
        if not any(drifts.values()) or answer.status_code != httpx.codes.OK:
            return answer.content
        said = json.loads(answer.content, parse_float=str)
        rows = said.get("result")
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict):
                _drift(row, drifts)
        return json.dumps(said).encode()


def _drift(row: dict[str, Any], drifts: dict[str, Fault | None]) -> None:
    if drifts["unknown_field"]:
        row["surprise"] = "unexpected"
    if (missing := drifts["missing_field"]) and missing.field:
        row.pop(missing.field, None)
    if drifts["new_enum"] and "state" in row:
        row["state"] = "unheard_of"


async def _received(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    said = json.loads(body) if body else {}
    method, params = str(said.get("method", "")), list(said.get("params", []))
    changes = writes(method, params)
    kind = "token" if method == "common.db.login" else "write" if changes else "read"
    call = Rpc(SYSTEM, "POST" if changes else "GET", f"/{method}", body.decode())
    way = Way(kind, posting=method.endswith(".post"))
    return Exchange(head, body, call, way, reader, writer, headers)


async def _send(exchange: Exchange, status: int, body: bytes, extra: dict[str, str] | None = None) -> int:
    exchange.writer.write(_head(status, len(body), extra or {}) + body)
    await exchange.writer.drain()
    return status


def _head(status: int, length: int, extra: dict[str, str]) -> bytes:
    headers = {"Content-Length": str(length), "Connection": "close", **extra}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _error(name: str, said: Any) -> bytes:
    return json.dumps({"id": 1, "error": [name, said]}).encode()


def _page(title: str, words: str) -> bytes:
    return WARNING_PAGE.format(title, words).encode()
