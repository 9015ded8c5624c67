"""What has changed: the `subscribed_events` feed, or polling where the account does not have it.

The feed is a paid add-on for account administrators, kept 7 to 9 days, in no promised order and with
repeats. Where it is refused, or `since` lies before what it keeps, projects are polled by `updated_after`:
that shows neither deletions nor changes of anything but the projects themselves.

Source: Kantata OX API, subscribed events; updated_after filters.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from connectors.errors import NotFound, Rejected
from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.models import SubscribedEvent, Touched
from connectors.kantata.settings import KantataSettings
from domain.delivery import Change

OPERATION = "read changes"
Item = TypeVar("Item")


class Feed:
    """Changes since a moment, oldest first."""

    def __init__(self, account: Account, clock: Callable[[], datetime]) -> None:
        self._account = account
        self._settings = account.settings
        self._clock = clock

    async def changes(self, since: datetime, limit: int) -> Sequence[Change]:
        """Changes at or after `since`, each once. Raises `ValueError` for a time without zone.

        Kantata's stamps are whole seconds, and a bulk write makes hundreds in one. So that a reader who goes
        on from the last stamp always gets ahead, a second is given whole once begun, and `limit` counts only
        what is later than the second of `since`.
        """
        if since.tzinfo is None:
            raise ValueError("since needs a time zone, such as 2026-11-23T06:00:00Z")
        found = await self._events(since, limit) if self._feed_reaches(since) else None
        if found is None:
            found = await self._polled(since, limit)
        return sorted(found, key=lambda change: (change.at, change.event_id))

    def _feed_reaches(self, since: datetime) -> bool:
        kept = timedelta(days=self._settings.event_retention_days)
        return self._settings.event_feed and self._clock() - since < kept

    async def _events(self, since: datetime, limit: int) -> list[Change] | None:
        """The feed; None where the account does not have it."""
        params = {"created_after": change_bound(since, self._settings), "order": "created_at:asc"}
        events = self._account.iterate(SubscribedEvent, "subscribed_events", params, operation=OPERATION)
        try:
            changes = (mapping.change(event) async for event in events)
            return await taken(changes, lambda change: change.at, since, limit)
        except (Rejected, NotFound) as refusal:
            if refusal.status in (403, 404):
                return None
            raise

    async def _polled(self, since: datetime, limit: int) -> list[Change]:
        params = {
            "updated_after": change_bound(since, self._settings),
            "order": "updated_at:asc",
            "include_archived": "true",
        }
        rows = self._account.iterate(Touched, "workspaces", params, operation=OPERATION)
        changes = (mapping.polled_change("workspace", row) async for row in rows)
        return await taken(changes, lambda change: change.at, since, limit)


def change_bound(since: datetime, settings: KantataSettings) -> str:
    """`since` as a filter, a little earlier: whether the vendor's bounds are inclusive is not documented."""
    earlier = since.astimezone(UTC) - timedelta(seconds=settings.feed_overlap_seconds)
    return earlier.isoformat(timespec="seconds")


async def taken(
    items: AsyncIterator[Item], at: Callable[[Item], datetime], since: datetime | None, limit: int
) -> list[Item]:
    """Ascending `items` from the second of `since` on, until `limit` later ones and a second's end."""
    first = since.replace(microsecond=0) if since else None
    found: list[Item] = []
    later = 0
    async for item in items:
        if first is not None and at(item) < first:
            continue
        if later >= limit and at(item) != at(found[-1]):
            break
        later += first is None or at(item) > first
        found.append(item)
    return found
