"""Credit notes: what they take back, release and bill again; always approved, once posted only forward."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Ambiguous, Rejected
from domain.billing_commands import CreditInvoice
from domain.billing_process import CreditInput, InvoiceResult, credit_id
from domain.project_contract import RetentionTerms, RetentionTier
from tests.support.billing_firm import (
    APPROVER,
    ASKED_BY,
    BillingFirm,
    eur,
    finish,
    reason_of,
    running_billing,
    terms,
)

A, B = "kantata:time:1", "kantata:time:2"


@pytest.fixture
async def posted(billing: BillingFirm) -> InvoiceResult:
    """An invoice of two entries of 2,000 and 1,000 and a milestone of 30,000."""
    await billing.contract()
    await billing.work("1", 10)
    await billing.work("2", 5)
    milestone = await billing.event("milestone", "2", 30_000, line=2, evidence="DOC-7")
    return await billing.billed(await billing.cycle(), milestone)


async def rebilled(firm: BillingFirm, id: str) -> InvoiceResult:
    """The end of the invoice that a credit note has started."""
    return InvoiceResult.model_validate(await finish(firm.client.get_workflow_handle(id)))


# -- what is taken back


async def test_a_whole_credit_releases_everything_and_bills_it_again(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    result = await billing.credited(posted.invoice, rebill=True)
    assert (result.state, result.net, result.number) == ("posted", eur(33_000), "CRN-0002")
    again = await rebilled(billing, result.rebilled_as)
    assert (again.state, again.net) == ("posted", eur(33_000))
    assert (await billing.row(posted.invoice)).stage == "credited"
    assert (await billing.row(again.invoice)).rebills == posted.invoice
    first, credit, second = billing.erp.posted
    assert (first.state, credit.gross, second.state) == ("credited", -first.gross, "open")
    events = {e.key.split("/", 1)[1]: e for e in await billing.store.billing.events(billing.project)}
    assert {key: (e.void, bool(e.invoice)) for key, e in events.items()} == {
        "0/2027-01/1": (True, False),
        "2/2/1": (True, False),
        "2/2/2": (False, True),
        "0/rebill-1/1": (False, True),
    }
    assert billing.psa.billed == {"1", "2"}
    assert [record.number for record in billing.psa.records_of_billing.values()] == [again.number]
    assert [told.invoiced for told in billing.told] == [eur(33_000), eur(0), eur(33_000)]
    assert await billing.open_keys() == []
    assert (await billing.store.billing.totals(billing.project)).billed == eur(33_000)


async def test_named_entries_are_released_and_the_rest_stays_billed(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    result = await billing.credited(posted.invoice, entries=(B,))
    assert (result.net, result.released, result.rebilled_as) == (eur(1000), 1, "")
    assert await billing.open_keys() == [B]
    assert (await billing.row(posted.invoice)).stage == "posted"
    (record,) = billing.psa.records_of_billing.values()
    assert (record.time_entry_ids, record.net, record.other) == (("1",), eur(32_000), eur(30_000))
    assert billing.told[-1].invoiced == eur(32_000)
    # Released work goes with the next cycle.
    assert (await billing.billed(await billing.cycle("2027-02"))).net == eur(1000)
    # The rest, too: the last credit closes the invoice.
    rest = await billing.credited(posted.invoice, entries=(A, f"{billing.project}/2/2/1"), rebill=True)
    assert rest.net == eur(32_000)
    assert (await billing.row(posted.invoice)).stage == "credited"
    assert (await rebilled(billing, rest.rebilled_as)).net == eur(32_000)
    assert billing.psa.billed == {"1", "2"}


async def test_a_rebill_bills_what_was_released_and_nothing_else(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    await billing.work("3", 1)
    result = await billing.credited(posted.invoice, entries=(B,), rebill=True)
    assert (await rebilled(billing, result.rebilled_as)).net == eur(1000)
    assert await billing.open_keys() == ["kantata:time:3"]


async def test_a_price_reduction_releases_nothing(billing: BillingFirm, posted: InvoiceResult) -> None:
    result = await billing.credited(posted.invoice, amount=eur(330), reason="concession")
    assert (result.net, result.released) == (eur(330), 0)
    assert await billing.open_keys() == []
    assert billing.psa.billed == {"1", "2"}
    (record,) = billing.psa.records_of_billing.values()
    assert record.net == eur("32670")
    row = await billing.row(result.credit)
    assert (row.credited, row.credit_reason) == ((), "concession")
    # What is left is credited in full, to the cent.
    rest = await billing.credited(posted.invoice)
    assert rest.net == eur("32670")
    assert sum(d.gross.amount for d in billing.erp.posted) == Decimal(0)


async def test_a_concession_gives_entries_up_for_good(billing: BillingFirm, posted: InvoiceResult) -> None:
    await billing.credited(posted.invoice, entries=(A,), reason="concession")
    assert await billing.open_keys() == []
    await billing.credited(posted.invoice)
    # The milestone waits under a new revision: its old key belongs to an invoice that has ended.
    assert await billing.open_keys() == [f"{billing.project}/2/2/2", B]


async def test_retention_and_advance_come_back_in_proportion(billing: BillingFirm) -> None:
    held = RetentionTerms(tiers=(RetentionTier(percent=Decimal(10)),))
    await billing.contract(terms=terms(retention=held, advance=eur(1000)))
    await billing.billed(await billing.event("advance", "advance", 1000))
    await billing.work("1", 10)
    await billing.work("2", 10)
    invoice = await billing.billed(await billing.cycle())
    assert invoice.net == eur(2600)
    before = await billing.store.billing.totals(billing.project)
    assert (before.retained, before.advance_left) == (eur(400), eur(0))
    result = await billing.credited(invoice.invoice, entries=(A,))
    assert result.net == eur(1300)
    after = await billing.store.billing.totals(billing.project)
    assert (after.billed, after.retained, after.advance_left) == (eur(2000), eur(200), eur(500))


async def test_what_an_advance_paid_for_is_credited_first(billing: BillingFirm) -> None:
    await billing.contract(terms=terms(advance=eur(1000)))
    advance = await billing.billed(await billing.event("advance", "advance", 1000))
    await billing.work("1", 2)
    await billing.billed(await billing.cycle())
    result = await finish(await billing.credit(advance.invoice))
    assert (result.state, "400.00 EUR has been applied" in result.reason) == ("refused", True)


async def test_the_open_rest_above_a_cap_is_void_when_its_entry_is_released(billing: BillingFirm) -> None:
    await billing.contract(terms=terms(cap=eur(500)))
    await billing.work("1", 10)
    invoice = await billing.billed(await billing.cycle())
    await billing.contract(revision=2, terms=terms(cap=eur(5000)))
    result = await billing.credited(invoice.invoice, entries=(A,), rebill=True)
    assert (await rebilled(billing, result.rebilled_as)).net == eur(2000), "whole, and once"
    assert await billing.open_keys() == []


# -- refused


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"reason": "uncollectible"}, "written off by an allowance"),
        ({"reason": "regret"}, "is no reason for a credit"),
        ({"entries": ("kantata:time:9",)}, "kantata:time:9 is not on INV-0001"),
        ({"amount": eur("33000.01")}, "only 33,000.00 EUR of INV-0001 are left"),
        ({"amount": eur(1), "entries": (A,)}, "either entries are credited by name, or"),
        ({"amount": eur(1), "rebill": True}, "nothing to bill again"),
        ({"reason": "concession", "rebill": True}, "nothing to bill again"),
    ],
)
async def test_what_is_refused_says_what_to_do_instead(
    billing: BillingFirm, posted: InvoiceResult, asked: dict[str, Any], says: str
) -> None:
    result = await finish(await billing.credit(posted.invoice, **asked))
    assert result.state == "refused"
    assert says in result.reason
    assert len(billing.erp.posted) == 1
    assert await billing.open_keys() == []


async def test_only_a_posted_invoice_is_credited(billing: BillingFirm) -> None:
    await billing.contract(terms=terms(prebill=True))
    await billing.work("1")
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "pre-bill review")
    result = await finish(await billing.credit(handle.id))
    assert (result.state, "cancel it, which frees" in result.reason) == ("refused", True)
    await billing.decide(handle, "cancel", "cancel")
    await finish(handle)


async def test_a_credited_invoice_and_a_credit_note_are_not_credited(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    done = await billing.credited(posted.invoice)
    again = await finish(await billing.credit(posted.invoice, reason_text="once more"))
    assert (again.state, "nothing of it is left" in again.reason) == ("refused", True)
    of_note = await finish(await billing.credit(done.credit))
    assert "is a credit note itself" in of_note.reason


async def test_two_credits_at_once_never_take_back_more_than_there_is(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    handles = [await billing.credit(posted.invoice, reason_text=text) for text in ("one", "two", "three")]
    states = []
    for handle in handles:
        async with asyncio.timeout(20):
            while not (view := await billing.view(handle)) or not (view.finished or view.attention):
                await asyncio.sleep(0.02)
        states.append(view.stage)
    assert sorted(states) == ["awaiting approval", "refused", "refused"]
    waiting = handles[states.index("awaiting approval")]
    await billing.decide(waiting, "approve", "approve", actor=APPROVER)
    await finish(waiting)
    assert [d.net for d in billing.erp.posted] == [eur(33_000), eur(-33_000)]


# -- people


async def test_a_second_person_approves_every_credit(billing: BillingFirm, posted: InvoiceResult) -> None:
    handle = await billing.credit(posted.invoice, amount=eur(1))
    view = await billing.reached(handle, "awaiting approval", attention=1)
    assert view.gross == eur("1.19")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await billing.decide(handle, "approve", "approve", actor=ASKED_BY)
    assert "another person approves it" in reason_of(caught)
    approval = await billing.decide(handle, "approve", "approve", actor=APPROVER)
    await finish(handle)
    row = await billing.row(handle.id)
    assert (row.approval, row.approved_by) == (approval, APPROVER)


async def test_a_rejected_credit_is_none_and_may_be_asked_for_again(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    handle = await billing.credit(posted.invoice)
    await billing.reached(handle, "awaiting approval", attention=1)
    await billing.decide(handle, "reject", "reject", actor=APPROVER, reason="the work was done")
    result = await finish(handle)
    assert (result.state, "the work was done" in result.reason) == ("cancelled", True)
    assert (await billing.row(posted.invoice)).stage == "posted"
    assert (await billing.credited(posted.invoice)).state == "posted", "in another generation"


async def test_the_same_request_is_the_same_credit(billing: BillingFirm, posted: InvoiceResult) -> None:
    first = await billing.credited(posted.invoice, amount=eur(5))
    again = await finish(
        await billing.credit(posted.invoice, amount=eur(5), requested_by="olga@firm.example")
    )
    assert (again.joined, again.number) == (True, first.number)
    asked = CreditInput(
        firm="acme", invoice=posted.invoice, reason="concession", reason_text="other", requested_by="x"
    )
    assert credit_id("acme", asked) != credit_id("acme", asked.with_changes(amount=eur(5)))


# -- the ledger


async def test_a_closed_period_is_cured_by_another_day(billing: BillingFirm, posted: InvoiceResult) -> None:
    billing.erp.closed_before = date(2027, 3, 1)
    handle = await billing.credit(posted.invoice)
    await billing.reached(handle, "awaiting approval", attention=1)
    await billing.decide(handle, "approve", "approve", actor=APPROVER)
    view = await billing.reached(handle, "posting", attention=1)
    target = view.attention[0].id
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await billing.decide(handle, "correct", "correct", target=target, payload={"dated": "2027-01-01"})
    assert "before the invoice itself" in reason_of(caught)
    await billing.decide(handle, "correct", "correct", target=target, payload={"dated": "2027-03-02"})
    await finish(handle)
    assert billing.erp.posted[1].dated == date(2027, 3, 2)


@pytest.mark.parametrize("step", ["erp.credit", "psa.billing", "crm.billing"])
async def test_a_lost_answer_is_looked_up_and_nothing_happens_twice(
    billing: BillingFirm, posted: InvoiceResult, step: str
) -> None:
    lost: list[str] = []

    def lose(key: str) -> None:
        if f"/{step}/" in key and not lost:
            lost.append(key)
            raise Ambiguous("answer lost", system="any", retry_after=0.1)

    for system in (billing.crm, billing.psa, billing.erp):
        system.after_apply = lose
    result = await billing.credited(posted.invoice, entries=(B,))
    assert (result.state, len(lost), len(billing.erp.posted)) == ("posted", 1, 2)
    assert billing.psa.billed == {"1"}


async def test_a_cancel_that_meets_the_posting_goes_on_with_what_is_posted(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    def lose(key: str) -> None:
        if "/erp.credit/" in key:
            raise Ambiguous("answer lost", system="netsuite", retry_after=30.0)

    billing.erp.after_apply = lose
    handle = await billing.credit(posted.invoice)
    await billing.reached(handle, "awaiting approval", attention=1)
    await billing.decide(handle, "approve", "approve", actor=APPROVER)
    async with asyncio.timeout(20):
        while len(billing.erp.posted) < 2:
            await asyncio.sleep(0.02)
    await billing.decide(handle, "cancel", "cancel", reason="too late")
    assert (await finish(handle)).state == "posted"
    assert (await billing.row(posted.invoice)).stage == "credited"


@pytest.mark.parametrize("stage", ["awaiting approval", "posting"])
@pytest.mark.parametrize("form", ["decision", "temporal"])
async def test_until_it_is_posted_a_cancel_undoes_it(
    billing: BillingFirm, posted: InvoiceResult, stage: str, form: str
) -> None:
    billing.erp.fail("erp.credit", Rejected("no", system="netsuite"))
    handle = await billing.credit(posted.invoice)
    await billing.reached(handle, "awaiting approval", attention=1)
    if stage == "posting":
        await billing.decide(handle, "approve", "approve", actor=APPROVER)
        await billing.reached(handle, "posting", attention=1)
    if form == "decision":
        await billing.decide(handle, "cancel", "cancel", reason="stop")
        assert (await finish(handle)).state == "cancelled"
    else:
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await finish(handle)
    assert (await billing.row(handle.id)).stage == "discarded"
    assert (await billing.row(posted.invoice)).stage == "posted"
    assert [c for _, c in billing.erp.applied if isinstance(c, CreditInvoice)] == []
    assert billing.psa.billed == {"1", "2"}
    assert await billing.open_keys() == []


async def test_a_posted_credit_that_differs_goes_to_its_owner(
    billing: BillingFirm, posted: InvoiceResult
) -> None:
    handle = await billing.credit(posted.invoice)
    await billing.reached(handle, "awaiting approval", attention=1)

    def otherwise(key: str) -> None:
        """The ERP rounds the tax of its credit note otherwise."""
        id = billing.erp.records[key][1].external_id
        if id in billing.erp.documents:
            note = billing.erp.documents[id]
            billing.erp.documents[id] = note.with_changes(tax=note.tax - eur("0.01"))

    billing.erp.after_apply = otherwise
    await billing.decide(handle, "approve", "approve", actor=APPROVER)
    view = await billing.reached(handle, "posting", attention=1)
    assert "tax: priced 6,270.00 EUR, posted 6,270.01 EUR" in view.attention[0].detail
    await billing.agreed(handle, "skip", view.attention[0].id, reason="a cent")
    assert (await finish(handle)).state == "posted"
    assert (await billing.row(handle.id)).erp_tax == eur("6270.01")


async def test_a_credit_survives_eviction_from_the_cache(
    temporal_env: WorkflowEnvironment, store: object
) -> None:
    async with running_billing(temporal_env.client, store, max_cached_workflows=0) as firm:
        await firm.contract()
        await firm.work("1", 10)
        invoice = await firm.billed(await firm.cycle())
        result = await firm.credited(invoice.invoice, rebill=True)
        assert (await rebilled(firm, result.rebilled_as)).net == eur(2000)
