"""The token endpoint: client credentials and JWT bearer.

Source: help.salesforce.com, "OAuth 2.0 Client Credentials Flow" and "OAuth 2.0 JWT Bearer Flow". Neither
gives a refresh token or an expiry.
"""

import base64
import binascii
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.tokens import Tokens
from sandbox.salesforce import ids
from sandbox.settings import SandboxSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

ORGANIZATION_ID = ids.record_id("00D", 1)
INTEGRATION_USER_ID = ids.record_id("005", 1)
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION = 300
"""Seconds an assertion may lie ahead of its expiry."""


def refused(error: str, description: str, status: int = 400) -> Refused:
    """An OAuth error, to be raised."""
    return Refused(Answer(status, {"error": error, "error_description": description}))


class Login:
    """Issues access tokens for the org's one connected app."""

    def __init__(self, settings: SandboxSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def token(self, call: Call) -> Answer:
        """`POST /services/oauth2/token`."""
        form = call.form()
        grant = form.get("grant_type")
        if grant == "client_credentials":
            self._check_client(call, form)
            return self._issue(call, "api")
        if grant == JWT_BEARER:
            self._check_assertion(call, form.get("assertion", ""))
            return self._issue(call, "api web")
        raise refused("unsupported_grant_type", f"grant type not supported: {grant}")

    def _issue(self, call: Call, scope: str) -> Answer:
        issued_at = str(int(time.time() * 1000))
        identity = f"{call.base_url}/id/{ORGANIZATION_ID}/{INTEGRATION_USER_ID}"
        secret = self._settings.salesforce_secret.encode()
        signature = hmac.new(secret, f"{identity}{issued_at}".encode(), hashlib.sha256).digest()
        token = self._tokens.issue("salesforce", INTEGRATION_USER_ID, prefix=f"{ORGANIZATION_ID[:15]}!")
        body = {
            "access_token": token,
            "signature": base64.b64encode(signature).decode(),
            "scope": scope,
            "instance_url": call.base_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }
        return Answer(200, body)

    def _check_client(self, call: Call, form: "Mapping[str, str]") -> None:
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise refused("invalid_request", "malformed Basic credentials") from None
        if client != self._settings.salesforce_client_id:
            raise refused("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), self._settings.salesforce_secret.encode()):
            raise refused("invalid_client", "invalid client credentials")

    def _check_assertion(self, call: Call, assertion: str) -> None:
        import jwt

        path = self._settings.salesforce_jwt_public_key
        if path is None:
            raise refused("invalid_grant", "no certificate is on file for this app (JWT public key not set)")
        audiences = (*AUDIENCES, call.base_url)
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                path.read_text(encoding="utf-8"),
                algorithms=["RS256"],
                audience=audiences,
                options={"require": ["iss", "sub", "aud", "exp"]},
            )
        except jwt.ExpiredSignatureError:
            raise refused("invalid_grant", "expired authorization code") from None
        except jwt.InvalidAudienceError:
            raise refused("invalid_grant", "audience is invalid") from None
        except jwt.InvalidTokenError as error:
            raise refused("invalid_grant", f"invalid assertion: {error}") from None
        if claims["iss"] != self._settings.salesforce_client_id:
            raise refused("invalid_client_id", "client identifier invalid")
        if claims["sub"] != self._settings.salesforce_username:
            raise refused("invalid_grant", "user hasn't approved this consumer")
        if int(claims["exp"]) > time.time() + LONGEST_ASSERTION:
            raise refused("invalid_grant", "invalid assertion: exp lies too far ahead")
