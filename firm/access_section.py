"""`[access]`: how whoever calls the gateway, or decides on the command line, proves who they are.

Without this section access is open: right for a firm on a laptop, and said so by `fairlead doctor`.
"""

from typing import Self

from pydantic import Field, field_validator, model_validator

from domain.access import Right
from domain.base import Edge
from firm.secrets import SecretReference
from firm.values import Name, WebAddress

_CLAIM = r"^[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*$"


class OidcSection(Edge):
    """`[access.oidc]`: access tokens of an OpenID Connect provider (RFC 9068 form or the provider's own)."""

    issuer: WebAddress
    audience: Name
    """What a token must be made for: ours alone."""
    jwks_url: WebAddress
    """Where the provider publishes its keys."""
    person_claim: str = Field(default="email", pattern=_CLAIM)
    """Holds the person's mail address."""
    roles_claim: str = Field(default="roles", pattern=_CLAIM)
    """Holds the provider's roles or groups; dots lead into nested claims, such as `realm_access.roles`."""
    roles: dict[str, Right] = Field(min_length=1)
    """Role or group at the provider -> right here."""


class AccessSection(Edge):
    """`[access]`: tokens from a file of digests, an OpenID Connect provider, or both."""

    tokens: SecretReference | None = None
    """The token file, as `file:PATH`; `fairlead access token create` writes it."""
    oidc: OidcSection | None = None

    @field_validator("tokens")
    @classmethod
    def _a_file(cls, reference: str | None) -> str | None:
        if reference is not None and not reference.startswith("file:"):
            raise ValueError("is not kept in a file, so that no token could be revoked; write file:PATH")
        return reference

    @model_validator(mode="after")
    def _some_way_in(self) -> Self:
        if self.tokens is None and self.oidc is None:
            raise ValueError('names no way in; add tokens = "file:PATH" or [access.oidc]')
        return self
