"""Spans of Temporal's client, workflows and activities. Needs the OpenTelemetry SDK."""

from typing import Any

from opentelemetry import trace
from temporalio.contrib.opentelemetry import TracingInterceptor, TracingWorkflowInboundInterceptor
from temporalio.worker import WorkflowInterceptorClassInput

from runtime.tracing import PROPAGATOR


class _WorkflowSpans(TracingWorkflowInboundInterceptor):
    """Made outside of the sandbox, over at once, and never made in a replay."""

    def __init__(self, next: Any) -> None:
        super().__init__(next)
        self.text_map_propagator = PROPAGATOR


class TemporalSpans(TracingInterceptor):
    """Temporal's own interceptor for client and worker, without baggage."""

    def __init__(self, tracer: trace.Tracer | None = None) -> None:
        super().__init__(tracer)
        self.text_map_propagator = PROPAGATOR

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor]:
        """See `temporalio.worker.Interceptor`."""
        super().workflow_interceptor_class(input)  # leaves the function that makes the spans
        return _WorkflowSpans
