"""The sandbox in process, as a bench to put a connector on: same HTTP, no socket, faults on request."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from connectors.http import exact_json
from sandbox.app import build_app
from sandbox.settings import SandboxSettings

SEEDED_ON = date(2026, 11, 23)
"""Day of the seed where a suite names days of its own: open periods, contracts and rates lie around it."""


class SandboxTransport(httpx.AsyncBaseTransport):
    """Calls the sandbox's application; a connection it breaks is the transport error a socket would give."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx.ReadError(str(error), request=request) from None


class Bench:
    """One sandbox with one system under test."""

    def __init__(self, settings: SandboxSettings, system: str) -> None:
        self.settings = settings
        self.system = system
        self.app = build_app(settings)
        self.transport = SandboxTransport(self.app)
        self.origin = f"http://{settings.host}:{settings.port}"
        self._http = httpx.AsyncClient(transport=self.transport, base_url=self.origin)

    @property
    def base_url(self) -> str:
        """Address of the system under test, for the connector's settings."""
        return f"{self.origin}/{self.system}"

    async def arm(self, kind: str, **options: Any) -> None:
        """Arm one fault of the system under test; see `sandbox/core/fault_kinds.py`."""
        await self.post("/_faults", {"kind": kind, "system": self.system, **options})

    async def calm(self) -> None:
        """Disarm every fault."""
        (await self._http.delete("/_faults")).raise_for_status()

    async def effects(self, **filters: str) -> list[dict[str, Any]]:
        """Effects that landed in the system under test."""
        answer = await self.get("/_effects", {"system": self.system, **filters})
        return list(answer["effects"])

    async def landed(self, key: str) -> int:
        """How many times the effect of `key` landed."""
        return sum(effect["count"] for effect in await self.effects(effect_key=key))

    async def requests(self) -> list[dict[str, Any]]:
        """Requests the system under test has received, newest last."""
        answer = await self.get("/_requests", {"system": self.system, "limit": "5000"})
        return list(answer["requests"])

    async def edit(self, thing: str, record_id: str, fields: Mapping[str, Any]) -> None:
        """A person edits a record in the vendor's screens."""
        await self.post(f"/_control/{self.system}/{thing}/{record_id}", fields)

    async def add(self, thing: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A person creates a record in the vendor's screens."""
        return dict(await self.post(f"/_control/{self.system}/{thing}", fields))

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        answer = await self._http.get(path, params=params)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text[:500]}"
        return exact_json.decode(answer.content)

    async def post(self, path: str, body: Any) -> Any:
        answer = await self._http.post(
            path, content=exact_json.encode(body), headers={"content-type": "application/json"}
        )
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text[:500]}"
        return exact_json.decode(answer.content)

    async def aclose(self) -> None:
        await self._http.aclose()
        self.app.state.world.close()
