"""Which sources may post events: the register under `[webhooks.<source>]` of the firm's file."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast, get_args

from domain.events import catalogue
from domain.readiness import OwnerGroup

Scheme = Literal["standard-webhooks", "hmac-timestamp", "salesforce-outbound-message"]
SCHEMES: tuple[str, ...] = get_args(Scheme)

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)

MIN_SECRET_BYTES = 24
"""Standard Webhooks asks for 24 to 64 bytes."""


class UnusableSecret(Exception):
    """A configured secret cannot be used; the text says which source and why, never the secret."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One registered source."""

    source: str
    """Name in the address `/hooks/<source>` and in the inbox."""
    scheme: Scheme
    owner: OwnerGroup = OwnerGroup.ENTERPRISE_ARCHITECTURE
    secrets: Callable[[], Sequence[str]] = field(repr=False, default=tuple)
    """Secrets valid now, read at each delivery so that a rotation needs no restart; more than one while
    both the old and the new are in use. Raises an exception naming the reference that cannot be read."""
    organization: str = ""
    """Salesforce organization id that outbound messages must carry."""
    events: Mapping[str, str] = field(default_factory=dict)
    """Name of an event (or object) at the source -> type in the catalogue. Empty: any catalogued type,
    under its own name. Otherwise the source may send these and nothing else."""

    def event_type(self, name: str) -> str | None:
        """The catalogue's type for what the source calls `name`; `None` when it may not send it."""
        if not self.events:
            return name
        return self.events.get(name) or (name if name in self.events.values() else None)

    def valid_secrets(self) -> list[str]:
        """The secrets as configured. Raises `UnusableSecret` when there is none: closed, not open."""
        try:
            found = [secret for secret in self.secrets() if secret]
        except Exception as error:
            raise UnusableSecret(f"webhooks.{self.source}: the secret cannot be read: {error}") from error
        if not found:
            raise UnusableSecret(f"webhooks.{self.source} has no secret; set one in the firm's file")
        return found


class SecretReference(Protocol):
    """Where a secret is kept; read when it is needed."""

    def resolve(self) -> str: ...


class WebhookSection(Protocol):
    """One `[webhooks.<source>]` of the firm's file, as far as the gateway needs it."""

    @property
    def scheme(self) -> str: ...

    @property
    def secret(self) -> SecretReference | None: ...

    @property
    def org_id(self) -> str | None: ...

    @property
    def owner(self) -> OwnerGroup: ...

    @property
    def events(self) -> Mapping[str, str]: ...


class GatewayFirm(Protocol):
    """The firm's file, as far as the gateway needs it."""

    @property
    def id(self) -> str: ...

    @property
    def webhooks(self) -> Mapping[str, WebhookSection]: ...


def registered_hooks(firm: GatewayFirm) -> dict[str, Hook]:
    """The register. Raises `ValueError` naming the section and key that cannot be used, and the cure."""
    return {source: _hook(source, section) for source, section in firm.webhooks.items()}


def _hook(source: str, section: WebhookSection) -> Hook:
    place = f"webhooks.{source}"
    if not _SOURCE.fullmatch(source):
        raise ValueError(f"[{place}]: a source is named by lower-case letters, digits, '-' and '_'")
    if section.scheme not in SCHEMES:
        raise ValueError(f"{place}.scheme is {section.scheme!r}; it must be one of {', '.join(SCHEMES)}")
    if section.scheme == "salesforce-outbound-message" and len(section.org_id or "") not in (15, 18):
        raise ValueError(f"{place}.org_id must be the Salesforce organization id of 15 or 18 characters")
    known = {kind.name for kind in catalogue()}
    for name, type in section.events.items():
        if type not in known:
            raise ValueError(
                f"{place}.events.{name} is {type!r}, not a type of the catalogue: {', '.join(sorted(known))}"
            )
    return Hook(
        source=source,
        scheme=cast(Scheme, section.scheme),
        owner=section.owner,
        secrets=lambda: [section.secret.resolve()] if section.secret else [],
        organization=section.org_id or "",
        events=dict(section.events),
    )


def signing_key(hook: Hook, secret: str) -> bytes:
    """The key behind `whsec_<base64>`. Raises `UnusableSecret`."""
    encoded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableSecret(
            f"webhooks.{hook.source}: the secret must be whsec_ followed by base64"
        ) from None
    if len(key) < MIN_SECRET_BYTES:
        raise UnusableSecret(
            f"webhooks.{hook.source}: the secret has {len(key)} bytes, at least {MIN_SECRET_BYTES} are needed"
        )
    return key
