"""Tokens of the emulated Salesforce org: client credentials, JWT bearer, and what is refused."""

import base64
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.sandbox.salesforce_org import DATA, FORM, Org, code

TOKEN = "/salesforce/services/oauth2/token"


async def test_client_credentials_in_the_form_or_as_basic(org: Org) -> None:
    body = await org.login()
    assert body["instance_url"] == "http://crm.test/salesforce"
    assert body["token_type"] == "Bearer"
    assert "expires_in" not in body
    assert "refresh_token" not in body
    assert body["id"].split("/")[-2].startswith("00D")
    basic = base64.b64encode(f"{FORM['client_id']}:{FORM['client_secret']}".encode()).decode()
    headers = {"authorization": f"Basic {basic}"}
    answer = await org.client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "another"}, "invalid_client_id"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_wrong_credentials(org: Org, change: dict[str, str], error: str) -> None:
    answer = await org.client.post(TOKEN, data=FORM | change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_call_without_a_valid_token(org: Org) -> None:
    answer = await org.call("GET", "/limits", headers={"authorization": "Bearer nonsense"})
    assert (answer.status_code, code(answer)) == (401, "INVALID_SESSION_ID")
    assert (
        await org.client.get("/salesforce/services/data/", headers={"authorization": ""})
    ).status_code == 200


async def test_expired_tokens_are_renewed_by_a_new_login(org: Org) -> None:
    await org.arm(kind="token_expired")
    first = await org.call("GET", "/limits")
    assert (first.status_code, code(first)) == (401, "INVALID_SESSION_ID")
    assert (await org.call("GET", "/limits")).status_code == 401
    await org.login()
    assert (await org.call("GET", "/limits")).status_code == 200


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


async def test_jwt_bearer(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    org = Org(tmp_path, salesforce_jwt_public_key=public)
    good: dict[str, Any] = {
        "iss": "fairlead-sandbox",
        "sub": "integration@fairlead-sandbox.example",
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
    }
    outcomes = {}
    changes: dict[str, dict[str, Any]] = {
        "good": {},
        "audience": {"aud": "https://elsewhere.example"},
        "expired": {"exp": int(time.time()) - 10},
        "too long": {"exp": int(time.time()) + 3600},
        "user": {"sub": "someone@else.example"},
    }
    for name, change in changes.items():
        assertion = jwt.encode(good | change, key, algorithm="RS256")
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        answer = await org.client.post(TOKEN, data=form)
        outcomes[name] = answer.json().get("error", answer.status_code)
        if name == "good":
            headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
            assert (await org.client.get(f"{DATA}/limits", headers=headers)).status_code == 200
    await org.close()
    refused = dict.fromkeys(("audience", "expired", "too long", "user"), "invalid_grant")
    assert outcomes == {"good": 200, **refused}


async def test_the_daily_limit_is_a_403_and_shows_in_the_gauge(tmp_path: Path) -> None:
    org = Org(tmp_path, salesforce_daily_requests=2)
    await org.login()
    answers = [await org.call("GET", "/limits") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert code(answers[2]) == "REQUEST_LIMIT_EXCEEDED"
    assert answers[1].headers["sforce-limit-info"] == "api-usage=2/2"
    await org.close()
