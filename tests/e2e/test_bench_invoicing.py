"""The invoicing bench runs from end to end, however small: all is billed, and both make the same calls."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
def test_a_tiny_run_bills_everything_and_gives_all_figures() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.invoicing", "--projects", "10", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    assert [(size["invoices"], size["entries"]) for size in found["sizes"]] == [(1, 30), (10, 300)]
    for size in found["sizes"]:
        ours, floor = size["fairlead"], size["floor"]
        # The floor replays what Fairlead sent: call for call, whatever the connectors do in future.
        assert ours["calls"] == floor["calls"] > 0
        assert ours["histories"]["events"] > floor["histories"]["events"]
        assert size["invoices_per_second"] > 0
        assert size["ratio_to_floor"] > 0
        named = {spent["name"] for spent in ours["histories"]["activities"]}
        assert {"invoicing.price", "erp.post_invoice", "psa.record_billing", "crm.mark_billing"} <= named
