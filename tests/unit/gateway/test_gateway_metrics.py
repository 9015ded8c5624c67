"""`/metrics` of the gateway: requests under their routes' templates, and who may read it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from domain.access import Caller
from gateway import metrics, problems
from gateway.access import NotAccepted
from store.sql.engine import SqlStore

TOKEN = "prometheus-token-01"


class KnownPeople:
    """Instead of the authenticator."""

    is_open = False

    async def caller(self, token: str) -> Caller:
        if token != TOKEN:
            raise NotAccepted("unknown")
        return Caller(person="prometheus@fairlead.example", rights=("viewer",))


@pytest.fixture
async def http(store: SqlStore) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.access = KnownPeople()
    problems.install(app)

    @app.post("/hooks/{source}")
    async def hook(source: str) -> str:
        if source == "broken":
            raise RuntimeError("canary")
        return "kept"

    metrics.install(app, store)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://g.test") as client:
        yield client


async def read(http: httpx.AsyncClient) -> str:
    answer = await http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


async def test_requests_are_counted_by_template_method_and_status(http: httpx.AsyncClient) -> None:
    for path in ("/hooks/crm", "/hooks/canary-secret", "/hooks/broken", "/nowhere/canary"):
        await http.post(path)
    await http.request("CANARY", "/hooks/crm")
    told = await read(http)
    line = 'fairlead_gateway_requests_total{method="POST",route="/hooks/{source}",status='
    assert f'{line}"200"}} 2.0' in told
    assert f'{line}"500"}} 1.0' in told
    assert 'method="POST",route="unknown",status="404"} 1.0' in told
    assert 'method="unknown"' in told
    assert 'fairlead_gateway_request_seconds_count{route="/hooks/{source}"} 4.0' in told
    assert "canary" not in told.casefold()


async def test_what_stands_open_is_read_at_the_moment(http: httpx.AsyncClient, store: SqlStore) -> None:
    await store.processes.open("activation/acme/1", "activation", "run")
    assert 'fairlead_running_processes{kind="activation",stage=""} 1.0' in await read(http)


async def test_nobody_unknown_reads_it(http: httpx.AsyncClient) -> None:
    answer = await http.get("/metrics")
    assert answer.status_code == 401
    assert "fairlead_" not in answer.text
