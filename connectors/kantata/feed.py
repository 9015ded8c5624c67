"""What has changed: the `subscribed_events` feed, or polling where the account does not have it.

The feed is a paid add-on for account administrators, kept 7 to 9 days, in no promised order and with
repeats. Where it is refused, or `since` lies before what it keeps, projects are polled by `updated_after`:
that shows neither deletions nor changes of anything but the projects themselves.

Source: Kantata OX API, subscribed events; updated_after filters.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

from connectors.errors import NotFound, Rejected
from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.models import SubscribedEvent, Touched
from domain.delivery import Change

OPERATION = "read changes"


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
        params = {"created_after": self._bound(since), "order": "created_at:asc"}
        events = self._account.iterate(SubscribedEvent, "subscribed_events", params, operation=OPERATION)
        try:
            return await _taken((mapping.change(event) async for event in events), since, limit)
        except (Rejected, NotFound) as refusal:
            if refusal.status in (403, 404):
                return None
            raise

    async def _polled(self, since: datetime, limit: int) -> list[Change]:
        params = {
            "updated_after": self._bound(since),
            "order": "updated_at:asc",
            "include_archived": "true",
        }
        rows = self._account.iterate(Touched, "workspaces", params, operation=OPERATION)
        return await _taken((mapping.polled_change("workspace", row) async for row in rows), since, limit)

    def _bound(self, since: datetime) -> str:
        earlier = since.astimezone(UTC) - timedelta(seconds=self._settings.feed_overlap_seconds)
        return earlier.isoformat(timespec="seconds")


async def _taken(changes: AsyncIterator[Change], since: datetime, limit: int) -> list[Change]:
    """Ascending `changes` from the second of `since` on, until `limit` later ones and a second's end."""
    first = since.replace(microsecond=0)
    taken: list[Change] = []
    later = 0
    async for change in changes:
        if change.at < first:
            continue
        if later >= limit and change.at != taken[-1].at:
            break
        later += change.at > first
        taken.append(change)
    return taken
