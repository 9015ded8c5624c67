"""Salesforce's shapes (REST API guide: query, describe, composite, upsert; object reference).

Standard fields are typed. Custom fields differ by org, so the record models keep what else was selected
and `require` names a column that the answer lacks.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from connectors.errors import Rejected
from connectors.http.shapes import VendorShape


def _stamp(value: object) -> object:
    """`2026-11-23T06:00:00.000+0000`: ISO 8601 with an offset that has no colon."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Stamp = Annotated[AwareDatetime, BeforeValidator(_stamp)]


class QueryPage(VendorShape):
    """One page of a SOQL answer, also of a child sub-select."""

    done: bool
    records: list[dict[str, Any]]
    next_path: str | None = Field(default=None, alias="nextRecordsUrl")


class Row(VendorShape):
    """A record with every selected column; columns without a type here are reached by `column`."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    id: str = Field(alias="Id")
    changed_at: Stamp = Field(alias="SystemModstamp")

    def column(self, name: str) -> Any:
        """The value of a column as Salesforce gave it; None for an empty name or an empty field."""
        return (self.model_extra or {}).get(name)


class AccountRow(Row):
    name: str = Field(alias="Name")


class ContractRow(Row):
    number: str = Field(alias="ContractNumber")


class OwnerRow(VendorShape):
    email: str | None = Field(default=None, alias="Email")


class LineRow(Row):
    """An OpportunityLineItem."""


class OpportunityRow(Row):
    name: str = Field(alias="Name")
    stage: str | None = Field(alias="StageName")
    won: bool = Field(alias="IsWon")
    account: AccountRow | None = Field(alias="Account")
    contract: ContractRow | None = Field(alias="Contract")
    owner: OwnerRow | None = Field(default=None, alias="Owner")
    lines: QueryPage | None = Field(default=None, alias="OpportunityLineItems")
    """Null when the deal has none."""


class PicklistValue(VendorShape):
    value: str
    active: bool = True


class FieldDescription(VendorShape):
    name: str
    type: str
    updateable: bool = False
    external_id: bool = Field(default=False, alias="externalId")
    length: int = 0
    restricted: bool = Field(default=False, alias="restrictedPicklist")
    values: list[PicklistValue] = Field(default=[], alias="picklistValues")

    @property
    def active_values(self) -> set[str]:
        return {entry.value for entry in self.values if entry.active}


class ObjectDescription(VendorShape):
    name: str
    fields: list[FieldDescription]

    def field(self, name: str) -> FieldDescription | None:
        return next((field for field in self.fields if field.name == name), None)


class Limit(VendorShape):
    maximum: int = Field(alias="Max")
    remaining: int = Field(alias="Remaining")


class UpsertAnswer(VendorShape):
    id: str
    created: bool | None = None


class SubAnswer(VendorShape):
    """One part of a composite answer."""

    reference: str = Field(alias="referenceId")
    status: int = Field(alias="httpStatusCode")
    body: Any = None


class CompositeAnswer(VendorShape):
    parts: list[SubAnswer] = Field(alias="compositeResponse")


def require(
    row: Mapping[str, Any] | None, columns: Collection[str], *, thing: str, system: str, operation: str
) -> None:
    """Raise `Rejected` naming the columns of `thing` that were asked for and are not in the answer."""
    missing = [] if row is None else [name for name in columns if name and name not in row]
    if missing:
        names = ", ".join(f"{thing}.{name}" for name in missing)
        raise Rejected(
            f"{system}: {operation}: the answer lacks {names}, which was asked for",
            system=system,
            operation=operation,
            field=f"{thing}.{missing[0]}",
            rule="schema.missing_field",
        )
