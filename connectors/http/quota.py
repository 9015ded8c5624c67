"""How much of an account's allowance is used, and a cap on our own calls in flight.

The cap is per process: an account limited by concurrency is served by one worker process. Daily and
hourly allowances are only read here (they are alerts and checks); waiting is Temporal's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gauge:
    """One allowance as the vendor states it: `used` of `maximum` calls."""

    name: str
    used: int
    maximum: int

    @property
    def left(self) -> int:
        return max(0, self.maximum - self.used)

    def __str__(self) -> str:
        return f"{self.name} {self.used} of {self.maximum}"


ReadGauges = Callable[[Mapping[str, str]], Sequence[Gauge]]
"""Response headers (names in lower case) -> gauges; total: returns none where it understands nothing."""


def no_gauges(headers: Mapping[str, str]) -> Sequence[Gauge]:
    """For vendors that publish no allowance in headers."""
    return ()


class InFlight:
    """At most `limit` calls at once; others wait their turn. `limit` 0 means no cap."""

    def __init__(self, limit: int = 0) -> None:
        if limit < 0:
            raise ValueError(
                f"a cap of {limit} calls in flight makes no sense; give 0 for none, or 1 and more"
            )
        self.limit = limit
        self.now = 0
        self.highest = 0
        self._turns = asyncio.Semaphore(limit) if limit else None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one place while the call is in flight."""
        if self._turns is not None:
            await self._turns.acquire()
        self.now += 1
        self.highest = max(self.highest, self.now)
        try:
            yield
        finally:
            self.now -= 1
            if self._turns is not None:
                self._turns.release()
