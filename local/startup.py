"""What happens before and while a service starts: preparations, ports, waiting until it does its work."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

from local import process, secrets_setup
from local.firm_files import uses_sandbox
from local.launch import SERVICES, Launch, ServiceName
from local.ports import holder
from local.readiness import not_ready
from local.temporal_server import is_temporal, prepare_namespace
from runtime.connect import connect, is_listening

Say = Callable[[str], None]
"""Takes one line for people."""

START_SECONDS: Final = 60.0
_LOOK_EVERY: Final = 0.05
_ASK_WORKER_EVERY: Final = 0.2
"""Less often: each question is a new connection to Temporal, while the worker needs the processor."""
_RELEASE_SECONDS: Final = 1.0


class ServiceError(RuntimeError):
    """A service cannot be started; one sentence says why and what to do."""


def uses_own_temporal(launch: Launch) -> bool:
    """Whether Temporal is the local one: nobody has named another by address or profile."""
    settings = launch.settings
    named = settings.temporal_address or settings.temporal_profile
    return not (named or launch.environ.get("TEMPORAL_ADDRESS") or launch.environ.get("TEMPORAL_PROFILE"))


async def prepare(
    launch: Launch, services: Collection[ServiceName] | None, *, sandbox: bool
) -> frozenset[ServiceName]:
    """Which services to start; makes home, credentials and store ready for them.

    Raises `FirmFileError`, `SecretError` (the store's address) or `StoreError`, before anything is started.
    """
    from firm.load import load

    settings = launch.settings
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = frozenset(services or SERVICES)
    if services is not None and not wanted & {"worker", "gateway"}:
        firm = None
    else:
        firm = await asyncio.to_thread(load, settings.firm_file)
    if firm and services is None and not sandbox and not uses_sandbox(firm, settings.sandbox_port):
        wanted -= {"sandbox"}
    if "sandbox" in wanted:
        await asyncio.to_thread(secrets_setup.create, settings.home)
    if firm:
        url = firm.store_url(launch.environment("worker")) or settings.store_url
        await asyncio.to_thread(_upgrade_store, url)
    return wanted


async def start_service(launch: Launch, name: ServiceName, say: Say) -> bool:
    """Start one service and wait until it does its work. Whether it was started now.

    Raises `ServiceError`, and `runtime.visibility.WrongSearchAttributes` for Temporal.
    """
    fresh = await _start(launch, name, say)
    if name == "temporal":
        await prepare_temporal(launch)
    return fresh


async def _start(launch: Launch, name: ServiceName, say: Say) -> bool:
    if found := process.running(launch.paths(name)):
        say(f"{name:<9} runs already as process {found.pid} {launch.address(name)}".rstrip())
        return False
    if name == "temporal" and await _other_temporal(launch, say):
        return False
    await _refuse_busy_ports(launch, name)
    began = time.monotonic()
    try:
        found = await asyncio.to_thread(
            process.start, launch.paths(name), launch.command(name), launch.environment(name)
        )
    except process.AlreadyRunning as error:  # another `up` was faster
        say(f"{name:<9} {error}")
        return False
    await _wait(launch, name, found.pid)
    say(f"{name:<9} ready after {time.monotonic() - began:.1f} s {launch.address(name)}".rstrip())
    return True


async def _other_temporal(launch: Launch, say: Say) -> bool:
    """Whether Temporal is there without us: named by the user, or a reachable server on our port."""
    if not uses_own_temporal(launch):
        say("temporal  the server named by address or profile is used; none is started")
        return True
    address = launch.address("temporal")
    if is_listening(address) and await is_temporal(address, launch.settings.namespace):
        say(f"temporal  the server that already answers at {address} is used; none is started")
        return True
    return False


async def prepare_temporal(launch: Launch) -> None:
    """Register search attributes; on a server that we started, keep closed processes for 90 days too."""
    from workflows.shared.search_attributes import ATTRIBUTES

    client = await connect(launch.settings)
    own = process.running(launch.paths("temporal")) is not None
    await prepare_namespace(client, ATTRIBUTES, own=own)


async def _refuse_busy_ports(launch: Launch, name: ServiceName) -> None:
    """A service that was killed a moment ago may hold its port for a moment more: that is waited out."""
    deadline = time.monotonic() + _RELEASE_SECONDS
    for setting, port in launch.ports(name).items():
        while is_listening(f"127.0.0.1:{port}"):
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{name} cannot listen on port {port}: {holder(port)} does. Stop that one, or move "
                    f"{name} with FAIRLEAD_{setting.upper()}."
                )
            await asyncio.sleep(_LOOK_EVERY)


async def _wait(launch: Launch, name: ServiceName, pid: int) -> None:
    paths = launch.paths(name)
    deadline = time.monotonic() + START_SECONDS
    reason = "not asked yet"
    while reason:
        if process.running(paths) is None:
            raise ServiceError(_ended(launch, name, pid))
        if time.monotonic() > deadline:
            await asyncio.to_thread(process.stop, paths, 0)
            raise ServiceError(
                f"{name} was stopped: not ready after {START_SECONDS:.0f} s ({reason}). Log: {paths.log_file}"
            )
        await asyncio.sleep(_ASK_WORKER_EVERY if name == "worker" else _LOOK_EVERY)
        reason = await not_ready(launch, name, pid)


def _ended(launch: Launch, name: ServiceName, pid: int) -> str:
    paths = launch.paths(name)
    code = process.exit_code(pid)
    ending = "" if code is None else f" with exit code {code}"
    return (
        f"{name} ended while it started{ending}. Last lines of {paths.log_file}:\n{process.log_tail(paths)}"
    )


def _upgrade_store(url: str) -> None:
    from store.sql.migrate import upgrade

    upgrade(url)
