"""A cancel at any stage frees everything; what is posted goes on."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Ambiguous, Rejected
from tests.support.billing_firm import (
    APPROVER,
    BillingFirm,
    eur,
    finish,
    running_billing,
    terms,
)

# -- cancel


async def test_a_cancel_frees_everything_and_the_invoice_is_made_anew(large: BillingFirm) -> None:
    event = f"{large.project}/0/2027-01/1"
    large.erp.fail("erp.post", Rejected("no", system="netsuite"))
    handle = await large.awaiting_approval()
    await large.decide(handle, "approve", "approve", actor=APPROVER)
    await large.reached(handle, "posting", attention=1)
    assert len(large.erp.drafts) == 1
    await large.decide(handle, "cancel", "cancel", reason="wrong month")
    result = await finish(handle)
    assert (result.state, "wrong month" in result.reason) == ("discarded", True)
    assert large.erp.documents == {}
    assert await large.open_keys() == [event, "kantata:time:1"]
    again = await large.bill(event)
    await large.reached(again, "pre-bill review")
    await large.decide(again, "prebill", "release_prebill")
    await large.reached(again, "awaiting approval", attention=1)
    await large.decide(again, "approve", "approve", actor=APPROVER)
    posted = await finish(again)
    assert (posted.state, len(large.erp.posted)) == ("posted", 1)
    assert {key.split("/")[-1] for key in large.erp.records} >= {"1", "2"}, "another generation"
    assert (await large.store.processes.get(handle.id)).generation == 2


@pytest.mark.parametrize("stage", ["pre-bill review", "pricing", "awaiting approval"])
@pytest.mark.parametrize("form", ["decision", "temporal"])
async def test_a_cancel_at_any_stage_leaves_nothing(billing: BillingFirm, stage: str, form: str) -> None:
    no_rate = {"line": 3, "role": "Wizard"} if stage == "pricing" else {}
    prebill, limit = stage == "pre-bill review", eur(1 if stage == "awaiting approval" else 100_000)
    await billing.contract(terms=terms(prebill=prebill, approval_limit=limit))
    await billing.work("1", 10, **no_rate)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, stage, attention=0 if stage == "pre-bill review" else 1)
    if form == "decision":
        await billing.decide(handle, "cancel", "cancel", reason="stop")
        assert (await finish(handle)).state == "discarded"
    else:
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await finish(handle)
    assert len(await billing.open_keys()) == 2
    assert (billing.erp.applied, list(await billing.store.attention.list())) == ([], [])
    assert (await billing.store.processes.get(handle.id)).state == "cancelled"
    assert (await billing.store.billing.totals(billing.project)).billed == eur(0)


async def test_a_cancel_that_meets_the_posting_goes_on_with_what_is_posted(billing: BillingFirm) -> None:
    """The answer of the posting is lost, and somebody cancels before it is looked up."""

    def lose(key: str) -> None:
        if "/erp.post/" in key:
            raise Ambiguous("answer lost", system="netsuite", retry_after=30.0)

    billing.erp.after_apply = lose
    await billing.contract()
    await billing.work("1")
    handle = await billing.bill(await billing.cycle())
    async with asyncio.timeout(20):
        while not billing.erp.posted:
            await asyncio.sleep(0.02)
    await billing.decide(handle, "cancel", "cancel", reason="too late")
    result = await finish(handle)
    assert (result.state, len(billing.erp.posted), billing.psa.billed) == ("posted", 1, {"1"})


async def test_an_invoice_survives_eviction_from_the_cache(
    temporal_env: WorkflowEnvironment, store: object
) -> None:
    async with running_billing(temporal_env.client, store, max_cached_workflows=0) as firm:
        await firm.contract(terms=terms(prebill=True, approval_limit=eur(1)))
        await firm.work("1", 10)
        handle = await firm.bill(await firm.cycle())
        await firm.reached(handle, "pre-bill review")
        await firm.decide(handle, "prebill", "write_down", target="kantata:time:1", payload={"amount": "100"})
        await firm.decide(handle, "prebill", "release_prebill")
        await firm.reached(handle, "awaiting approval", attention=1)
        await firm.decide(handle, "approve", "approve", actor=APPROVER)
        assert (await finish(handle)).net == eur(1900)
