"""The gateway: HTTP in, events to processes. Built here, run by `gateway.server`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI

from gateway import api, api_document, health, hooks, index, problems
from gateway.access import Authenticator
from gateway.background import Background
from gateway.dispatch import Dispatcher, StartActivation, WakeTimePosting
from gateway.outbox import outbox_jobs
from gateway.registration import GatewayFirm, Hook, registered_hooks
from gateway.sweeper import INTERVAL, Sweeper
from gateway.temporal_link import ClientFactory, TemporalLink
from runtime.settings import Settings
from store.ports import Store
from workflows.shared.start import start_activation, wake_time_posting


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The working parts behind the app, at `app.state.gateway`."""

    temporal: TemporalLink
    dispatcher: Dispatcher
    background: Background
    sweeper: Sweeper


def build_gateway(
    settings: Settings,
    firm: GatewayFirm,
    store: Store,
    client_factory: ClientFactory,
    *,
    start: StartActivation = start_activation,
    wake: WakeTimePosting = wake_time_posting,
    psas: Sequence[str] = (),
    people: Sequence[tuple[str, str]] = (),
    sweep_interval: float = INTERVAL,
    now: Callable[[], datetime] = _utc_now,
    on_close: Callable[[], Awaitable[None]] | None = None,
    access: Authenticator | None = None,
    synchronous: api.Api | None = None,
    routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """The app. Nothing is contacted before its lifespan begins, and Temporal not before it is needed.

    Raises `ValueError` for a register of webhooks that cannot be used. `on_close` is awaited last.
    Without `access` everybody may do everything, without `synchronous` there is no `/v1`.
    `routers` are further addresses: codec, metrics.
    """
    temporal = TemporalLink(client_factory)
    dispatcher = Dispatcher(
        store, temporal, settings, firm, start=start, wake=wake, psas=psas, people=people, now=now
    )
    background = Background(dispatcher.dispatch)
    telling = outbox_jobs(firm, store, now)
    sweeper = Sweeper(store, dispatcher.dispatch, interval=sweep_interval, now=now, also=telling)
    register = registered_hooks(firm)
    app = FastAPI(
        title="Fairlead gateway",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # it is served behind a role: gateway.api_document
        redirect_slashes=False,
        lifespan=_lifespan(background, sweeper, on_close),
    )
    app.state.gateway = Gateway(temporal, dispatcher, background, sweeper)
    app.state.access = access or Authenticator(None)
    problems.install(app)
    _include_routes(app, firm, register, store, background, temporal, now)
    if synchronous is not None:
        app.include_router(api.routes(synchronous, settings, store, temporal, start, now))
    for router in routers:
        app.include_router(router)
    return app


def _include_routes(
    app: FastAPI,
    firm: GatewayFirm,
    register: Mapping[str, Hook],
    store: Store,
    background: Background,
    temporal: TemporalLink,
    now: Callable[[], datetime],
) -> None:
    app.include_router(index.routes(firm.id))
    app.include_router(api_document.routes())
    app.include_router(health.routes(store, temporal))
    app.include_router(hooks.routes(register, store, background, now))


def _lifespan(
    background: Background, sweeper: Sweeper, on_close: Callable[[], Awaitable[None]] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(sweeper.run(), name="sweeper")
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await background.aclose()
            if on_close is not None:
                await on_close()

    return running
