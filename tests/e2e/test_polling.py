"""A firm whose CRM sends no events: signed deals are found by polling, on a Temporal schedule."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from composition import load_firm, open_firm_store
from local import secrets_setup
from local.ephemeral import ephemeral_firm

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

DEAL = "/_control/salesforce/Opportunity"
POLLED = {"activation": {"poll_every": '"1s"', "poll_overlap": '"10s"'}}


async def test_a_deal_whose_webhook_is_lost_is_found_by_the_poll() -> None:
    async with ephemeral_firm(firm_values=POLLED) as settings:
        environ = secrets_setup.firm_variables(settings.home, {})
        firm = load_firm(settings, environ)
        store = open_firm_store(firm, settings, environ)
        async with httpx.AsyncClient(base_url=settings.sandbox_url, trust_env=False) as sandbox:
            await eventually(lambda: store.cursors.get("salesforce.signed_deals"))
            assert await store.processes.list("activation") == [], (
                "what was signed before is activated by hand"
            )
            armed = await sandbox.post("/_faults", json={"kind": "webhook_lost"})
            assert armed.status_code == 200
            deals = (await sandbox.get(DEAL)).json()["records"]
            deal = min(row["Id"] for row in deals if row["StageName"] == "Closed Won")
            await sandbox.post(f"{DEAL}/{deal}", json={"StageName": "Negotiation/Review"})
            signed = await sandbox.post(f"{DEAL}/{deal}", json={"StageName": "Closed Won"})
            assert signed.status_code == 200
            row = await eventually(lambda: store.processes.get(f"activation/{firm.id}/{deal}"))
            assert getattr(row, "kind", "") == "activation"
            events = await store.inbox.list(type="deal.signed")
            assert {event.source for event in events} == {"salesforce-poll"}
        await store.aclose()


async def eventually(look: Callable[[], Awaitable[object]]) -> object:
    """The first answer of `look` that is something."""
    async with asyncio.timeout(60):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.1)
