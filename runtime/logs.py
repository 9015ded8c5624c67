"""Structured logs of our processes: one line per event on stderr, for people or as JSON."""

import logging
import sys

import structlog


def configure_logs(log_format: str) -> None:
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
