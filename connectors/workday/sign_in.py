"""Signing in to a Workday tenant: a refresh token bound to an integration system user, or a signed JWT.

Source: Workday, "Register API Client for Integrations" and "Manage Refresh Tokens for Integrations"; OAuth
2.0 refresh (RFC 6749 section 6) with the client in a Basic header; JWT bearer grant (RFC 7523), RS256.
"""

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from connectors.http.assertion import Signer
from connectors.http.auth import Auth, Grant, JwtBearer, TokenAuth, utc_now
from connectors.workday.settings import WorkdaySettings


class RefreshToken(TokenAuth):
    """Exchanges one refresh token for access tokens, again and again.

    A tenant may hand out a new refresh token with each answer: it takes the place of the old one for as
    long as this process lives.
    """

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(clock)
        self._url, self._id, self._secret, self._refresh = token_url, client_id, client_secret, refresh_token

    def grant(self) -> Grant:
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh}
        return Grant(self._url, form, {"Authorization": f"Basic {self._encoded()}"})

    def kept_secrets(self) -> Collection[str]:
        return (self._secret, self._refresh, self._encoded())

    def _keep(self, answer: Mapping[str, Any]) -> None:
        super()._keep(answer)
        self._refresh = str(answer.get("refresh_token") or self._refresh)

    def _encoded(self) -> str:
        return base64.b64encode(f"{self._id}:{self._secret}".encode()).decode()


def auth_of(settings: WorkdaySettings, clock: Callable[[], datetime]) -> Auth:
    """The way of signing in that the settings name."""
    if settings.auth == "refresh_token":
        return RefreshToken(
            token_url=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            refresh_token=settings.refresh_token,
            clock=clock,
        )
    return JwtBearer(
        token_url=settings.token_url,
        client_id=settings.client_id,
        username=settings.username,
        audience=settings.audience,
        signer=Signer(settings.private_key, "RS256"),
        clock=clock,
    )
