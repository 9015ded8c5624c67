"""The one translation from a connector's failure class to what Temporal understands.

Temporal repeats what may pass; what repeating does not cure ends the activity at once and becomes an
exception with an owner. `Throttled` never exhausts: waiting behind a limit is not failure.
"""

from datetime import datetime, timedelta

from temporalio.exceptions import ApplicationError

from connectors.errors import Ambiguous, ConnectorError, Throttled, Transient
from domain.base import Value

_REPEATABLE = (Transient, Throttled, Ambiguous)

EXHAUSTED = "Exhausted"
"""Type of the failure that ends repeating a repeatable class."""


class Patience(Value):
    """How long a class may go on failing, in seconds since the first started attempt."""

    transient: float = 900.0
    ambiguous: float = 3600.0

    def limit(self, error: ConnectorError) -> timedelta | None:
        """None means for ever."""
        if isinstance(error, Throttled):
            return None
        return timedelta(seconds=self.ambiguous if isinstance(error, Ambiguous) else self.transient)


def to_application_error(
    error: ConnectorError, *, first_started: datetime, now: datetime, patience: Patience
) -> ApplicationError:
    """`error` for Temporal: type, facts for the owner, and whether and when to repeat."""
    facts = error.facts()
    if not isinstance(error, _REPEATABLE):
        return ApplicationError(error.message, facts, type=error.kind, non_retryable=True)
    limit = patience.limit(error)
    if limit is not None and now - first_started > limit:
        text = f"{error.message} (still so after {_spoken(now - first_started)})"
        return ApplicationError(text, {**facts, "class": error.kind}, type=EXHAUSTED, non_retryable=True)
    delay = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
    return ApplicationError(error.message, facts, type=error.kind, next_retry_delay=delay)


def defect(
    error: Exception, *, first_started: datetime, now: datetime, patience: Patience
) -> ApplicationError:
    """A failure nobody classified (a bug, our own store): repeated for a while, then handed to its owner."""
    text = f"{type(error).__name__}: {error}"[:2000]
    patient = now - first_started <= timedelta(seconds=patience.transient)
    return ApplicationError(text, type="Defect", non_retryable=not patient)


def _spoken(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
