"""Temporal's sandbox without a question that nobody needs answered.

For each payload of a workflow task the SDK asks the run, inside the sandbox, which command the payload
belongs to, three times over, so that converters and codecs may treat payloads by their context. Ours do
not; to enter the sandbox that often was a tenth of the worker's processor time.
"""

from dataclasses import dataclass

from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner


@dataclass(frozen=True)
class ContextFreeRunner(SandboxedWorkflowRunner):
    """The sandbox of Temporal; only for converters and codecs without serialization context."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See `temporalio.worker.WorkflowRunner`."""
        instance = super().create_instance(det)
        instance.get_serialization_context = _no_context  # type: ignore[method-assign, assignment]
        instance.get_external_store_context = _no_target  # type: ignore[method-assign, assignment]
        return instance


def _no_context(command: object) -> SerializationContext | None:
    """The SDK then uses the converter as it is."""
    return None


def _no_target(command: object) -> StorageDriverStoreContext:
    return StorageDriverStoreContext(target=None)
