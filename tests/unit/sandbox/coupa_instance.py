"""A small Coupa instance over HTTP, for the tests of its emulator."""

from pathlib import Path
from typing import Any

import httpx
import pytest

import sandbox.app
from sandbox.core import wire
from sandbox.coupa.login import SCOPES
from sandbox.settings import SandboxSettings

LINE: dict[str, Any] = {
    "line-num": 1,
    "description": "QA Analyst",
    "quantity": "10",
    "unit-price": "100.005",
    "uom": {"code": "HR"},
    "currency": {"code": "EUR"},
    "need-by-date": "2026-12-01T00:00:00+00:00",
    "supplier": {"number": "S-002"},
    "account": {
        "account-type": {"name": "DE01 CoA"},
        "segment-1": "DE01",
        "segment-2": "5100",
        "segment-3": "DE01-1",
    },
}


def body(**changes: Any) -> dict[str, Any]:
    """A requisition."""
    given = {
        "requested-by": {"login": "fairlead.integration"},
        "ship-to-address": {"name": "DE01 Office"},
        "requisition-lines": [LINE],
    }
    return {**given, **changes}


class CoupaInstance:
    """Requests to the emulator with a token of the tenant's client; bodies are decoded exactly."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        monkeypatch.setattr(sandbox.app, "SYSTEMS", ("coupa",))
        given = {"deals": 0, "customers": 1, "workers": 2, "coupa_calls_per_second": 0, **settings}
        self.settings = SandboxSettings(home=home, quiet=True, **given)
        self.app = sandbox.app.build_app(self.settings)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://sandbox", headers={}
        )
        self.headers = {"accept": "application/json", "content-type": "application/json"}

    async def token(self, scope: str = " ".join(sorted(SCOPES)), **changes: str) -> httpx.Response:
        """Ask for a token; a good one is used from now on."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.coupa_client_id,
            "client_secret": self.settings.coupa_secret,
            "scope": scope,
            **changes,
        }
        answer = await self.http.post("/coupa/oauth2/token", data=form)
        if answer.status_code == 200:
            self.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    async def call(self, method: str, path: str, content: Any = None, **params: Any) -> tuple[int, Any]:
        """Status and decoded body of one request."""
        answer = await self.http.request(
            method,
            f"/coupa/api/{path}",
            params=params,
            content=None if content is None else wire.encode(content),
            headers=self.headers,
        )
        return answer.status_code, wire.decode(answer.content) if answer.content else None

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a read that must succeed."""
        status, answer = await self.call("GET", path, **params)
        assert status == 200, answer
        return answer

    async def submit(self, **changes: Any) -> int:
        """Id of a requisition that waits for approval."""
        status, made = await self.call("POST", "requisitions/submit_for_approval", body(**changes))
        assert status == 201, made
        return int(made["id"])

    async def act(self, table: str, id: int, action: str, **more: Any) -> httpx.Response:
        """What a person does in the screens."""
        return await self.http.post(f"/_control/coupa/{table}/{id}", json={"action": action, **more})

    async def order(self, *acts: str) -> int:
        """Id of an order, after some acts on it."""
        requisition = await self.submit()
        for action in ("approve", "order"):
            assert (await self.act("requisitions", requisition, action)).status_code == 200
        lines = await self.get("purchase_order_lines", order_by="id", dir="desc", limit=1)
        order = int(lines[0]["order-header-id"])
        for action in acts:
            assert (await self.act("purchase_orders", order, action)).status_code == 200
        return order

    async def aclose(self) -> None:
        await self.http.aclose()
        self.app.state.world.close()
