"""The sandbox as one ASGI application: each emulated system under its prefix, observation under `/_…`."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.core import observation
from sandbox.core.dispatch import SystemApp
from sandbox.core.world import Build, World
from sandbox.settings import SandboxSettings

SYSTEMS = ("salesforce", "kantata", "netsuite", "coupa", "workday")
"""Every emulated system: the package `sandbox.<name>` whose `emulator.py` has `build(context)`."""


def build_app(settings: SandboxSettings, systems: Sequence[str] = SYSTEMS) -> Starlette:
    """The application over the state in `settings.home`, seeded if that is empty.

    Its `state.world` is the `World`; close it (or run the lifespan) when done. Webhooks are delivered only
    while the lifespan runs.
    """
    world = World(settings, _builders(systems))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        delivery = asyncio.create_task(world.webhooks.run())
        yield
        delivery.cancel()
        with suppress(asyncio.CancelledError):
            await delivery
        world.close()

    mounts = [
        Mount(
            f"/{name}",
            app=SystemApp(emulator, emulator.store, world.faults, world.log, settings.latency_ms),
        )
        for name, emulator in world.emulators.items()
    ]
    app = Starlette(routes=[*observation.routes(world), *mounts], lifespan=lifespan)
    app.state.world = world
    return app


def _builders(systems: Sequence[str]) -> dict[str, Build]:
    return {name: importlib.import_module(f"sandbox.{name}.emulator").build for name in systems}
