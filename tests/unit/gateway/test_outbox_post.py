"""One delivery: signed as Standard Webhooks says, to the named host and to nothing else."""

import base64
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domain.readiness import OwnerGroup
from gateway import outbox_post
from gateway.outbox_post import post, signed_headers
from gateway.outbox_subscribers import Receiver
from gateway.verification import standard_signature
from tests.unit.gateway.gateway_parts import KEY, NOW, OLD_KEY, SECRET
from tests.unit.gateway.receiver import LocalReceiver, listening

OLD_SECRET = "whsec_" + base64.b64encode(OLD_KEY).decode()
BODY = b'{"specversion":"1.0"}'


@pytest.fixture
async def remote() -> AsyncIterator[LocalReceiver]:
    async with listening() as receiver:
        yield receiver


def to(url: str, *secrets: str, timeout: float = 5) -> Receiver:
    return Receiver(
        name="staffing",
        url=url,
        types=frozenset({"demand.published"}),
        timeout=timedelta(seconds=timeout),
        owner=OwnerGroup.DELIVERY_OPERATIONS,
        secrets=lambda: secrets or (SECRET,),
    )


def test_the_signature_is_that_of_the_specification() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "content-type": "application/cloudevents+json",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


async def test_a_delivery_is_acknowledged_and_signed_with_every_key(remote: LocalReceiver) -> None:
    answer = await post(to(remote.url, SECRET, OLD_SECRET), "fl1", BODY, NOW)
    assert (answer.acknowledged, answer.status, answer.problem) == (True, 204, "")
    (got,) = remote.got
    assert (got.path, got.body) == ("/events?firm=acme", BODY)
    assert got.headers["host"] == f"127.0.0.1:{remote.port}"
    stamp = got.headers["webhook-timestamp"]
    assert stamp == str(int(NOW.timestamp()))
    expected = [standard_signature(key, "fl1", stamp, BODY) for key in (KEY, OLD_KEY)]
    assert got.headers["webhook-signature"].split() == expected


@pytest.mark.parametrize(
    ("reply", "problem", "after"),
    [
        ((500, {}), "answered 500", 0),
        ((404, {}), "answered 404", 0),
        ((429, {"Retry-After": "120"}), "answered 429", 120),
        ((503, {"Retry-After": "99999999"}), "answered 503", 86400),
        ((503, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), "answered 503", 0),
        ((410, {}), "answered 410", 0),
    ],
)
async def test_anything_but_2xx_is_not_acknowledged(
    remote: LocalReceiver, reply: Any, problem: str, after: int
) -> None:
    remote.answer = lambda got: reply
    answer = await post(to(remote.url), "fl1", BODY, NOW)
    assert (answer.acknowledged, answer.gone) == (False, reply[0] == 410)
    assert (answer.problem, answer.retry_after.total_seconds()) == (problem, after)


async def test_a_redirect_is_never_followed(remote: LocalReceiver) -> None:
    async with listening() as other:
        remote.answer = lambda got: (307, {"Location": other.url})
        answer = await post(to(remote.url), "fl1", BODY, NOW)
        assert (answer.acknowledged, other.got) == (False, [])
        assert answer.problem.startswith("answered 307; a redirect is never followed")


async def test_a_proxy_of_the_environment_is_not_used(
    remote: LocalReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await post(to(remote.url), "fl1", BODY, NOW)).acknowledged


async def test_a_slow_answer_is_none(remote: LocalReceiver) -> None:
    remote.hold.clear()
    answer = await post(to(remote.url, timeout=0.1), "fl1", BODY, NOW)
    assert (answer.status, answer.problem) == (0, "no answer within 0.1 s")


async def test_nobody_there_is_said_in_words() -> None:
    answer = await post(to("http://127.0.0.1:1/events"), "fl1", BODY, NOW)
    assert answer.problem == "cannot be reached (ConnectError)"


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://staffing.example.com/", ["10.0.0.7"]),
        ("https://staffing.example.com/", ["93.184.216.34", "192.168.1.1"]),
        ("https://staffing.example.com/", ["127.0.0.1"]),
        ("https://staffing.example.com/", ["169.254.169.254"]),
        ("https://staffing.example.com/", ["::ffff:10.0.0.7"]),
        ("https://staffing.example.com/", ["fe80::1%eth0"]),
        ("https://staffing.example.com/", ["224.0.0.1"]),
        ("http://localhost/", ["93.184.216.34"]),
    ],
)
async def test_a_name_that_leads_into_a_private_network_is_not_called(url: str, addresses: list[str]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    answer = await post(to(url), "fl1", BODY, NOW, resolve=resolve)
    assert "stands for an address of a private network" in answer.problem


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(remote: LocalReceiver) -> None:
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    url = f"http://localhost:{remote.port}/events"
    assert (await post(to(url), "fl1", BODY, NOW, resolve=resolve)).acknowledged
    assert (asked, remote.got[0].headers["host"]) == (
        [("localhost", remote.port)],
        f"localhost:{remote.port}",
    )


def certificate(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for `name` and for no address, and the trust in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.pem").write_bytes(key.private_bytes(form, *plain) + made.public_bytes(form))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    trust = ssl.create_default_context(cafile=folder / "server.pem")
    return server, trust


@pytest.mark.parametrize(
    ("name", "problem"),
    [("localhost", ""), ("elsewhere.example", "cannot be reached (ConnectError)")],
)
async def test_the_certificate_must_be_that_of_the_name(
    name: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trust = certificate(name, tmp_path)
    monkeypatch.setattr(outbox_post, "_trust", lambda: trust)
    async with listening(server) as remote:
        answer = await post(to(f"https://localhost:{remote.port}/"), "fl1", BODY, NOW)
        assert (answer.acknowledged, answer.problem) == (not problem, problem)
        assert len(remote.got) == (0 if problem else 1)


@pytest.mark.parametrize(
    "secret", ["whsec_short", "whsec_!!", "whsec_" + base64.b64encode(b"x" * 8).decode()]
)
async def test_without_a_usable_secret_nothing_is_sent(remote: LocalReceiver, secret: str) -> None:
    answer = await post(to(remote.url, secret), "fl1", BODY, NOW)
    assert answer.problem.startswith("subscribers.staffing: the secret")
    assert secret not in answer.problem
    assert remote.got == []
