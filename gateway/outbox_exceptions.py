"""Subscribers that do not take their events: one exception each for its owner, closed when they do again."""

from datetime import datetime, timedelta

from domain.attention import Action, AttentionItem
from gateway.outbox_subscribers import Receiver
from store.outbox_ports import DeliveryState, OutboxRow
from store.ports import Store

DUE_IN = timedelta(hours=24)
UNDELIVERED = "UndeliveredEvents"
"""Class of the exception: it is cured by sending again."""


class Undelivered:
    """Keeps one exception per subscriber, however many events it has missed. It is itself told to nobody:
    the subscriber it is about could be the one who is told of exceptions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def raise_for(
        self, receiver: Receiver, event: OutboxRow, state: DeliveryState, reason: str, now: datetime
    ) -> None:
        """Tell the owner. A repeat names the newest event and keeps the time it was first raised."""
        known = await self._store.attention.get(_item_id(receiver.name))
        raised_at = now if known is None or known.state == "resolved" else known.raised_at
        what = "is gone: nothing more is sent to it" if state == "paused" else "does not take its events"
        item = AttentionItem(
            id=_item_id(receiver.name),
            process=f"outbox/{receiver.name}",
            step="deliver",
            headline=f"The subscriber {receiver.name} {what}",
            detail=(
                f"The last event: {reason}. `fairlead events outbox --state {state}` lists what it missed. "
                f"After the cure: `fairlead exceptions resolve {_item_id(receiver.name)} --retry`."
            ),
            object=f"{event.type} {event.subject}",
            systems=(receiver.name,),
            error_class=UNDELIVERED,
            owner=receiver.owner,
            raised_at=raised_at,
            due_at=raised_at + DUE_IN,
            actions=(Action.RETRY,),
            facts={"event": event.id, "subscriber": receiver.name},
        )
        await self._store.attention.put(item)

    async def settle(self, subscriber: str) -> None:
        """Close the exception once nothing is left that the subscriber has missed."""
        item = await self._store.attention.get(_item_id(subscriber))
        if item is None or item.state == "resolved" or await self._store.outbox.unsettled(subscriber):
            return
        await self._store.attention.put(item.with_changes(state="resolved", resolution="it takes them again"))


def _item_id(subscriber: str) -> str:
    return f"outbox/{subscriber}/deliver/1"
