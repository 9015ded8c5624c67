"""The token endpoint: refresh token with the client in a Basic header, or a signed JWT.

Tokens live five minutes. The JWT bears `iss` = client id, `sub` = integration system user, `aud` = `wd`, and
is signed RS256.
"""

import base64
import binascii
import hmac
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.tokens import Tokens
from sandbox.settings import SandboxSettings

PATH = "/ccx/oauth2/{tenant}/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "wd"
LIFETIME = 300


class TokenEndpoint:
    """Issues access tokens for the tenant's one API client."""

    def __init__(self, settings: SandboxSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def answer(self, call: Call) -> Answer:
        """`POST /ccx/oauth2/{tenant}/token`."""
        if call.params["tenant"] != self._settings.workday_tenant:
            raise _refused("invalid_request", f"there is no tenant {call.params['tenant']}", 404)
        form = call.form()
        grant = form.get("grant_type")
        if grant == "refresh_token":
            self._check_client(call)
            if not _same(form.get("refresh_token", ""), self._settings.workday_refresh_token):
                raise _refused("invalid_grant", "the refresh token is invalid or has expired")
        elif grant == JWT_BEARER:
            self._check_assertion(form.get("assertion", ""))
        else:
            raise _refused("unsupported_grant_type", f"grant type {grant!r} is not supported")
        token = self._tokens.issue("workday", self._settings.workday_username, LIFETIME)
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})

    def _check_client(self, call: Call) -> None:
        scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        client, _, secret = text.partition(":")
        known = client == self._settings.workday_client_id and _same(secret, self._settings.workday_secret)
        if scheme.lower() != "basic" or not known:
            raise _refused("invalid_client", "client authentication failed", 401)

    def _check_assertion(self, assertion: str) -> None:
        import jwt

        path = self._settings.workday_public_key
        if path is None or not path.is_file():
            raise _refused("invalid_grant", "the API client has no x509 certificate (public key not set)")
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                path.read_text(encoding="utf-8"),
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=self._settings.workday_client_id,
                options={"require": ["iss", "sub", "aud", "exp"]},
            )
        except jwt.PyJWTError as error:
            raise _refused("invalid_grant", f"invalid assertion: {error}") from None
        if claims["sub"] != self._settings.workday_username:
            raise _refused("invalid_grant", "sub is not an integration system user of this client")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def _refused(error: str, description: str, status: int = 400) -> Refused:
    return Refused(Answer(status, {"error": error, "error_description": description}))
