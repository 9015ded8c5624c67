"""`POST /v1/projects` and `GET /v1/processes/{id}`: a deal is started once, however often it is asked for."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.service import RPCError, RPCStatusCode

from domain.activation_process import ActivationResult
from domain.attention import AttentionItem
from domain.readiness import OwnerGroup
from store.sql.engine import SqlStore
from tests.unit.gateway.api_parts import RunningApi, bearer, running_api, signed_deal, with_tokens
from tests.unit.gateway.gateway_parts import DEAL, NOW, Clock

PROCESS = f"activation/fairlead-demo/{DEAL}"


@pytest.fixture
async def api(store: SqlStore, tmp_path: Path) -> AsyncIterator[RunningApi]:
    async with running_api(store, tmp_path, Clock(), limit=20.0) as running:
        running.crm.deals[DEAL] = signed_deal()
        yield running


async def ask(api: RunningApi, deal: str = DEAL, key: str | None = None, **headers: str) -> httpx.Response:
    more = {"Idempotency-Key": key} if key is not None else {}
    return await api.http.post("/v1/projects", json={"deal": deal}, headers={**more, **headers})


async def test_a_signed_deal_is_started(api: RunningApi) -> None:
    answer = await ask(api, key="k-1")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/processes/{PROCESS}"
    assert answer.json() == {
        "answer": "started",
        "process": PROCESS,
        "deal": DEAL,
        "stage": "reading the deal",
        "project": "",
        "requested_by": "api",
        "since": None,
    }
    assert [start["requested_by"] for start in api.temporal.starts] == ["api"]


async def test_asked_again_it_is_joined(api: RunningApi, store: SqlStore) -> None:
    await ask(api, key="k-1")
    await store.processes.open(PROCESS, "activation", "run", "Rollout")
    await store.processes.update(PROCESS, stage="creating", project="DE01-7K3QXW")
    api.crm.silent = True  # a process that is known needs no CRM
    for key in ("k-1", "k-2", None):
        answer = await ask(api, key=key)
        assert answer.status_code == 200
        assert (answer.json()["answer"], answer.json()["stage"]) == ("joined", "creating")
    assert {start["workflow_id"] for start in api.temporal.starts} == {PROCESS}


async def test_a_key_is_for_one_deal_and_for_one_caller(store: SqlStore, tmp_path: Path) -> None:
    guarded = with_tokens(tmp_path / "tokens.json", NOW)
    async with running_api(store, tmp_path, Clock(), guarded) as api:
        other = DEAL[:-1] + "Z"
        api.crm.deals |= {DEAL: signed_deal(), other: signed_deal(other)}
        assert (await ask(api, key="k-1", **bearer("operator"))).status_code == 202
        refused = await ask(api, other, key="k-1", **bearer("operator"))
        assert refused.status_code == 422
        assert "used for another deal" in refused.json()["detail"]
        assert (await ask(api, other, key="k-1", **bearer("admin"))).status_code == 202
        by = [start["requested_by"] for start in api.temporal.starts]
        assert by == ["operator@acme.example", "admin@acme.example"]
    entries = await store.audit.list("api:fairlead-demo")
    assert [entry.actor for entry in entries] == ["operator@acme.example", "admin@acme.example"]
    assert (await store.audit.verify())[1] == []


async def test_what_is_active_already_is_said(api: RunningApi, store: SqlStore) -> None:
    row = await store.processes.open(PROCESS, "activation", "run", "Rollout")
    result = ActivationResult(state="active", deal=DEAL, project="DE01-7K3QXW")
    await store.processes.close(
        PROCESS, row.generation, "done", result.model_dump_json(), stage="active", project="DE01-7K3QXW"
    )
    answer = await ask(api)
    assert answer.status_code == 200
    assert (answer.json()["answer"], answer.json()["project"]) == ("active", "DE01-7K3QXW")
    assert api.temporal.starts == []
    assert api.crm.questions == []


async def test_a_shorter_form_of_the_id_is_the_same_deal(api: RunningApi) -> None:
    assert (await ask(api, DEAL[:15])).json()["process"] == PROCESS


async def test_what_is_not_there_or_not_signed_is_not_started(api: RunningApi, store: SqlStore) -> None:
    api.crm.deals["open"] = signed_deal("open", won=False)
    missing, unsigned = await ask(api, "006000000000000000", "k"), await ask(api, "open", "k")
    assert (missing.status_code, unsigned.status_code) == (404, 409)
    assert "006000000000000000" not in missing.text
    assert api.temporal.starts == []
    assert await store.audit.list("api:fairlead-demo") == []


async def test_a_silent_crm_is_named(api: RunningApi) -> None:
    api.crm.silent, api.app.state.api_limit = True, 0.2
    answer = await ask(api)
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("salesforce did not answer in time.")
    assert api.temporal.starts == []


@pytest.mark.parametrize(
    "error", [RPCError("away", RPCStatusCode.UNAVAILABLE, b""), OSError("refused"), None]
)
async def test_temporal_that_is_away_is_named(api: RunningApi, error: Exception | None) -> None:
    api.temporal.away, api.temporal.start_error = error is None, error
    answer = await ask(api, key="k-1")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("Temporal ")
    api.temporal.away, api.temporal.start_error = False, None


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ü"])
async def test_an_idempotency_key_has_its_form(api: RunningApi, key: str) -> None:
    headers = [(b"idempotency-key", key.encode()), (b"content-type", b"application/json")]
    answer = await api.http.post("/v1/projects", content=b'{"deal":"%s"}' % DEAL.encode(), headers=headers)
    assert answer.status_code == 400
    assert api.temporal.starts == []


async def test_a_process_is_shown_with_its_exceptions(api: RunningApi, store: SqlStore) -> None:
    await store.processes.open(PROCESS, "activation", "run", "Rollout", policy_json='{"secret": 1}')
    item = AttentionItem(
        id=f"{PROCESS}/gate.customer_data/1",
        process=PROCESS,
        step="gate.customer_data",
        headline="Customer data is red",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        raised_at=NOW,
        due_at=NOW + timedelta(hours=4),
    )
    await store.attention.put(item)
    answer = await api.http.get(f"/v1/processes/{PROCESS}")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["id"], shown["state"], shown["title"]) == (PROCESS, "running", "Rollout")
    assert [one["headline"] for one in shown["exceptions"]] == ["Customer data is red"]
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "id", ["activation/fairlead-demo/none", "activation/other/x", "x", "a/fairlead-demo/%00"]
)
async def test_a_process_nobody_knows(api: RunningApi, id: str) -> None:
    assert (await api.http.get(f"/v1/processes/{id}")).status_code == 404
