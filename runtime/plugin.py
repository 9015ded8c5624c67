"""The one plugin of client, worker, replayer and tests: converter, interceptors, sandbox, failure types."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pydantic import ValidationError
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    WithSerializationContext,
)
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor as WorkerInterceptor
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from runtime.context_free import ContextFreeRunner
from runtime.interceptors import BusinessContextInterceptor

PASSED_THROUGH = (
    "domain",
    "connectors.errors",
    "connectors.ports",
    "activities",
    "workflows.shared",
    "workflows.billing",
    "workflows.activation_calls",
    "workflows.credit_calls",
    "workflows.invoice_calls",
    "store.ports",
    "store.alert_ports",
    "store.billing_ports",
    "store.people_ports",
    "pycountry",
    "holidays",
    "structlog",
    "opentelemetry",
)
"""Our pure packages: loaded once, not once per workflow run. A package's name covers its submodules."""


class FairleadPlugin(SimplePlugin):
    """Everything that client and worker must agree on.

    Args:
        codec: encrypts payloads; with it, failure messages and stack traces are encrypted too. Without
            one they stay readable in the Web UI.
        failure_types: exceptions that fail a workflow instead of retrying its task. Production keeps the
            narrow default, so that a bug waits for a fixed worker; tests pass `[Exception]`.
        observers: interceptors that measure and trace, and change nothing.
    """

    def __init__(
        self,
        *,
        codec: PayloadCodec | None = None,
        failure_types: Sequence[type[BaseException]] = (ValidationError,),
        observers: Sequence[ClientInterceptor | WorkerInterceptor] = (),
    ) -> None:
        super().__init__(
            "fairlead",
            data_converter=_converter(codec),
            interceptors=[*observers, BusinessContextInterceptor()],
            workflow_runner=partial(_sandboxed, context_free=not isinstance(codec, WithSerializationContext)),
            workflow_failure_exception_types=failure_types,
        )


class SharedPydanticConverter(CompositePayloadConverter):
    """Temporal's pydantic converter, whose parts exist once in a process.

    Temporal makes a converter for each run and each payload's context. The original then starts with an
    empty cache and builds the validators of all our types again.
    """

    def __init__(self) -> None:
        super().__init__(*_SHARED)


_SHARED = tuple(PydanticPayloadConverter().converters.values())


def _converter(codec: PayloadCodec | None) -> DataConverter:
    converter = DataConverter(payload_converter_class=SharedPydanticConverter)
    if codec is None:
        return converter
    return replace(
        converter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _sandboxed(runner: WorkflowRunner | None, *, context_free: bool) -> WorkflowRunner:
    if runner is not None and not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    restrictions = (runner.restrictions if runner else SandboxRestrictions.default).with_passthrough_modules(
        *PASSED_THROUGH
    )
    runner = replace(runner or SandboxedWorkflowRunner(), restrictions=restrictions)
    if context_free and type(runner) is SandboxedWorkflowRunner:
        return ContextFreeRunner(restrictions=runner.restrictions, runner_class=runner.runner_class)
    return runner
