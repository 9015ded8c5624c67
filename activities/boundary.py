"""What every call to a system has around it: heartbeats, and failures translated once.

Heartbeats find dead workers (a write may take minutes, its worker's death is seen after the heartbeat
timeout) and carry the time of the first started attempt, from which patience counts. A call that is over
before the first beat is due sends none: the server writes each one down, which costs as much as a step.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import Patience, defect, to_application_error
from connectors.errors import ConnectorError

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Boundary:
    """`async with boundary(): ...` around the body of an activity that calls a system."""

    def __init__(self, patience: Patience | None = None, clock: Clock = utc_now) -> None:
        self._patience = patience or Patience()
        self._clock = clock

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        info = activity.info()
        first_started = _first_started(info)
        beats = _start_heartbeats(info.heartbeat_timeout, first_started)
        try:
            yield
        except ConnectorError as error:
            _tell_next_attempt(first_started)
            raise to_application_error(
                error, first_started=first_started, now=self._clock(), patience=self._patience
            ) from error
        except (ApplicationError, asyncio.CancelledError):
            _tell_next_attempt(first_started)
            raise
        except Exception as error:
            _tell_next_attempt(first_started)
            raise defect(
                error, first_started=first_started, now=self._clock(), patience=self._patience
            ) from error
        finally:
            if beats is not None:
                beats.cancel()


def _first_started(info: activity.Info) -> datetime:
    """When the first attempt began: the heartbeat details of a former attempt know it."""
    for detail in info.heartbeat_details:
        if isinstance(detail, str):
            return datetime.fromisoformat(detail)
    return info.started_time


def _tell_next_attempt(first_started: datetime) -> None:
    """Heartbeat details outlive the attempt, so the next one knows when the first began."""
    activity.heartbeat(first_started.isoformat())


def _start_heartbeats(timeout: timedelta | None, first_started: datetime) -> "asyncio.Task[None] | None":
    if timeout is None:
        return None
    return asyncio.create_task(_beat(timeout.total_seconds() / 4, first_started.isoformat()))


async def _beat(every: float, detail: str) -> None:
    while True:
        await asyncio.sleep(every)
        activity.heartbeat(detail)
