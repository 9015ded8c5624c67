"""Access tokens the sandbox has issued; kept in the file, so that they outlive a restart.

token = tokens.issue("netsuite", subject="client", lifetime=3600)   # opaque text
tokens.state("netsuite", token)                                     # "valid"|"unknown"|"expired"|"revoked"
tokens.accept("kantata", settings.kantata_token, subject="api")     # a fixed token of the tenant
"""

import secrets
from dataclasses import dataclass

from sandbox.core import clock
from sandbox.core.database import Database


@dataclass(slots=True)
class _Token:
    system: str
    subject: str
    expires: float | None
    revoked: bool = False


class Tokens:
    """Issues, checks and revokes tokens of all systems."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, _Token] = {}
        self.reload()

    def reload(self) -> None:
        """Read the tokens from the file again."""
        rows = self._database.read("SELECT token, system, subject, expires, revoked FROM tokens")
        self._tokens = {token: _Token(s, who, ends, bool(gone)) for token, s, who, ends, gone in rows}

    def issue(self, system: str, subject: str, lifetime: float | None = None, prefix: str = "") -> str:
        """A new opaque token, valid for `lifetime` seconds (None: until revoked)."""
        token = prefix + secrets.token_urlsafe(48)
        self.accept(system, token, subject, lifetime)
        return token

    def accept(self, system: str, token: str, subject: str, lifetime: float | None = None) -> None:
        """Take a given text as a valid token (a fixed token of the seeded tenant)."""
        expires = None if lifetime is None else clock.now() + lifetime
        self._database.write(
            "INSERT OR REPLACE INTO tokens (token, system, subject, issued, expires) VALUES (?, ?, ?, ?, ?)",
            (token, system, subject, clock.now(), expires),
        )
        self._tokens[token] = _Token(system, subject, expires)

    def state(self, system: str, token: str) -> str:
        """`valid`, `unknown`, `expired` or `revoked`."""
        held = self._tokens.get(token)
        if held is None or held.system != system:
            return "unknown"
        if held.revoked:
            return "revoked"
        return "expired" if held.expires is not None and held.expires < clock.now() else "valid"

    def subject(self, token: str) -> str:
        """Who a token was issued to. Raises KeyError."""
        return self._tokens[token].subject

    def revoke_all(self, system: str) -> None:
        """Every token of a system issued so far becomes invalid (the `token_expired` fault)."""
        self._database.write("UPDATE tokens SET revoked = 1 WHERE system = ?", (system,))
        for held in self._tokens.values():
            if held.system == system:
                held.revoked = True
