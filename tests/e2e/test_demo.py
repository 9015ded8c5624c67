"""The demo, as somebody who has just installed Fairlead runs it."""

import asyncio
import json
import sys

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def test_the_demo_ends_with_its_proof_as_one_json_object() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from cli.main import main; main()",
        "demo",
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    shown = json.loads(out.decode().strip().splitlines()[-1])
    assert (shown["effects_lost"], shown["effects_doubled"]) == (0, 0)
    assert shown["faults_injected"] >= 4
    assert shown["worker_kills"] == 2
    assert {row["system"] for row in shown["systems"]} == {"salesforce", "kantata", "netsuite"}
    assert shown["project"].startswith("DE01-")
    assert shown["seconds"] < 60
