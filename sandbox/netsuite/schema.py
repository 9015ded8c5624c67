"""What a record type is: its fields, sublists and references, as the metadata catalogue would tell.

Source: SuiteTalk REST record browser 2026.1 (field names, types, enumerations). A stored record keeps a
reference as the internal id, an enumeration as its id, a date as ISO text and a sublist as a list of lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["string", "boolean", "number", "integer", "date", "datetime", "ref", "enum", "record"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `target`: record type of a reference ("" for any), `values`: enumeration id -> label."""

    name: str
    kind: Kind = "string"
    label: str = ""
    target: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    read_only: bool = False
    max_length: int = 300
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    """Fields of a subrecord (`kind` record)."""


@dataclass(frozen=True, slots=True)
class Sublist:
    """A collection of lines. `key` names the column that identifies a line; a line without it is new."""

    name: str
    key: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class RecordType:
    """One record type. `table` is its SuiteQL name; `writable` False: our role may only view it."""

    name: str
    fields: Mapping[str, Field]
    sublists: Mapping[str, Sublist] = field(default_factory=dict)
    table: str = ""
    display: tuple[str, ...] = ("name",)
    """Fields that make the `refName`, first one present."""
    key_fields: tuple[str, ...] = ()
    """Custom fields in which this tenant's integration writes its effect key; the first one sent counts."""
    number_prefix: str | None = None
    """Prefix of the automatic `entityId`."""
    writable: bool = True
    sequence: str = ""
    """Types that share a name here share their internal ids: all transactions do."""


def by_name(*fields: Field) -> dict[str, Field]:
    """Fields as a mapping."""
    return {each.name: each for each in fields}


def texts(names: str) -> tuple[Field, ...]:
    """String fields from a list of names."""
    return tuple(Field(name) for name in names.split())


def booleans(names: str) -> tuple[Field, ...]:
    """Boolean fields from a list of names."""
    return tuple(Field(name, "boolean") for name in names.split())


def numbers(names: str, *, read_only: bool = False) -> tuple[Field, ...]:
    """Double fields from a list of names."""
    return tuple(Field(name, "number", read_only=read_only) for name in names.split())


def dates(names: str) -> tuple[Field, ...]:
    """Date fields from a list of names."""
    return tuple(Field(name, "date") for name in names.split())


def same(names: str) -> dict[str, str]:
    """Enumeration values whose label is made from the id."""
    return {name: name.replace("_", " ").title() for name in names.split()}


COMMON = by_name(
    Field("id", read_only=True),
    Field("externalId", max_length=255),
    Field("refName", read_only=True),
    Field("lastModifiedDate", "datetime", read_only=True),
    Field("links", read_only=True),
)
