"""A small Workday tenant over HTTP, for the tests of its emulator."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from defusedxml.ElementTree import fromstring

import sandbox.app
from sandbox.core import wire
from sandbox.settings import SandboxSettings
from sandbox.workday.ids import wid

TENANT = "fairlead_dpt1"
WORKER, PROJECT = wid("worker", "W-0003"), wid("project", "INTERNAL-1")
ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wd="urn:com.workday/bsvc"><e:Body>'
    '<wd:Get_Workers_Request wd:version="{version}">{inside}</wd:Get_Workers_Request></e:Body></e:Envelope>'
)


class Tenant:
    """Requests to the emulator with a token of its API client; bodies are decoded exactly."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        monkeypatch.setattr(sandbox.app, "SYSTEMS", ("workday",))
        self.settings = SandboxSettings(home=home, quiet=True, deals=0, customers=1, workers=12, **settings)
        self.app = sandbox.app.build_app(self.settings)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://sandbox/workday"
        )

    async def token(self, form: Mapping[str, str], secret: str = "") -> httpx.Response:
        """The answer of the token endpoint."""
        known = f"{self.settings.workday_client_id}:{secret or self.settings.workday_secret}"
        basic = base64.b64encode(known.encode()).decode()
        path = f"/ccx/oauth2/{TENANT}/token"
        return await self.http.post(path, data=dict(form), headers={"Authorization": f"Basic {basic}"})

    async def login(self) -> None:
        """Use a token from now on."""
        form = {"grant_type": "refresh_token", "refresh_token": self.settings.workday_refresh_token}
        answer = await self.token(form)
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def call(
        self, method: str, service: str, resource: str, body: Any = None, **params: Any
    ) -> tuple[int, Any]:
        """Status and decoded body of one REST request."""
        version = params.pop("version", {"staffing": "v6"}.get(service, "v1"))
        answer = await self.http.request(
            method,
            f"/ccx/api/{service}/{version}/{TENANT}/{resource}",
            params=params,
            content=None if body is None else wire.encode(body),
        )
        return answer.status_code, wire.decode(answer.content) if answer.content else None

    async def get(self, service: str, resource: str, **params: Any) -> Any:
        """The body of a read that must succeed."""
        status, body = await self.call("GET", service, resource, **params)
        assert status == 200, body
        return body

    async def soap(self, inside: str, version: str = "v44.1", address: str = "") -> tuple[int, Any]:
        """Status and root element of a Get_Workers request."""
        path = f"/ccx/service/{TENANT}/Human_Resources/{address or version}"
        answer = await self.http.post(path, content=ENVELOPE.format(version=version, inside=inside))
        return answer.status_code, fromstring(answer.text)

    async def by_hand(self, thing: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A person does something in the tenant's screens."""
        answer = await self.http.post(
            f"http://sandbox/_control/workday/{thing}", content=wire.encode(dict(fields))
        )
        assert answer.status_code == 200, answer.text
        return dict(wire.decode(answer.content))

    async def arm(self, kind: str, **options: Any) -> None:
        """Arm a fault."""
        fault = {"kind": kind, "system": "workday", **options}
        assert (await self.http.post("http://sandbox/_faults", json=fault)).status_code == 200

    async def effects(self) -> list[dict[str, Any]]:
        """Effects that landed by the API."""
        answer = await self.http.get("http://sandbox/_effects", params={"system": "workday"})
        return list(wire.decode(answer.content)["effects"])

    async def aclose(self) -> None:
        await self.http.aclose()
        self.app.state.world.close()


def texts(root: Any, name: str) -> list[str]:
    """Texts of all elements of a name in Workday's namespace."""
    return [(node.text or "").strip() for node in root.iter("{urn:com.workday/bsvc}" + name)]
