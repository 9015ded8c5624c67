"""Events that Fairlead tells other systems: what one is made of, and how it is noted with its change.

A note is written into the outbox in the transaction of the change. Its id follows from the change's own
key (effect key, or process key and generation), so that a repeated change is told once; it holds no
full stop, because the Standard Webhooks signature uses that as a delimiter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from domain.base import Canonical, Value
from domain.identity import short_key
from domain.readiness import OwnerGroup

_LONGEST_SUBJECT = 200
PRODUCER = "fairlead"


class OutboundData(Value):
    """What an event says: ids, roles, hours, dates and amounts. Never pay, people or free text.

    Texts are taken as they are: an event must never fail the change that it tells.
    """

    subject_field: ClassVar[str]
    """Name of the field that holds the object the event is about. Its events arrive in their order."""

    @property
    def subject(self) -> str:
        """The object, in the form that an envelope may carry."""
        text = str(getattr(self, self.subject_field))
        plain = text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST_SUBJECT
        return text if plain else short_key(text)


class OutboxNote(Canonical):
    """One event to be told. A repeat of the same type and key writes none."""

    type: str
    version: int = 1
    key: str
    """Of the change that is told: its effect key, or process key and generation."""
    subject: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """Id of the event, the same in every delivery of it."""
        return short_key(f"{self.type}/{self.key}")


@dataclass(frozen=True, slots=True)
class OutboundType:
    """One version of one type of event that Fairlead tells, as the catalogue lists it."""

    name: str
    version: int
    summary: str
    owner: OwnerGroup
    consumers: tuple[str, ...]
    """Who the event is meant for; who gets it is said under `[subscribers.<name>]`."""
    data: type[OutboundData]
    example: Mapping[str, Any]
    sunset: date | None = None
    """Last day this version is sent; none while it is current."""

    @property
    def schema_urn(self) -> str:
        return schema_urn(self.name, self.version)

    def note(self, key: str, data: OutboundData) -> OutboxNote:
        """`data` as it is written beside the change whose key is `key`."""
        return OutboxNote(
            type=self.name,
            version=self.version,
            key=key,
            subject=data.subject,
            data=data.model_dump(mode="json"),
        )


def schema_urn(name: str, version: int) -> str:
    """How an envelope names the schema of its data."""
    return f"urn:fairlead:event:{name}:{version}"
