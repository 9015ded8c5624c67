"""`runtime.replay`: the open histories of a namespace against the code at hand."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from runtime.replay import OPEN, ReplayReport, replay_open
from runtime.visibility import register
from tests.replay.changed_activation import BrokenActivation, ChangedActivation, PatchedActivation
from tests.support.activation_firm import Firm, running_firm
from workflows.project_activation import ProjectActivation
from workflows.registry import WORKFLOWS
from workflows.shared.search_attributes import ATTRIBUTES


@pytest.fixture(scope="module")
async def namespace(temporal_env: WorkflowEnvironment) -> Client:
    """A namespace of its own, so that what other tests leave open is not counted."""
    name = f"replay-{uuid.uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=name)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await temporal_env.client.workflow_service.register_namespace(request)
    config = temporal_env.client.config()
    config["namespace"] = name
    client = Client(**config)
    async with asyncio.timeout(30):
        while True:
            try:
                await register(client, ATTRIBUTES)
                break
            except RPCError:  # the frontend learns of a new namespace after a moment
                await asyncio.sleep(0.1)
    return client


@pytest.fixture
async def open_firm(namespace: Client, store: Any) -> AsyncIterator[Firm]:
    """An activation that waits for its staffing; its worker is gone, as during a deploy."""
    async with running_firm(namespace, store) as firm:
        await firm.start()
        await firm.reached("awaiting staffing")
    yield firm
    await namespace.get_workflow_handle(firm.process).terminate()


async def replayed(client: Client, firm: Firm, workflows: list[type], **options: Any) -> ReplayReport:
    """Once visibility, which follows after a moment, shows the process."""
    query = f"{OPEN} AND WorkflowId = '{firm.process}'"
    async with asyncio.timeout(30):
        while not [run async for run in client.list_workflows(query)]:
            await asyncio.sleep(0.05)
    return await replay_open(client, client.namespace, workflows, query, **options)


async def test_what_is_open_replays_on_the_code_at_hand(open_firm: Firm) -> None:
    report = await replayed(open_firm.client, open_firm, WORKFLOWS)
    assert (report.ok, report.replayed, report.failures) == (True, {"ProjectActivation": 1}, ())


async def test_a_changed_sequence_names_the_process_and_the_cure(open_firm: Firm) -> None:
    report = await replayed(open_firm.client, open_firm, [ChangedActivation])
    (failure,) = report.failures
    assert (report.ok, failure.workflow_id, failure.type, failure.kind) == (
        False,
        open_firm.process,
        "ProjectActivation",
        "sequence",
    )
    assert failure.reason.startswith("[TMPRL1100]")
    assert "workflow.patched" in failure.cure
    assert (await replayed(open_firm.client, open_firm, [PatchedActivation])).ok


async def test_code_that_fails_on_what_was_written_before_is_told_apart(open_firm: Firm) -> None:
    """A payload that is not valid any more would fail the workflow in production: here it is a finding."""
    (failure,) = (await replayed(open_firm.client, open_firm, [BrokenActivation])).failures
    assert failure.kind == "code"
    assert failure.reason.startswith("1 validation error for ProjectActivationInput firm Input should be")


async def test_a_replay_that_does_not_end_is_named_too(open_firm: Firm) -> None:
    (failure,) = (await replayed(open_firm.client, open_firm, WORKFLOWS, longest=0.0)).failures
    assert (failure.kind, failure.reason) == ("time", "not replayed after 0 s")


async def test_a_workflow_that_is_gone_is_named(open_firm: Firm) -> None:
    others = [kind for kind in WORKFLOWS if kind is not ProjectActivation]
    (failure,) = (await replayed(open_firm.client, open_firm, others)).failures
    assert (failure.kind, "'ProjectActivation'" in failure.reason) == ("type", True)


async def test_a_process_that_no_worker_has_taken_up_is_no_failure(namespace: Client, store: Any) -> None:
    async with running_firm(namespace, store) as firm:
        pass
    handle = await firm.start()
    report = await replayed(namespace, firm, [ChangedActivation])
    assert (report.ok, report.not_begun, report.replayed) == (True, 1, {})
    await handle.terminate()


async def test_only_what_the_query_finds_in_the_namespace_is_replayed(
    temporal_env: WorkflowEnvironment, open_firm: Firm
) -> None:
    """A client of another namespace reads the one that is named."""
    await replayed(open_firm.client, open_firm, WORKFLOWS)
    report = await replay_open(temporal_env.client, open_firm.client.namespace, WORKFLOWS)
    assert report.replayed == {"ProjectActivation": 1}
    none = await replay_open(temporal_env.client, open_firm.client.namespace, WORKFLOWS, "WorkflowId = 'x'")
    assert (none.ok, none.replayed) == (True, {})


async def test_a_query_that_is_not_understood_is_an_error(namespace: Client) -> None:
    with pytest.raises(RPCError):
        await replay_open(namespace, namespace.namespace, WORKFLOWS, "Nonsense = ")


def test_variants_stand_for_the_same_workflow() -> None:
    for kind in (ChangedActivation, PatchedActivation, BrokenActivation):
        assert workflow._Definition.must_from_class(kind).name == "ProjectActivation"
