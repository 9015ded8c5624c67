"""What a Salesforce object is made of, and finding objects and fields by name (any case)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

FieldType = Literal[
    "id",
    "string",
    "textarea",
    "email",
    "phone",
    "url",
    "picklist",
    "boolean",
    "int",
    "double",
    "currency",
    "percent",
    "date",
    "datetime",
    "reference",
    "address",
]
TEXTUAL = frozenset({"string", "textarea", "email", "phone", "url", "picklist"})
NUMERIC = frozenset({"int", "double", "currency", "percent"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field, with what `describe` says about it."""

    name: str
    type: FieldType
    length: int = 0
    scale: int = 0
    required: bool = False
    values: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    createable: bool = True
    updateable: bool = True
    reference_to: str = ""
    relationship: str = ""
    default: str | bool | None = None

    @property
    def custom(self) -> bool:
        """Whether the tenant added it."""
        return self.name.endswith("__c")


@dataclass(frozen=True)
class SObject:
    """One object type. `children`: relationship name -> (child object, its reference field)."""

    name: str
    prefix: str
    fields: tuple[Field, ...]
    children: dict[str, tuple[str, str]]
    name_field: str = "Name"
    writable: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by lower-case name."""
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def by_relationship(self) -> dict[str, Field]:
        """Reference fields by lower-case relationship name."""
        return {field.relationship.lower(): field for field in self.fields if field.relationship}

    def field(self, name: str) -> Field | None:
        """The field of this name, in any case."""
        return self.by_name.get(name.lower())

    def child(self, name: str) -> tuple[str, str] | None:
        """The child object and reference field of a relationship name, in any case."""
        return next((to for known, to in self.children.items() if known.lower() == name.lower()), None)


class Org:
    """All objects of the org."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        self.objects = {sobject.name: sobject for sobject in objects}
        self._by_name = {name.lower(): sobject for name, sobject in self.objects.items()}
        self._by_prefix = {sobject.prefix: sobject for sobject in self.objects.values()}

    def object(self, name: str) -> SObject | None:
        """The object of this name, in any case."""
        return self._by_name.get(name.lower())

    def of_id(self, record_id: str) -> SObject | None:
        """The object whose records carry this id's prefix."""
        return self._by_prefix.get(record_id[:3])


def text(name: str, length: int, *, required: bool = False, external_id: bool = False) -> Field:
    """A text field of at most `length` characters."""
    kind: FieldType = "string" if length <= 255 else "textarea"
    return Field(name, kind, length, required=required, external_id=external_id)


def choice(
    name: str, *values: str, restricted: bool = False, required: bool = False, default: str | None = None
) -> Field:
    """A picklist; a restricted one takes no other value."""
    return Field(
        name, "picklist", 255, values=values, restricted=restricted, required=required, default=default
    )


def number(name: str, kind: FieldType = "currency", scale: int = 2, *, required: bool = False) -> Field:
    """A number with `scale` decimals and 18 digits in all."""
    return Field(name, kind, 18, scale=scale, required=required)


def day(name: str, *, required: bool = False) -> Field:
    """A calendar date."""
    return Field(name, "date", required=required)


def flag(name: str) -> Field:
    """A checkbox, false unless set."""
    return Field(name, "boolean", default=False)


def lookup(
    name: str, to: str, relationship: str, *, required: bool = False, updateable: bool = True
) -> Field:
    """A reference to a record of another object."""
    kind: FieldType = "reference"
    return Field(
        *(name, kind, 18),
        required=required,
        updateable=updateable,
        reference_to=to,
        relationship=relationship,
    )


def computed(
    name: str, kind: FieldType, scale: int = 0, to: str = "", relationship: str = "", length: int = 0
) -> Field:
    """A field the system fills: readable, never writable."""
    return Field(
        *(name, kind, length, scale),
        createable=False,
        updateable=False,
        reference_to=to,
        relationship=relationship,
    )


def standard_fields() -> tuple[Field, ...]:
    """The audit fields every object has."""
    return (
        computed("Id", "id", length=18),
        computed("IsDeleted", "boolean"),
        computed("CreatedDate", "datetime"),
        computed("LastModifiedDate", "datetime"),
        computed("SystemModstamp", "datetime"),
    )
