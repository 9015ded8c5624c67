"""Business context in logs: every line of a workflow or activity names its process, step and attempt."""

from typing import Any

import structlog
from opentelemetry import trace
from temporalio import activity, workflow
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from runtime.tracing import CORRELATION

_CONTEXT = ("process", "step", "attempt", "run")


class BusinessContextInterceptor(Interceptor):
    """Binds the business id of the process to the log context of its activities and workflow code."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _ActivityContext(next)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return _WorkflowContext


class _ActivityContext(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        trace.get_current_span().set_attribute(CORRELATION, info.workflow_id or "")
        structlog.contextvars.bind_contextvars(
            process=info.workflow_id or "", step=info.activity_type, attempt=info.attempt
        )
        try:
            return await self.next.execute_activity(input)
        finally:
            structlog.contextvars.unbind_contextvars(*_CONTEXT)


class _WorkflowContext(WorkflowInboundInterceptor):
    """Logs the end of a process once, never during replay."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        # No `finally`: eviction and garbage collection unwind this coroutine outside the workflow.
        result = await self.next.execute_workflow(input)
        if not workflow.unsafe.is_replaying():
            workflow.logger.info("process ended", extra={"process": workflow.info().workflow_id})
        return result
