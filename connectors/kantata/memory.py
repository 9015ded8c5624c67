"""Ids learnt from our own writes, kept in memory: they save a look-up, and hold while reads lag behind.

A restart forgets them; then they are looked up by their keys.
"""

from collections.abc import Hashable

KEPT = 20_000


class Memory:
    """Ids by what identifies them; beyond `KEPT` the oldest is forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._ids: dict[Hashable, str] = {}

    def __getitem__(self, identity: Hashable) -> str | None:
        """The id, or None where it is not known here."""
        return self._ids.get(identity)

    def __setitem__(self, identity: Hashable, id: str) -> None:
        self._ids.pop(identity, None)
        self._ids[identity] = id
        if len(self._ids) > self._kept:
            del self._ids[next(iter(self._ids))]
