"""The codec endpoint as the Web UI calls it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from domain.access import Caller
from firm.codec import CodecKeys
from gateway import codec as codec_endpoint
from gateway import problems
from gateway.access import NotAccepted
from runtime.codec import SealingCodec, new_key

ORIGIN = "https://ui.example"
AUDITOR = {"Authorization": "Bearer auditor-token-0001"}
VIEWER = {"Authorization": "Bearer viewer-token-00001"}
CODEC = SealingCodec(CodecKeys("k1", {"k1": new_key()}))


class KnownPeople:
    """Instead of the authenticator: an auditor and a viewer by their tokens."""

    is_open = False
    _PEOPLE = {
        "auditor-token-0001": Caller(person="audit@fairlead.example", rights=("auditor",)),
        "viewer-token-00001": Caller(person="viewer@fairlead.example", rights=("viewer",)),
    }

    async def caller(self, token: str) -> Caller:
        if token not in self._PEOPLE:
            raise NotAccepted("unknown")
        return self._PEOPLE[token]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(codec_endpoint.routes(CODEC, [ORIGIN]))
    app.state.access = KnownPeople()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://g.test") as client:
        yield client


async def body(*texts: bytes) -> str:
    payloads = [Payload(metadata={"encoding": b"json/plain"}, data=text) for text in texts]
    return json_format.MessageToJson(Payloads(payloads=await CODEC.encode(payloads)))


def texts(answer: httpx.Response) -> list[bytes]:
    return [payload.data for payload in json_format.Parse(answer.content, Payloads()).payloads]


async def test_payloads_are_opened_for_who_may_and_only_that_is_logged(http: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await http.post(
            "/codec/decode",
            content=await body(b'"canary"', b'"two"'),
            headers={**AUDITOR, "Origin": ORIGIN, "X-Namespace": "default"},
        )
    assert texts(answer) == [b'"canary"', b'"two"']
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["cache-control"] == "no-store"
    assert [(one["event"], one["by"], one["payloads"]) for one in lines] == [
        ("codec_decoded", "audit@fairlead.example", 2)
    ]
    assert "canary" not in json.dumps(lines)


async def test_what_the_web_ui_sends_is_sealed(http: httpx.AsyncClient) -> None:
    plain = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}
    answer = await http.post("/codec/encode", json=plain, headers=AUDITOR)
    sealed = json_format.Parse(answer.content, Payloads()).payloads
    assert sealed[0].metadata["encoding"] == b"binary/encrypted"
    assert (await CODEC.decode(sealed))[0].data == b"1"


async def test_nobody_else_gets_anything(http: httpx.AsyncClient) -> None:
    for headers, status in (({}, 401), (VIEWER, 403)):
        answer = await http.post("/codec/decode", content=await body(b'"canary"'), headers=headers)
        assert answer.status_code == status
        assert "payloads" not in answer.text


async def test_only_the_configured_origin_is_let_in_by_a_browser(http: httpx.AsyncClient) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    allowed = await http.options("/codec/decode", headers={**asked, "Origin": ORIGIN})
    assert allowed.status_code == 204
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    other = await http.options("/codec/decode", headers={**asked, "Origin": "https://evil.example"})
    assert other.status_code == 403
    assert "access-control-allow-origin" not in other.headers
    answer = await http.post(
        "/codec/decode", content=await body(b"1"), headers={**AUDITOR, "Origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"[" * 5_000, 400),
        (b'{"payloads": 7}', 400),
        (b'{"payloads": [{"data": "\xff"}]}', 400),
        (b" " * (codec_endpoint.MAX_BODY + 1), 413),
    ],
)
async def test_a_body_that_is_no_payloads_is_refused(
    http: httpx.AsyncClient, content: bytes, status: int
) -> None:
    answer = await http.post("/codec/decode", content=content, headers=AUDITOR)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_payload_of_another_key_says_so_without_naming_it(http: httpx.AsyncClient) -> None:
    other = SealingCodec(CodecKeys("k9", {"k9": new_key()}))
    sealed: Any = await other.encode([Payload(data=b"1")])
    content = json_format.MessageToJson(Payloads(payloads=sealed))
    answer = await http.post("/codec/decode", content=content, headers=AUDITOR)
    assert answer.status_code == 400
    assert "k9" not in answer.text
