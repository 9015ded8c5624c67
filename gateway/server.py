"""The gateway's process: `python -m gateway.server`, set up by `FAIRLEAD_*` and the firm's file."""

import socket
import sys

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI

from composition import build_connector
from firm.load import FirmFileError, load
from firm.model import Firm
from firm.policies import snapshot
from firm.secrets import SecretError
from gateway import codec, metrics, traces
from gateway.access import Authenticator
from gateway.api import Api
from gateway.api_systems import AT_ONCE, AT_ONCE_LIMITED, Systems
from gateway.app import build_gateway
from runtime.codec import SealingCodec
from runtime.connect import connect
from runtime.logs import configure_logs
from runtime.settings import Settings
from runtime.tracing import configure_tracing
from store.ports import StoreError
from store.sql.engine import open_store

GRACE_SECONDS = 5
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_CURE = "everybody who reaches this address may do everything: add [access] to the firm's file"


def main() -> int:
    """Run until SIGTERM or SIGINT. 1 when the firm's file or the store cannot be used."""
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    try:
        app = gateway_app(settings)
    except (FirmFileError, SecretError, StoreError, ValueError) as error:
        print(f"The gateway cannot start: {error}", file=sys.stderr)
        return 1
    if app.state.access.is_open and settings.gateway_host not in LOOPBACK:
        structlog.get_logger("fairlead.access").warning("access_open", host=settings.gateway_host, cure=_CURE)
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.gateway_host,
            port=settings.gateway_port,
            log_config=None,
            access_log=False,  # addresses may hold a secret segment
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    server.run()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Says when it listens: what starts it waits for that line instead of guessing."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            address = f"http://{self.config.host}:{self.config.port}"
            structlog.get_logger("fairlead.gateway").info("gateway_listening", address=address)


def gateway_app(settings: Settings) -> FastAPI:
    """The app with its real parts. Raises `FirmFileError`, `StoreError` or `ValueError` with the cure."""
    firm = load(settings.firm_file)
    store = open_store(firm.store_url() or settings.store_url)
    keys = firm.codec_keys()
    policy = snapshot(firm)
    psas = {route.system for route in policy.routes if route.role == "psa"}
    hrs = {route.system for route in policy.routes if route.role == "hr"}
    access, systems = Authenticator(firm), _systems(firm)

    async def close() -> None:
        await systems.aclose()
        await access.aclose()
        await store.aclose()

    observers = configure_tracing("fairlead-gateway")
    app = build_gateway(
        settings,
        firm,
        store,
        lambda: connect(settings, keys=keys, observers=observers),
        psas=sorted(psas),
        people=[(hr, firm.parts.roles.psa) for hr in sorted(hrs)],
        on_close=close,
        access=access,
        synchronous=Api(policy, list(firm.cards.values()), systems),
        routers=_codec_routes(firm, settings, access),
    )
    if settings.metrics_address:
        metrics.install(app, store)
    traces.install(app)
    return app


def _codec_routes(firm: Firm, settings: Settings, access: Authenticator) -> list[APIRouter]:
    """The codec endpoint of a firm whose payloads are sealed: to nobody unknown from another machine."""
    keys = firm.codec_keys()
    if keys is None:
        return []
    if access.is_open and settings.gateway_host not in LOOPBACK:
        structlog.get_logger("fairlead.gateway").warning("codec_endpoint_off", cure=_CURE)
        return []
    local = [f"http://{host}:{settings.ui_port}" for host in ("127.0.0.1", "localhost")]
    return [codec.routes(SealingCodec(keys), firm.parts.codec.web_ui or local)]


def _systems(firm: Firm) -> Systems:
    """The firm's systems for the API, each with a few calls at once beside those of the worker."""
    at_once = {
        name: AT_ONCE_LIMITED if system.concurrency_limit else AT_ONCE
        for name, system in firm.systems.items()
    }
    return Systems(lambda name: build_connector(firm, name, in_flight=at_once[name]), at_once)


if __name__ == "__main__":
    sys.exit(main())
