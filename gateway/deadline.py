"""The time one request of the API may take in all, and who kept it waiting when that has passed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import Request

from gateway.problems import Refusal

LIMIT = 1.9
"""Seconds from the request's arrival to its answer: two, less the way there and back."""
RETRY_AFTER = 5
"""Seconds after which whoever asked may ask again."""

_log = structlog.get_logger("fairlead.gateway.api")


def no_answer(system: str, *, again: str = "Nothing was changed; ask again.") -> Refusal:
    """503 naming the system that kept us waiting."""
    return Refusal(
        503,
        f"{system} did not answer in time. {again}",
        reason=f"{system} did not answer within {LIMIT} s",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


class Deadline:
    """Runs from its making. One per request, shared by all it waits for."""

    def __init__(self, seconds: float = LIMIT) -> None:
        self._ends = asyncio.get_running_loop().time() + seconds

    @classmethod
    def of(cls, request: Request) -> "Deadline":
        """The deadline of this request; it begins with the first who asks."""
        known = getattr(request.state, "deadline", None)
        if known is None:
            known = request.state.deadline = cls(getattr(request.app.state, "api_limit", LIMIT))
        assert isinstance(known, Deadline)  # noqa: S101  set here alone
        return known

    @property
    def left(self) -> float:
        """Seconds until it passes; zero when it has."""
        return max(0.0, self._ends - asyncio.get_running_loop().time())

    @asynccontextmanager
    async def waiting_for(self, system: str, refusal: Refusal | None = None) -> AsyncIterator[None]:
        """What is awaited inside ends with the deadline. Raises `refusal`, else 503 naming `system`."""
        try:
            async with asyncio.timeout_at(self._ends):
                yield
        except TimeoutError:
            _log.warning("no_answer_in_time", system=system)
            raise refusal or no_answer(system) from None
