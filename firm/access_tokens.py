"""The token file of `[access]`: who holds a bearer token, with which rights, until when.

The file keeps the SHA-256 of each token, never the token: 256 random bits need no slow hash. Whoever may
write the file may let anybody in, so a file that others may write is not believed.
"""

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationError

from domain.access import RIGHTS, Caller, Right
from domain.base import Edge
from firm.sections import Access
from firm.values import Mail

PREFIX = "fairlead_"
"""Begins every token, so that scanners for leaked secrets can find one."""
MAX_BYTES = 1024 * 1024
_FOREIGN_WRITERS = stat.S_IWGRP | stat.S_IWOTH


class TokenFileError(Exception):
    """The token file cannot be used; the text names the file and the cure, and no token."""


class Token(Edge):
    """One token of the file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")
    person: Mail
    roles: tuple[Right, ...] = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    created_at: AwareDatetime
    created_by: str = ""
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def caller(self, people: Mapping[str, Access]) -> Caller | None:
        """Who holds it, with those of its rights that the person still has; None for nobody of the firm."""
        for person, access in people.items():
            if person.casefold() == self.person.casefold():
                rights = tuple(right for right in self.roles if right in access.roles)
                return Caller(person=person, rights=rights, credential=f"token:{self.name}")
        return None


class _Content(Edge):
    version: Literal[1] = 1
    tokens: tuple[Token, ...] = ()


def new_secret() -> str:
    """A token: shown once, kept by nobody here."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def rights_of(access: Access) -> tuple[Right, ...]:
    """The rights among a person's roles."""
    return tuple(right for right in RIGHTS if right in access.roles)


class TokenFile:
    """The file at `path`, read again whenever it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, ...] | None = None
        self._tokens: tuple[Token, ...] = ()

    def find(self, token: str, now: datetime | None = None) -> Token | None:
        """The valid entry of `token`, compared in constant time. Raises `TokenFileError`."""
        wanted, at, found = digest(token), now or datetime.now(UTC), None
        for entry in self.tokens():
            if hmac.compare_digest(entry.sha256, wanted) and entry.valid(at):
                found = entry
        return found

    def tokens(self) -> tuple[Token, ...]:
        """All entries, revoked and expired ones too. Raises `TokenFileError`."""
        try:
            with self.path.open("rb") as file:
                seen = os.fstat(file.fileno())
                stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_size, seen.st_mode)
                if stamp != self._stamp:
                    self._check(seen)
                    self._tokens = self._parsed(file.read(MAX_BYTES))
                    self._stamp = stamp
        except OSError as error:
            raise TokenFileError(
                f"the token file {self.path} cannot be read ({type(error).__name__}); make it readable, or "
                "make the first token with `fairlead access token create`"
            ) from None
        return self._tokens

    def change(self, changed: Callable[[Sequence[Token]], Sequence[Token]]) -> None:
        """Replace the entries by `changed` of them: all at once, readable by the owner alone, one at a time.

        A file that is not there begins empty. Raises `TokenFileError`, and what `changed` raises.
        """
        draft = self.path.with_name(f".{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise TokenFileError(
                f"{self.path} is being changed by somebody else; if nobody is, remove {draft}"
            ) from None
        except OSError as error:
            raise TokenFileError(f"{draft} cannot be written ({type(error).__name__}); make it so") from None
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                known = self.tokens() if self.path.exists() else ()
                content = _Content(tokens=tuple(changed(known))).model_dump(mode="json")
                file.write(json.dumps(content, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _check(self, seen: os.stat_result) -> None:
        if seen.st_size > MAX_BYTES:
            raise TokenFileError(f"the token file {self.path} is larger than 1 MiB; it is no token file")
        if os.name == "posix" and seen.st_mode & _FOREIGN_WRITERS:
            raise TokenFileError(
                f"others than its owner may write the token file {self.path}; chmod 600 it, and look who did"
            )

    def _parsed(self, content: bytes) -> tuple[Token, ...]:
        try:
            return _Content.model_validate_json(content).tokens
        except ValidationError as error:
            places = sorted({".".join(map(str, fault["loc"])) or "file" for fault in error.errors()})
            raise TokenFileError(
                f"the token file {self.path} is not as it was written, at {', '.join(places[:5])}; put "
                "back a copy, or remove it and make new tokens"
            ) from None
