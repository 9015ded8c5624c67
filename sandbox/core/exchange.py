"""One HTTP exchange: reading the request, sending the answer, and breaking it on purpose.

Under uvicorn a break is a real one: `ConnectionRegister` knows the transport of each peer, so the socket is
closed without an answer (`abort`) or in the middle of the body (`send_part`); a client sees a transport
error. In process (no socket) the break is a ConnectionResetError raised to the caller.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from sandbox.core.call import Answer


class ConnectionRegister:
    """Open transports by peer address; filled by the server's protocol class (server.py)."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def opened(self, peer: tuple[str, int], transport: asyncio.Transport) -> None:
        """Remember a connection."""
        self._transports[peer] = transport

    def closed(self, peer: tuple[str, int]) -> None:
        """Forget a connection."""
        self._transports.pop(peer, None)

    def of(self, scope: Scope) -> asyncio.Transport | None:
        """The transport of the request's peer, if a server registered it."""
        client = scope.get("client")
        return None if client is None else self._transports.get((client[0], client[1]))


connections = ConnectionRegister()


class Exchange:
    """The two directions of one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send

    async def read_body(self) -> bytes:
        """The whole request body."""
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the client went away while sending")
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def send(self, answer: Answer) -> None:
        """Send the whole answer."""
        payload = answer.payload()
        await self._send(self._head(answer, len(payload)))
        await self._send({"type": "http.response.body", "body": payload})

    async def send_part(self, answer: Answer) -> None:
        """Send the head and half of the body, then close the connection."""
        payload = answer.payload()
        if len(payload) > 1 and connections.of(self._scope) is not None:
            await self._send(self._head(answer, len(payload)))
            half = {"type": "http.response.body", "body": payload[: len(payload) // 2], "more_body": True}
            await self._send(half)
        await self.abort()

    async def abort(self) -> None:
        """Close the connection without (the rest of) an answer."""
        transport = connections.of(self._scope)
        if transport is None:
            raise ConnectionResetError("the sandbox closed the connection (fault)")
        transport.abort()
        await self.hold(5)  # until the server has noticed, else it would answer 500 itself

    async def hold(self, seconds: float | None) -> bool:
        """Wait until the client goes away (True) or `seconds` have passed (False)."""
        try:
            async with asyncio.timeout(seconds):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True

    def _head(self, answer: Answer, length: int) -> dict[str, Any]:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        if answer.status not in (204, 304):
            headers.append((b"content-length", str(length).encode()))
        if length:
            headers.append((b"content-type", answer.media_type.encode()))
        return {"type": "http.response.start", "status": answer.status, "headers": headers}


def write_marker(path: str | None, text: str) -> None:
    """Create a fault's marker file, whole or not at all, so that a watcher can act on it."""
    if path is None:
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, target)
