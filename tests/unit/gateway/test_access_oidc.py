"""Access tokens of a provider: only the right key, algorithm, audience, issuer and time open anything."""

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from firm.access_section import OidcSection
from gateway.access_oidc import MAX_AGE, MIN_INTERVAL, CannotVerify, NotVerified, OidcVerifier
from tests.unit.gateway.api_parts import AUDIENCE, ISSUER, JWKS
from tests.unit.gateway.gateway_parts import NOW, Clock
from tests.unit.gateway.oidc_provider import (
    Provider,
    claims,
    ec_key,
    jwk,
    other_key,
    rsa_key,
    signed_token,
)

STAMP = int(NOW.timestamp())


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def section(**changes: Any) -> OidcSection:
    given = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks_url": JWKS,
        "roles": {"fl-operator": "operator", "fl-admin": "admin"},
    }
    return OidcSection.model_validate(given | changes)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def verifier(provider: Provider, ticks: Ticks) -> OidcVerifier:
    return OidcVerifier(section(), provider, Clock(), ticks)


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"),
    [(rsa_key, "RS256", "rsa-1"), (rsa_key, "PS256", "rsa-1"), (ec_key, "ES256", "ec-1")],
)
async def test_a_good_token_names_its_person_and_mapped_rights(
    verifier: OidcVerifier, key: Any, algorithm: str, key_id: str
) -> None:
    caller = await verifier.caller(signed_token(claims(), key(), algorithm, key_id))
    assert (caller.person, caller.rights, caller.credential) == (
        "operator@acme.example",
        ("operator",),
        "oidc",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": STAMP - 60},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": None},
        {"iat": STAMP + 61},
        {"nbf": STAMP + 61},
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": "https://login.example/other"},
        {"iss": None},
        {"email": None},
        {"email": ["operator@acme.example"]},
        {"email": "a\x00b@acme.example"},
        {"email_verified": False},
    ],
    ids=str,
)
async def test_a_claim_that_is_wrong_refuses_the_token(
    verifier: OidcVerifier, changes: dict[str, Any]
) -> None:
    with pytest.raises(NotVerified):
        await verifier.caller(signed_token(claims(**changes)))


@pytest.mark.parametrize(
    "changes",
    [{"exp": STAMP - 59}, {"iat": STAMP + 60}, {"nbf": STAMP + 60}, {"aud": ["x", AUDIENCE]}],
    ids=str,
)
async def test_clocks_may_differ_by_a_minute(verifier: OidcVerifier, changes: dict[str, Any]) -> None:
    assert (await verifier.caller(signed_token(claims(**changes)))).rights == ("operator",)


def confused() -> str:
    """Signed by HMAC with the public key as its secret: the classic confusion of algorithms."""
    public = (
        rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}, claims())
    )
    proof = hmac.new(public, head + b"." + body, hashlib.sha256).digest()
    return b".".join([head, body, base64.urlsafe_b64encode(proof).rstrip(b"=")]).decode()


@pytest.mark.parametrize(
    "token",
    [
        confused(),
        jwt.encode(claims(), "", algorithm="none", headers={"kid": "rsa-1"}),
        signed_token(claims(), other_key()),
        signed_token(claims(), rsa_key(), "RS384"),
        signed_token(claims(), rsa_key(), "RS256", "ec-1"),
        signed_token(claims(), ec_key(), "ES256", "rsa-1"),
        signed_token(claims(), key_id=None),
        signed_token(claims(), key_id="unknown"),
        signed_token(claims())[:-4] + "AAAA",
        "a.b.c",
        "..",
        "eyJhbGciOiJSUzI1NiJ9..",
    ],
    ids=range(12),
)
async def test_a_forged_token_is_refused(verifier: OidcVerifier, token: str) -> None:
    with pytest.raises(NotVerified):
        await verifier.caller(token)


async def test_roles_are_read_where_the_firm_says(provider: Provider) -> None:
    nested = section(roles_claim="realm_access.roles", person_claim="preferred_username")
    verifier = OidcVerifier(nested, provider, Clock())
    told = claims(preferred_username="otto", realm_access={"roles": ["fl-operator", "fl-admin", 5]})
    caller = await verifier.caller(signed_token(told))
    assert (caller.person, caller.rights) == ("otto", ("admin", "operator"))


async def test_keys_are_fetched_once_and_again_for_a_new_key_id_but_never_in_a_flood(
    verifier: OidcVerifier, provider: Provider, ticks: Ticks
) -> None:
    for _ in range(3):
        await verifier.caller(signed_token(claims()))
    assert provider.asked == 1
    provider.keys = [jwk(other_key(), "rsa-2")]
    rotated = signed_token(claims(), other_key(), "RS256", "rsa-2")
    with pytest.raises(NotVerified):
        await verifier.caller(rotated)  # fetched a moment ago
    assert provider.asked == 1
    ticks.at += MIN_INTERVAL
    assert (await verifier.caller(rotated)).rights == ("operator",)
    with pytest.raises(NotVerified):
        await verifier.caller(signed_token(claims()))  # the old key is gone
    for number in range(20):
        with pytest.raises(NotVerified):
            await verifier.caller(signed_token(claims(), key_id=f"invented-{number}"))
    assert provider.asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.Response(500),
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=["keys"]),
        httpx.Response(200, content=b" " * 300_000),
    ],
    ids=range(6),
)
async def test_without_the_providers_keys_nothing_is_open(
    verifier: OidcVerifier, provider: Provider, ticks: Ticks, answer: httpx.Response | Exception
) -> None:
    provider.answer = answer
    for _ in range(3):
        with pytest.raises(CannotVerify):
            await verifier.caller(signed_token(claims()))
    assert provider.asked == 1
    provider.answer = None
    ticks.at += MIN_INTERVAL
    assert (await verifier.caller(signed_token(claims()))).rights == ("operator",)
    provider.answer = httpx.Response(503)
    ticks.at += MAX_AGE
    with pytest.raises(CannotVerify):
        await verifier.caller(signed_token(claims()))  # what was fetched is too old to be believed


async def test_a_key_for_encryption_or_too_weak_signs_nothing(provider: Provider) -> None:
    provider.keys = [
        jwk(rsa_key(), "rsa-1", use="enc"),
        {"kid": "x"},
        "no key",
        {"kty": "oct", "kid": "o", "k": "AA"},
    ]
    with pytest.raises(NotVerified, match="no key of that id"):
        await OidcVerifier(section(), provider, Clock()).caller(signed_token(claims()))
