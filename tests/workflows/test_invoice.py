"""An invoice from what is billable to what is posted and told: the straight way, and what blocks it."""

from datetime import date
from decimal import Decimal

from domain.intake import PsaInvoice, PsaInvoiceLine
from domain.selling import CustomerPO
from tests.support.billing_firm import (
    TODAY,
    BillingFirm,
    eur,
    finish,
    terms,
)

# -- straight through


async def test_work_and_a_milestone_become_one_posted_invoice_that_is_told(billing: BillingFirm) -> None:
    await billing.contract()
    await billing.work("1", 10)
    await billing.expense("2", "120.50")
    milestone = await billing.event("milestone", "2", 30_000, line=2, evidence="DOC-7")
    result = await billing.billed(await billing.cycle(), milestone)
    assert (result.state, result.net, result.gross) == ("posted", eur("32120.50"), eur("38223.40"))
    (document,) = billing.erp.posted
    assert (document.number, document.net, document.tax) == (result.number, eur("32120.50"), eur("6102.90"))
    assert document.dated == TODAY.date()
    row = await billing.row(result.invoice)
    assert (row.stage, row.number, row.erp_tax) == ("posted", result.number, eur("6102.90"))
    assert billing.psa.billed == {"1", "2"}
    (record,) = billing.psa.records_of_billing.values()
    assert (record.number, record.net, record.other) == (result.number, eur("32120.50"), eur(30_000))
    assert [(told.invoiced, told.last_invoice) for told in billing.told] == [(row.erp_net, result.number)]
    assert await billing.open_keys() == []
    assert [effect.step for effect in await billing.store.effects.list(result.invoice)] == [
        "erp.draft", "erp.post", "psa.billing", "crm.billing",
    ]  # fmt: skip
    assert list(await billing.store.attention.list(state=None)) == []


async def test_a_posted_invoice_is_answered_from_the_store(billing: BillingFirm) -> None:
    await billing.contract()
    await billing.work("1")
    event = await billing.cycle()
    first = await billing.billed(event)
    again = await billing.billed(event)
    assert (again.joined, again.number) == (True, first.number)
    assert len(billing.erp.applied) == 2


async def test_a_cycle_without_work_is_over(billing: BillingFirm) -> None:
    await billing.contract(terms=terms(po_required=True))
    result = await billing.billed(await billing.cycle())
    assert (result.state, billing.erp.applied) == ("empty", [])
    assert await billing.open_keys() == []
    await billing.work("late")
    later = await billing.cycle("2027-02")
    assert (await billing.store.billing.events(billing.project, open_only=True))[0].key == later


async def test_the_document_has_the_day_of_its_entity(billing: BillingFirm) -> None:
    """At eight in the morning UTC it is evening in Kiritimati already: the next day begins there at ten."""
    entity = billing.file.policy.entities[0].with_changes(time_zone="Pacific/Pago_Pago")
    billing.file.policy = billing.file.policy.with_changes(entities=(entity,))
    await billing.contract()
    await billing.work("1")
    await billing.billed(await billing.cycle())
    assert billing.erp.posted[0].dated == date(2027, 1, 31)


async def test_what_a_cap_keeps_out_is_parked_and_its_rest_is_an_event(billing: BillingFirm) -> None:
    """Cap 3,000: ten hours of 2,000, then 1,000 of the second entry, nothing of the third."""
    await billing.contract(terms=terms(cap=eur(3000)))
    for n in (1, 2, 3):
        await billing.work(str(n), 10, work_date=date(2027, 1, 10 + n))
    result = await billing.billed(await billing.cycle())
    assert result.net == eur(3000)
    third = await billing.store.billing.entry("kantata:time:3")
    assert (third.parked, third.invoice) == (True, "")
    (rest,) = [e for e in await billing.store.billing.events(billing.project) if e.kind == "above_cap"]
    assert (rest.amount, rest.evidence, rest.line) == (eur(1000), "kantata:time:2", 1)
    assert billing.psa.billed == {"1", "2"}
    # The cap is raised: both are billed, and no more is parked.
    await billing.contract(revision=2, terms=terms(cap=eur(9000)))
    more = await billing.billed(await billing.cycle("2027-02"), rest.key)
    assert more.net == eur(3000)
    assert not (await billing.store.billing.entry("kantata:time:3")).parked
    assert await billing.open_keys() == []


async def test_a_reversal_takes_back_what_was_billed_and_its_open_rest(billing: BillingFirm) -> None:
    """Of 2,000 a cap let 800 through: the reversal of all ten hours takes back 800, not 2,000."""
    await billing.contract(terms=terms(cap=eur(800)))
    await billing.work("1", 10)
    first = await billing.billed(await billing.cycle())
    assert first.net == eur(800)
    await billing.work("1r", -10, reverses="kantata:time:1", work_date=date(2027, 1, 13))
    await billing.work("2", 5, work_date=date(2027, 1, 14))
    second = await billing.billed(await billing.cycle("2027-02"))
    priced = (await billing.row(second.invoice)).priced
    assert priced is not None
    shares = {share.key: share.net for line in priced.lines for share in line.shares}
    assert shares == {"kantata:time:1r": eur(-800), "kantata:time:2": eur(800)}
    assert second.net == eur(0)
    rests = [e for e in await billing.store.billing.events(billing.project) if e.kind == "above_cap"]
    assert [(e.evidence, e.invoice) for e in rests if e.evidence.endswith(":1")] == [
        ("kantata:time:1", second.invoice)
    ], "nobody bills the rest of what was reversed"


async def test_the_psa_prices_and_its_document_is_billed_as_it_is(billing: BillingFirm) -> None:
    await billing.contract()
    await billing.work("1", 10)
    lines = (PsaInvoiceLine(ref="a", kind="time", description="Work", net=eur(1800), entry_ids=("1",)),)
    released = PsaInvoice(
        external_id="900", number="PSA-9", project_external_id="77", currency="EUR", net=eur(1800),
        state="released", dated=date(2027, 1, 31), lines=lines, version=TODAY,
    )  # fmt: skip
    event = await billing.event("psa", "psa-900", 1800, evidence="900")
    handle = await billing.bill(event)
    view = await billing.reached(handle, "collecting", attention=1)
    assert "900 is not there in the PSA" in view.attention[0].detail
    billing.psa.released = [released]
    await billing.decide(handle, "resolve", "retry", target=view.attention[0].id)
    result = await finish(handle)
    assert (result.state, result.net) == ("posted", eur(1800))
    assert billing.psa.records_of_billing == {}, "it is billed there already"
    assert await billing.open_keys() == []


# -- what blocks


async def test_a_missing_rate_blocks_until_there_is_one(billing: BillingFirm) -> None:
    await billing.contract()
    await billing.work("1", 10)
    await billing.work("2", 10, line=3, role="Wizard")
    handle = await billing.bill(await billing.cycle())
    view = await billing.reached(handle, "pricing", attention=1)
    assert "no price for Wizard" in view.attention[0].detail
    assert billing.erp.applied == []
    billing.rules.prices["Wizard"] = Decimal(300)
    await billing.decide(handle, "resolve", "retry", target=view.attention[0].id)
    assert (await finish(handle)).net == eur(5000)


async def test_two_persons_bill_without_what_has_no_rate(billing: BillingFirm) -> None:
    await billing.contract()
    await billing.work("1", 10)
    await billing.work("2", 10, line=3, role="Wizard")
    handle = await billing.bill(await billing.cycle())
    view = await billing.reached(handle, "pricing", attention=1)
    await billing.agreed(handle, "skip", view.attention[0].id, reason="next month")
    assert (await finish(handle)).net == eur(2000)
    assert await billing.open_keys() == ["kantata:time:2"]
    assert billing.psa.billed == {"1"}


async def test_an_order_that_is_used_up_blocks_until_the_contract_is_changed(billing: BillingFirm) -> None:
    order = CustomerPO(number="PO-1", amount=eur(1500))
    await billing.contract(customer_po=order)
    await billing.work("1", 10)
    handle = await billing.bill(await billing.cycle())
    view = await billing.reached(handle, "pricing", attention=1)
    assert "500.00 EUR too much" in view.attention[0].detail
    await billing.contract(revision=2, customer_po=order.with_changes(amount=eur(2000)))
    await billing.decide(handle, "resolve", "retry", target=view.attention[0].id)
    assert (await finish(handle)).state == "posted"
