"""With a codec nothing that was said is readable in a history; without one failures stay readable."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Rejected
from domain.attention import EventRef
from runtime.codec import SealingCodec, new_key
from runtime.plugin import FairleadPlugin
from runtime.replay import strict_replayer
from tests.support.activation_firm import Firm, a_deal, running_firm
from workflows.registry import WORKFLOWS

CANARIES = {
    "input and results": "canary-of-the-deal",
    "a failure": "canary-of-the-vendor",
    "a decision": "canary-of-the-decision",
    "a signal": "canary-of-the-event",
    "a summary": "Create project",
}


@dataclass(frozen=True)
class Keys:
    """Keys that live as long as the test."""

    active: str = "k1"
    keys: Mapping[str, str] = field(default_factory=lambda: {"k1": new_key()})


class CountedCodec(SealingCodec):
    """The codec, counting."""

    sealed = 0

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.sealed += len(payloads)
        return await super().encode(payloads)


async def a_full_life(client: Client, store: Any) -> tuple[Firm, WorkflowHistory]:
    """Refused once, retried, woken by an event, cancelled and undone: every kind of payload is in it."""
    async with running_firm(client, store) as firm:
        firm.crm.deal = a_deal(name=CANARIES["input and results"])
        firm.erp.fail("erp.project", Rejected(CANARIES["a failure"], system="netsuite"))
        handle = await firm.start(static_summary=CANARIES["input and results"])
        view = await firm.reached("creating", attention=1)
        assert (view.deal_name, view.attention[0].detail) == (
            CANARIES["input and results"],
            CANARIES["a failure"],
        )
        await handle.signal("event_received", EventRef(id=CANARIES["a signal"], type="deal.changed"))
        await firm.decide("resolve", "retry", target=view.attention[0].id, reason=CANARIES["a decision"])
        await firm.reached("awaiting staffing")
        await firm.decide("cancel", "cancel", reason=CANARIES["a decision"])
        async with asyncio.timeout(20):
            result = await handle.result()
        assert (result.state, CANARIES["a decision"] in result.reason) == ("cancelled", True)
        return firm, await handle.fetch_history()


def readable(history: WorkflowHistory) -> set[str]:
    """Kinds of text that the stored events show to whoever reads the database."""
    stored = b"".join(event.SerializeToString() for event in history.events)
    return {kind for kind, canary in CANARIES.items() if canary.encode() in stored}


def failures(history: WorkflowHistory) -> list[str]:
    return [
        event.activity_task_failed_event_attributes.failure.message
        for event in history.events
        if event.HasField("activity_task_failed_event_attributes")
    ]


async def test_with_a_codec_everything_works_and_nothing_is_readable(
    temporal_env: WorkflowEnvironment, store: Any
) -> None:
    codec = CountedCodec(Keys())
    client = await Client.connect(
        temporal_env.client.service_client.config.target_host,
        plugins=[FairleadPlugin(codec=codec, failure_types=[Exception])],
    )
    firm, history = await a_full_life(client, store)
    assert readable(history) == set()
    assert set(failures(history)) == {"Encoded failure"}
    assert codec.sealed > 50
    shown = await client.get_workflow_handle(firm.process).describe()
    assert await shown.static_summary() == CANARIES["input and results"], "with the key it can be read"
    assert shown.search_attributes.get("FairleadStage") == ["cancelled"], "ids and stages are never sealed"

    replayer = strict_replayer(WORKFLOWS, [FairleadPlugin(codec=codec)])
    assert (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure is None


async def test_without_a_codec_failures_stay_readable(temporal_env: WorkflowEnvironment, store: Any) -> None:
    """Also the proof that the canaries are where the other test looks for them."""
    _, history = await a_full_life(temporal_env.client, store)
    assert readable(history) == set(CANARIES)
    assert CANARIES["a failure"] in failures(history)
