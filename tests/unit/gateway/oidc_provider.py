"""An OpenID Connect provider in this process: keys, tokens made with them, what its JWKS address answers."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.unit.gateway.api_parts import AUDIENCE, ISSUER
from tests.unit.gateway.gateway_parts import NOW


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def other_key() -> rsa.RSAPrivateKey:
    """Of somebody else."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def claims(right: str = "operator", at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """Of a good token; a change to None takes the claim out."""
    stamp = int(at.timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-1",
        "email": f"{right}@acme.example",
        "roles": [f"fl-{right}", "unknown-group"],
        "iat": stamp - 30,
        "exp": stamp + 600,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed_token(
    content: Mapping[str, Any], key: Any = None, algorithm: str = "RS256", key_id: str | None = "rsa-1"
) -> str:
    headers = {"kid": key_id} if key_id is not None else {}
    return jwt.encode(dict(content), key or rsa_key(), algorithm=algorithm, headers=headers)


def jwk(key: Any, key_id: str, **more: str) -> dict[str, Any]:
    maker = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    public: dict[str, Any] = json.loads(maker.to_jwk(key.public_key()))
    return {**public, "kid": key_id, **more}


class Provider(httpx.AsyncBaseTransport):
    """What stands at the JWKS address, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[Any] = [jwk(rsa_key(), "rsa-1", use="sig"), jwk(ec_key(), "ec-1", alg="ES256")]
        self.answer: httpx.Response | Exception | None = None
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx.Response(200, json={"keys": self.keys})
