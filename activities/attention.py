"""The projection of a process's exceptions into the store, for lists, work lists and alerts."""

from temporalio import activity

from domain.attention import AttentionItem
from domain.outbound_notes import exception_told
from store.ports import Store


class AttentionActivities:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="attention.put")
    async def put(self, item: AttentionItem) -> None:
        """Show `item` as it stands in its process; the store audits what changed."""
        await self._store.attention.put(item, tells=(exception_told(item),))
