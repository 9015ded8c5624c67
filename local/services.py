"""Starting, stopping and looking at a local firm: `up`, `down`, `state`.

await up(settings)                          # all that this firm needs, in the background
await up(settings, ["worker"])              # one of them again
await up(settings, detach=False, say=print) # in the foreground, until Ctrl-C
await down(settings)
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from local import foreground, process, tryton_firm
from local.firm_files import for_moved_sandbox
from local.launch import SERVICES, WAVES, Launch, ServiceName
from local.readiness import not_ready
from local.startup import Say, ServiceError, prepare, start_service, uses_own_temporal
from local.temporal_server import is_temporal
from runtime.settings import Settings

GRACE_SECONDS = 35.0
"""A little more than a worker gives its running activities to finish."""
Condition = Literal["running", "not ready", "stopped", "external"]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service as it is now. `external`: a Temporal that Fairlead uses but has not started."""

    name: ServiceName
    condition: Condition
    address: str = ""
    pid: int | None = None
    started: float | None = None
    """Seconds since the epoch."""
    detail: str = ""


def silent(line: str) -> None:
    """Says nothing."""


async def up(
    settings: Settings,
    services: Sequence[str] | None = None,
    *,
    detach: bool = True,
    sandbox: bool = False,
    say: Say = silent,
    launch: Launch | None = None,
) -> list[ServiceState]:
    """Start `services` (none: all that the firm's file needs) and wait until each does its work.

    `sandbox` starts the sandbox even where no system of the firm points to it. In the foreground
    (`detach=False`) this returns when everything has ended or after Ctrl-C, which stops what it started.
    Raises `ServiceError` with one sentence, or what is wrong with the firm's file, store or namespace.
    """
    launch = launch or Launch(for_moved_sandbox(settings))
    wanted = await prepare(launch, _known(services), sandbox=sandbox)
    if detach:
        await _start(launch, wanted, say)
        return await state(settings)

    async def stop_started(names: Collection[ServiceName]) -> None:
        await _stop(launch, names, say, grace=GRACE_SECONDS)

    await foreground.run(launch, lambda: _start(launch, wanted, say), stop_started, say)
    return await state(settings)


async def down(
    settings: Settings,
    services: Sequence[str] | None = None,
    *,
    grace: float = GRACE_SECONDS,
    say: Say = silent,
) -> list[str]:
    """Stop `services` (none: all of this home, a Tryton of it too), newest wave first; those that ran.

    Each gets SIGTERM and `grace` seconds to finish what it does; 0 kills at once, which loses nothing.
    """
    stopped = await _stop(Launch(settings), _known(services) or SERVICES, say, grace=grace)
    if services is None and await asyncio.to_thread(tryton_firm.stop, settings.home, grace):
        say("tryton    stopped")
        stopped.append("tryton")
    return stopped


async def state(settings: Settings) -> list[ServiceState]:
    """Each service as it is now, in the order they are started."""
    launch = Launch(settings)
    return list(await asyncio.gather(*(_state(launch, name) for name in SERVICES)))


async def _start(launch: Launch, wanted: Collection[ServiceName], say: Say) -> list[ServiceName]:
    """Start wave by wave; the names of those started now. Raises the first wave's first error."""
    started: list[ServiceName] = []
    for wave in WAVES:
        names = [name for name in wave if name in wanted]
        outcomes = await asyncio.gather(
            *(start_service(launch, name, say) for name in names), return_exceptions=True
        )
        errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if errors:
            raise errors[0]
        started += [name for name, fresh in zip(names, outcomes, strict=True) if fresh]
    return started


async def _stop(launch: Launch, names: Collection[ServiceName], say: Say, *, grace: float) -> list[str]:
    stopped: list[str] = []
    for wave in reversed(WAVES):
        chosen = [name for name in wave if name in names]
        ran = await asyncio.gather(
            *(asyncio.to_thread(process.stop, launch.paths(name), grace) for name in chosen)
        )
        for name in (name for name, did in zip(chosen, ran, strict=True) if did):
            say(f"{name:<9} stopped")
            stopped.append(name)
    return stopped


async def _state(launch: Launch, name: ServiceName) -> ServiceState:
    address = launch.address(name)
    found = await asyncio.to_thread(process.running, launch.paths(name))
    if found:
        reason = await not_ready(launch, name, found.pid)
        condition: Condition = "not ready" if reason else "running"
        return ServiceState(name, condition, address, found.pid, found.started, reason)
    if name == "temporal":
        if not uses_own_temporal(launch):
            return ServiceState(name, "external", detail="named by address or profile")
        if await is_temporal(address, launch.settings.namespace):
            return ServiceState(name, "external", address, detail="a server that was running already")
    return ServiceState(name, "stopped", address)


def _known(services: Sequence[str] | None) -> tuple[ServiceName, ...] | None:
    unknown = [name for name in services or () if name not in SERVICES]
    if unknown:
        raise ServiceError(f"unknown service {unknown[0]!r}; there are {', '.join(SERVICES)}")
    return cast("tuple[ServiceName, ...]", tuple(services)) if services else None
