"""`POST /oauth2/token`: client credentials with scopes; and how fast a client may call.

Source: Coupa, OpenID Connect clients: `expires_in` 86399, scopes `core.<object>.<right>`, some seconds until
a new token is known everywhere (`coupa_token_delay`); 25 calls a second with a burst queue of 20.
"""

import hmac
import time

from sandbox.core import clock
from sandbox.core.call import Answer, Call
from sandbox.core.tokens import Tokens
from sandbox.coupa.errors import JSON
from sandbox.settings import SandboxSettings

PATH = "/oauth2/token"
LIFETIME = 86399
SCOPES = frozenset(
    {
        *("core.requisition.read", "core.requisition.write"),
        *("core.purchase_order.read", "core.purchase_order.write"),
        *("core.supplier.read", "core.user.read", "core.accounting.read", "core.common.read"),
    }
)
"""What the seeded client was granted."""


class TokenEndpoint:
    """Issues tokens to the instance's one client. A token's subject is when it was issued and its scopes."""

    def __init__(self, settings: SandboxSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def answer(self, call: Call) -> Answer:
        """A token, or an OAuth error body."""
        form = call.form()
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "grant_type must be client_credentials")
        if not self._knows(form.get("client_id", ""), form.get("client_secret", "")):
            return _refusal(401, "invalid_client", "Client authentication failed")
        scopes = form.get("scope", "").split()
        foreign = sorted(set(scopes) - SCOPES)
        if foreign or not scopes:
            named = foreign[0] if foreign else "none"
            return _refusal(400, "invalid_scope", f"The requested scope is invalid or unknown: {named}")
        subject = f"{clock.now()} {' '.join(scopes)}"
        token = self._tokens.issue("coupa", subject=subject, lifetime=LIFETIME)
        body = {"access_token": token, "token_type": "bearer", "expires_in": LIFETIME}
        return Answer(200, {**body, "scope": " ".join(scopes)}, media_type=JSON)

    def usable(self, subject: str) -> bool:
        """Whether a token is known everywhere by now."""
        return clock.now() >= float(subject.split()[0]) + self._settings.coupa_token_delay

    def _knows(self, client_id: str, secret: str) -> bool:
        settings = self._settings
        right = hmac.compare_digest(secret.encode(), settings.coupa_secret.encode())
        return client_id == settings.coupa_client_id and right


class Pace:
    """So many calls a second, and so many at once beyond that; a rate of 0 means no limit."""

    def __init__(self, per_second: int, burst: int) -> None:
        self._rate, self._room = per_second, per_second + burst
        self._left = float(self._room)
        self._at = time.monotonic()

    def takes(self) -> bool:
        """Count a call; False when it is one too many."""
        now = time.monotonic()
        self._left = min(float(self._room), self._left + (now - self._at) * self._rate)
        self._at = now
        if self._rate and self._left < 1:
            return False
        self._left -= 1
        return True


def _refusal(status: int, code: str, description: str) -> Answer:
    return Answer(status, {"error": code, "error_description": description}, media_type=JSON)
