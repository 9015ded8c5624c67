"""What a firm's file may say about Workday, and how the connector signs in with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from connectors.workday.sign_in import auth_of
from tests.unit.connectors.workday.workday_sample import HOST, settings

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        (HOST, True),
        ("https://wd2-impl-services1.workday.com", True),
        ("http://127.0.0.1:8500/workday", True),
        ("http://sandbox:8500/workday", True),
        ("https://myworkday.com.example.org", False),
        ("https://evil-myworkday.com", False),
        ("https://example.com", False),
    ],
)
def test_only_hosts_of_workday_are_called(address: str, fits: bool) -> None:
    for field in ("base_url", "token_url"):
        if fits:
            assert getattr(settings(**{field: address}), field) == address
        else:
            with pytest.raises(ValidationError, match="no host of Workday"):
                settings(**{field: address})


def test_versions_and_field_names_have_defaults_one_by_one() -> None:
    given = settings(services={"staffing": "v7"}, assignment_fields={"key": "externalReference"})
    assert (given.services["staffing"], given.services["projects"]) == ("v7", "v1")
    assert (given.assignment_fields["key"], given.assignment_fields["hours"]) == (
        *("externalReference", "estimatedHours"),
    )
    with pytest.raises(ValidationError):
        settings(services={"payroll": "v2"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"refresh_token": ""}, "needs refresh_token"),
        ({"auth": "jwt_bearer"}, "needs username and private_key"),
        ({"auth": "jwt_bearer", "username": "ISU", "private_key": "no key"}, "not an unencrypted PEM"),
        ({"page_size": 101}, "less than or equal to 100"),
        ({"calendar_report": "a/b/c"}, "calendar_report"),
        ({"tenant": "acme/../x"}, "tenant"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**changes)


def test_secrets_are_not_shown() -> None:
    text = repr(settings(private_key=PEM))
    assert "secret" not in text.replace("client_secret", "").replace("refresh_token", "")
    assert "PRIVATE KEY" not in text


async def test_a_refresh_token_is_exchanged_and_may_be_replaced() -> None:
    asked: list[tuple[str, str]] = []

    async def exchange(grant: Any) -> dict[str, Any]:
        asked.append((grant.form["refresh_token"], grant.headers["Authorization"]))
        return {"access_token": f"a{len(asked)}", "expires_in": 300, "refresh_token": "second-refresh"}

    clock = iter([NOW, NOW, NOW + timedelta(seconds=239), NOW + timedelta(seconds=241)] + [NOW] * 5)
    auth = auth_of(settings(), lambda: next(clock))
    assert await auth.headers(exchange) == {"Authorization": "Bearer a1"}
    for _ in range(3):
        last = await auth.headers(exchange)
    assert [refresh for refresh, _ in asked] == ["refresh-secret", "second-refresh"]
    assert last == {"Authorization": "Bearer a2"}
    assert asked[0][1].startswith("Basic ")
    assert {"client-secret", "second-refresh"} <= set(auth.secrets())


async def test_a_jwt_speaks_for_the_integration_user() -> None:
    seen: dict[str, Any] = {}

    async def exchange(grant: Any) -> dict[str, Any]:
        options = {"verify_exp": False}
        seen.update(
            jwt.decode(grant.form["assertion"], KEY.public_key(), ["RS256"], audience="wd", options=options)
        )
        return {"access_token": "a", "expires_in": 300}

    given = settings(auth="jwt_bearer", username="ISU_Fairlead", private_key=PEM)
    await auth_of(given, lambda: NOW).headers(exchange)
    assert (seen["iss"], seen["sub"], seen["exp"]) == ("c", "ISU_Fairlead", int(NOW.timestamp()) + 180)
