"""A gateway in this process, with a real store and a recording Temporal."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import Gateway, build_gateway
from gateway.dispatch import Dispatcher
from gateway.temporal_link import TemporalLink
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import PEOPLE, PSAS, Clock, GatewayTestFirm, RecordingTemporal, settings


@dataclass(frozen=True)
class Running:
    """Everything a test looks at."""

    app: FastAPI
    http: httpx.AsyncClient
    store: SqlStore
    temporal: RecordingTemporal
    clock: Clock

    @property
    def parts(self) -> Gateway:
        parts: Gateway = self.app.state.gateway
        return parts

    async def ids(self) -> list[str]:
        """Ids of all rows of the inbox."""
        return sorted(row.id for row in await self.store.inbox.list(limit=10_000))

    async def dispatched(self) -> None:
        """Returns when what was accepted has been dispatched."""
        await self.parts.background.idle()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def temporal() -> RecordingTemporal:
    return RecordingTemporal()


@pytest.fixture
def timed_store(store_factory: Callable[..., SqlStore], clock: Clock) -> SqlStore:
    """A fresh store that runs on the test's clock."""
    moving: Callable[[], datetime] = clock
    return store_factory(clock=moving)


@pytest.fixture
def dispatcher(
    timed_store: SqlStore, temporal: RecordingTemporal, clock: Clock, tmp_path: Path
) -> Dispatcher:
    link = TemporalLink(temporal.connect, pause=0)
    return Dispatcher(
        timed_store,
        link,
        settings(tmp_path),
        GatewayTestFirm(),
        start=temporal.start,
        wake=temporal.wake,
        psas=PSAS,
        sync=temporal.sync,
        people=PEOPLE,
        now=clock,
    )


@pytest.fixture
async def gateway(
    timed_store: SqlStore, temporal: RecordingTemporal, clock: Clock, tmp_path: Path
) -> AsyncIterator[Running]:
    app = build_gateway(
        settings(tmp_path),
        GatewayTestFirm(),
        timed_store,
        temporal.connect,
        start=temporal.start,
        wake=temporal.wake,
        psas=PSAS,
        now=clock,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        running = Running(app, http, timed_store, temporal, clock)
        yield running
        await running.parts.background.aclose()
