"""The bench runs from end to end, however small, and what it compares is comparable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof

ROOT = Path(__file__).resolve().parents[2]
TINY = ("--rounds", "1", "--activations", "4", "--concurrency", "4", "--idle", "1", "--parked", "2")


@pytest.mark.timeout(300)
def test_a_tiny_run_gives_all_figures_and_both_make_the_same_calls() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *TINY, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    subjects = found["subjects"]
    assert set(subjects) == {"fairlead", "floor", "one queue"}
    assert all(value > 0 for figures in subjects.values() for name, value in figures.items()
               if not name.startswith("parked"))  # fmt: skip
    # The floor replays what Fairlead sent: call for call, whatever the connectors do in future.
    # (Now and then Fairlead reads again what it had kept for a while.)
    calls = subjects["floor"]["vendor_calls"]
    assert subjects["fairlead"]["vendor_calls"] == pytest.approx(calls, rel=0.05)
    assert subjects["floor"]["vendor_calls"] == subjects["one queue"]["vendor_calls"]
    assert {"parked_worker_bytes", "parked_server_bytes"} <= set(subjects["fairlead"])
    assert {aim["measure"] for aim in found["aims"]} == {"throughput", "idle_p50", "worker_cpu"}
    assert found["ratios_to_floor"]["history_events"] > 1
