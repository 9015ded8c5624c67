"""Posting events: what is kept, what is answered, and in which order."""

import asyncio
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog

from domain.attention import EventRef
from gateway import hooks
from store.ports import StoreError
from tests.unit.gateway.conftest import Running
from tests.unit.gateway.gateway_parts import (
    DEAL,
    NOW,
    OLD_KEY,
    PLAIN_SECRET,
    SECRET,
    decided,
    encoded,
    event,
    inbox_row,
    signed,
)


async def post(gateway: Running, body: dict[str, Any] | bytes, **options: Any) -> httpx.Response:
    """Post to the source `crm`, signed."""
    content = body if isinstance(body, bytes) else encoded(body)
    if "id" not in options and isinstance(body, dict):
        options["id"] = body.get("id", "evt-1")
    headers = signed(content, at=gateway.clock(), **options)
    return await gateway.http.post("/hooks/crm", content=content, headers=headers)


def is_problem(response: httpx.Response, status: int) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]


async def test_an_event_is_kept_answered_and_starts_its_process(gateway: Running) -> None:
    response = await post(gateway, event(org="00DWX0000009zXyEAI", note="more than we know"))
    assert response.status_code == 202
    assert response.json() == {"event": "crm:evt-1", "status": "accepted"}
    await gateway.dispatched()
    row = await gateway.store.inbox.get("crm:evt-1")
    assert row is not None
    assert (row.type, row.subject, row.version, row.state) == ("deal.signed", DEAL, NOW, "dispatched")
    assert row.body["data"]["note"] == "more than we know"
    assert [start["workflow_id"] for start in gateway.temporal.starts] == [f"activation/acme/{DEAL}"]
    assert gateway.temporal.starts[0]["event"] == EventRef(id="crm:evt-1", type="deal.signed")


async def test_the_row_is_there_before_the_answer(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.parts.background, "submit", lambda rows: None)  # dies after the answer
    assert (await post(gateway, event())).status_code == 202
    assert await gateway.ids() == ["crm:evt-1"]
    assert gateway.temporal.starts == []
    gateway.clock.forward(timedelta(seconds=11))
    assert await gateway.parts.sweeper.sweep() == 1
    assert len(gateway.temporal.starts) == 1


async def test_without_a_store_nothing_is_accepted(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(row: Any) -> bool:
        raise StoreError("the store (sqlite) is locked; run `fairlead doctor`")

    monkeypatch.setattr(gateway.store.inbox, "put", fails)
    response = await post(gateway, event())
    is_problem(response, 503)
    assert response.headers["retry-after"]
    assert gateway.temporal.starts == []


async def test_the_answer_does_not_wait_for_temporal(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_gate = asyncio.Event()
    connect = gateway.temporal.connect

    async def slow() -> Any:
        await open_gate.wait()
        return await connect()

    monkeypatch.setattr(gateway.parts.temporal, "_factory", slow)
    async with asyncio.timeout(5):
        assert (await post(gateway, event())).status_code == 202
    assert gateway.temporal.starts == []
    open_gate.set()
    await gateway.dispatched()
    assert len(gateway.temporal.starts) == 1


async def test_a_delivery_that_is_signed_again_is_a_duplicate(gateway: Running) -> None:
    body = event()
    answers = []
    for _ in range(3):
        answers.append(await post(gateway, body))
        gateway.clock.forward(timedelta(seconds=5))
    assert [answer.status_code for answer in answers] == [202, 200, 200]
    assert answers[1].json() == {"event": "crm:evt-1", "status": "duplicate"}
    await gateway.dispatched()
    assert await gateway.ids() == ["crm:evt-1"]
    assert len(gateway.temporal.starts) == 1


async def test_the_very_same_delivery_is_refused_as_a_replay(gateway: Running) -> None:
    body = event()
    first = await post(gateway, body)
    with structlog.testing.capture_logs() as logs:
        again = await post(gateway, body)
    assert (first.status_code, again.status_code) == (202, 409)
    assert again.headers["content-type"] == "application/problem+json"
    assert "replayed" in [log.get("reason") for log in logs]
    await gateway.dispatched()
    assert len(gateway.temporal.starts) == 1


async def test_ten_at_once_are_one_row_and_one_start(gateway: Running) -> None:
    answers = await asyncio.gather(*(post(gateway, event()) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 9
    await gateway.dispatched()
    assert await gateway.ids() == ["crm:evt-1"]
    assert len(gateway.temporal.starts) == 1


async def test_the_same_id_for_other_content_changes_nothing_and_is_logged(gateway: Running) -> None:
    await post(gateway, event())
    await gateway.dispatched()
    gateway.clock.forward(timedelta(seconds=5))
    with structlog.testing.capture_logs() as logs:
        response = await post(gateway, event(subject="006OTHER"))
    assert response.json()["status"] == "duplicate"
    row = await gateway.store.inbox.get("crm:evt-1")
    assert row is not None
    assert row.subject == DEAL
    assert [log["event"] for log in logs] == ["event_id_used_for_other_content"]


async def test_an_older_event_after_a_newer_one_is_dropped(gateway: Running) -> None:
    await post(gateway, event(id="new", at=NOW))
    await gateway.dispatched()
    await gateway.store.inbox.mark("crm:new", "applied", process="p")
    assert (await post(gateway, event("deal.changed", "old", at=NOW - timedelta(hours=1)))).status_code == 202
    await gateway.dispatched()
    dropped = await gateway.store.inbox.get("crm:old")
    assert dropped is not None
    assert dropped.state == "applied"
    assert "older than the version applied" in dropped.note
    assert len(gateway.temporal.starts) == 1


async def test_the_payload_of_standard_webhooks_is_taken_too(gateway: Running) -> None:
    body = {"type": "deal.signed", "timestamp": NOW.isoformat(), "data": {"deal": DEAL}}
    assert (await post(gateway, body, id="msg_1")).status_code == 202
    await gateway.dispatched()
    row = await gateway.store.inbox.get("crm:msg_1")
    assert row is not None
    assert (row.subject, row.version, row.state) == (DEAL, NOW, "dispatched")
    assert row.body["specversion"] == "1.0"


async def test_a_changed_opportunity_told_by_webhook_is_a_hint_about_a_deal(gateway: Running) -> None:
    data = {
        "organization_id": "00DWX0000009zXyEAI",
        "object": "Opportunity",
        "id": DEAL,
        "system_modstamp": "2026-11-23T11:59:00.000+0000",
        "StageName": "Closed Won",
    }
    body = {"type": "opportunity.signed", "timestamp": NOW.isoformat(), "data": data}
    assert (await post(gateway, body, id="msg_2")).status_code == 202
    row = await gateway.store.inbox.get("crm:msg_2")
    assert row is not None
    assert (row.type, row.subject, row.version) == ("deal.signed", DEAL, NOW - timedelta(minutes=1))
    assert row.body["data"]["org"] == data["organization_id"]


async def test_a_generic_source_is_held_to_its_own_events(gateway: Running) -> None:
    async def send(body: dict[str, Any]) -> httpx.Response:
        content, stamp = encoded(body), str(int(NOW.timestamp()))
        digest = hmac.new(PLAIN_SECRET.encode(), f"{stamp}.".encode() + content, hashlib.sha256)
        headers = {"x-webhook-timestamp": stamp, "x-webhook-signature": f"sha256={digest.hexdigest()}"}
        return await gateway.http.post("/hooks/staffing", content=content, headers=headers)

    assert (await send({**decided(), "type": "request.decided"})).status_code == 202
    row = await gateway.store.inbox.get("staffing:evt-s")
    assert row is not None
    assert row.type == "staffing.decided"
    refused = await send(event(id="evt-2"))
    is_problem(refused, 422)
    assert refused.json()["errors"] == [
        {"field": "type", "problem": "is not one this source is registered for"}
    ]
    assert await gateway.ids() == ["staffing:evt-s"]


async def test_a_type_nobody_knows_is_kept_for_a_person(gateway: Running) -> None:
    body = {**event(), "type": "deal.teleported"}
    assert (await post(gateway, body)).status_code == 202
    await gateway.dispatched()
    row = await gateway.store.inbox.get("crm:evt-1")
    assert row is not None
    assert row.state == "poison"
    (item,) = await gateway.store.attention.list()
    assert item.owner == "enterprise_architecture"
    assert "deal.teleported" in item.headline


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (signed(encoded(event()), signature="v1,AAAA"), 401),
        (signed(encoded(event()), key=OLD_KEY), 401),
        (signed(encoded(event()), at=NOW - timedelta(seconds=301)), 401),
        (signed(encoded(event()), at=NOW + timedelta(seconds=301)), 401),
        (signed(b"something else"), 401),
        ({**signed(encoded(event())), "webhook-timestamp": "noon"}, 400),
    ],
)
async def test_unverified_deliveries_leave_nothing_behind(
    gateway: Running, headers: dict[str, str], status: int
) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await gateway.http.post("/hooks/crm", content=encoded(event()), headers=headers)
    is_problem(response, status)
    assert ("www-authenticate" in response.headers) == (status == 401)
    (log,) = [log for log in logs if log["event"] == "delivery_refused"]
    assert log["reason"]
    assert log["source"] == "crm"
    assert "signature" not in response.text
    assert SECRET not in f"{response.text}{logs}"
    assert await gateway.ids() == []


async def test_an_unregistered_source_is_not_there_and_is_logged(gateway: Running) -> None:
    for path in ("/hooks/nobody", "/hooks/crm/extra", "/hooks/CRM", "/hooks/..%2fcrm", "/hooks/a%0Ab"):
        with structlog.testing.capture_logs() as logs:
            response = await gateway.http.post(path, content=encoded(event()))
        is_problem(response, 404)
        assert [log["event"] for log in logs] == ["unregistered_hook"]
        assert "\n" not in logs[0]["source"]
    is_problem(await gateway.http.post("/nowhere"), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_post_is_answered(gateway: Running, method: str) -> None:
    response = await gateway.http.request(method, "/hooks/crm")
    is_problem(response, 405)
    assert response.headers["allow"] == "POST"


async def test_a_source_without_its_secret_is_closed(gateway: Running) -> None:
    content = encoded(event())
    with structlog.testing.capture_logs() as logs:
        response = await gateway.http.post("/hooks/broken", content=content, headers=signed(content))
    is_problem(response, 503)
    assert "env:MISSING is not set" in logs[0]["reason"]
    assert "MISSING" not in response.text
    assert await gateway.ids() == []


async def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(gateway: Running) -> None:
    body = encoded(event())
    full = body + b" " * (hooks.MAX_BODY - len(body))
    assert (await post(gateway, full)).status_code == 202
    is_problem(await post(gateway, full + b" "), 413)


async def test_a_body_without_declared_length_is_cut_off(gateway: Running) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 65_536

    is_problem(await gateway.http.post("/hooks/crm", content=endless(), headers=signed(b"")), 413)
    assert sent <= 6


async def test_a_sender_that_never_finishes_is_cut_off(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "BODY_TIMEOUT", 0.05)

    async def stuck() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    is_problem(await gateway.http.post("/hooks/crm", content=stuck(), headers=signed(b"")), 408)


async def test_a_version_far_in_the_future_is_refused(gateway: Running) -> None:
    response = await post(gateway, event(at=NOW + timedelta(days=2)))
    is_problem(response, 422)
    assert response.json()["errors"][0]["field"] == "data.version"
    assert await gateway.ids() == []


async def test_a_fault_of_ours_is_a_problem_without_a_stack(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(row: Any) -> bool:
        raise RuntimeError(f"secret canary {SECRET}")

    monkeypatch.setattr(gateway.store.inbox, "put", breaks)
    with structlog.testing.capture_logs() as logs:
        response = await post(gateway, event())
    is_problem(response, 500)
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    assert [log["error"] for log in logs if log["event"] == "request_failed"] == ["RuntimeError"]


async def test_health_names_each_part(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = await gateway.http.get("/healthz")
    assert healthy.status_code == 200
    assert healthy.json() == {"status": "ok", "checks": {"store": {"ok": True}, "temporal": {"ok": True}}}
    gateway.temporal.away = True
    degraded = await gateway.http.get("/healthz")
    assert degraded.status_code == 503
    assert degraded.json()["checks"]["store"] == {"ok": True}
    assert degraded.json()["checks"]["temporal"]["ok"] is False
    assert (await gateway.http.get("/readyz")).status_code == 200

    async def unready() -> None:
        raise StoreError("the store is not current; run `fairlead up`")

    monkeypatch.setattr(gateway.store, "ready", unready)
    not_ready = await gateway.http.get("/readyz")
    assert not_ready.status_code == 503
    assert "fairlead up" in not_ready.json()["checks"]["store"]["problem"]


async def test_the_index_lists_the_addresses(gateway: Running) -> None:
    index = (await gateway.http.get("/")).json()
    assert index["firm"] == "acme"
    described = (await gateway.http.get("/v1/openapi.json")).json()
    assert "/hooks/{source}" in index["addresses"]
    assert "/hooks/{source}" in described["paths"]


async def test_the_lifespan_sweeps_and_ends_cleanly(gateway: Running) -> None:
    await gateway.store.inbox.put(inbox_row(event(id="left-over")))
    async with asyncio.timeout(10), gateway.app.router.lifespan_context(gateway.app):
        await gateway.temporal.started.wait()
    assert len(gateway.temporal.starts) == 1
