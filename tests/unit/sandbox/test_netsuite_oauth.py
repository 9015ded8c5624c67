"""The emulated token endpoint: what it takes for proof, and what not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.netsuite.oauth import ASSERTION_TYPE
from tests.unit.sandbox.netsuite_account import RECORD, Account, assertion, rsa_key

PATH = "/services/rest/auth/oauth2/v1/token"


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path, key=rsa_key())
    yield account
    await account.close()


async def ask(account: Account, proof: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
    return await account.client.post(PATH, data={**form, "client_assertion": proof, **changes})


@pytest.mark.parametrize("algorithm", ["PS256", "PS512"])
async def test_a_right_assertion_gives_a_token_that_works(account: Account, algorithm: str) -> None:
    answer = await ask(account, assertion(algorithm=algorithm))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await account.client.get(f"{RECORD}/customer", headers=headers)).status_code == 200


async def test_an_elliptic_key_works(account: Account) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert account.settings.netsuite_public_key is not None
    account.settings.netsuite_public_key.write_bytes(pem)
    assert (await ask(account, assertion(key, "ES256"))).status_code == 200
    assert (await ask(account, assertion())).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"algorithm": "RS256"}, "RS256 is not allowed"),
        ({"kid": "another"}, "kid"),
        ({"iss": "somebody"}, "ssuer"),
        ({"aud": "https://elsewhere.example/token"}, "udience"),
        ({"scope": ["restlets"]}, "rest_webservices"),
        ({"iat": 1_000, "exp": 1_300}, "expired"),
        ({"exp": 9_000_000_000}, "60 minutes"),
        ({"exp": None}, "exp"),
    ],
)
async def test_a_wrong_assertion_is_refused(account: Account, claims: dict[str, Any], words: str) -> None:
    answer = await ask(account, assertion(**claims))
    body = answer.json()
    assert (answer.status_code, body["error"]) == (400, "invalid_grant")
    assert words in body["error_description"]


async def test_another_key_is_refused(account: Account) -> None:
    other = rsa.generate_private_key(65537, 2048)
    assert (await ask(account, assertion(other))).json()["error"] == "invalid_grant"


async def test_nonsense_is_refused(account: Account) -> None:
    assert (await ask(account, "not.a.jwt")).json()["error"] == "invalid_grant"
    wrong = await ask(account, assertion(), grant_type="password")
    assert wrong.json()["error"] == "unsupported_grant_type"
    odd = await ask(account, assertion(), client_assertion_type="x")
    assert odd.json()["error"] == "invalid_request"


async def test_without_a_mapped_certificate_the_cure_is_named(account: Account) -> None:
    assert account.settings.netsuite_public_key is not None
    account.settings.netsuite_public_key.unlink()
    answer = await ask(account, assertion())
    assert "SANDBOX_NETSUITE_PUBLIC_KEY" in answer.json()["error_description"]


async def test_an_unknown_token_is_an_invalid_login(account: Account) -> None:
    for headers in ({"Authorization": "Bearer nobody"}, {"Authorization": "Basic test-token"}):
        answer = await account.client.get(f"{RECORD}/customer", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"
