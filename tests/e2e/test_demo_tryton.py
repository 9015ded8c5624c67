"""The demo with a real ERP: its own ledger balances after invoices, a credit note and a payment."""

import pytest

from local.tryton_environment import NoTryton, environment
from runtime.settings import Settings
from tests.support.demo import play, told_once

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_the_story_with_tryton_balances_in_its_own_ledger() -> None:
    try:
        environment(Settings.from_environment().home)
    except NoTryton as missing:
        pytest.skip(str(missing))
    shown = await play("--erp", "tryton")
    told_once(shown)
    assert (shown["worker_kills"], shown["crash_points_hit"]) == (2, 2)
    assert {row["system"] for row in shown["systems"]} == {"salesforce", "kantata", "coupa", "tryton"}
    # Receivables 81,848.20, bank 54,264.00 and retentions 6,020.00 against contract account and tax.
    assert shown["trial_balance_debit"] == shown["trial_balance_credit"] == "142,132.20 EUR"
    states = {one["number"]: one["state"] for one in shown["invoices"]}
    assert states[shown["paid"]] == "paid"
    assert list(states.values()) == ["paid", "open", "open", "open"]
