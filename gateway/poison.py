"""Events that nobody can apply: an exception for the owner, closed again when a replay goes through."""

from datetime import datetime, timedelta

from domain.attention import Action, AttentionItem
from domain.readiness import OwnerGroup
from store.ports import InboxRow, Store

DUE_IN = timedelta(hours=24)


class Poison:
    """Keeps one exception per event in the projection; there is no process that could hold it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def raise_for(self, row: InboxRow, reason: str, owner: OwnerGroup, now: datetime) -> None:
        """Tell `owner`. A repeat replaces the text and keeps the time it was first raised."""
        known = await self._store.attention.get(_item_id(row))
        first = known is None or known.state == "resolved"
        raised_at = now if first or known is None else known.raised_at
        item = AttentionItem(
            id=_item_id(row),
            process=row.id,
            step="dispatch",
            headline=f"An event {row.type} from {row.source} cannot be applied",
            detail=f"{reason}. After the cure: `fairlead events replay --type {row.type}`.",
            object=f"{row.type} {row.subject}".strip(),
            systems=(row.source,),
            error_class="PoisonEvent",
            owner=owner,
            raised_at=raised_at,
            due_at=raised_at + DUE_IN,
            actions=(Action.RETRY, Action.SKIP, Action.HAND_OVER),
            facts={"event": row.id, "version": row.version.isoformat()},
        )
        await self._store.attention.put(item)

    async def settle(self, row: InboxRow, resolution: str) -> None:
        """Close the exception of an event that went through after all."""
        if not (row.attempts or row.note):
            return  # its first dispatch: there is none
        item = await self._store.attention.get(_item_id(row))
        if item is not None and item.state != "resolved":
            await self._store.attention.put(item.with_changes(state="resolved", resolution=resolution))


def _item_id(row: InboxRow) -> str:
    return f"{row.id}/dispatch/1"
