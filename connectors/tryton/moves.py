"""Moves of the ledger under our key: it stands first in their description."""

from connectors.tryton import notes
from connectors.tryton.models import Move
from connectors.tryton.records import Records

MODEL = "account.move"


class Moves:
    """Reading by key, for one database."""

    def __init__(self, records: Records) -> None:
        self.records = records

    async def under(self, key: str, operation: str) -> list[Move]:
        """All moves of a key, posted or not, by id."""
        domain = [["description", "like", notes.pattern(key)]]
        found = await self.records.search(Move, MODEL, domain, operation)
        return [move for move in found if key_of(move) == key]


def described(key: str, text: str) -> str:
    return f"{key} {text}".strip()


def key_of(move: Move) -> str:
    return (move.description or "").partition(" ")[0]
