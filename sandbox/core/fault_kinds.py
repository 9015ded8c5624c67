"""The kinds of fault: when each strikes and what it needs.

| when | kinds |
|---|---|
| before: nothing applied | throttle, throttle_retry_after, server_error, unavailable, record_locked,
period_closed, concurrency, reject, reset_before, timeout_not_applied, hold_before_apply, token_expired |
| after: applied, answer spoilt | error_after_apply, reset, timeout_applied, late, hold_after_apply |
| in the content | stale_read, unknown_field, missing_field, new_enum |
| in the handler | partial_batch, page_shift |
| on the way out | webhook_duplicate, webhook_reorder, webhook_lost |
"""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["before", "after", "content", "handler", "webhook"]


@dataclass(frozen=True, slots=True)
class KindOfFault:
    """`on` limits a kind to reads, writes or posting writes, where it only exists there."""

    stage: Stage
    meaning: str
    on: Literal["all", "reads", "writes", "postings"] = "all"
    seconds: float | None = None
    """Default delay or age in seconds; None: until the client goes away, or not used."""
    count: int | None = None
    """Default number of firings; None: unlimited."""


KINDS: dict[str, KindOfFault] = {
    "throttle": KindOfFault("before", "the vendor's own throttling answer, without Retry-After"),
    "throttle_retry_after": KindOfFault("before", "429 with Retry-After: seconds", seconds=1),
    "server_error": KindOfFault("before", "500, not applied"),
    "unavailable": KindOfFault("before", "503, not applied"),
    "record_locked": KindOfFault("before", "the vendor's lock error", on="writes"),
    "period_closed": KindOfFault("before", "the vendor's closed-period error", on="postings"),
    "concurrency": KindOfFault("before", "the vendor's refusal of too many requests in flight"),
    "reject": KindOfFault("before", "the vendor's validation error, for good", on="writes"),
    "reset_before": KindOfFault("before", "connection closed, not applied"),
    "timeout_not_applied": KindOfFault("before", "never applied, answer held, then 503"),
    "hold_before_apply": KindOfFault("before", "marker file, answer held, never applied"),
    "token_expired": KindOfFault("before", "all tokens issued so far become invalid", count=1),
    "error_after_apply": KindOfFault("after", "500 after applying", on="writes"),
    "reset": KindOfFault("after", "applied, then the connection is closed in the middle of the body"),
    "timeout_applied": KindOfFault("after", "applied, then the answer is held"),
    "late": KindOfFault("after", "applied, answered after seconds", seconds=2),
    "hold_after_apply": KindOfFault("after", "applied, marker file, answer held"),
    "stale_read": KindOfFault("content", "reads do not show writes younger than seconds", "reads", seconds=5),
    "unknown_field": KindOfFault("content", "answers carry an unexpected field"),
    "missing_field": KindOfFault("content", "an expected field is absent from answers"),
    "new_enum": KindOfFault("content", "an unexpected enumeration value in answers"),
    "partial_batch": KindOfFault("handler", "a bulk write applies only some rows", on="writes"),
    "page_shift": KindOfFault("handler", "rows are inserted or removed between pages", on="reads"),
    "webhook_duplicate": KindOfFault("webhook", "the event is delivered twice"),
    "webhook_reorder": KindOfFault(
        "webhook", "the event is delivered after the next one, or after seconds", seconds=1
    ),
    "webhook_lost": KindOfFault("webhook", "the event is never delivered"),
}
