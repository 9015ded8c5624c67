"""The workflow sandbox loads our pure packages once, and nothing of ours slips in unnamed."""

import asyncio
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ReplayerConfig, WorkflowRunner
from temporalio.worker.workflow_sandbox import (
    SandboxedWorkflowRunner,
    SandboxRestrictions,
    UnintentionalPassthroughError,
)
from temporalio.workflow import SandboxImportNotificationPolicy

from runtime.plugin import PASSED_THROUGH, FairleadPlugin
from tests.support.activation_firm import running_firm
from workflows.registry import WORKFLOWS

STRICT = (
    SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    | SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
)
LEAKY = """
import {module}
from temporalio import workflow

@workflow.defn(name="Leaky")
class Leaky:
    @workflow.run
    async def run(self) -> None: ...
"""


def strict_runner() -> SandboxedWorkflowRunner:
    """Refuses each module that is imported in the sandbox without being passed through by name."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_import_notification_policy(STRICT)
    )


async def load(kind: type) -> None:
    """Load a workflow into the strict sandbox of our plugin, as a worker does when it starts."""
    runner = FairleadPlugin().configure_replayer(ReplayerConfig(workflow_runner=strict_runner()))[
        "workflow_runner"
    ]
    assert isinstance(runner, WorkflowRunner)
    runner.prepare_workflow(workflow._Definition.must_from_class(kind))


@pytest.mark.parametrize("kind", WORKFLOWS, ids=lambda kind: kind.__name__)
async def test_each_workflow_loads_under_the_strict_policy(kind: type) -> None:
    await load(kind)


async def test_an_activation_imports_nothing_that_is_not_passed_through(
    temporal_env: WorkflowEnvironment, store: Any
) -> None:
    """Also nothing at run time: that would be a warning, and warnings are errors here."""
    async with running_firm(temporal_env.client, store, workflow_runner=strict_runner()) as firm:
        handle = await firm.start()
        await firm.reached("awaiting staffing")
        await firm.decide("cancel", "cancel", reason="tried out")
        async with asyncio.timeout(20):
            assert (await handle.result()).state == "cancelled"


def leaky(module: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    """A workflow whose file imports `module` as any other file would."""
    name = f"leaky_{module.replace('.', '_')}"
    (folder / f"{name}.py").write_text(LEAKY.format(module=module), encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    kind: type = importlib.import_module(name).Leaky
    return kind


@pytest.mark.parametrize("module", ["runtime.settings", "firm.load", "httpx", "workflows.registry"])
async def test_what_is_not_passed_through_is_refused_by_name(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = leaky(module, tmp_path, monkeypatch)
    with pytest.raises(UnintentionalPassthroughError, match=rf"Module {re.escape(module)} was not"):
        await load(kind)


@pytest.mark.parametrize("module", PASSED_THROUGH)
async def test_what_the_plugin_passes_through_is_there_and_needs_no_block(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await load(leaky(module, tmp_path, monkeypatch))
