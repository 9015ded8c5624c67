"""`up`, `down` and `state` with a real Temporal dev server; the whole firm is in tests/e2e."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import psutil
import pytest
from temporalio.testing import WorkflowEnvironment

from firm.problems import FirmFileError
from local import foreground, process, secrets_setup
from local.firm_files import copy_example
from local.launch import Launch, ServiceName
from local.ports import free_ports
from local.services import ServiceState, down, state, up
from local.startup import ServiceError
from runtime.connect import connect
from runtime.settings import Settings
from runtime.visibility import missing_or_wrong
from workflows.shared.search_attributes import ATTRIBUTES


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    temporal, web, gateway, sandbox = free_ports(4)
    settings = Settings(
        home=tmp_path,
        firm_file=tmp_path / "fairlead.toml",
        store_url=f"sqlite:///{tmp_path / 'fairlead.db'}",
        temporal_port=temporal,
        ui_port=web,
        gateway_port=gateway,
        sandbox_port=sandbox,
    )
    yield settings
    await down(settings, grace=0)


def of(states: list[ServiceState], name: str) -> ServiceState:
    return next(state for state in states if state.name == name)


async def test_temporal_comes_up_prepared_and_keeps_its_state(settings: Settings) -> None:
    lines: list[str] = []
    states = await up(settings, ["temporal"], say=lines.append)
    assert of(states, "temporal").condition == "running"
    assert {state.name for state in states if state.condition == "stopped"} == {
        "sandbox",
        "worker",
        "gateway",
    }
    assert await missing_or_wrong(await connect(settings), ATTRIBUTES) == []
    assert lines[0].startswith("temporal  ready after ")

    again = await up(settings, ["temporal"], say=lines.append)
    assert of(again, "temporal").pid == of(states, "temporal").pid
    assert "runs already as process" in lines[1]

    assert await down(settings, say=lines.append) == ["temporal"]
    assert lines[2] == "temporal  stopped"
    assert of(await state(settings), "temporal").condition == "stopped"
    assert (settings.home / "temporal.db").stat().st_size > 0


async def test_port_of_another_program_is_one_clear_sentence(settings: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", settings.temporal_port))
        listener.listen()
        with pytest.raises(ServiceError) as caught:
            await up(settings, ["temporal"])
    assert f"cannot listen on port {settings.temporal_port}: process {os.getpid()}" in str(caught.value)
    assert "FAIRLEAD_TEMPORAL_PORT" in str(caught.value)
    assert of(await state(settings), "temporal").condition == "stopped"


async def test_reachable_server_is_used_and_not_stopped(
    settings: Settings, temporal_env: WorkflowEnvironment
) -> None:
    port = int(temporal_env.client.service_client.config.target_host.rpartition(":")[2])
    settings = settings.model_copy(update={"temporal_port": port})
    lines: list[str] = []
    assert of(await up(settings, ["temporal"], say=lines.append), "temporal").condition == "external"
    assert "is used; none is started" in lines[0]
    assert await down(settings) == []
    assert await temporal_env.client.service_client.check_health()


async def test_service_that_cannot_start_shows_the_end_of_its_log(settings: Settings) -> None:
    """The worker finds no Temporal and ends; the reason stands in the message."""
    copy_example(settings.home, settings.sandbox_url)
    secrets_setup.create(settings.home)
    with pytest.raises(ServiceError, match="worker ended while it started with exit code") as caught:
        await up(settings, ["worker"])
    assert "No Temporal server answers" in str(caught.value)
    assert str(settings.home / "log" / "worker.log") in str(caught.value)
    assert of(await state(settings), "worker").condition == "stopped"


async def test_mistake_in_the_firm_file_is_told_before_anything_starts(settings: Settings) -> None:
    settings.firm_file.write_text("[firm]\n", encoding="utf-8")
    with pytest.raises(FirmFileError, match=r"fairlead\.toml"):
        await up(settings)
    assert {service.condition for service in await state(settings)} == {"stopped"}


async def test_unknown_service_is_refused(settings: Settings) -> None:
    with pytest.raises(ServiceError, match="unknown service 'wroker'; there are temporal, sandbox"):
        await up(settings, ["wroker"])


async def test_foreground_says_what_happens_and_stops_what_it_started(settings: Settings) -> None:
    """Ctrl-C is a cancellation of the task that runs `up`."""
    lines: list[str] = []
    begun, ended = asyncio.Event(), asyncio.Event()
    launch = Launch(settings)
    command = [sys.executable, "-c", "import signal; signal.pause()"]

    def begin(name: ServiceName) -> int:
        return process.start(launch.paths(name), command, dict(os.environ)).pid

    def say(line: str) -> None:
        lines.append(line)
        if "ended; see" in line:
            ended.set()

    earlier = begin("temporal")

    async def start() -> list[ServiceName]:
        begin("worker")
        begin("gateway")
        begun.set()
        return ["worker", "gateway"]

    async def stop(names: Collection[ServiceName]) -> None:
        lines.append(f"stop {', '.join(names)}")
        await down(settings, list(names), grace=0)

    task = asyncio.create_task(foreground.run(launch, start, stop, say))
    async with asyncio.timeout(20):
        await begun.wait()
        gateway = process.running(launch.paths("gateway"))
        assert gateway
        psutil.Process(gateway.pid).kill()
        await ended.wait()
        task.cancel()
        await task
    assert lines[0].startswith("gateway   ended; see ")
    assert lines[1:] == ["interrupted; stopping", "stop sandbox, worker, gateway"]
    assert process.running(launch.paths("worker")) is None
    assert psutil.pid_exists(earlier)
