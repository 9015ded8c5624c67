"""A list read in pages while its rows move, without a cursor of the vendor's.

Kantata pages by offset only. A window is a list with a fixed lower bound of change (`updated_after`): rows
that change meanwhile move to its end or stay, rows that leave it draw those behind them forward. So each page
begins with the last rows of the one before (`tail`): while one of them still comes unchanged, nothing between
the two pages was lost. When none does, more rows have left than the tail holds, and the reading goes back
until they meet again, at worst to the beginning of the window. A row may come twice, never not at all.

In a list ordered by change the window follows: when many rows have been read, its bound is set to just before
the last one, so that offsets stay small.

Source: Kantata OX API, paging (`limit`, `offset`), `updated_after`, `order`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kantata.account import OVERLAP, Account
from connectors.kantata.models import Touched
from domain.base import Value

LARGEST_PAGE = 200
FOLLOW_AFTER = 2_000
"""Rows after which the bound of a list ordered by change follows."""


class Cursor(Value):
    """Where the reading of a window stands; small enough to be handed around as text."""

    after: datetime | None = None
    """Bound of the window: changed after this."""
    next: int = 0
    """Rows of the window that have been read."""
    tail: tuple[str, ...] = ()
    """Marks of the last of them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A row with its place in the window and its change stamp."""

    place: int
    id: str
    at: datetime
    row: dict[str, Any]

    @property
    def mark(self) -> str:
        """Row and change stamp: a row that changed meanwhile is another, and may stand elsewhere."""
        return f"{self.id}@{int(self.at.timestamp())}"


@dataclass(frozen=True, slots=True)
class Page:
    """What one reading brought."""

    cursor: Cursor
    came: Sequence[Seen]
    """All rows that came, those of the tail too."""
    new: Sequence[Seen]
    """Those to go on with."""
    ended: bool
    """Whether the window ends with this page."""


class Window:
    """One list of the account, with its filters and its order."""

    def __init__(
        self, account: Account, collection: str, params: Mapping[str, str | int], *, by_change: bool
    ) -> None:
        self._account = account
        self._collection = collection
        self._params = params
        self._by_change = by_change
        self._slack = timedelta(seconds=account.settings.feed_overlap_seconds)

    async def read(self, cursor: Cursor, size: int, operation: str) -> Page:
        """The rows after `cursor`: `size` new ones at most, within one page of the vendor."""
        start = max(0, cursor.next - len(cursor.tail))
        size = min(size + len(cursor.tail), LARGEST_PAGE)
        while True:
            came, full = await self._page(cursor, start, size, operation)
            if start == 0 or {seen.mark for seen in came} & set(cursor.tail):
                break
            start = max(0, start - LARGEST_PAGE + OVERLAP)
        new = [seen for seen in came if seen.mark not in cursor.tail]
        return Page(cursor, came, new, ended=not full)

    def after(self, page: Page, taken: int) -> Cursor:
        """Where to go on when the first `taken` of the new rows have been used."""
        if taken == 0:
            return page.cursor
        # What came is either of the tail or new: with all of the new taken, all of it has been read.
        last = page.came[-1] if taken == len(page.new) else page.new[taken - 1]
        bound = last.at - self._slack
        follows = self._by_change and last.place >= FOLLOW_AFTER
        if follows and (page.cursor.after is None or bound > page.cursor.after):
            return Cursor(after=bound)
        seen = [row.mark for row in page.came if row.place <= last.place]
        return Cursor(after=page.cursor.after, next=last.place + 1, tail=tuple(seen[-OVERLAP:]))

    async def _page(self, cursor: Cursor, start: int, size: int, operation: str) -> tuple[list[Seen], bool]:
        params: dict[str, str | int] = {**self._params, "limit": size, "offset": start}
        if cursor.after is not None:
            params["updated_after"] = cursor.after.astimezone(UTC).isoformat(timespec="seconds")
        rows = await self._account.page(self._collection, params, operation=operation)
        once: dict[str, tuple[datetime, dict[str, Any]]] = {}
        for row in rows:
            touched = self._account.read_row(Touched, self._collection, row, operation)
            once.setdefault(touched.id, (touched.updated_at, row))
        found = list(once.items())
        if self._by_change:
            # What a page holds is the vendor's; in which order it names it should not matter.
            found.sort(key=lambda item: (item[1][0], len(item[0]), item[0]))
        seen = [Seen(start + number, id, at, row) for number, (id, (at, row)) in enumerate(found)]
        return seen, len(rows) >= size
