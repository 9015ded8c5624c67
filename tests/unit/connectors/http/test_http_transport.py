"""One call: addressed, authenticated, classified, never repeated."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import (
    Ambiguous,
    Conflict,
    ConnectorError,
    NotFound,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.http.auth import Auth, ClientCredentials, StaticBearer
from connectors.http.landed import landed
from connectors.http.quota import Gauge
from connectors.http.resolution import Problem, Resolution
from connectors.http.transport import VendorHttp

SECRET = "a-static-token-000000000000000000"
TABLE = Resolution("acme", lambda status, body: [Problem(text=str(body))] if body else [], ())
Handler = Callable[[httpx.Request], httpx.Response]


def http_of(handler: Handler, auth: Auth | None = None, **options: Any) -> VendorHttp:
    settings = {"base_url": "https://api.acme.example/v1/", "timeout": 1.0, **options}
    transport = httpx.MockTransport(handler)
    return VendorHttp(
        system="acme", auth=auth or StaticBearer(SECRET), table=TABLE, transport=transport, **settings
    )


def answering(status: int, **content: Any) -> Handler:
    return lambda request: httpx.Response(status, **content)


async def call(http: VendorHttp, *, write: bool = False, **options: Any) -> Any:
    return await http.call("POST" if write else "GET", "/things", operation="try it", write=write, **options)


async def test_numbers_cross_the_wire_exactly() -> None:
    seen: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, content=b'{"amount": 12345678901234567.10, "count": 3}')

    answer = await call(http_of(handler), write=True, json={"amount": Decimal("0.10")})
    assert seen == [b'{"amount":0.10}']
    assert answer.body == {"amount": Decimal("12345678901234567.10"), "count": 3}
    assert str(answer.body["amount"]) == "12345678901234567.10"


async def test_the_answer_carries_status_headers_and_request_id() -> None:
    http = http_of(answering(201, json={}, headers={"X-Request-Id": "r-1"}))
    answer = await call(http)
    assert (answer.status, answer.request_id, answer.headers["x-request-id"]) == (201, "r-1", "r-1")


async def test_an_empty_answer_has_no_body() -> None:
    assert (await call(http_of(answering(204)), write=True)).body is None


async def test_expected_statuses_are_answers() -> None:
    answer = await call(http_of(answering(404, json={"gone": True})), expect=(200, 404))
    assert (answer.status, answer.body) == (404, {"gone": True})


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (302, Rejected, Rejected),
        (400, Rejected, Rejected),
        (401, Unauthenticated, Unauthenticated),
        (403, Rejected, Rejected),
        (404, NotFound, NotFound),
        (409, Conflict, Conflict),
        (412, Conflict, Conflict),
        (422, Rejected, Rejected),
        (423, Transient, Transient),
        (429, Throttled, Throttled),
        (500, Transient, Ambiguous),
        (503, Transient, Ambiguous),
    ],
)
async def test_each_status_has_its_class(
    status: int, read: type[ConnectorError], write: type[ConnectorError]
) -> None:
    for error, writes in ((read, False), (write, True)):
        with pytest.raises(ConnectorError) as raised:
            await call(http_of(answering(status, headers={"x-request-id": "r-2"})), write=writes)
        assert type(raised.value) is error
        facts = (raised.value.system, raised.value.operation, raised.value.status, raised.value.request_id)
        assert facts == ("acme", "try it", status, "r-2")


@pytest.mark.parametrize(
    ("failure", "read", "write"),
    [
        (httpx.ConnectError, Transient, Transient),
        (httpx.ConnectTimeout, Transient, Transient),
        (httpx.PoolTimeout, Transient, Transient),
        (httpx.ReadTimeout, Transient, Ambiguous),
        (httpx.ReadError, Transient, Ambiguous),
        (httpx.WriteError, Transient, Ambiguous),
        (httpx.RemoteProtocolError, Transient, Ambiguous),
        (httpx.LocalProtocolError, Rejected, Rejected),
    ],
)
async def test_each_broken_connection_has_its_class(
    failure: type[httpx.TransportError], read: type[ConnectorError], write: type[ConnectorError]
) -> None:
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise failure("it broke", request=request)

    for error, writes in ((read, False), (write, True)):
        with pytest.raises(ConnectorError, match="it broke") as raised:
            await call(http_of(handler), write=writes)
        assert type(raised.value) is error
        assert raised.value.__cause__ is None, "a cause would carry the request and its credentials"
    assert len(calls) == 2, "never repeated"


async def test_a_call_ends_at_its_timeout_however_slowly_the_answer_drips() -> None:
    import asyncio

    async def forever(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    http = VendorHttp(
        system="acme",
        base_url="https://api.acme.example",
        auth=StaticBearer(SECRET),
        table=TABLE,
        transport=httpx.MockTransport(forever),
        timeout=0.05,
    )
    with pytest.raises(Ambiguous):
        await call(http, write=True)
    with pytest.raises(Transient):
        await call(http)


async def test_a_page_instead_of_json_is_no_answer() -> None:
    http = http_of(answering(200, text="<html>proxy</html>"))
    with pytest.raises(Transient, match="not JSON"):
        await call(http)
    with pytest.raises(Ambiguous, match="not JSON"):
        await call(http, write=True)


async def test_an_answer_that_is_text_is_handed_over_as_it_is() -> None:
    http = http_of(answering(200, text="<a>1</a>"))
    assert (await call(http, text=True)).body == "<a>1</a>"
    with pytest.raises(Transient, match="not JSON"):
        await call(http)


async def test_a_refused_token_may_hide_behind_another_status() -> None:
    """Some say it in the body: the caller knows how, and gets one new token like after a 401."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": f"t{len(seen)}"})
        seen.append(request.headers["authorization"])
        return httpx.Response(500, text="signed out") if len(seen) == 1 else httpx.Response(200, json={})

    credentials = {"client_id": "c", "client_secret": "s" * 32, "token_url": "/token"}
    auth = ClientCredentials(**credentials)
    await call(http_of(handler, auth), signed_out=lambda response: "signed out" in response.text)
    assert seen == ["Bearer t0", "Bearer t1"]


async def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(Transient, match="not JSON"):
        await call(http_of(answering(200, text='{"amount": NaN}')))


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("Mon, 23 Nov 2026 08:00:30 GMT", 30.0), ("soon", None)]
)
async def test_retry_after_is_read(header: str, seconds: float | None) -> None:
    from datetime import UTC, datetime

    http = http_of(
        answering(429, headers={"Retry-After": header}), clock=lambda: datetime(2026, 11, 23, 8, tzinfo=UTC)
    )
    with pytest.raises(Throttled) as throttled:
        await call(http)
    assert throttled.value.retry_after == seconds


async def test_only_the_own_host_is_called() -> None:
    http = http_of(answering(200, json={}))
    assert http.url_of("https://api.acme.example/v1/things/5") == "https://api.acme.example/v1/things/5"
    for address in ("https://evil.example/v1/things", "https://api.acme.example.evil.example/v1/x"):
        with pytest.raises(Rejected, match="outside"):
            await http.call("GET", address, operation="follow", write=False)


@pytest.mark.parametrize(
    "address",
    ["api.acme.example", "ftp://api.acme.example", "https://user:pw@acme.example", "https://a.b?x=1"],
)
def test_a_base_url_that_cannot_work_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        http_of(answering(200), base_url=address)


async def test_no_secret_in_errors_even_when_echoed() -> None:
    auth = ClientCredentials(token_url="/token", client_id="me", client_secret="top-secret-value-1234567890")

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "granted-token-0987654321"})
        return httpx.Response(
            400, text=f"bad: {request.headers['authorization']} top-secret-value-1234567890"
        )

    with pytest.raises(Rejected) as rejected:
        await call(http_of(handler, auth))
    shown = f"{rejected.value} {rejected.value.message} {rejected.value.facts()} {rejected.value.args}"
    assert "top-secret" not in shown
    assert "granted-token" not in shown
    assert "[hidden]" in shown


async def test_a_cap_on_calls_in_flight_holds() -> None:
    import asyncio

    running = highest = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0)
        running -= 1
        return httpx.Response(200, json={})

    http = VendorHttp(
        system="acme",
        base_url="https://api.acme.example",
        auth=StaticBearer(SECRET),
        table=TABLE,
        transport=httpx.MockTransport(handler),
        in_flight=2,
    )
    await asyncio.gather(*(call(http) for _ in range(8)))
    assert highest == 2
    assert http.in_flight.highest == 2
    assert http.in_flight.now == 0


async def test_gauges_of_the_last_answer_that_names_some_are_kept() -> None:
    answers = iter([{"x-used": "5"}, {}])

    def gauges(headers: Any) -> list[Gauge]:
        return [Gauge("calls", int(headers["x-used"]), 10)] if "x-used" in headers else []

    http = http_of(lambda request: httpx.Response(200, headers=next(answers)), read_gauges=gauges)
    await call(http)
    await call(http)
    assert [str(gauge) for gauge in http.gauges] == ["calls 5 of 10"]
    assert http.gauges[0].left == 5


@pytest.mark.parametrize("error", [Transient, NotFound, Throttled, Rejected])
def test_a_failed_read_back_leaves_the_write_ambiguous(error: type[ConnectorError]) -> None:
    with pytest.raises(Ambiguous, match="create thing was accepted") as ambiguous, landed("create thing"):
        raise error("no answer", system="acme", operation="read back", request_id="r-3")
    assert (ambiguous.value.system, ambiguous.value.request_id) == ("acme", "r-3")


async def test_an_address_that_cannot_be_built_is_rejected() -> None:
    with pytest.raises(Rejected, match="cannot be built"):
        await http_of(answering(200)).call("GET", "/things/\x00", operation="read", write=False)
