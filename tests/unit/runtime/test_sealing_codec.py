"""The codec: nothing readable without the key, older keys still open, and a wrong key costs a task alone."""

import asyncio
import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from runtime.codec import KEY_ID, CodecError, SealingCodec, new_key
from runtime.plugin import FairleadPlugin

K1, K2 = new_key(), new_key()
SECRET = b"the pay of canary-person"


@dataclass(frozen=True)
class Keys:
    active: str
    keys: Mapping[str, str]


OLD, NEW = SealingCodec(Keys("k1", {"k1": K1})), SealingCodec(Keys("k2", {"k1": K1, "k2": K2}))


def payload(data: bytes = SECRET) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "messageType": b"person"}, data=data)


async def sealed(codec: SealingCodec = OLD, data: bytes = SECRET) -> Payload:
    return (await codec.encode([payload(data)]))[0]


async def test_what_is_sealed_shows_neither_content_nor_type() -> None:
    found = await sealed()
    stored = found.SerializeToString()
    assert found.metadata["encoding"] == b"binary/encrypted"
    assert found.metadata[KEY_ID] == b"k1"
    assert b"canary" not in stored
    assert b"json/plain" not in stored
    assert b"messageType" not in stored
    assert await OLD.decode([found]) == [payload()]


async def test_each_payload_has_a_nonce_of_its_own() -> None:
    found = await OLD.encode([payload()] * 50)
    assert len({one.data[:12] for one in found}) == 50


async def test_a_rotated_key_opens_and_the_new_one_seals() -> None:
    before, after = await sealed(OLD), await sealed(NEW)
    assert after.metadata[KEY_ID] == b"k2"
    assert await NEW.decode([before, after]) == [payload(), payload()]


async def test_a_payload_from_before_the_codec_is_passed_on() -> None:
    assert await NEW.decode([payload()]) == [payload()]


async def test_an_unknown_key_is_named_with_its_cure() -> None:
    with pytest.raises(CodecError, match=r"'k2', which this process does not have; add it to \[codec.keys\]"):
        await OLD.decode([await sealed(NEW)])


def _flipped(found: Payload) -> Payload:
    return Payload(metadata=found.metadata, data=found.data[:-1] + bytes([found.data[-1] ^ 1]))


def _relabelled(found: Payload) -> Payload:
    return Payload(metadata={**found.metadata, KEY_ID: b"same"}, data=found.data)


def _cut(found: Payload) -> Payload:
    return Payload(metadata=found.metadata, data=found.data[:5])


@pytest.mark.parametrize("alter", [_flipped, _relabelled, _cut])
async def test_an_altered_payload_is_refused_without_its_content(alter: Any) -> None:
    """`same` is the very same key under another name: the name is bound to what it sealed."""
    codec = SealingCodec(Keys("k1", {"k1": K1, "same": K1}))
    with pytest.raises(CodecError, match="was altered") as caught:
        await codec.decode([alter(await sealed(codec))])
    assert "canary" not in str(caught.value)
    assert K1 not in str(caught.value)


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 16).decode(), "ä" * 44])
def test_a_key_that_is_none_is_refused_unseen(text: str) -> None:
    with pytest.raises(CodecError, match="'k1' is not 32 bytes in base64; make one with") as caught:
        SealingCodec(Keys("k1", {"k1": text}))
    assert not text or text not in str(caught.value)


def test_the_active_key_must_be_there() -> None:
    with pytest.raises(CodecError, match="'k3' is not among the keys"):
        SealingCodec(Keys("k3", {"k1": K1}))


def test_keys_of_a_firm_do_not_show_themselves() -> None:
    from firm.codec import CodecKeys

    assert K1 not in repr(CodecKeys("k1", {"k1": K1}))


@workflow.defn(name="SealedEcho")
class SealedEcho:
    @workflow.run
    async def run(self, said: str) -> str:
        return said


@workflow.defn(name="SealedCall")
class SealedCall:
    @workflow.run
    async def run(self, queue: str) -> str:
        answer: str = await workflow.execute_activity(
            "repeat",
            "to be kept",
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
            result_type=str,
        )
        return answer


@activity.defn(name="repeat")
async def repeat(said: str) -> str:
    return said


async def test_a_worker_without_the_key_does_no_activity_and_it_is_done_by_another(
    temporal_env: WorkflowEnvironment,
) -> None:
    address = temporal_env.client.service_client.config.target_host
    able = await Client.connect(address, plugins=[FairleadPlugin(codec=NEW)])
    unable = await Client.connect(address, plugins=[FairleadPlugin(codec=OLD)])
    id, queue = f"sealed-{uuid.uuid4().hex}", f"q-{uuid.uuid4().hex[:8]}"
    vendor = f"{queue}.vendor"
    runner = UnsandboxedWorkflowRunner()
    async with (
        asyncio.timeout(20),
        Worker(able, task_queue=queue, workflows=[SealedCall], workflow_runner=runner),
    ):
        async with Worker(unable, task_queue=vendor, activities=[repeat]):
            handle = await able.start_workflow("SealedCall", vendor, id=id, task_queue=queue, result_type=str)
            while not await _attempts(handle) >= 2:
                await asyncio.sleep(0.05)
        async with Worker(able, task_queue=vendor, activities=[repeat]):
            assert await handle.result() == "to be kept"


async def _attempts(handle: Any) -> int:
    described = await handle.describe()
    return max((one.attempt for one in described.raw_description.pending_activities), default=0)


async def test_a_worker_without_the_key_fails_its_task_and_the_process_waits(
    temporal_env: WorkflowEnvironment,
) -> None:
    address = temporal_env.client.service_client.config.target_host

    async def connected(codec: SealingCodec) -> Client:
        return await Client.connect(address, plugins=[FairleadPlugin(codec=codec, failure_types=[Exception])])

    able, unable = await connected(NEW), await connected(OLD)
    id, queue = f"sealed-{uuid.uuid4().hex}", f"q-{uuid.uuid4().hex[:8]}"
    handle = await able.start_workflow(
        "SealedEcho",
        "to be kept",
        id=id,
        task_queue=queue,
        result_type=str,
        task_timeout=timedelta(seconds=1),
    )

    def worker(client: Client) -> Worker:
        runner = UnsandboxedWorkflowRunner()
        return Worker(
            client,
            task_queue=queue,
            workflows=[SealedEcho],
            workflow_runner=runner,
            max_cached_workflows=0,
        )

    async with asyncio.timeout(20):
        async with worker(unable):
            while not await _task_failures(handle):
                await asyncio.sleep(0.05)
        failure = (await _task_failures(handle))[0]
        assert "does not have" in failure.message or failure.message == "Encoded failure"
        async with worker(able):
            assert await handle.result() == "to be kept"


async def _task_failures(handle: Any) -> list[Any]:
    return [
        event.workflow_task_failed_event_attributes.failure
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
