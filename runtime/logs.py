"""Structured logs of our processes: one line per event on stderr, for people or as JSON.

What others log (Temporal's SDK, libraries) and every trace goes through one net more: mail addresses and
whatever looks like a credential are taken out, since vendors repeat in their errors what they were sent.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

import structlog

from runtime.settings import LogLevel
from runtime.tracing import with_trace

TALKATIVE = (
    *("temporalio.worker", "temporalio.activity", "temporalio.workflow"),
    *("httpx", "httpcore", "urllib3", "sqlalchemy", "alembic", "asyncio"),
)
"""Libraries whose lines below a warning hold payloads, queries or headers: silent there at every level."""
_SHAPES = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[mail]"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 [hidden]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), "[hidden]"),
)


def configure_logs(log_format: str, level: LogLevel = "info") -> None:
    """One line per event on stderr, `console` or `json`. Traces never show the values of variables.

    Others are heard from a warning on; at `debug` all but the talkative ones.
    """
    as_json = log_format == "json"
    last: tuple[structlog.typing.Processor, ...]
    if as_json:
        last = (structlog.processors.format_exc_info, _without_persons, structlog.processors.JSONRenderer())
    else:
        last = (
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _without_persons,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            with_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    _configure_others(level, as_json=as_json)


def discreet(text: str) -> str:
    """`text` without mail addresses and without what looks like a credential."""
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def _without_persons(
    logger: object, name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The texts of exceptions, which are not ours; what we say ourselves names persons on purpose or not."""
    for key in ("exception", "error", "reason"):
        if isinstance(event.get(key), str):
            event[key] = discreet(event[key])
    return event


def _configure_others(level: LogLevel, *, as_json: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine() if as_json else _Line("%(levelname)s:%(name)s:%(message)s"))
    logging.basicConfig(
        level=logging.DEBUG if level == "debug" else logging.WARNING, handlers=[handler], force=True
    )
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))


class _JsonLine(_Line):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        line = {"event": super().format(record), "level": record.levelname.lower(), "timestamp": at}
        return json.dumps({**line, "logger": record.name})
