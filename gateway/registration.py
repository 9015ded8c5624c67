"""Which sources may post events: the register under `[webhooks.<source>]` of the firm's file."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from domain.events import catalogue
from domain.readiness import OwnerGroup

if TYPE_CHECKING:
    from gateway.outbox_subscribers import SubscriberSection

Scheme = Literal["standard-webhooks", "hmac-timestamp", "salesforce-outbound-message"]
SCHEMES: tuple[str, ...] = get_args(Scheme)

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


class WebhookSection(Protocol):
    """One `[webhooks.<source>]` of the firm's file, as far as the gateway needs it."""

    @property
    def scheme(self) -> Scheme: ...

    @property
    def secret(self) -> str:
        """Reference to the secret."""

    @property
    def next_secret(self) -> str | None:
        """Reference to the secret that is replacing it."""

    @property
    def org_id(self) -> str: ...

    @property
    def owner(self) -> OwnerGroup: ...

    @property
    def events(self) -> Mapping[str, str]: ...


class WebhookFirm(Protocol):
    """The firm's file, as far as it says who sends events and how they are signed."""

    @property
    def id(self) -> str: ...

    @property
    def webhooks(self) -> Mapping[str, WebhookSection]: ...

    def secret(self, reference: str) -> str:
        """The secret behind a reference, read now. Raises an exception that names the reference."""


class GatewayFirm(WebhookFirm, Protocol):
    """The firm's file, as far as the gateway needs it."""

    @property
    def subscribers(self) -> "Mapping[str, SubscriberSection]": ...


def registered_hooks(firm: WebhookFirm) -> dict[str, Hook]:
    """The register. Raises `ValueError` naming the section and key that cannot be used, and the cure."""
    return {source: _hook(firm, source, section) for source, section in firm.webhooks.items()}


def _hook(firm: WebhookFirm, source: str, section: WebhookSection) -> Hook:
    place = f"webhooks.{source}"
    if section.scheme not in SCHEMES:
        raise ValueError(f"{place}.scheme is {section.scheme!r}; it must be one of {', '.join(SCHEMES)}")
    if section.scheme == "salesforce-outbound-message" and len(section.org_id) not in (15, 18):
        raise ValueError(f"{place}.org_id must be the Salesforce organization id of 15 or 18 characters")
    known = sorted({kind.name for kind in catalogue()})
    for name, type in section.events.items():
        if type not in known:
            raise ValueError(
                f"{place}.events.{name} is {type!r}, not a type of the catalogue: {', '.join(known)}"
            )
    references = [reference for reference in (section.secret, section.next_secret) if reference]
    return Hook(
        source=source,
        scheme=section.scheme,
        owner=section.owner,
        secrets=lambda: [firm.secret(reference) for reference in references],
        organization=section.org_id,
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
