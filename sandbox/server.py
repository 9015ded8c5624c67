"""Running the sandbox as a process: options, uvicorn, one line when ready, a clean end on SIGTERM."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import build_app
from sandbox.core.exchange import connections
from sandbox.core.webhooks import SCHEMES
from sandbox.settings import SandboxSettings, WebhookTarget, from_environment


class _Protocol(H11Protocol):
    """HTTP/1.1 whose connections can be broken on purpose (core/exchange.py)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            connections.opened(self.client, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            connections.closed(self.client)
        super().connection_lost(exc)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit code: 0 after a clean end, 1 cannot start, 2 bad options."""
    arguments = _parser().parse_args(argv)
    settings = _settings(arguments)
    try:
        listener = _listen(settings)
    except OSError as error:
        print(f"sandbox: cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        build_app(settings),
        http=_Protocol,
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    server = _Server(config, f"http://{settings.host}:{listener.getsockname()[1]}", settings.quiet)
    server.run(sockets=[listener])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Prints the address once requests are accepted; SIGTERM and SIGINT end it with exit code 0."""

    def __init__(self, config: uvicorn.Config, address: str, quiet: bool) -> None:
        super().__init__(config)
        self._address, self._quiet = address, quiet

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self._quiet:
            print(f"sandbox ready at {self._address}", flush=True)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Like the parent's, without raising the signal again once the server has ended."""
        taken = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(settings: SandboxSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named so that asyncio sets TCP_NODELAY: without it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError:
        listener.close()
        raise
    return listener


def _settings(arguments: argparse.Namespace) -> SandboxSettings:
    given: dict[str, Any] = from_environment(os.environ)
    names = ("home", "host", "port", "seed", "deals", "customers", "workers", "as_of", "latency_ms", "quiet")
    given |= {name: getattr(arguments, name) for name in names}
    for name in ("salesforce_secret", "salesforce_jwt_public_key", "netsuite_public_key"):
        if getattr(arguments, name) is not None:
            given[name] = getattr(arguments, name)
    if arguments.webhook_url:
        target = WebhookTarget(
            arguments.webhook_url,
            arguments.webhook_secret or os.environ.get("SANDBOX_WEBHOOK_SECRET", ""),
            scheme=arguments.webhook_scheme,
        )
        given["webhooks"] = (target,)
    return SandboxSettings(**given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Emulated vendors' APIs, with faults."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--port", type=int, default=8500, help="port, 0 for a free one (default 8500)")
    add("--home", type=Path, required=True, help="folder of the state file")
    add("--seed", type=int, default=1, help="seed of the firm (default 1)")
    add("--deals", type=_count, default=60, help="how many deals (default 60)")
    add("--customers", type=_count, default=40, help="how many customers (default 40)")
    add("--workers", type=_count, default=120, help="how many workers (default 120)")
    add("--as-of", type=_day, default=None, help="day that the seeded dates are relative to (default today)")
    add("--latency-ms", type=_count, default=0, help="delay of each vendor's answer (default 0)")
    add("--webhook-url", default="", help="receiver of events; {system} is replaced by the system's name")
    add("--webhook-secret", default="", help="whsec_… secret; better in SANDBOX_WEBHOOK_SECRET")
    add("--webhook-scheme", default=SCHEMES[0], choices=SCHEMES, help="how events are signed and sent")
    add("--salesforce-secret", default=None, help="client secret of the seeded Salesforce org")
    add("--salesforce-jwt-public-key", type=Path, default=None, help="PEM file for the JWT bearer flow")
    add("--netsuite-public-key", type=Path, default=None, help="PEM file of the NetSuite client certificate")
    add("--quiet", action="store_true", help="print nothing when ready")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a day such as 2026-12-31, not {text}") from None


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not {text}")
    return value
