"""The gateway's connection to Temporal: made when first needed, kept, and made again after a failure."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from temporalio.client import Client

ClientFactory = Callable[[], Awaitable[Client]]


class TemporalLink:
    """Events are accepted while Temporal is away, so the client is made late and a failure is no drama.

    Args:
        factory: makes a client, such as `runtime.connect.connect`; raises when Temporal does not answer.
        pause: seconds after a failed attempt in which nobody tries again (a sweep asks per event).
    """

    def __init__(self, factory: ClientFactory, *, pause: float = 2.0) -> None:
        self._factory = factory
        self._pause = pause
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._failure: Exception | None = None
        self._failed_at = float("-inf")

    async def client(self) -> Client:
        """A client. Raises what the factory raised, at once while the pause lasts."""
        async with self._lock:
            if self._client is None:
                self._client = await self._connected()
            return self._client

    async def check(self, timeout: float = 2.0) -> str:
        """What is wrong with Temporal in one sentence; empty when it answers."""
        try:
            async with asyncio.timeout(timeout):
                client = await self.client()
                if await client.service_client.check_health():
                    return ""
                return "the Temporal server says it is not serving"
        except TimeoutError:
            return f"Temporal did not answer within {timeout:g} s"
        except Exception as error:
            return (str(error).strip() or type(error).__name__).splitlines()[0][:300]

    async def _connected(self) -> Client:
        if self._failure is not None and time.monotonic() - self._failed_at < self._pause:
            raise self._failure.with_traceback(None)
        try:
            return await self._factory()
        except Exception as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
