"""The gateway's process: `python -m gateway.server`, set up by `FAIRLEAD_*` and the firm's file."""

import logging
import sys

import structlog
import uvicorn
from fastapi import FastAPI
from firm.load import FirmFileError, load

from gateway.app import build_gateway
from runtime.connect import connect
from runtime.settings import Settings
from store.ports import StoreError
from store.sql.engine import open_store

GRACE_SECONDS = 5


def main() -> int:
    """Run until SIGTERM or SIGINT. 1 when the firm's file or the store cannot be used."""
    settings = Settings.from_environment()
    configure_log(settings.log_format)
    try:
        app = gateway_app(settings)
    except (FirmFileError, StoreError, ValueError) as error:
        print(f"The gateway cannot start: {error}", file=sys.stderr)
        return 1
    server = uvicorn.Server(
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


def gateway_app(settings: Settings) -> FastAPI:
    """The app with its real parts. Raises `FirmFileError`, `StoreError` or `ValueError` with the cure."""
    firm = load(settings.firm_file)
    store = open_store(settings.store_url)
    return build_gateway(settings, firm, store, lambda: connect(settings), on_close=store.aclose)


def configure_log(log_format: str) -> None:
    """One line per event on stderr, `console` or `json`. Traces never show the values of variables."""
    traces: structlog.typing.Processor
    renderer: structlog.typing.Processor
    if log_format == "json":
        traces, renderer = structlog.processors.format_exc_info, structlog.processors.JSONRenderer()
    else:
        traces = structlog.processors.StackInfoRenderer()
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            traces,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
