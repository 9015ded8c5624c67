"""Search attributes are listed and compared before anything is registered."""

import uuid
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from runtime.visibility import WrongSearchAttributes, missing_or_wrong, register, registered
from workflows.shared.search_attributes import ATTRIBUTES

PROCESS = SearchAttributeKey.for_keyword("FairleadProcess")


@workflow.defn
class Marked:
    @workflow.run
    async def run(self) -> str:
        workflow.upsert_search_attributes([PROCESS.value_set("activation")])
        await workflow.sleep(timedelta(days=30))
        return "slept"


@pytest.fixture
async def namespace(temporal_env: WorkflowEnvironment) -> Client:
    """A client of a namespace that has no search attributes of ours yet."""
    name = f"empty-{uuid.uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=name)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await temporal_env.client.workflow_service.register_namespace(request)
    return Client(temporal_env.client.service_client, namespace=name)


async def test_ours_are_registered_in_the_test_environment(temporal_env: WorkflowEnvironment) -> None:
    assert await missing_or_wrong(temporal_env.client, ATTRIBUTES) == []
    assert (await registered(temporal_env.client)).items() >= ATTRIBUTES.items()


async def test_registering_twice_adds_nothing(temporal_env: WorkflowEnvironment) -> None:
    assert await register(temporal_env.client, ATTRIBUTES) == []


async def test_another_type_is_named_and_nothing_is_changed(temporal_env: WorkflowEnvironment) -> None:
    client = temporal_env.client
    wanted = {"FairleadDue": "Keyword", "FairleadNew": "Keyword"}
    with pytest.raises(WrongSearchAttributes, match=r"FairleadDue .* is a Datetime but must be a Keyword"):
        await register(client, wanted)
    sentences = await missing_or_wrong(client, wanted)
    assert len(sentences) == 2
    assert "FairleadNew (Keyword) is not registered" in sentences[0]
    assert "FairleadNew" not in await registered(client)


async def test_unknown_type_is_refused(temporal_env: WorkflowEnvironment) -> None:
    with pytest.raises(WrongSearchAttributes, match=r"unknown search attribute types \['Money'\]"):
        await register(temporal_env.client, {"FairleadAmount": "Money"})


async def test_refusal_of_the_server_is_passed_on(temporal_env: WorkflowEnvironment) -> None:
    """The server has room for ten keywords in all."""
    with pytest.raises(WrongSearchAttributes, match="cannot have more than"):
        await register(temporal_env.client, {f"Further{number}": "Keyword" for number in range(11)})


async def test_missing_ones_are_added(namespace: Client) -> None:
    assert len(await missing_or_wrong(namespace, ATTRIBUTES)) == len(ATTRIBUTES)
    assert await register(namespace, ATTRIBUTES) == sorted(ATTRIBUTES)
    assert await missing_or_wrong(namespace, ATTRIBUTES) == []


async def test_time_skipping_server_takes_our_attributes_and_skips(
    time_skipping: WorkflowEnvironment,
) -> None:
    async with Worker(time_skipping.client, task_queue="marked", workflows=[Marked]):
        answer = await time_skipping.client.execute_workflow(
            Marked.run, id="marked", task_queue="marked", run_timeout=timedelta(days=60)
        )
    assert answer == "slept"


async def test_a_namespace_that_lists_nothing_is_asked_by_queries(
    temporal_env: WorkflowEnvironment, namespace: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal Cloud has no operator API for its users."""

    async def refused(client: Client) -> dict[str, str]:
        raise RPCError("not here", RPCStatusCode.UNIMPLEMENTED, b"")

    monkeypatch.setattr("runtime.visibility.registered", refused)
    assert await missing_or_wrong(temporal_env.client, ATTRIBUTES) == []
    missing = await missing_or_wrong(namespace, {"FairleadNobodyKnows": "Keyword"})
    assert len(missing) == 1
    assert "FairleadNobodyKnows" in missing[0]
