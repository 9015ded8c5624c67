"""A small Salesforce org in process, over the real core: a handful of seeded deals, a logged-in client."""

from datetime import date
from pathlib import Path
from typing import Any

import httpx

from sandbox.app import build_app
from sandbox.core.world import World
from sandbox.settings import SandboxSettings

ORIGIN = "http://crm.test"
DATA = "/salesforce/services/data/v66.0"
FORM = {
    "grant_type": "client_credentials",
    "client_id": "fairlead-sandbox",
    "client_secret": "sandbox-salesforce-secret-0000000000",
}


class Org:
    """The org, its client, and the sandbox's own endpoints."""

    def __init__(self, home: Path, **settings: Any) -> None:
        size = {"deals": 6, "customers": 8, "workers": 6} | settings
        self.app = build_app(
            SandboxSettings(home=home, as_of=date(2026, 11, 23), **size), systems=("salesforce",)
        )
        self.world: World = self.app.state.world
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=ORIGIN)

    async def login(self) -> dict[str, Any]:
        answer = await self.client.post("/salesforce/services/oauth2/token", data=FORM)
        self.client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        body: dict[str, Any] = answer.json()
        return body

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """A call of the data API; `path` follows the version."""
        return await self.client.request(method, DATA + path, json=body, **more)

    async def query(self, soql: str, **more: Any) -> dict[str, Any]:
        answer = await self.call("GET", "/query", params={"q": soql}, **more)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def rows(self, soql: str) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = (await self.query(soql))["records"]
        return records

    async def arm(self, **fault: Any) -> None:
        answer = await self.client.post("/_faults", json=fault)
        assert answer.status_code == 200, answer.text

    async def effects(self, **filters: str) -> list[dict[str, Any]]:
        body = (await self.client.get("/_effects", params=filters)).json()
        groups: list[dict[str, Any]] = body["effects"]
        return groups

    async def opportunity(self) -> str:
        """The id of the first seeded opportunity, the flagship."""
        return str((await self.rows("SELECT Id FROM Opportunity ORDER BY Id"))[0]["Id"])

    async def close(self) -> None:
        await self.client.aclose()
        self.world.close()


def code(answer: httpx.Response) -> str:
    """The error code of a refusal, from an array or an object."""
    body = answer.json()
    return str((body[0] if isinstance(body, list) else body)["errorCode"])
