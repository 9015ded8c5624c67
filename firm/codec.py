"""`[codec]`: the keys by which what Temporal stores is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.base import Edge
from firm.secrets import SecretReference
from firm.values import WebAddress

KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class CodecSection(Edge):
    """`[codec]`. Without `active` nothing is sealed."""

    active: KeyId | None = None
    """Id of the key that seals; the others open what was sealed before."""
    keys: dict[KeyId, SecretReference] = Field(default={})
    """Key id -> where the key is kept. Remove one when no history holds it any more."""
    web_ui: tuple[WebAddress, ...] = ()
    """Origins of the Web UI that may have payloads opened by the gateway; empty: the local one."""


@dataclass(frozen=True)
class CodecKeys:
    """The keys themselves: for the codec alone."""

    active: str
    keys: Mapping[str, str] = field(repr=False)
