"""One way to reach Temporal, shared by CLI, worker and gateway.

Order: explicit address or profile (`--address`, `FAIRLEAD_TEMPORAL_ADDRESS`, `TEMPORAL_*`, profiles of
`temporalio.envconfig`, with mTLS, API key and Cloud) -> a reachable local server -> a clear sentence that
names the command which starts one. Nothing is downloaded.
"""

import asyncio
import os
import socket
from collections.abc import Sequence

from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import Interceptor as WorkerInterceptor

from runtime.codec import CodecKeys, SealingCodec
from runtime.plugin import FairleadPlugin
from runtime.settings import Settings


class NoTemporal(RuntimeError):
    """No Temporal server answers; the text says where we looked and what starts one."""


def local_address(settings: Settings) -> str:
    return f"127.0.0.1:{settings.temporal_port}"


def is_listening(address: str, timeout: float = 0.5) -> bool:
    """Whether something accepts TCP connections at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout):
            return True
    except (OSError, ValueError):
        return False


async def connect(
    settings: Settings,
    *,
    keys: CodecKeys | None = None,
    observers: Sequence[ClientInterceptor | WorkerInterceptor] = (),
    plugin: FairleadPlugin | None = None,
    runtime: Runtime | None = None,
    lazy: bool = False,
) -> Client:
    """A client for the configured Temporal, with the firm's codec `keys`; None: what is sealed stays so.

    `observers` measure and trace. `plugin` stands in for the one made of these. Raises `NoTemporal` with one
    sentence when no server answers, `CodecError` for keys that cannot be used.
    """
    plugin = plugin or FairleadPlugin(codec=SealingCodec(keys) if keys else None, observers=observers)
    config = _explicit_config(settings)
    where = str(config.get("target_host") or local_address(settings))
    if "target_host" not in config and not is_listening(where):
        raise NoTemporal(
            f"No Temporal server answers at {where}; start one with `fairlead up`, "
            "or name one with --address, TEMPORAL_ADDRESS or TEMPORAL_PROFILE."
        )
    config["target_host"] = where
    config.setdefault("namespace", settings.namespace)
    try:
        async with asyncio.timeout(15):
            return await Client.connect(**config, plugins=[plugin], runtime=runtime, lazy=lazy)
    except (RuntimeError, RPCError, TimeoutError, OSError) as error:
        raise NoTemporal(
            f"Temporal at {where} (namespace {config['namespace']!r}) cannot be used: {_first_line(error)}. "
            "Check the address and its TLS or API key, or start a local one with `fairlead up`."
        ) from error


def _explicit_config(settings: Settings) -> ClientConnectConfig:
    """What the user said, if anything: settings first, then Temporal's own environment and profiles."""
    named = settings.temporal_profile or os.environ.get("TEMPORAL_PROFILE")
    address = settings.temporal_address or os.environ.get("TEMPORAL_ADDRESS")
    if not (named or address):
        return {}
    config = ClientConfig.load_client_connect_config(profile=named)
    if address:
        config["target_host"] = address
    return config


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
