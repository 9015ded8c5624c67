"""An invoice and the ledger: closed periods, lost answers, differences, and invoices that race."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError

from connectors.errors import Ambiguous, Conflict, Rejected, Transient
from domain.billing_commands import DraftInvoice, RecordBilling
from domain.selling import CustomerPO
from tests.support.billing_firm import (
    APPROVER,
    BillingFirm,
    eur,
    finish,
    reason_of,
    terms,
)
from tests.support.billing_systems import Delivery

# -- the ledger


async def test_a_closed_period_is_cured_by_another_day(large: BillingFirm) -> None:
    large.erp.closed_before = date(2027, 3, 1)
    handle = await large.awaiting_approval()
    await large.decide(handle, "approve", "approve", actor=APPROVER)
    view = await large.reached(handle, "posting", attention=1)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await large.decide(handle, "correct", "correct", target=view.attention[0].id, payload={"net": "1.00"})
    assert "cannot be corrected here" in reason_of(caught)
    payload = {"dated": "2027-03-01"}
    await large.decide(handle, "correct", "correct", target=view.attention[0].id, payload=payload)
    result = await finish(handle)
    assert [(d.dated, d.number) for d in large.erp.posted] == [(date(2027, 3, 1), result.number)]
    assert large.erp.drafts == [], "the draft of the old day is gone"
    assert len([1 for _, command in large.erp.applied if isinstance(command, DraftInvoice)]) == 2
    assert (await large.row(result.invoice)).approved_by == APPROVER, "the lines are the same"


@pytest.mark.parametrize("step", ["erp.draft", "erp.post", "psa.billing", "crm.billing"])
async def test_a_lost_answer_is_looked_up_and_nothing_happens_twice(billing: BillingFirm, step: str) -> None:
    lost: list[str] = []

    def lose(key: str) -> None:
        if f"/{step}/" in key and not lost:
            lost.append(key)
            raise Ambiguous("answer lost", system="any", retry_after=0.1)

    for system in (billing.crm, billing.psa, billing.erp):
        system.after_apply = lose
    await billing.contract()
    await billing.work("1")
    result = await billing.billed(await billing.cycle())
    assert (result.state, len(lost)) == ("posted", 1)
    assert (len(billing.erp.applied), len(billing.psa.applied), len(billing.crm.applied)) == (2, 1, 1)


async def test_what_passes_by_itself_troubles_nobody(billing: BillingFirm) -> None:
    billing.erp.fail("erp.post", Transient("connection refused", system="netsuite"))
    await billing.contract()
    await billing.work("1")
    assert (await billing.billed(await billing.cycle())).state == "posted"
    assert list(await billing.store.attention.list(state=None)) == []


async def test_a_posted_document_that_differs_is_accepted_by_two_persons(billing: BillingFirm) -> None:
    billing.erp.tax_off = Decimal("0.01")
    await billing.contract()
    await billing.work("1")
    handle = await billing.bill(await billing.cycle())
    view = await billing.reached(handle, "posting", attention=1)
    assert "tax: priced 380.00 EUR, posted 380.01 EUR" in view.attention[0].detail
    with pytest.raises(WorkflowUpdateFailedError):
        await billing.decide(handle, "cancel", "cancel")
    await billing.agreed(handle, "skip", view.attention[0].id, reason="rounding of the ERP")
    result = await finish(handle)
    assert (await billing.row(result.invoice)).erp_tax == eur("380.01")


@pytest.mark.parametrize("step", ["psa.billing", "crm.billing"])
async def test_telling_that_fails_is_settled_by_hand(billing: BillingFirm, step: str) -> None:
    system = billing.psa if step == "psa.billing" else billing.crm
    system.fail(step, *[Rejected("no", system=system.system)] * 2)
    await billing.contract()
    await billing.work("1")
    handle = await billing.bill(await billing.cycle())
    view = await billing.reached(handle, "telling", attention=1)
    await billing.decide(handle, "resolve", "retry", target=view.attention[0].id)
    view = await billing.reached(handle, "telling", attention=1)
    assert view.attention[0].step == step
    await billing.agreed(handle, "skip", view.attention[0].id, reason="done by hand")
    result = await finish(handle)
    assert (result.state, system.applied) == ("posted", [])
    assert [one.number for one in billing.erp.posted] == [result.number]


# -- races


async def test_two_invoices_of_the_same_entries_share_them(billing: BillingFirm) -> None:
    await billing.contract()
    for n in range(6):
        await billing.work(str(n), 1)
    results = await asyncio.gather(
        billing.billed(await billing.cycle("a")), billing.billed(await billing.cycle("b"))
    )
    assert sum((r.net.amount for r in results if r.net), Decimal(0)) == Decimal(1200)
    assert billing.psa.billed == {str(n) for n in range(6)}


async def test_racing_invoices_never_pass_a_cap_an_order_or_an_advance(billing: BillingFirm) -> None:
    order = CustomerPO(number="PO-1", amount=eur(30_000))
    await billing.contract(terms=terms(cap=eur(31_000), advance=eur(10_000)), customer_po=order)
    await billing.billed(await billing.event("advance", "advance", 10_000))
    events = [await billing.event("milestone", f"m{n}", 10_000, line=2) for n in range(4)]
    handles = [await billing.bill(event) for event in events]
    states = []
    for handle in handles:
        async with asyncio.timeout(20):
            while not (view := await billing.view(handle)) or not (view.finished or view.attention):
                await asyncio.sleep(0.02)
        states.append("posted" if view.finished else view.attention[0].error_class)
    assert sorted(states) == ["cap.hard", "posted", "posted", "posted"]
    totals = await billing.store.billing.totals(billing.project)
    assert (totals.billed, totals.advance_left) == (eur(30_000), eur(0))
    for handle, state in zip(handles, states, strict=True):
        if state != "posted":
            await billing.decide(handle, "cancel", "cancel", reason="enough")
            assert (await finish(handle)).state == "discarded"


def test_the_fake_psa_refuses_what_is_billed_twice(billing_record: RecordBilling) -> None:
    """Guards the guard: the tests above rely on it."""
    psa = Delivery()
    psa.done(billing_record, "1")
    with pytest.raises(Conflict, match="are on an invoice already"):
        psa.done(billing_record, "2")


@pytest.fixture
def billing_record() -> RecordBilling:
    return RecordBilling(
        invoice="i", project_external_id="77", currency="EUR", number="1", erp_external_id="1",
        dated=date(2027, 1, 1), net=eur(1), time_entry_ids=("1",),
    )  # fmt: skip
