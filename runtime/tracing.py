"""Traces with OpenTelemetry: one from a webhook to the calls it leads to, through Temporal.

Switched on by `OTEL_EXPORTER_OTLP_ENDPOINT` (and the other `OTEL_*` variables of its SDK). Of what comes in
only `traceparent` and `tracestate` are read (W3C Trace Context); baggage is not, since whoever calls could
write into it. Spans say which system, operation and status; texts of exceptions, which may repeat what a
vendor was sent, are taken out before anything is exported.
"""

import os
from collections.abc import Mapping, MutableMapping
from typing import Any

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.client import Interceptor

ENABLED_BY = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROPAGATOR = TraceContextTextMapPropagator()
CORRELATION = "fairlead.correlation"
"""Attribute of spans: the business id of the process, the same in Temporal, logs and timeline."""


class CannotTrace(ValueError):
    """Traces are asked for and cannot be made; the text says what to install."""


def configure_tracing(service: str, environ: Mapping[str, str] = os.environ) -> list[Interceptor]:
    """Export the traces of this process as `service`; what Temporal's client needs for them.

    Nothing when nobody asked for traces. Raises `CannotTrace` where the SDK is not installed.
    """
    if not environ.get(ENABLED_BY):
        return []
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from runtime.discreet_spans import DiscreetExporter
        from runtime.temporal_spans import TemporalSpans
    except ImportError:
        raise CannotTrace(
            f"{ENABLED_BY} is set, but the OpenTelemetry SDK is not installed; "
            "install fairlead[telemetry], or unset it"
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(DiscreetExporter(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    return [TemporalSpans()]


def with_trace(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of logs: which trace a line belongs to."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event
