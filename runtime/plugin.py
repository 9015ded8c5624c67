"""The one plugin of client, worker, replayer and tests: converter, interceptors, sandbox, failure types."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from runtime.interceptors import BusinessContextInterceptor

PASSED_THROUGH = (
    "domain",
    "connectors.errors",
    "connectors.ports",
    "activities",
    "workflows.shared",
    "store.ports",
    "pycountry",
    "holidays",
    "structlog",
)
"""Our pure packages: loaded once, not once per workflow run. A package's name covers its submodules."""


class FairleadPlugin(SimplePlugin):
    """Everything that client and worker must agree on.

    Args:
        codec: encrypts payloads; with it, failure messages and stack traces are encrypted too. Without
            one they stay readable in the Web UI.
        failure_types: exceptions that fail a workflow instead of retrying its task. Production keeps the
            narrow default, so that a bug waits for a fixed worker; tests pass `[Exception]`.
    """

    def __init__(
        self,
        *,
        codec: PayloadCodec | None = None,
        failure_types: Sequence[type[BaseException]] = (ValidationError,),
    ) -> None:
        super().__init__(
            "fairlead",
            data_converter=_converter(codec),
            interceptors=[BusinessContextInterceptor()],
            workflow_runner=_sandboxed,
            workflow_failure_exception_types=failure_types,
        )


def _converter(codec: PayloadCodec | None) -> DataConverter:
    if codec is None:
        return pydantic_data_converter
    return replace(
        pydantic_data_converter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _sandboxed(runner: WorkflowRunner | None) -> WorkflowRunner:
    if runner is not None and not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    restrictions = (runner.restrictions if runner else SandboxRestrictions.default).with_passthrough_modules(
        *PASSED_THROUGH
    )
    return (
        replace(runner, restrictions=restrictions)
        if runner
        else SandboxedWorkflowRunner(restrictions=restrictions)
    )
