"""Ways to prove who we are: a plug point of `VendorHttp`.

    StaticBearer       a token that does not expire (Kantata)
    ClientCredentials  OAuth 2.0 client id and secret (RFC 6749 section 4.4), in the form or as Basic
    JwtBearer          OAuth 2.0 JWT bearer grant (RFC 7523 section 2.1), RS256 (Salesforce)
    ClientAssertion    client credentials proved by a signed JWT (RFC 7523 section 2.2), PS256 (NetSuite)

Tokens are kept in memory under a lock, renewed at 80 % of their life where the vendor says how long they
live, and once when a call is answered 401. Nothing here retries or waits.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from connectors.http.assertion import Signer

Clock = Callable[[], datetime]
RENEW_AT = Decimal("0.8")
"""Share of a token's life after which it is renewed before use."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Grant:
    """One request to a token endpoint. `url` is absolute, or a path below the system's base URL."""

    url: str
    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Exchange = Callable[[Grant], Awaitable[Mapping[str, Any]]]
"""Sends a grant and returns the token answer; `VendorHttp` supplies it and classifies its failures."""


class Auth(Protocol):
    """What `VendorHttp` needs of any way to authenticate."""

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        """Headers of the next call; fetches a token when none is fresh."""

    def refused(self, headers: Mapping[str, str]) -> bool:
        """A call with `headers` was answered 401. Whether fresh headers can be had (then: once more)."""

    def secrets(self) -> Collection[str]:
        """Every secret in use now, for redaction."""


class StaticBearer:
    """A bearer token given once. A refused one cannot be renewed."""

    def __init__(self, token: str) -> None:
        if not token.strip():
            raise ValueError("the bearer token is empty; give the system's token as a secret reference")
        self._token = token.strip()

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def refused(self, headers: Mapping[str, str]) -> bool:
        return False

    def secrets(self) -> Collection[str]:
        return (self._token,)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: datetime | None

    def fresh(self, now: datetime) -> bool:
        return self.renew_at is None or now < self.renew_at


class TokenAuth:
    """Base of the OAuth flows: keeps one token; a subclass says with which `Grant` it is fetched."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: _Token | None = None
        self.answer: Mapping[str, Any] = {}
        """The last token answer without its tokens, such as Salesforce's `instance_url`."""

    def grant(self) -> Grant:
        raise NotImplementedError

    def kept_secrets(self) -> Collection[str]:
        """Secrets of the flow itself."""
        return ()

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        async with self._lock:
            if self._token is None or not self._token.fresh(self._clock()):
                self._keep(await exchange(self.grant()))
            return self._header()

    def refused(self, headers: Mapping[str, str]) -> bool:
        # Many calls may fail on one expired token; only the first drops it, the others use the new one.
        if self._token is not None and headers.get("Authorization") == self._header()["Authorization"]:
            self._token = None
        return True

    def secrets(self) -> Collection[str]:
        token = (self._token.value,) if self._token else ()
        return (*self.kept_secrets(), *token)

    def _keep(self, answer: Mapping[str, Any]) -> None:
        life = _seconds(answer.get("expires_in"))
        renew_at = None if life is None else self._clock() + timedelta(seconds=float(life * RENEW_AT))
        self._token = _Token(str(answer["access_token"]), renew_at)
        self.answer = {name: value for name, value in answer.items() if not name.endswith("_token")}

    def _header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token.value}"} if self._token else {}


class ClientCredentials(TokenAuth):
    """Client id and secret. `basic` sends them in a Basic header instead of the form."""

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str = "",
        basic: bool = False,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(clock)
        if not client_id or not client_secret:
            raise ValueError("client credentials need a client id and a client secret")
        self._url, self._id, self._secret = token_url, client_id, client_secret
        self._scope, self._basic = scope, basic

    def grant(self) -> Grant:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        if self._basic:
            return Grant(self._url, form, {"Authorization": f"Basic {self._encoded()}"})
        return Grant(self._url, form | {"client_id": self._id, "client_secret": self._secret})

    def kept_secrets(self) -> Collection[str]:
        return (self._secret, self._encoded())

    def _encoded(self) -> str:
        return base64.b64encode(f"{self._id}:{self._secret}".encode()).decode()


class JwtBearer(TokenAuth):
    """A signed statement of who we act for, exchanged for a token. No refresh token exists."""

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        username: str,
        audience: str,
        signer: Signer,
        life: timedelta = timedelta(minutes=3),
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(clock)
        self._url, self._signer, self._life = token_url, signer, life
        self._claims = {"iss": client_id, "sub": username, "aud": audience}

    def grant(self) -> Grant:
        expires = int((self._clock() + self._life).timestamp())
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self._signer.sign(self._claims | {"exp": expires}),
        }
        return Grant(self._url, form)


class ClientAssertion(TokenAuth):
    """Client credentials whose client proves itself by a signed assertion for `audience`."""

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        audience: str,
        signer: Signer,
        scope: Collection[str] = (),
        life: timedelta = timedelta(minutes=5),
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(clock)
        self._url, self._signer, self._life = token_url, signer, life
        self._claims: dict[str, Any] = {"iss": client_id, "aud": audience}
        if scope:
            self._claims["scope"] = list(scope)

    def grant(self) -> Grant:
        now = self._clock()
        stamps = {"iat": int(now.timestamp()), "exp": int((now + self._life).timestamp())}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._signer.sign(self._claims | stamps),
        }
        return Grant(self._url, form)


def _seconds(value: object) -> Decimal | None:
    try:
        seconds = Decimal(str(value))
    except InvalidOperation:
        return None
    return seconds if seconds.is_finite() and seconds > 0 else None
