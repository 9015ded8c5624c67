"""Taking in pages of approved work: each entry is kept once, whatever comes twice or changes on its way."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.billable import Billable
from store.billing_ports import TakenIn
from store.ports import AuditNote
from store.sql.billing_contracts import note_on_project
from store.sql.billing_intake_rules import Standing, carried_over, is_newer, refusal
from store.sql.billing_problems import heal
from store.sql.billing_rows import BILLABLES, Review, batches, review_of, source_of, values_of

_INSERT = insert(BILLABLES)
_REPLACE = update(BILLABLES).where(BILLABLES.c.key == bindparam("of"))


class Page:
    """What a page of entries does to what is kept, gathered first and then written in few statements."""

    def __init__(self, kept: dict[str, Standing], now: datetime) -> None:
        self._kept = kept
        self._now = now
        self.inserts: dict[str, dict[str, Any]] = {}
        self.updates: dict[str, dict[str, Any]] = {}
        self.cleared: dict[str, tuple[Billable, str]] = {}
        self.refused: dict[str, str] = {}
        self.counts = {"new": 0, "same": 0, "replaced": 0}

    def take(self, came: Billable) -> None:
        standing = self._kept.get(came.key)
        if standing is None:
            self._keep(came, Standing(came), "new")
        elif standing.said.content_hash == came.content_hash:
            self.counts["same"] += 1
            if is_newer(standing.said, came):  # so that older content that comes late is known as older
                self._touch(standing, came)
        elif why := refusal(standing, came):
            self.refused[came.key] = why
        else:
            review, fell = carried_over(standing, came)
            if fell:
                self.cleared[came.key] = (review.over(came), _adjusted(standing.review))
            self._keep(came, Standing(came, review), "replaced")

    def _keep(self, came: Billable, standing: Standing, counted: str) -> None:
        fresh = counted == "new" or came.key in self.inserts
        values = values_of(came, standing.review, self._now)
        (self.inserts if fresh else self.updates)[came.key] = values
        self._kept[came.key] = standing
        self.refused.pop(came.key, None)
        self.counts[counted] += 1

    def _touch(self, standing: Standing, came: Billable) -> None:
        standing.said = standing.said.model_copy(update={"version": came.version})
        values = self.inserts.get(came.key) or self.updates.setdefault(came.key, {})
        values["version"] = came.version
        values["body"] = standing.said.model_copy(update={"invoice": ""}).model_dump_json()


def take_in(connection: Connection, entries: Sequence[Billable], now: datetime) -> TakenIn:
    """Keep a page of entries and heal their problems. See `store.billing_ports.Billing.take_in`."""
    page = Page(_standing(connection, [entry.key for entry in entries]), now)
    for entry in entries:
        page.take(entry)
    if page.inserts:
        connection.execute(_INSERT, list(page.inserts.values()))
    for columns in _alike(page.updates):
        connection.execute(_REPLACE, columns)
    heal(connection, [entry.key for entry in entries if entry.key not in page.refused], now)
    _audit_cleared(connection, page, now)
    return TakenIn(
        **page.counts,
        refused=tuple(page.refused.items()),
        cleared=tuple((key, why) for key, (_, why) in page.cleared.items()),
    )


def _standing(connection: Connection, keys: Sequence[str]) -> dict[str, Standing]:
    kept: dict[str, Standing] = {}
    for batch in batches(keys):
        # In order of the key, so that two pages at once never wait for each other in a circle.
        query = select(BILLABLES).where(BILLABLES.c.key.in_(batch)).order_by(BILLABLES.c.key)
        for found in connection.execute(query.with_for_update()):
            kept[found.key] = Standing(source_of(found), review_of(found), found.invoice)
    return kept


def _alike(updates: dict[str, dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows of whole replacements and rows of new versions apart: one statement has one set of columns."""
    for whole in (True, False):
        rows = [{"of": key, **values} for key, values in updates.items() if ("key" in values) is whole]
        if rows:
            yield rows


def _audit_cleared(connection: Connection, page: Page, now: datetime) -> None:
    """The one change of a page that undoes a person's decision."""
    for key, (entry, why) in sorted(page.cleared.items(), key=lambda item: (item[1][0].project, item[0])):
        said = AuditNote(
            what=f"adjustment of entry {key} fell: its source changed it",
            object=key,
            before=why,
            key=f"{key}/{entry.content_hash}",
            outcome="adjustment cleared",
        )
        note_on_project(connection, entry.project, now, said)


def _adjusted(review: Review) -> str:
    assert review.adjustment is not None  # noqa: S101  only an adjustment that was there can fall
    made = review.adjustment
    return f"its adjustment by {made.amount} ({made.reason_code}, {made.by}) was for what it was worth before"
