"""Time stamps of the sandbox: seconds since the epoch, UTC."""

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def utc(stamp: float) -> datetime:
    """The aware UTC datetime of a stamp."""
    return datetime.fromtimestamp(stamp, UTC)


def iso(stamp: float) -> str:
    """ISO 8601 with milliseconds and `Z`, e.g. `2026-11-23T06:00:00.000Z`."""
    return utc(stamp).isoformat(timespec="milliseconds").replace("+00:00", "Z")
