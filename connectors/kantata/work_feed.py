"""Approved time and expenses since a moment, wherever and however late they were approved.

Approving does not promise to change the entry's own stamp, so a drain goes two ways, one after the other:

1. *approvals*: submissions changed since and approved; of their lines those that were **not** changed since,
   as all others come the second way. Without a `since` the second way has everything.
2. *entries*: approved entries changed since: projects without approvals, and changes after approval.

The mark of a drain is what had changed when it began (`ceiling`: the newest stamp then known, by the vendor's
own clock), and it is given only when both ways have been gone to their end: what changes or is approved
meanwhile has a later stamp, and comes with the next drain at the latest. Positions within are cursors of
window.py: after a crash the same page is read again, and nothing between two pages is lost.

Source: Kantata OX API, time entries (`order=updated_at`), expenses (no order by change), submissions
(`order=date`, `statuses`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError

from connectors.errors import Rejected
from connectors.kantata import work_mapping
from connectors.kantata.account import Account
from connectors.kantata.models import Touched
from connectors.kantata.settings import KantataSettings
from connectors.kantata.tasks import Tasks
from connectors.kantata.window import LARGEST_PAGE, Cursor, Page, Window
from connectors.kantata.work_models import ExpenseRow, LineRow, SubmissionRow, TimeEntryRow
from domain.base import Value
from domain.delivery import Expense, TimeEntry
from domain.intake import FeedPosition, Unreadable, WorkPage

Stage = Literal["approvals", "entries"]


class Token(Value):
    """Where a drain stands, as text in `FeedPosition.page`."""

    stage: Stage
    ceiling: datetime | None
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Kind:
    """Time or expenses: where they are and what comes with them."""

    name: Literal["time", "expense"]
    collection: str
    submissions: str
    include: str
    order: str
    model: type[TimeEntryRow] | type[ExpenseRow]

    @property
    def by_change(self) -> bool:
        """Whether the list of entries can be ordered by change."""
        return self.order.startswith("updated_at")


TIME = Kind(
    *("time", "time_entries", "timesheet_submissions"),
    include="user,story,workspace,role,active_submission",
    order="updated_at:asc",
    model=TimeEntryRow,
)
EXPENSE = Kind(
    *("expense", "expenses", "expense_report_submissions"),
    include="user,story,workspace,active_submission",
    order="created_at:asc",
    model=ExpenseRow,
)


class WorkFeed:
    """Pages of approved work."""

    def __init__(self, account: Account, tasks: Tasks) -> None:
        self._account = account
        self._settings: KantataSettings = account.settings
        self._tasks = tasks

    async def approved_time(self, position: FeedPosition, limit: int) -> WorkPage:
        """One page of approved time. See `PsaPort`."""
        return await self._page(TIME, position, limit, "read approved time")

    async def approved_expenses(self, position: FeedPosition, limit: int) -> WorkPage:
        """One page of approved expenses. See `PsaPort`."""
        return await self._page(EXPENSE, position, limit, "read approved expenses")

    async def _page(self, kind: Kind, position: FeedPosition, limit: int, operation: str) -> WorkPage:
        size = max(1, min(limit, self._settings.page_size))
        bound = self._bound(position.since)
        token = self._token(position.page, operation)
        if token is None:
            ceiling = await self._newest(kind, operation)
            stage: Stage = "entries" if bound is None else "approvals"
            token = Token(stage=stage, ceiling=ceiling, cursor=Cursor(after=bound))
        if token.stage == "approvals":
            return await self._approvals(kind, token, position, size, operation)
        return await self._entries(kind, token, position, size, operation)

    async def _approvals(
        self, kind: Kind, token: Token, position: FeedPosition, size: int, operation: str
    ) -> WorkPage:
        params = {"statuses": "approved", "include": kind.collection, "order": "date:asc"}
        window = Window(self._account, kind.submissions, params, by_change=False)
        page = await window.read(token.cursor, size, operation)
        bound = self._bound(position.since)
        taken, ids = self._lines(kind, page, bound, size, operation)
        if token.cursor.next == 0:
            # Read before anything else of this drain, its stamps are known to lie before all that follows.
            stamps = [seen.at for seen in page.came]
            token = token.with_changes(ceiling=_latest(token.ceiling, *stamps))
        rows = await self._rows(kind, ids, operation)
        if taken == len(page.new) and page.ended:
            token = Token(stage="entries", ceiling=token.ceiling, cursor=Cursor(after=bound))
        else:
            token = token.with_changes(cursor=window.after(page, taken))
        return await self._work(kind, rows, operation, token.model_dump_json(), position.since)

    async def _entries(
        self, kind: Kind, token: Token, position: FeedPosition, size: int, operation: str
    ) -> WorkPage:
        params: dict[str, str | int] = {
            "approved": "true",
            "include": kind.include,
            "order": kind.order,
            "from_archived_workspaces": "true",
        }
        if not self._settings.read_invoiced:
            params["uninvoiced"] = "true"
        window = Window(self._account, kind.collection, params, by_change=kind.by_change)
        page = await window.read(token.cursor, size, operation)
        mark = _latest(position.since, token.ceiling) if page.ended else position.since
        following = ""
        if not page.ended:
            cursor = window.after(page, len(page.new))
            following = token.with_changes(cursor=cursor).model_dump_json()
        return await self._work(kind, [seen.row for seen in page.new], operation, following, mark)

    def _lines(
        self, kind: Kind, page: Page, bound: datetime | None, size: int, operation: str
    ) -> tuple[int, list[str]]:
        """How many submissions make a page, and which of their lines the second way will not bring."""
        ids: dict[str, None] = {}
        taken = 0
        for seen in page.new:
            submission = self._account.read_row(SubmissionRow, kind.submissions, seen.row, operation)
            mine = self._unchanged(kind, submission, bound, operation)
            # A submission is taken whole, at least one.
            if taken and len(ids) + len(mine) > size:
                break
            ids |= dict.fromkeys(mine)
            taken += 1
        return taken, list(ids)

    def _unchanged(
        self, kind: Kind, submission: SubmissionRow, bound: datetime | None, operation: str
    ) -> list[str]:
        """Ids of the lines that did not change since; a line that is not shown counts as one of them."""
        ids = submission.time_entry_ids if kind is TIME else submission.expense_ids
        if ids is None:
            words = f"the answer does not show the lines of submission {submission.id}"
            raise self._account.error(
                Rejected, operation, words, field=kind.collection, rule="schema.missing_field"
            )
        sides = submission.time_entries if kind is TIME else submission.expenses
        changed = {side.id for side in sides if bound is not None and side.updated_at > bound + _SECOND}
        return [id for id in ids if id not in changed]

    async def _rows(self, kind: Kind, ids: Sequence[str], operation: str) -> list[dict[str, Any]]:
        """Entries by id, as far as they are approved now."""
        rows: list[dict[str, Any]] = []
        for start in range(0, len(ids), LARGEST_PAGE):
            params: dict[str, str | int] = {
                "only": ",".join(ids[start : start + LARGEST_PAGE]),
                "approved": "true",
                "include": kind.include,
                "from_archived_workspaces": "true",
                "limit": LARGEST_PAGE,
                "offset": 0,
            }
            rows += await self._account.page(kind.collection, params, operation=operation)
        return rows

    async def _work(
        self,
        kind: Kind,
        rows: Sequence[dict[str, Any]],
        operation: str,
        following: str,
        mark: datetime | None,
    ) -> WorkPage:
        read: list[TimeEntryRow | ExpenseRow] = []
        unreadable: list[Unreadable] = []
        for row in rows:
            try:
                read.append(kind.model.model_validate(row))
            except ValidationError as error:
                unreadable.append(self._unshaped(kind, row, error, operation))
        refs = await self._tasks.refs([row.story_id for row in read if row.story_id], operation)
        entries: list[TimeEntry] = []
        expenses: list[Expense] = []
        for line in sorted(read, key=_by_change):
            ref = refs.get(line.story_id or "", "")
            try:
                if isinstance(line, TimeEntryRow):
                    entries.append(work_mapping.time_entry(self._account.system, line, ref))
                else:
                    expenses.append(work_mapping.expense(self._account.system, line, ref, self._settings))
            except work_mapping.Refused as refused:
                unreadable.append(work_mapping.unreadable(kind.name, line, refused))
        return WorkPage(
            entries=tuple(entries),
            expenses=tuple(expenses),
            unreadable=tuple(unreadable),
            next_page=following,
            mark=mark,
        )

    def _unshaped(
        self, kind: Kind, row: dict[str, Any], error: ValidationError, operation: str
    ) -> Unreadable:
        """A record with a value of the wrong kind. Raises `Rejected` for a missing field, which is drift."""
        problems = error.errors(include_url=False, include_input=False)
        if any(problem["type"] == "missing" for problem in problems):
            self._account.read_row(kind.model, kind.collection, row, operation)
        first = problems[0]
        touched = self._account.read_row(Touched, kind.collection, row, operation)
        return Unreadable(
            kind=kind.name,
            external_id=touched.id,
            field=".".join(str(part) for part in first["loc"]),
            problem=first["msg"],
            project_external_id=str(row.get("workspace_id") or ""),
            version=touched.updated_at,
        )

    async def _newest(self, kind: Kind, operation: str) -> datetime | None:
        """The newest stamp to be had at once: what the vendor's clock has shown at least."""
        probes = [("time_entries", "updated_at:desc")]
        if not kind.by_change:
            probes.append((kind.collection, "created_at:desc"))
        stamps = []
        for collection, order in probes:
            params: dict[str, str | int] = {"order": order, "from_archived_workspaces": "true"}
            params |= {"limit": 1, "offset": 0}
            rows = await self._account.page(collection, params, operation=operation)
            stamps += [self._account.read_row(Touched, collection, row, operation).updated_at for row in rows]
        return _latest(*stamps)

    def _bound(self, since: datetime | None) -> datetime | None:
        if since is None:
            return None
        return since.replace(microsecond=0) - timedelta(seconds=self._settings.feed_overlap_seconds)

    def _token(self, page: str, operation: str) -> Token | None:
        if not page:
            return None
        try:
            return Token.model_validate_json(page)
        except ValidationError:
            words = f"{page[:60]!r} is not a page of this feed; begin again without one"
            raise self._account.error(Rejected, operation, words, rule="feed.page") from None


_SECOND = timedelta(seconds=1)


def _latest(*stamps: datetime | None) -> datetime | None:
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def _by_change(row: LineRow) -> tuple[datetime, int, str]:
    return row.updated_at, len(row.id), row.id
