"""The emulated token endpoint of a Workday tenant: what it takes for proof, and what not."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.workday.oauth import JWT_BEARER
from tests.unit.sandbox.workday_tenant import Tenant

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    public = tmp_path / "workday.pem"
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    tenant = Tenant(tmp_path, monkeypatch, workday_public_key=public)
    yield tenant
    await tenant.aclose()


def assertion(algorithm: str = "RS256", **changes: Any) -> str:
    claims = {"iss": "fairlead-sandbox", "sub": "ISU_Fairlead", "aud": "wd", "exp": int(time.time()) + 60}
    return jwt.encode({**claims, **changes}, KEY, algorithm=algorithm)


async def test_a_refresh_token_gives_a_token_for_five_minutes(tenant: Tenant) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": tenant.settings.workday_refresh_token}
    body = (await tenant.token(form)).json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)


async def test_a_refresh_token_needs_the_right_client(tenant: Tenant) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": tenant.settings.workday_refresh_token}
    assert (await tenant.token(form, secret="wrong")).json()["error"] == "invalid_client"
    wrong = {"grant_type": "refresh_token", "refresh_token": "wrong"}
    assert (await tenant.token(wrong)).json()["error"] == "invalid_grant"
    assert (await tenant.token({"grant_type": "password"})).json()["error"] == "unsupported_grant_type"


async def test_a_signed_statement_gives_a_token(tenant: Tenant) -> None:
    answer = await tenant.token({"grant_type": JWT_BEARER, "assertion": assertion()})
    assert answer.status_code == 200
    tenant.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    assert (await tenant.call("GET", "staffing", "workers"))[0] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody"},
        {"sub": "lmcneil"},
        {"aud": "https://elsewhere.example"},
        {"exp": 1_000},
        {"algorithm": "PS256"},
    ],
    ids=str,
)
async def test_a_wrong_statement_is_refused(tenant: Tenant, wrong: dict[str, Any]) -> None:
    answer = await tenant.token({"grant_type": JWT_BEARER, "assertion": assertion(**wrong)})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
