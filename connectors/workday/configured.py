"""Reading a record whose field names the tenant's settings give: what is absent or odd is named."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.errors import Ambiguous, Rejected
from connectors.workday.rest import Rest


class ConfiguredRow:
    """One record of `thing`. Raises `Rejected` for drift; after a write `Ambiguous`, for it was accepted."""

    def __init__(self, rest: Rest, thing: str, row: Any, operation: str, *, write: bool = False) -> None:
        self._rest, self._thing, self._operation = rest, thing, operation
        self._kind = Ambiguous if write else Rejected
        self._row: Mapping[str, Any] = row if isinstance(row, Mapping) else {}

    @property
    def id(self) -> str:
        return str(self._needed("id"))

    def text(self, name: str) -> str:
        """Text of a field; Workday leaves empty fields out."""
        return str(self._row.get(name) or "")

    def day(self, name: str) -> str:
        """A date as canonical text."""
        value = str(self._needed(name))
        try:
            return date.fromisoformat(value[:10]).isoformat()
        except ValueError:
            raise self._odd(name, value, "a date") from None

    def number(self, name: str) -> Decimal:
        """An exact number; the vendor writes it as number or as text."""
        value = self._needed(name)
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise self._odd(name, value, "a number") from None

    def reference(self, name: str) -> str:
        """Id of a reference, or of the references of a list, separated by commas."""
        value = self._needed(name)
        held = value if isinstance(value, list) else [value]
        if not all(isinstance(one, Mapping) and one.get("id") for one in held):
            raise self._odd(name, value, "a reference")
        return ",".join(str(one["id"]) for one in held)

    def _needed(self, name: str) -> Any:
        if self._row.get(name) is None:
            words = f"the answer is not as documented: {self._thing}.{name} is missing"
            field = f"{self._thing}.{name}"
            raise self._rest.error(self._kind, self._operation, words, field, "schema.missing_field")
        return self._row[name]

    def _odd(self, name: str, value: Any, expected: str) -> Exception:
        words = f"{self._thing}.{name} is {value!r}, not {expected}"
        field = f"{self._thing}.{name}"
        return self._rest.error(self._kind, self._operation, words, field, "schema.changed_field")
