"""What every call to a system has around it: heartbeats, and failures translated once.

Heartbeats find dead workers (a write may take minutes, its worker's death is seen after the heartbeat
timeout) and carry the time of the first started attempt, from which patience counts. A call that is over
before the first beat is due sends none: the server writes each one down, which costs as much as a step.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import Patience, defect, to_application_error
from connectors.errors import ConnectorError
from domain.base import Value

V = TypeVar("V", bound=Value)
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Boundary:
    """`async with boundary(): ...` around the body of an activity that calls a system."""

    def __init__(self, patience: Patience | None = None, clock: Clock = utc_now) -> None:
        self._patience = patience or Patience()
        self._clock = clock

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator["Beats"]:
        info = activity.info()
        beats = Beats(_first_started(info), self._clock, _told(info))
        beating = _start_heartbeats(info.heartbeat_timeout, beats)
        try:
            yield beats
        except ConnectorError as error:
            beats.send()
            raise to_application_error(
                error, first_started=beats.since, now=self._clock(), patience=self._patience
            ) from error
        except (ApplicationError, asyncio.CancelledError):
            beats.send()
            raise
        except Exception as error:
            beats.send()
            raise defect(
                error, first_started=beats.since, now=self._clock(), patience=self._patience
            ) from error
        finally:
            if beating is not None:
                beating.cancel()


class Beats:
    """What the heartbeats of an attempt say. It outlives the attempt: the next one goes on from it."""

    def __init__(self, since: datetime, clock: Clock, told: Sequence[object] = ()) -> None:
        self.since = since
        """When the first attempt began, or the last progress was made: patience counts from here."""
        self._clock = clock
        self._progress: tuple[object, ...] = tuple(told)

    def progress(self, position: Value) -> None:
        """A part is done; a later attempt begins at `position` (see `resumed`)."""
        self.since, self._progress = self._clock(), (position,)
        self.send()

    def send(self) -> None:
        activity.heartbeat(self.since.isoformat(), *self._progress)


def resumed(kind: type[V]) -> V | None:
    """The position that an earlier attempt of this activity told last; None for the first."""
    told = _told(activity.info())
    return kind.model_validate(told[0]) if told else None


def _told(info: activity.Info) -> list[object]:
    """The position in the heartbeat of an earlier attempt, as it was sent."""
    return [detail for detail in info.heartbeat_details if isinstance(detail, dict)]


def _first_started(info: activity.Info) -> datetime:
    """When the first attempt began: the heartbeat details of a former attempt know it."""
    for detail in info.heartbeat_details:
        if isinstance(detail, str):
            return datetime.fromisoformat(detail)
    return info.started_time


def _start_heartbeats(timeout: timedelta | None, beats: Beats) -> "asyncio.Task[None] | None":
    if timeout is None:
        return None
    return asyncio.create_task(_beat(timeout.total_seconds() / 4, beats))


async def _beat(every: float, beats: Beats) -> None:
    while True:
        await asyncio.sleep(every)
        beats.send()
