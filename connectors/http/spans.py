"""A span around each call to a system: which system, which operation, how it was answered, and nothing else.

No address, header or body: ids and names stand in them. Without a provider of traces a span costs next to
nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

STATUS = "http.response.status_code"
_PLAIN = re.compile(r"[a-z][a-z-]*")
_tracer = trace.get_tracer("fairlead.connectors")


def kind_of(operation: str) -> str:
    """What is done, without to whom: `match customer Polaris Ltd` is `match customer`.

    Two plain words, three where they begin with `look up`; ids, numbers and names come after them.
    """
    words = operation.split()
    kept: list[str] = []
    for word in words[: 3 if words[:2] == ["look", "up"] else 2]:
        if not _PLAIN.fullmatch(word):
            break
        kept.append(word)
    return " ".join(kept) or "call"


@contextmanager
def call_span(system: str, operation: str, method: str) -> Iterator[Span]:
    """The span of one call. Of an exception its class is noted, never its text."""
    doing = kind_of(operation)
    with _tracer.start_as_current_span(
        f"{system}: {doing}",
        kind=SpanKind.CLIENT,
        attributes={
            "fairlead.system": system,
            "fairlead.operation": doing,
            "http.request.method": method,
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
