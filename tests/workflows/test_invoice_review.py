"""The pre-bill of a project manager, and the approval of what is above the limit."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain.billing_commands import PostInvoice
from domain.money import Money
from tests.support.billing_firm import (
    APPROVER,
    ASKED_BY,
    MANAGER,
    BillingFirm,
    eur,
    finish,
    reason_of,
    running_billing,
    terms,
)

# -- pre-bill


@pytest.fixture
async def reviewed(billing: BillingFirm) -> BillingFirm:
    """A firm whose project managers review: three entries of 2,000."""
    await billing.contract(terms=terms(prebill=True))
    for n in (1, 2, 3):
        await billing.work(str(n), 10, work_date=date(2027, 1, 10 + n))
    return billing


async def test_a_project_manager_holds_releases_writes_down_and_rewords(reviewed: BillingFirm) -> None:
    handle = await reviewed.bill(await reviewed.cycle())
    await reviewed.reached(handle, "pre-bill review")
    hold = {"target": "kantata:time:1", "reason": "disputed"}
    await reviewed.decide(handle, "prebill", "hold_entry", **hold)
    await reviewed.decide(handle, "prebill", "hold_entry", target="kantata:time:2", reason="why not")
    await reviewed.decide(handle, "prebill", "release_entry", target="kantata:time:2")
    down = {"amount": "300.00", "reason_code": "rework"}
    await reviewed.decide(handle, "prebill", "write_down", target="kantata:time:3", payload=down)
    words = {"narrative": "Workshops"}
    await reviewed.decide(handle, "prebill", "edit_narrative", target="kantata:time:3", payload=words)
    await reviewed.decide(handle, "prebill", "release_prebill")
    result = await finish(handle)
    assert result.net == eur(3700)
    entry = await reviewed.store.billing.entry("kantata:time:3")
    assert (entry.adjustment.amount, entry.adjustment.by, entry.narrative) == (
        eur(-300),
        MANAGER,
        "Workshops",
    )
    assert await reviewed.open_keys() == ["kantata:time:1"]


async def test_an_entry_moves_to_another_project(reviewed: BillingFirm) -> None:
    other = "DE01-OTHER1"
    await reviewed.contract(project=other)
    handle = await reviewed.bill(await reviewed.cycle())
    await reviewed.reached(handle, "pre-bill review")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await reviewed.decide(
            handle, "prebill", "transfer", target="kantata:time:1", payload={"project": other, "line": "9"}
        )
    assert "has no line 9" in reason_of(caught)
    moved = {"project": other, "line": "1"}
    await reviewed.decide(handle, "prebill", "transfer", target="kantata:time:1", payload=moved)
    await reviewed.decide(handle, "prebill", "release_prebill")
    assert (await finish(handle)).net == eur(4000)
    entry = await reviewed.store.billing.entry("kantata:time:1")
    assert (entry.project, entry.invoice) == (other, "")


async def test_a_large_write_down_needs_a_second_person(reviewed: BillingFirm) -> None:
    handle = await reviewed.bill(await reviewed.cycle())
    await reviewed.reached(handle, "pre-bill review")
    payload = {"amount": "500.01", "reason_code": "rework"}
    first = await reviewed.decide(handle, "prebill", "write_down", target="kantata:time:1", payload=payload)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await reviewed.decide(handle, "second", "second", target=first)
    assert "a second person has to agree" in reason_of(caught)
    assert (await reviewed.store.billing.entry("kantata:time:1")).adjustment is None
    await reviewed.decide(handle, "second", "second", target=first, actor=APPROVER)
    made = (await reviewed.store.billing.entry("kantata:time:1")).adjustment
    assert (made.amount, made.by, made.seconded_by) == (eur("-500.01"), MANAGER, APPROVER)
    await reviewed.decide(handle, "prebill", "release_prebill")
    assert (await finish(handle)).net == eur("5499.99")


async def test_a_seconded_change_that_is_refused_fails_nothing(reviewed: BillingFirm) -> None:
    handle = await reviewed.bill(await reviewed.cycle())
    await reviewed.reached(handle, "pre-bill review")
    payload = {"amount": "600", "reason_code": "rework"}
    first = await reviewed.decide(handle, "prebill", "write_down", target="kantata:time:99", payload=payload)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await reviewed.decide(handle, "second", "second", target=first, actor=APPROVER)
    assert "there is no entry 'kantata:time:99'" in reason_of(caught)
    await reviewed.decide(handle, "prebill", "release_prebill")
    assert (await finish(handle)).net == eur(6000)


async def test_a_write_down_beyond_the_price_blocks_until_it_is_put_right(reviewed: BillingFirm) -> None:
    handle = await reviewed.bill(await reviewed.cycle())
    await reviewed.reached(handle, "pre-bill review")
    payload = {"amount": "2000.01"}
    first = await reviewed.decide(handle, "prebill", "write_down", target="kantata:time:1", payload=payload)
    await reviewed.decide(handle, "second", "second", target=first, actor=APPROVER)
    await reviewed.decide(handle, "prebill", "release_prebill")
    view = await reviewed.reached(handle, "pricing", attention=1)
    assert "write down no more than it is worth" in view.attention[0].detail
    assert "skip" not in view.attention[0].actions
    # The change itself is the retry.
    await reviewed.decide(
        handle, "prebill", "write_down", target="kantata:time:1", payload={"amount": "100.00"}
    )
    assert (await finish(handle)).net == eur(5900)


async def test_silence_in_the_review_escalates(time_skipping: WorkflowEnvironment, store: object) -> None:
    async with running_billing(time_skipping.client, store) as firm:
        await firm.contract(terms=terms(prebill=True, prebill_hours=48))
        await firm.work("1")
        handle = await firm.bill(await firm.cycle(), run_timeout=timedelta(days=30))
        with time_skipping.auto_time_skipping_disabled():
            await firm.reached(handle, "pre-bill review")
            # What happens in the review is no silence's end, and no reminder either.
            words = {"narrative": "Workshops"}
            await firm.decide(handle, "prebill", "edit_narrative", target="kantata:time:1", payload=words)
            await firm.reached(handle, "pre-bill review")
        await time_skipping.sleep(timedelta(hours=49))
        with time_skipping.auto_time_skipping_disabled():
            view = await firm.reached(handle, "pre-bill review", attention=1)
            assert view.attention[0].person == "delivery_operations@firm.example"
        await time_skipping.sleep(timedelta(hours=25))
        with time_skipping.auto_time_skipping_disabled():
            view = await firm.reached(handle, "pre-bill review", attention=1)
            assert view.attention[0].escalations == 1
            await firm.decide(handle, "prebill", "release_prebill")
            assert (await finish(handle)).state == "posted"


# -- approval


async def test_another_person_approves_what_is_above_the_limit(large: BillingFirm) -> None:
    handle = await large.awaiting_approval()
    for maker in (ASKED_BY, MANAGER.upper()):
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await large.decide(handle, "approve", "approve", actor=maker)
        assert "another person approves it" in reason_of(caught)
    assert large.erp.applied == []
    approval = await large.decide(handle, "approve", "approve", actor=APPROVER)
    assert (await finish(handle)).state == "posted"
    (post,) = [command for _, command in large.erp.applied if isinstance(command, PostInvoice)]
    assert (post.approval, post.approved_by) == (approval, APPROVER)


async def test_without_a_limit_everything_is_approved(billing: BillingFirm) -> None:
    for limit in (None, Money.of(10_000_000, "INR")):
        firm_terms = terms(approval_limit=limit)
        await billing.contract(revision=1 if limit is None else 2, terms=firm_terms)
        await billing.work(f"of {firm_terms.approval_limit}", 1, work_date=date(2027, 1, 3))
        handle = await billing.bill(await billing.cycle(f"c{0 if limit is None else 1}"))
        await billing.reached(handle, "awaiting approval", attention=1)
        await billing.decide(handle, "approve", "approve", actor=APPROVER)
        assert (await finish(handle)).state == "posted"


async def test_a_change_after_the_approval_voids_it(large: BillingFirm) -> None:
    handle = await large.awaiting_approval()
    shown = (await large.view(handle)).attention[0].facts["content_hash"]
    await large.decide(handle, "prebill", "write_down", target="kantata:time:1", payload={"amount": "100.00"})
    await large.reached(handle, "awaiting approval", attention=1)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await large.decide(handle, "approve", "approve", actor=APPROVER, payload={"content_hash": shown})
    assert "was changed after it was shown" in reason_of(caught)
    await large.decide(handle, "approve", "approve", actor=APPROVER)
    assert (await finish(handle)).net == eur(1900)


@pytest.mark.parametrize("hours", [10, 2], ids=["above the limit", "below the limit"])
async def test_a_change_that_is_being_made_is_waited_for(
    large: BillingFirm, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Approved while a hold is on its way: what is held must not be posted, and the approval is void."""
    await large.work("2", hours)
    handle = await large.awaiting_approval()
    begun, go_on, adjust = asyncio.Event(), asyncio.Event(), large.store.billing.adjust

    async def slowly(key: str, **changes: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await adjust(key, **changes)

    monkeypatch.setattr(large.store.billing, "adjust", slowly)
    hold = large.decide(handle, "prebill", "hold_entry", target="kantata:time:1", reason="disputed")
    holding = asyncio.create_task(hold)
    async with asyncio.timeout(20):
        await begun.wait()
    await large.decide(handle, "approve", "approve", actor=APPROVER)
    assert large.erp.applied == []
    go_on.set()
    await holding
    if hours == 10:
        await large.reached(handle, "awaiting approval", attention=1)
        await large.decide(handle, "approve", "approve", actor=APPROVER)
    assert (await finish(handle)).net == eur(200 * hours)
    assert await large.open_keys() == ["kantata:time:1"]
    assert (await large.row(handle.id)).approved_by == (APPROVER if hours == 10 else "")


async def test_a_rejected_invoice_goes_back_to_the_review(large: BillingFirm) -> None:
    handle = await large.awaiting_approval()
    await large.decide(handle, "reject", "reject", actor=APPROVER, reason="too much")
    await large.reached(handle, "pre-bill review")
    with pytest.raises(WorkflowUpdateFailedError):
        await large.decide(handle, "approve", "approve", actor=APPROVER)
    await large.decide(handle, "prebill", "release_prebill")
    await large.reached(handle, "awaiting approval", attention=1)
    await large.decide(handle, "approve", "approve", actor=APPROVER)
    assert (await finish(handle)).state == "posted"
