"""Between a billable and its row: what its source said, and what a review here changed of it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from sqlalchemy import Row

from domain.base import Value
from domain.billable import Adjustment, Billable
from store.sql.billing_amounts import to_minor
from store.sql.billing_tables import BillableRecord
from store.sql.tables import table

BILLABLES = table(BillableRecord)

BATCH = 500
"""Keys in one statement: SQLite and drivers bound the number of parameters."""

Cause = Literal["ready", "held", "parked", "not_billable"]
_MINUTES = {"minutes": Decimal(1), "hours": Decimal(60)}


class Review(Value):
    """What people made of an entry; None where the source's word stands."""

    held: bool | None = None
    hold_reason: str | None = None
    parked: bool | None = None
    adjustment: Adjustment | None = None
    project: str | None = None
    line: int | None = None
    entity: str | None = None
    narrative: str | None = None

    def over(self, said: Billable) -> Billable:
        """`said` with the changes of this review."""
        changes = {name: value for name, value in self if value is not None}
        return said.model_copy(update=changes) if changes else said


def source_of(found: Row[Any]) -> Billable:
    """The entry as its source said it."""
    return Billable.model_validate_json(found.body)


def review_of(found: Row[Any]) -> Review:
    return Review.model_validate_json(found.review) if found.review else Review()


def billable_of(found: Row[Any]) -> Billable:
    """The entry as it stands."""
    said = source_of(found)
    if found.invoice:
        said = said.model_copy(update={"invoice": found.invoice})
    return review_of(found).over(said) if found.review else said


def values_of(said: Billable, review: Review, now: datetime) -> dict[str, Any]:
    """The columns of an entry that is on no invoice. Raises `StoreError` for an amount out of range."""
    stands = review.over(said)
    return {
        "key": said.key,
        "content_hash": said.content_hash,
        "version": said.version,
        "source": said.source,
        "kind": said.kind,
        "resource": said.resource,
        "work_date": said.work_date,
        "currency": said.amount.currency if said.amount else "",
        "amount_minor": to_minor(said.amount) if said.amount else 0,
        "minutes": _minutes(said),
        "approval_days": _approval_days(said),
        "taken_at": now,
        "invoice": "",
        "body": said.model_copy(update={"invoice": ""}).model_dump_json(),
        **reviewed(stands, review),
    }


def reviewed(stands: Billable, review: Review) -> dict[str, Any]:
    """The columns that a review may change."""
    return {
        "project": stands.project,
        "line": stands.line,
        "entity": stands.entity,
        "cause": cause_of(stands),
        "review": "" if review == Review() else review.model_dump_json(exclude_none=True),
    }


def cause_of(entry: Billable) -> Cause:
    """Why an entry on no invoice is not billed yet: the hardest reason first."""
    if not entry.billable:
        return "not_billable"
    if entry.parked:
        return "parked"
    return "held" if entry.held else "ready"


def _minutes(said: Billable) -> int:
    """For figures only, so that a part of a minute may be rounded; prices use the quantity itself."""
    if said.quantity is None or said.quantity.unit not in _MINUTES:
        return 0
    minutes = said.quantity.amount * _MINUTES[said.quantity.unit]
    return int(minutes.quantize(Decimal(1), ROUND_HALF_UP))


def _approval_days(said: Billable) -> int | None:
    if said.approved_at is None:
        return None
    return (said.approved_at.astimezone(UTC).date() - said.work_date).days


def batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Distinct keys in order, in portions that one statement can take."""
    distinct = sorted(set(keys))
    for start in range(0, len(distinct), BATCH):
        yield distinct[start : start + BATCH]
