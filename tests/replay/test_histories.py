"""Histories of earlier versions replay on the code at hand, so that an upgrade ends no running process."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory

from runtime.plugin import FairleadPlugin
from runtime.replay import strict_replayer
from tests.replay.changed_activation import ChangedActivation, PatchedActivation
from tests.replay.record import HISTORIES, as_text
from workflows.project_activation import ProjectActivation
from workflows.registry import WORKFLOWS

RECORDED = sorted(HISTORIES.rglob("*.json"))
ACTIVATIONS = sorted((HISTORIES / "ProjectActivation").glob("*.json"))
CURE = (
    "A process that is running now would stop here after an upgrade. Put the changed sequence behind "
    "`workflow.patched(...)`, keep the old one, and record the new with `python -m tests.replay.record`."
)


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def read(path: Path) -> WorkflowHistory:
    """The history under its own workflow id, which ids of exceptions and decisions are made of."""
    events = json.loads(path.read_text(encoding="utf-8"))
    id = events["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    return WorkflowHistory.from_json(id, events)


async def failure(path: Path, workflows: list[type]) -> Exception | None:
    """Why the history at `path` does not replay on `workflows`; None when it does."""
    async with asyncio.timeout(60):
        result = await strict_replayer(workflows, [FairleadPlugin()]).replay_workflow(
            read(path), raise_on_replay_failure=False
        )
    return result.replay_failure


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
async def test_a_recorded_history_replays(path: Path) -> None:
    found = await failure(path, WORKFLOWS)
    assert found is None, f"{name_of(path)}: {found}\n{CURE}"


@pytest.mark.parametrize("kind", WORKFLOWS, ids=lambda kind: kind.__name__)
def test_each_workflow_has_a_history(kind: type) -> None:
    definition = workflow._Definition.must_from_class(kind)
    assert list((HISTORIES / str(definition.name)).glob("*.json")), "record one: add a scenario for it"


@pytest.mark.parametrize("path", ACTIVATIONS, ids=name_of)
async def test_an_added_timer_is_caught(path: Path) -> None:
    found = await failure(path, [ChangedActivation])
    assert isinstance(found, workflow.NondeterminismError)
    assert "TMPRL1100" in str(found)


async def test_the_same_timer_behind_a_patch_is_not() -> None:
    assert await failure(ACTIVATIONS[0], [PatchedActivation]) is None


async def test_a_workflow_that_is_gone_is_caught() -> None:
    others = [kind for kind in WORKFLOWS if kind is not ProjectActivation]
    assert await failure(ACTIVATIONS[0], others) is not None


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
def test_a_history_says_nothing_of_the_machine_it_was_recorded_on(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\.py\b|stackTrace|Traceback", text)
    assert set(re.findall(r'"identity": "([^"]*)"', text)) <= {"recorder"}


def test_what_belongs_to_a_machine_is_left_out() -> None:
    event = {
        "identity": "17@host",
        "failure": {"message": "no", "stackTrace": "a.py", "cause": {"stackTrace": "b"}},
    }
    assert as_text({"events": [event]}) == (
        '{"events": [\n{"identity": "recorder", "failure": {"message": "no", "cause": {}}}\n]}\n'
    )
