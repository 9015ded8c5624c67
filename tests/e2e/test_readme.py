"""The walk-throughs of the README, run as they stand there: commands, exit codes and what they print."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from local import process
from local.ephemeral import ephemeral_firm
from local.launch import SERVICES, Launch
from runtime.settings import Settings
from tests.support.readme import ROOT, Step, walk_throughs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

STEPS = walk_throughs((ROOT / "README.md").read_text(encoding="utf-8"))
_ID = re.compile(r"\b[0-9a-f]{32}\b")
_OURS = ("FAIRLEAD_", "SANDBOX_", "TEMPORAL_")
_VARIES = (
    (_ID, "ID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\s+"), " "),
)
"""What differs from run to run: decision ids, ports, times of day, the width of columns."""


@pytest.fixture(scope="module")
async def firm() -> AsyncIterator[Settings]:
    async with ephemeral_firm() as settings:
        yield settings


def steady(line: str) -> str:
    """`line` without what varies."""
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line.strip()


def environment(settings: Settings, command: str) -> dict[str, str]:
    """Of somebody who has just installed Fairlead, with the ports of this firm."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    kept |= settings.environment() | {"COLUMNS": "100"}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    if command.startswith("temporal "):
        kept["TEMPORAL_ADDRESS"] = f"127.0.0.1:{settings.temporal_port}"
    return kept


async def run(settings: Settings, command: str) -> tuple[int | None, str]:
    """Exit code and output, as a shell that is no terminal has them."""
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        command,
        cwd=settings.home,
        env=environment(settings, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = asyncio.create_task(shell.communicate())
    try:
        async with asyncio.timeout(60):
            while not (await asyncio.wait({output}, timeout=0.3))[0]:
                # The services are this process's children: without a look they stay as zombies when stopped.
                for service in SERVICES:
                    process.running(Launch(settings).paths(service))
    except TimeoutError:
        shell.kill()
        await output
        raise AssertionError(f"`{command}` did not end within a minute") from None
    return shell.returncode, output.result()[0].decode()


def with_ids(command: str, ids: dict[str, str]) -> str:
    """`command` with the ids of this run in place of those the README shows."""
    return _ID.sub(lambda found: ids[found[0]], command)


async def follow(settings: Settings, steps: list[Step]) -> None:
    """Run the steps; ids that one prints replace those that the README shows in the commands after it."""
    ids: dict[str, str] = {}
    for step in steps:
        command = with_ids(step.command, ids)
        code, output = await run(settings, command)
        assert code == step.code, f"`{command}` ended with {code}, the README says {step.code}:\n{output}"
        printed = [steady(line) for line in output.splitlines()]
        for line in step.lines:
            assert any(steady(line) in one for one in printed), (
                f"the README says that `{command}` prints\n  {line}\nbut it prints\n{output}"
            )
        shown = _ID.findall("\n".join(step.lines))
        ids |= dict(zip(shown, _ID.findall(output), strict=False))


def test_the_readme_has_its_three_walk_throughs() -> None:
    assert list(STEPS) == ["cli", "web-ui", "event"]
    assert all(len(steps) >= 4 for steps in STEPS.values())


async def test_from_the_command_line(firm: Settings) -> None:
    await follow(firm, STEPS["cli"])


async def test_in_the_web_ui(firm: Settings) -> None:
    await follow(firm, STEPS["web-ui"])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{firm.ui_port}", trust_env=False) as web:
        page = await web.get("/namespaces/default/workflows")
        asked = {"query": "FairleadAttention = true"}
        found = await web.get("/api/v1/namespaces/default/workflows", params=asked)
    assert page.status_code == found.status_code == httpx.codes.OK
    ids = [one["execution"]["workflowId"] for one in found.json()["executions"]]
    assert ids == ["activation/fairlead-demo/0065g000000000DAAQ"]


async def test_by_a_signed_event(firm: Settings) -> None:
    await follow(firm, STEPS["event"])
