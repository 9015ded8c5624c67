"""Tokens: fetched once, renewed early, replaced once when refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connectors.errors import ConnectorError, Rejected, Throttled, Transient, Unauthenticated
from connectors.http.assertion import Signer
from connectors.http.auth import Auth, ClientAssertion, ClientCredentials, JwtBearer, StaticBearer, TokenAuth
from connectors.http.resolution import Resolution
from connectors.http.transport import VendorHttp

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TABLE = Resolution("acme", lambda status, body: [], ())


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Server:
    """Grants numbered tokens and accepts only those it has not revoked."""

    def __init__(self, expires_in: object = None) -> None:
        self.forms: list[dict[str, str]] = []
        self.headers: list[httpx.Headers] = []
        self.calls = 0
        self.valid: set[str] = set()
        self.expires_in = expires_in

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.url.path == "/token":
            return self._grant(request)
        self.calls += 1
        token = request.headers["authorization"].removeprefix("Bearer ")
        return httpx.Response(200 if token in self.valid else 401, json={})

    def _grant(self, request: httpx.Request) -> httpx.Response:
        self.forms.append({name: value[0] for name, value in parse_qs(request.content.decode()).items()})
        self.headers.append(request.headers)
        token = f"token-number-{len(self.forms)}"
        self.valid = {token}
        more = {} if self.expires_in is None else {"expires_in": self.expires_in}
        return httpx.Response(200, json={"access_token": token, "instance_url": "https://x", **more})


def http_of(auth: Auth, handler: Any) -> VendorHttp:
    transport = httpx.MockTransport(handler)
    base = "https://api.acme.example"
    return VendorHttp(system="acme", base_url=base, auth=auth, table=TABLE, transport=transport)


async def read(http: VendorHttp) -> None:
    await http.call("GET", "/things", operation="read", write=False)


def credentials(clock: Clock | None = None, **options: Any) -> ClientCredentials:
    return ClientCredentials(
        token_url="/token",
        client_id="me",
        client_secret="secret-secret-secret",
        clock=clock or Clock(),
        **options,
    )


async def test_one_token_serves_many_calls_at_once() -> None:
    server = Server()
    http = http_of(credentials(), server)
    await asyncio.gather(*(read(http) for _ in range(10)))
    assert len(server.forms) == 1
    assert server.calls == 10


async def test_a_refused_token_is_replaced_once_by_all_who_hold_it() -> None:
    server = Server()
    http = http_of(credentials(), server)
    await read(http)
    server.valid.clear()
    await asyncio.gather(*(read(http) for _ in range(5)))
    assert len(server.forms) == 2


async def test_a_token_refused_again_is_unauthenticated() -> None:
    server = Server()

    async def refusing(request: httpx.Request) -> httpx.Response:
        answer = await server(request)
        server.valid.clear()
        return answer

    with pytest.raises(Unauthenticated):
        await read(http_of(credentials(), refusing))
    assert server.calls == 2
    assert len(server.forms) == 2


async def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    server, clock = Server(expires_in=3600), Clock()
    http = http_of(credentials(clock), server)
    await read(http)
    clock.now = NOW + timedelta(seconds=2879)
    await read(http)
    assert len(server.forms) == 1
    clock.now = NOW + timedelta(seconds=2880)
    await read(http)
    assert len(server.forms) == 2


@pytest.mark.parametrize("life", [None, "soon", 0, -5])
async def test_a_token_without_a_usable_life_is_kept(life: object) -> None:
    server, clock = Server(expires_in=life), Clock()
    http = http_of(credentials(clock), server)
    await read(http)
    clock.now = NOW + timedelta(days=30)
    await read(http)
    assert len(server.forms) == 1


async def test_client_credentials_go_into_the_form_or_a_basic_header() -> None:
    server = Server()
    await read(http_of(credentials(scope="all"), server))
    assert server.forms[0] == {
        "grant_type": "client_credentials",
        "scope": "all",
        "client_id": "me",
        "client_secret": "secret-secret-secret",
    }
    server = Server()
    await read(http_of(credentials(basic=True), server))
    assert server.forms[0] == {"grant_type": "client_credentials"}
    assert server.headers[0]["authorization"].startswith("Basic ")


async def test_the_token_answer_is_kept_without_its_token() -> None:
    auth = credentials()
    await read(http_of(auth, Server()))
    assert auth.answer == {"instance_url": "https://x"}


async def test_a_static_token_is_not_renewed() -> None:
    http = http_of(StaticBearer("never-granted-by-it"), Server())
    with pytest.raises(Unauthenticated):
        await read(http)
    with pytest.raises(ValueError, match="empty"):
        StaticBearer("  ")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant", "error_description": "expired"}, Unauthenticated),
        (400, {"error": "invalid_client_id"}, Unauthenticated),
        (401, {"error": "invalid_client", "error_description": "no"}, Unauthenticated),
        (400, {"error": "rate_limit_exceeded"}, Throttled),
        (429, {}, Throttled),
        (503, "busy", Transient),
        (404, "no such page", Rejected),
        (200, {"token_type": "Bearer"}, Rejected),
        (200, "<html>", Rejected),
    ],
)
async def test_each_failure_of_the_token_endpoint_has_its_class(
    status: int, body: object, error: type[ConnectorError]
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        text = {"text": body} if isinstance(body, str) else {"json": body}
        return httpx.Response(status, **text)  # type: ignore[arg-type]

    http = http_of(credentials(), handler)
    with pytest.raises(ConnectorError) as raised:
        await http.call("POST", "/things", operation="create", write=True)
    assert type(raised.value) is error, "and never Ambiguous: nothing was written"
    assert raised.value.operation == "sign in"
    assert "secret-secret" not in str(raised.value)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadError])
async def test_a_lost_token_answer_wrote_nothing(failure: type[httpx.TransportError]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise failure("broke", request=request)

    with pytest.raises(Transient):
        await http_of(credentials(), handler).call("POST", "/things", operation="create", write=True)


def pem(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


async def test_jwt_bearer_signs_who_we_act_for() -> None:
    server = Server()
    auth = JwtBearer(
        token_url="/token",
        client_id="me",
        username="robot@acme.example",
        audience="https://login.acme.example",
        signer=Signer(pem(RSA), "RS256"),
        clock=Clock(),
    )
    await read(http_of(auth, server))
    assert server.forms[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = _claims(server.forms[0]["assertion"], RSA, "RS256", "https://login.acme.example")
    assert claims["iss"] == "me"
    assert claims["sub"] == "robot@acme.example"
    assert claims["exp"] == int(NOW.timestamp()) + 180


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "PS256"), (EC, "ES256")])
async def test_a_client_assertion_is_signed_for_its_audience(key: Any, algorithm: Any) -> None:
    server = Server()
    auth = ClientAssertion(
        token_url="/token",
        client_id="me",
        audience="https://acme.example/token",
        signer=Signer(pem(key), algorithm, key_id="cert-1"),
        scope=["rest_webservices"],
        clock=Clock(),
    )
    await read(http_of(auth, server))
    form = server.forms[0]
    assert form["grant_type"] == "client_credentials"
    assert form["client_assertion_type"].endswith("jwt-bearer")
    assert jwt.get_unverified_header(form["client_assertion"]) == {
        "typ": "JWT",
        "alg": algorithm,
        "kid": "cert-1",
    }
    claims = _claims(form["client_assertion"], key, algorithm, "https://acme.example/token")
    assert claims["scope"] == ["rest_webservices"]
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize(
    ("text", "algorithm", "words"),
    [
        ("not a key", "RS256", "PEM private key"),
        (pem(EC), "RS256", "needs an RSA private key"),
        (pem(RSA), "ES256", "needs an elliptic-curve private key"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(text: str, algorithm: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        Signer(text, algorithm)
    assert refused.value.__cause__ is None


def test_credentials_are_in_no_repr() -> None:
    auth: TokenAuth = credentials()
    assert "secret-secret" not in repr(auth.grant())
    assert "secret-secret-secret" in auth.secrets()


def _claims(token: str, key: Any, algorithm: str, audience: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        key.public_key(),
        algorithms=[algorithm],
        audience=audience,
        options={"verify_exp": False, "verify_iat": False},
    )
