"""`POST /services/rest/auth/oauth2/v1/token`: client credentials proved by a certificate.

Source: OAuth 2.0 client credentials flow for NetSuite: a signed JWT as client assertion; PS256-512 and
ES256-512 only, `kid` is the certificate id, `aud` the token URL, at most 60 minutes between `iat` and `exp`.
Tokens live 3,600 seconds and there is no refresh token.

The account has a second integration for a firm that lets another identity post: the same names with `-post`
at their end, and the same key.
"""

from pathlib import Path
from typing import Any

import jwt

from sandbox.core.call import Answer, Call
from sandbox.core.tokens import Tokens
from sandbox.settings import SandboxSettings

PATH = "/services/rest/auth/oauth2/v1/token"
ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "rest_webservices"
LIFETIME = 3600
POSTING = "-post"


class TokenEndpoint:
    """Verifies assertions and issues tokens."""

    def __init__(self, settings: SandboxSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def answer(self, call: Call) -> Answer:
        """A token, or an OAuth error body."""
        form = call.form()
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "grant_type must be client_credentials")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return _refusal("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
        try:
            claims = self._verified(form.get("client_assertion", ""), call.base_url + PATH)
        except (jwt.PyJWTError, ValueError, TypeError) as problem:
            return _refusal("invalid_grant", str(problem) or type(problem).__name__)
        token = self._tokens.issue("netsuite", subject=str(claims["iss"]), lifetime=LIFETIME)
        return Answer(200, {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"})

    def _verified(self, assertion: str, token_url: str) -> dict[str, Any]:
        settings = self._settings
        header = jwt.get_unverified_header(assertion)
        if header.get("alg") not in ALGORITHMS:
            raise ValueError(
                f"the signature algorithm {header.get('alg')} is not allowed; use one of {ALGORITHMS}"
            )
        integrations = {
            settings.netsuite_certificate_id + suffix: settings.netsuite_client_id + suffix
            for suffix in ("", POSTING)
        }
        if header.get("kid") not in integrations:
            raise ValueError("kid is not the id of a certificate mapped to this integration")
        claims: dict[str, Any] = jwt.decode(
            assertion,
            key=_public_key(settings.netsuite_public_key),
            algorithms=[header["alg"]],
            audience=token_url,
            issuer=integrations[header["kid"]],
            options={"require": ["iss", "aud", "iat", "exp", "scope"]},
        )
        if claims["exp"] - claims["iat"] > LIFETIME:
            raise ValueError("exp must lie at most 60 minutes after iat")
        if SCOPE not in _scopes(claims["scope"]):
            raise ValueError(f"scope must hold {SCOPE}")
        return claims


def _public_key(path: Path | None) -> bytes:
    if path is None or not path.is_file():
        raise ValueError(
            "no certificate is mapped: start the sandbox with SANDBOX_NETSUITE_PUBLIC_KEY=<PEM file>"
        )
    return path.read_bytes()


def _scopes(given: Any) -> list[str]:
    if isinstance(given, str):
        return [part.strip() for part in given.split(",")]
    return [str(part) for part in given] if isinstance(given, list) else []


def _refusal(code: str, description: str) -> Answer:
    return Answer(400, {"error": code, "error_description": description})
