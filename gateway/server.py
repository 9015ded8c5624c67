"""The gateway's process: `python -m gateway.server`, set up by `FAIRLEAD_*` and the firm's file."""

import socket
import sys

import structlog
import uvicorn
from fastapi import FastAPI

from firm.load import FirmFileError, load
from firm.policies import snapshot
from gateway.app import build_gateway
from runtime.connect import connect
from runtime.logs import configure_logs
from runtime.settings import Settings
from store.ports import StoreError
from store.sql.engine import open_store

GRACE_SECONDS = 5


def main() -> int:
    """Run until SIGTERM or SIGINT. 1 when the firm's file or the store cannot be used."""
    settings = Settings.from_environment()
    configure_logs(settings.log_format)
    try:
        app = gateway_app(settings)
    except (FirmFileError, StoreError, ValueError) as error:
        print(f"The gateway cannot start: {error}", file=sys.stderr)
        return 1
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
    psas = {route.system for route in snapshot(firm).routes if route.role == "psa"}
    return build_gateway(
        settings, firm, store, lambda: connect(settings), psas=sorted(psas), on_close=store.aclose
    )


if __name__ == "__main__":
    sys.exit(main())
