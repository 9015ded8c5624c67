"""What the plugin saves must not change what is carried: shared validators, no contexts where unused."""

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext
from temporalio.worker import ReplayerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.policy import Route
from runtime.context_free import ContextFreeRunner
from runtime.plugin import FairleadPlugin, SharedPydanticConverter


class PlainCodec(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class CodecByContext(PlainCodec, WithSerializationContext):
    def with_context(self, context: SerializationContext) -> "CodecByContext":
        return self


class OwnRunner(SandboxedWorkflowRunner):
    """A runner that somebody chose on purpose, such as a stricter one."""


def runner_of(plugin: FairleadPlugin, given: SandboxedWorkflowRunner | None = None) -> Any:
    config = ReplayerConfig(workflow_runner=given or SandboxedWorkflowRunner())
    return plugin.configure_replayer(config)["workflow_runner"]


def test_converters_share_their_validators_and_still_convert() -> None:
    first, second = SharedPydanticConverter(), SharedPydanticConverter()
    assert list(first.converters.values()) == list(second.converters.values())
    route = Route(role="crm", system="salesforce", task_queue="fairlead.salesforce")
    assert second.from_payloads(first.to_payloads([route]), [Route]) == [route]


def test_sandbox_is_not_asked_for_contexts_that_no_codec_uses() -> None:
    assert type(runner_of(FairleadPlugin())) is ContextFreeRunner
    assert type(runner_of(FairleadPlugin(codec=PlainCodec()))) is ContextFreeRunner


def test_a_codec_that_uses_contexts_gets_them() -> None:
    assert type(runner_of(FairleadPlugin(codec=CodecByContext()))) is SandboxedWorkflowRunner


def test_a_runner_of_the_caller_stays_what_it_is() -> None:
    plugin = FairleadPlugin()
    runner = runner_of(plugin, OwnRunner())
    assert type(runner) is OwnRunner
    assert "domain" in runner.restrictions.passthrough_modules
    assert runner.restrictions == runner_of(plugin).restrictions
