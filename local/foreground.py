"""A firm in the foreground: one line per event, and everything that was started stops on Ctrl-C."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager

from local import process
from local.launch import SERVICES, Launch, ServiceName
from local.startup import Say

_LOOK_EVERY = 0.5


async def run(
    launch: Launch,
    start: Callable[[], Awaitable[Collection[ServiceName]]],
    stop: Callable[[Collection[ServiceName]], Awaitable[None]],
    say: Say,
) -> None:
    """Start, watch until interrupted or until nothing runs any more, and stop what was started.

    SIGTERM acts like Ctrl-C. An error while starting stops what this call had started, then is raised.
    """
    before = {name for name in SERVICES if _pid(launch, name)}
    task = asyncio.current_task()
    try:
        with _terminate_cancels(task):
            await _watch(launch, await start(), say)
    except asyncio.CancelledError:
        if task is not None:
            task.uncancel()
        say("interrupted; stopping")
    finally:
        await stop([name for name in SERVICES if name not in before])


async def _watch(launch: Launch, started: Collection[ServiceName], say: Say) -> None:
    """One line for each service that ends or comes back; returns when none of them runs any more."""
    pids = {name: _pid(launch, name) for name in started}
    while any(pids.values()):
        for name, known in pids.items():
            pids[name] = now = _pid(launch, name)
            if now and now != known:
                say(f"{name:<9} runs again as process {now}")
            elif known and not now:
                asked = not launch.paths(name).pid_file.exists()
                say(f"{name:<9} " + ("was stopped" if asked else f"ended; see {launch.paths(name).log_file}"))
        await asyncio.sleep(_LOOK_EVERY)


def _pid(launch: Launch, name: ServiceName) -> int | None:
    found = process.running(launch.paths(name))
    return found.pid if found else None


@contextmanager
def _terminate_cancels(task: "asyncio.Task[object] | None") -> Iterator[None]:
    if sys.platform == "win32" or task is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
