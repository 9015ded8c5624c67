"""A store of which some parts are others."""

from typing import Any, cast

from store.ports import Store


def store_with(store: Store, **parts: object) -> Store:
    """`store` with `parts` (name -> what stands in); everything else is as it was."""
    return cast(Store, _StoreWith(store, parts))


class _StoreWith:
    def __init__(self, store: Store, parts: dict[str, object]) -> None:
        self._store = store
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
