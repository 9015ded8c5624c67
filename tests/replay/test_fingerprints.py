"""The order of a workflow's commands changes only on purpose."""

import difflib
import json

import pytest

from tests.replay.fingerprint import KEPT, ROOT, activity_names, as_text, fingerprints, of_source

CURE = """
The sequence of commands of a workflow has changed. A process that is running now replays its history on the
new code and stops where the two differ. Either

  1. take the change back, if it was not meant;
  2. keep the old sequence for what is running and put the new one behind a patch:
         if workflow.patched("what-changed"): ...new...   else: ...old...
  3. or know that no process of a released version can be running (then say so in the commit).

In cases 2 and 3, in the same commit: record a history of the new sequence and write the fingerprint anew,
    python -m tests.replay.record
    python -m tests.replay.fingerprint
and leave the histories of released versions where they are: `tests/replay/test_histories.py` has to pass.
"""


def test_commands_of_the_workflows_are_those_that_were_agreed() -> None:
    kept, found = json.loads(KEPT.read_text(encoding="utf-8")), fingerprints()
    difference = difflib.unified_diff(
        as_text(kept).splitlines(), as_text(found).splitlines(), "agreed", "now", lineterm="", n=4
    )
    assert kept == found, CURE + "\n".join(difference)


SOURCE = """
class Activation:
    async def run(self):
        await self._read()
        if self._deal.lines:
            await workflow.execute_activity_method(ErpActivities.create_customer, x, **options.own("a"))
        self._enter("creating")
        await workflow.execute_activity_method(PsaActivities.create_project, x, **options.own("b"))
        await self.step("psa.open", lambda: self.calls.open(project), undo=lambda: self.calls.close(project))
        await asyncio.gather(self._read(), self._judge())

    async def _read(self):
        await workflow.wait_condition(lambda: self._ready, timeout=left)

    def _enter(self, stage):
        search_attributes.upsert(stage=stage)
"""
NAMES = {"ErpActivities.create_customer": "erp.create_customer"}


def test_a_fingerprint_names_commands_in_their_order_and_branches() -> None:
    assert of_source(SOURCE, NAMES) == {
        "Activation.run": [
            "await self._read",
            "if",
            "  activity erp.create_customer",
            "activity PsaActivities.create_project",
            "await self.step 'psa.open'",
            "later self.calls.open",
            "later self.calls.close",
            "await asyncio.gather",
            "held self._read",
            "held self._judge",
        ],
        "Activation._read": ["wait, with a timer"],
        "Activation._enter": ["upsert stage"],
    }


CHANGES = {
    "an added timer": ("await self._read()", "await workflow.sleep(1)\n        await self._read()"),
    "another activity": ("create_project", "cancel_project"),
    "a branch taken away": ("if self._deal.lines:", "with x:"),
    "another step": ('"psa.open"', '"erp.open"'),
    "another call in a step": ("calls.open", "calls.open_for_time"),
    "another undo": ("undo=lambda: self.calls.close", "undo=lambda: self.calls.cancel"),
    "another order in parallel": ("self._read(), self._judge()", "self._judge(), self._read()"),
    "another order": ("self._enter(", "await self._enter("),
    "a wait without a timer": (", timeout=left", ""),
    "another attribute": ("upsert(stage=stage)", "upsert(stage=stage, owner=owner)"),
    "a child": ("await self._read()", 'await workflow.start_child_workflow("ProjectBilling", x)'),
    "a patch": ("if self._deal.lines:", 'if workflow.patched("lines"):'),
    "a continue-as-new": ('self._enter("creating")', "workflow.continue_as_new(self._state)"),
    "a local activity": (
        "execute_activity_method(PsaActivities.create_project",
        "execute_local_activity_method(LocalActivities.create_project",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_command_changes_the_fingerprint(change: str) -> None:
    old, new = CHANGES[change]
    assert old in SOURCE
    assert of_source(SOURCE.replace(old, new), NAMES) != of_source(SOURCE, NAMES)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"a"', '"another summary"'), ("left", "rest"), ("self._deal.lines", "self._deal.milestones")],
    ids=["a summary", "a local name", "a condition"],
)
def test_what_is_no_command_does_not(old: str, new: str) -> None:
    assert old in SOURCE
    assert of_source(SOURCE.replace(old, new), NAMES) == of_source(SOURCE, NAMES)


def test_activities_go_by_their_registered_names() -> None:
    names = activity_names(ROOT / "activities")
    assert names["CrmActivities.read_deal"] == "crm.read_deal"
    unnamed = [
        command
        for functions in fingerprints().values()
        for commands in functions.values()
        for command in commands
        if command.strip().startswith("activity ") and "Activities." in command
    ]
    assert not unnamed, "a refactoring of a class must not look like another activity"
