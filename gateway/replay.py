"""Events again: put kept events back to `received`, for the sweeper to dispatch like new ones."""

from dataclasses import dataclass
from datetime import datetime

from domain.events import newest
from store.ports import InboxRow, Store

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay did, or would do."""

    events: tuple[InboxRow, ...]
    """Oldest first, as they stood before."""
    replayed: int
    truncated: bool
    """There may be more than `MOST`; replay again with a later `since`."""


async def replay_events(store: Store, type: str | None, since: datetime | None, dry_run: bool) -> Replay:
    """Replay the events of `type` (`None` = all) received since then. Effects that landed stay one.

    A type that the catalogue does not list is accepted if the inbox holds it: its events are poison, and
    a replay is how they are cured once the catalogue knows them. Raises `KeyError`, naming the types
    there are, when neither knows it; `ValueError` for a `since` without time zone.
    """
    if since is not None and since.tzinfo is None:
        raise ValueError(
            f"{since.isoformat()} has no time zone; write it with an offset, such as ...T00:00:00Z"
        )
    found = await store.inbox.list(type=type, since=since, limit=MOST)
    if type is not None and not found and not await store.inbox.list(type=type, limit=1):
        newest(type)
    events = tuple(sorted(found, key=lambda row: (row.received_at, row.id)))
    replayed = 0 if dry_run else await store.inbox.replay([row.id for row in events])
    return Replay(events, replayed, truncated=len(events) == MOST)
