"""Looking up what a command left behind, by the external reference that carries its effect key."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from connectors.errors import Conflict
from connectors.kantata.account import Account
from connectors.kantata.models import Row
from domain.commands import Command

Model = TypeVar("Model", bound=Row)


class Keyed:
    """Records by effect key."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings = account.settings

    async def one(
        self,
        model: type[Model],
        collection: str,
        command: Command,
        key: str,
        params: Mapping[str, str],
        operation: str,
    ) -> Model | None:
        """The one record under `key`, or None. Raises `Conflict` for two."""
        by_key: dict[str, str | int] = {
            "external_reference_service_name": self._settings.service_name,
            "external_reference_service_model": type(command).__name__,
            # The singular filter is typed as an integer and cannot hold our keys.
            "external_reference_service_model_refs": key,
            "include": "external_references",
            **params,
        }
        found = await self._account.search(model, collection, by_key, operation=operation)
        return self.only([row for row in found if self._carries(row, key, operation)], key, operation)

    def only(self, found: Sequence[Model], key: str, operation: str) -> Model | None:
        """The record that carries `key`, when there is one. Raises `Conflict` for two."""
        if len(found) > 1:
            ids = ", ".join(row.id for row in found)
            words = f"{len(found)} records carry the key {key} ({ids}); archive or unlink all but one"
            raise self._account.error(Conflict, operation, words, rule="external_reference.ambiguous")
        return found[0] if found else None

    def _carries(self, row: Row, key: str, operation: str) -> bool:
        held = self._account.reference(row, self._settings.service_name, operation)
        return held is not None and held.service_model_ref == key
