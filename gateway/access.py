"""Who calls, and what they may do: bearer tokens, checked before anything else of a request is looked at.

A route asks for a function, `requires(Function.READ_BILLING)`; the table in `domain.access` says which rights
open it. What cannot be checked is refused with 503, never let through.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from fastapi import Depends, Request

from domain.access import OPEN, Caller, Function, needed
from firm.access_section import AccessSection
from firm.access_tokens import TokenFile, TokenFileError
from firm.secrets import SecretError
from firm.sections import Access
from gateway.access_oidc import CannotVerify, NotVerified, OidcVerifier
from gateway.deadline import Deadline
from gateway.problems import Refusal

REALM = 'Bearer realm="fairlead"'
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]{16,8192}=*) *")

_log = structlog.get_logger("fairlead.access")


class NotAccepted(Exception):
    """The proof does not hold. The text is for the log alone."""


class CannotCheck(Exception):
    """The proof cannot be checked now: keys or token file are away. The text is for the log alone."""


class AccessFirm(Protocol):
    """A firm, as far as access goes."""

    @property
    def access(self) -> AccessSection | None: ...

    @property
    def people(self) -> Mapping[str, Access]: ...

    def access_file(self) -> Any:
        """Path of the token file, None without one. Raises `SecretError`."""


class Authenticator:
    """Turns a bearer token into the person who holds it. Without a firm, or its `[access]`, it is open."""

    def __init__(
        self,
        firm: AccessFirm | None,
        oidc: OidcVerifier | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        section = firm.access if firm is not None else None
        self._firm = firm
        self._section = section
        self._now = now
        self._file: TokenFile | None = None
        self._oidc = oidc or (OidcVerifier(section.oidc, now=now) if section and section.oidc else None)

    @property
    def is_open(self) -> bool:
        """Whether the firm asks nobody for a proof."""
        return self._section is None

    async def caller(self, token: str) -> Caller:
        """Who holds `token`. Raises `NotAccepted` or `CannotCheck`."""
        if self._section is None:
            return OPEN
        if self._oidc is not None and token.count(".") == 2:
            try:
                return await self._oidc.caller(token)
            except NotVerified as error:
                raise NotAccepted(str(error)) from None
            except CannotVerify as error:
                raise CannotCheck(str(error)) from None
        return self._holder(token)

    async def aclose(self) -> None:
        if self._oidc is not None:
            await self._oidc.aclose()

    def _holder(self, token: str) -> Caller:
        if self._firm is None or self._section is None or self._section.tokens is None:
            raise NotAccepted("no token file is configured, and this is no token of the provider")
        try:
            if self._file is None:
                self._file = TokenFile(self._firm.access_file())
            entry = self._file.find(token, self._now())
        except (TokenFileError, SecretError) as error:
            raise CannotCheck(str(error)) from None
        if entry is None:
            raise NotAccepted("no valid token: unknown, expired or revoked")
        caller = entry.caller(self._firm.people)
        if caller is None:
            raise NotAccepted(f"token {entry.name}: {entry.person} is nobody in the firm's file any more")
        return caller


def requires(function: Function) -> Any:
    """A dependency that lets only those pass who may do `function`, and hands on the `Caller`.

    `app.state.access` must hold the `Authenticator`. Refuses with 401, 403 or 503.
    """

    async def check(request: Request) -> Caller:
        authenticator: Authenticator = request.app.state.access
        if authenticator.is_open:
            return OPEN
        async with Deadline.of(request).waiting_for("The identity provider"):
            caller = await _authenticated(authenticator, request)
        if not caller.may(function):
            _log.warning("not_allowed", person=caller.person, function=function.value, by=caller.credential)
            raise Refusal(
                403,
                f"This takes the role {needed(function)}.",
                reason=f"{caller.person} may not {function.value}",
                headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'},
            )
        return caller

    setattr(check, GUARD, function)
    return Depends(check)


GUARD = "guards_function"
"""Attribute by which a dependency tells which function it guards: for the OpenAPI document and the tests."""


async def _authenticated(authenticator: Authenticator, request: Request) -> Caller:
    headers = request.headers.getlist("authorization")
    if not headers:
        raise Refusal(401, "This takes a bearer token.", headers={"WWW-Authenticate": REALM})
    proof = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    try:
        if proof is None:
            raise NotAccepted("the Authorization header is no single bearer token")
        return await authenticator.caller(proof[1])
    except NotAccepted as error:
        _log.warning("not_accepted", reason=str(error), peer=request.client.host if request.client else "")
        raise Refusal(
            401,
            "The token is not accepted.",
            reason=str(error),
            headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
        ) from None
    except CannotCheck as error:
        _log.error("access_not_checked", reason=str(error))
        raise Refusal(
            503,
            "Access cannot be checked at the moment; Fairlead's log says why.",
            reason=str(error),
            headers={"Retry-After": "10"},
        ) from None
