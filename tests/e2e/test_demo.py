"""The demo, as somebody who has just installed Fairlead runs it."""

import pytest

from tests.support.demo import play, told_once

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def test_the_demo_ends_with_its_proof_as_one_json_object() -> None:
    shown = await play()
    told_once(shown)
    assert shown["faults_injected"] >= 5
    assert (shown["worker_kills"], shown["crash_points_hit"]) == (2, 2)
    assert {row["system"] for row in shown["systems"]} == {"salesforce", "kantata", "coupa", "netsuite"}
    assert shown["project"].startswith("DE01-")
    assert "trial_balance_debit" not in shown
    assert shown["seconds"] < 60
