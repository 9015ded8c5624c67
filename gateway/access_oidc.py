"""Access tokens of an OpenID Connect provider, verified against its published keys.

Sources: RFC 7519 (JWT), RFC 7517 (JWK), RFC 9068 (JWT access tokens), RFC 8725 (best practice). Only
asymmetric algorithms are taken, whatever a token says of itself.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
from jwt.api_jwk import PyJWK

from domain.access import Caller, Right
from firm.access_section import OidcSection

ALGORITHMS = ("RS256", "ES256", "PS256")
LEEWAY = 60
"""Seconds by which clocks may differ."""
MAX_AGE = 3600.0
"""Seconds for which fetched keys are believed."""
MIN_INTERVAL = 30.0
"""Seconds between two fetches, whoever asks: tokens with invented key ids must not become a flood."""
FETCH_TIMEOUT = 1.5
MAX_BYTES = 256 * 1024
_FAMILY = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
"""Algorithm -> the type its key must have."""
_SMALLEST_RSA = 2048


class NotVerified(Exception):
    """The token does not hold; the text says why and is for the log alone."""


class CannotVerify(Exception):
    """The provider's keys cannot be had; the text is for the log alone."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One public key of the provider."""

    id: str
    public: Any
    family: str
    """`RSA` or `EC`."""
    curve: str
    algorithm: str
    """The one it is for; empty for all of its family."""

    def fits(self, algorithm: str) -> bool:
        """Whether a signature by `algorithm` may be checked with it."""
        if self.family != _FAMILY[algorithm] or self.algorithm not in ("", algorithm):
            return False
        if self.family == "EC":
            return self.curve == "P-256"
        return int(self.public.key_size) >= _SMALLEST_RSA


class OidcVerifier:
    """Verifies the tokens of one provider; its keys are fetched when first needed and kept for an hour."""

    def __init__(
        self,
        section: OidcSection,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._section = section
        self._now = now
        self._keys = ProviderKeys(section.jwks_url, transport, clock)

    async def caller(self, token: str) -> Caller:
        """Whose token it is. Raises `NotVerified` or `CannotVerify`."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise NotVerified(f"no JWT: {type(error).__name__}") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise NotVerified("signed by an algorithm that is not taken")
        if not isinstance(key_id, str) or not key_id:
            raise NotVerified("it names no key")
        if "crit" in header:
            raise NotVerified("it asks for an extension (crit) that is not known here")
        key = await self._keys.key(key_id, algorithm)
        return self._caller(self._claims(token, key, algorithm))

    async def aclose(self) -> None:
        await self._keys.aclose()

    def _claims(self, token: str, key: ProviderKey, algorithm: str) -> dict[str, Any]:
        section = self._section
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                audience=section.audience,
                issuer=section.issuer,
                # The times are checked below, on the clock that was handed in.
                options={
                    "require": ["exp", "iat", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            raise NotVerified(f"{type(error).__name__} for key {key.id}") from None
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._now().timestamp()
        for name in ("exp", "nbf", "iat"):
            value = claims.get(name)
            if value is None and name == "nbf":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise NotVerified(f"{name} is no time")
            if name == "exp" and value + LEEWAY <= now:
                raise NotVerified("it has expired")
            if name != "exp" and value - LEEWAY > now:
                raise NotVerified(f"it is not valid yet ({name})")

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        section = self._section
        person = _claim(claims, section.person_claim)
        if not isinstance(person, str) or not 3 <= len(person) <= 200 or not person.isprintable():
            raise NotVerified(f"the claim {section.person_claim} names no person")
        if section.person_claim == "email" and claims.get("email_verified") is False:
            raise NotVerified("the provider has not verified the mail address")
        found = _claim(claims, section.roles_claim)
        names = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
        mapped = {section.roles[name] for name in names if isinstance(name, str) and name in section.roles}
        rights: tuple[Right, ...] = tuple(sorted(mapped))
        return Caller(person=person, rights=rights, credential="oidc")


class ProviderKeys:
    """The provider's key set: fetched once for all who wait, again on an unknown key id, never in a flood."""

    def __init__(
        self, url: str, transport: httpx.AsyncBaseTransport | None, clock: Callable[[], float]
    ) -> None:
        self._url = url
        self._transport = transport
        self._clock = clock
        self._http: httpx.AsyncClient | None = None
        self._lock = asyncio.Lock()
        self._keys: dict[str, ProviderKey] = {}
        self._fetched_at = self._tried_at = float("-inf")

    async def key(self, key_id: str, algorithm: str) -> ProviderKey:
        """The key called `key_id`, fit for `algorithm`. Raises `NotVerified` or `CannotVerify`."""
        async with self._lock:
            fresh = self._clock() - self._fetched_at < MAX_AGE
            if not fresh or key_id not in self._keys:
                await self._refresh(needed=not fresh)
            key = self._keys.get(key_id)
        if key is None:
            raise NotVerified("the provider has no key of that id")
        if not key.fits(algorithm):
            raise NotVerified(f"key {key_id} is not one for {algorithm}")
        return key

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _refresh(self, *, needed: bool) -> None:
        if self._clock() - self._tried_at < MIN_INTERVAL:
            if needed:
                raise CannotVerify(f"the keys at {self._url} could not be fetched a moment ago")
            return
        self._tried_at = self._clock()
        try:
            self._keys = await self._fetch()
        except (httpx.HTTPError, ValueError, TimeoutError, jwt.PyJWTError) as error:
            raise CannotVerify(f"the keys at {self._url} cannot be fetched: {type(error).__name__}") from None
        self._fetched_at = self._clock()

    async def _fetch(self) -> dict[str, ProviderKey]:
        if self._http is None:
            self._http = httpx.AsyncClient(
                transport=self._transport, timeout=FETCH_TIMEOUT, trust_env=False, follow_redirects=False
            )
        async with asyncio.timeout(FETCH_TIMEOUT), self._http.stream("GET", self._url) as response:
            response.raise_for_status()
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    raise ValueError("the key set is larger than 256 KiB")
        return _read(bytes(content))


def _read(content: bytes) -> dict[str, ProviderKey]:
    """Keys by id; what is of an unknown kind, or for encryption, is left out. Raises `ValueError`."""
    document = json.loads(content)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no key set")
    found: dict[str, ProviderKey] = {}
    for one in listed:
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        if one.get("kty") not in ("RSA", "EC"):
            continue
        try:
            public = PyJWK(one).key
        except jwt.PyJWTError:
            continue
        texts = {name: str(one.get(name) or "") for name in ("kid", "kty", "crv", "alg")}
        found[texts["kid"]] = ProviderKey(texts["kid"], public, texts["kty"], texts["crv"], texts["alg"])
    return found


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that whole name, else what dots lead to."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
