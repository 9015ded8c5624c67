"""Who is told of events: the register under `[subscribers.<name>]` of the firm's file."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from domain.readiness import OwnerGroup
from gateway.registration import MIN_SECRET_BYTES, UnusableSecret


class SubscriberSection(Protocol):
    """One `[subscribers.<name>]` of the firm's file, as far as sending needs it."""

    @property
    def url(self) -> str: ...

    @property
    def types(self) -> Sequence[str]: ...

    @property
    def secret(self) -> str:
        """Reference to the secret."""

    @property
    def next_secret(self) -> str | None:
        """Reference to the secret that is replacing it."""

    @property
    def timeout(self) -> timedelta: ...

    @property
    def owner(self) -> OwnerGroup: ...


class TellingFirm(Protocol):
    """The firm's file, as far as sending needs it."""

    @property
    def id(self) -> str: ...

    @property
    def subscribers(self) -> Mapping[str, SubscriberSection]: ...

    def secret(self, reference: str) -> str:
        """The secret behind a reference, read now. Raises an exception that names the reference."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One subscriber."""

    name: str
    url: str
    types: frozenset[str]
    timeout: timedelta
    owner: OwnerGroup
    secrets: Callable[[], Sequence[str]] = field(repr=False)
    """Read at each delivery, so that a rotation needs no restart; two while both are in use."""

    def signing_keys(self) -> list[bytes]:
        """The keys that sign a delivery. Raises `UnusableSecret`."""
        place = f"subscribers.{self.name}"
        try:
            secrets = self.secrets()
        except Exception as error:
            raise UnusableSecret(f"{place}: the secret cannot be read: {error}") from error
        return [_key(place, secret) for secret in secrets]


def receivers(firm: TellingFirm) -> list[Receiver]:
    """Every subscriber of the firm's file."""
    return [_receiver(firm, name, section) for name, section in firm.subscribers.items()]


def _receiver(firm: TellingFirm, name: str, section: SubscriberSection) -> Receiver:
    references = [reference for reference in (section.secret, section.next_secret) if reference]
    return Receiver(
        name=name,
        url=section.url,
        types=frozenset(section.types),
        timeout=section.timeout,
        owner=section.owner,
        secrets=lambda: [firm.secret(reference) for reference in references],
    )


def _key(place: str, secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise UnusableSecret(f"{place}: the secret must be whsec_ followed by base64") from None
    if len(key) < MIN_SECRET_BYTES:
        raise UnusableSecret(
            f"{place}: the secret has {len(key)} bytes, at least {MIN_SECRET_BYTES} are needed"
        )
    return key
