"""A small Kantata account over HTTP, for the tests of its emulator."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

import sandbox.app
from sandbox.core import wire
from sandbox.settings import SandboxSettings

BASE = "/kantata/api/v1"


class KantataAccount:
    """Requests to the emulator with the tenant's token; bodies are decoded exactly."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox.app, "SYSTEMS", ("kantata",))
        settings = SandboxSettings(home=home, quiet=True, deals=0, customers=1, workers=2)
        self.app = sandbox.app.build_app(settings)
        self.world = self.app.state.world
        self.store = self.world.database.store("kantata")
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://sandbox",
            headers={"Authorization": f"Bearer {settings.kantata_token}"},
        )
        with self.world.database.writing_as("seed"), self.world.database.transaction():
            self.role = int(self.store.create("roles", {"name": "Test Pilot"}).id)

    async def call(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        """Status and decoded body of one request."""
        answer = await self.http.request(
            method, BASE + path, params=params, content=None if body is None else wire.encode(body)
        )
        return answer.status_code, wire.decode(answer.content) if answer.content else None

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a read that must succeed."""
        status, body = await self.call("GET", path, **params)
        assert status == 200, body
        return body

    async def write(self, method: str, path: str, body: Any, **params: Any) -> dict[str, Any]:
        """The first record of a write that must succeed."""
        status, answer = await self.call(method, path, body, **params)
        assert status == 200, answer
        return first(answer)

    async def refused(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        """Status and first error of a request that must fail."""
        status, answer = await self.call(method, path, body, **params)
        assert status >= 400, answer
        return status, answer["errors"][0]

    async def workspace(self, **fields: Any) -> int:
        """A new project; its id."""
        body = {"workspace": {"title": "Atlas", "creator_role": "maven", **fields}}
        return int((await self.write("POST", "/workspaces", body))["id"])

    async def seat(self, workspace_id: int, **fields: Any) -> int:
        """A new unnamed workspace resource; its id."""
        body = {"workspace_resource": {"workspace_id": workspace_id, "role_id": self.role, **fields}}
        return int((await self.write("POST", "/workspace_resources", body))["id"])

    async def arm(self, kind: str, **options: Any) -> None:
        """Arm a fault."""
        answer = await self.http.post("/_faults", json={"kind": kind, "system": "kantata", **options})
        assert answer.status_code == 200, answer.text

    async def effects(self, **filters: str) -> list[dict[str, Any]]:
        """Effects that landed."""
        answer = await self.http.get("/_effects", params={"system": "kantata", **filters})
        return list(wire.decode(answer.content)["effects"])

    async def aclose(self) -> None:
        await self.http.aclose()
        self.world.close()


def reference(ref: str, **more: str) -> dict[str, str]:
    """An external reference as a client sends it."""
    return {"service_name": "fairlead", "service_model": "Project", "service_model_ref": ref, **more}


def first(body: Mapping[str, Any]) -> dict[str, Any]:
    """The first record of an envelope, in order of `results`."""
    result = body["results"][0]
    return dict(body[result["key"]][result["id"]])


def ids(body: Mapping[str, Any]) -> list[str]:
    """Ids in order of `results`."""
    return [result["id"] for result in body["results"]]
