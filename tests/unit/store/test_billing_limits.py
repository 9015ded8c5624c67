"""Invoices and what they use: never more than there is of an advance, a retention or a cap, whoever races."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from domain.invoice_state import InvoiceFinding, InvoiceRow
from domain.money import Money
from domain.project_contract import BillingTerms, RetentionTerms, RetentionTier
from domain.selling import ContractLine
from store.billing_ports import OverDrawn, ProjectTotals
from store.ports import StaleReference, StoreError
from store.sql.engine import SqlStore

Make = Callable[..., Any]
PROJECT = "DE01-7K3QXW"
Pair = tuple[SqlStore, SqlStore]


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest.fixture
async def pair(store_factory: Callable[..., SqlStore], store_path: Path) -> AsyncIterator[Pair]:
    """Two stores on one file."""
    stores = (store_factory(store_path), store_factory(store_path))
    yield stores
    for store in stores:
        await store.aclose()


@pytest.fixture
def row(make_invoice: Make, make_priced: Make) -> Make:
    """`row("i1", ("time", "100", 1), stage="posted")`: an invoice with its price."""

    def make(id: str, *lines: tuple[str, str, int], stage: str = "priced", **changes: Any) -> InvoiceRow:
        priced = make_priced(*lines, currency=changes.pop("currency", "EUR"), keys=changes.pop("keys", ()))
        made: InvoiceRow = make_invoice(id, priced=priced, stage=stage, **changes)
        return made

    return make


async def advance_of(store: SqlStore, row: Make, amount: str, stage: str = "posted") -> None:
    await store.billing.settle("adv", row("adv", ("advance", amount, 1), stage=stage))


# -- drawing down


async def test_an_advance_is_drawn_down_to_nothing_and_no_further(
    store: SqlStore, make_contract: Make, row: Make
):
    """30,000 in advance, invoices of 12,000: 12,000, 12,000 and 6,000 are applied."""
    billing = store.billing
    await billing.put_contract(make_contract())
    await advance_of(store, row, "30000")
    for n, (applied, left) in enumerate([("-12000", "18000"), ("-12000", "6000")]):
        lines = (("time", "12000", 1), ("advance_applied", applied, 1))
        used = await billing.settle(f"i{n}", row(f"i{n}", *lines))
        assert used.advance_left == eur(left)
    third = row("i2", ("time", "12000", 1), ("advance_applied", "-12000", 1))
    says = r"i2 applies 12,000\.00 EUR of the advance of project DE01-7K3QXW, of which 6,000\.00 EUR is left"
    with pytest.raises(OverDrawn, match=says):
        await billing.settle("i2", third)
    assert await billing.invoice("i2") is None
    used = await billing.settle("i2", row("i2", ("time", "12000", 1), ("advance_applied", "-6000", 1)))
    assert (used.advance_left, used.billed) == (eur("0"), eur("36000"))


async def test_racing_invoices_never_apply_more_than_the_advance(pair: Pair, make_contract: Make, row: Make):
    await pair[0].billing.put_contract(make_contract())
    await advance_of(pair[0], row, "30000")
    rows = [row(f"i{n}", ("time", "7000", 1), ("advance_applied", "-7000", 1)) for n in range(24)]
    answers = await asyncio.gather(
        *(pair[n % 2].billing.settle(each.id, each) for n, each in enumerate(rows)), return_exceptions=True
    )
    settled = [answer for answer in answers if isinstance(answer, ProjectTotals)]
    assert len(settled) == 4
    assert all(isinstance(answer, OverDrawn) for answer in answers if answer not in settled)
    assert (await pair[1].billing.totals(PROJECT)).advance_left == eur("2000")
    assert len(await pair[1].billing.invoices(project=PROJECT)) == 5


async def test_racing_invoices_never_bill_above_a_hard_cap(pair: Pair, make_contract: Make, row: Make):
    await pair[0].billing.put_contract(make_contract(terms=BillingTerms(cap=eur("50000"))))
    await pair[0].billing.settle("first", row("first", ("time", "48000", 1)))
    rows = [row(f"i{n}", ("time", "2000", 1)) for n in range(10)]
    answers = await asyncio.gather(
        *(pair[n % 2].billing.settle(each.id, each) for n, each in enumerate(rows)), return_exceptions=True
    )
    assert sum(isinstance(answer, ProjectTotals) for answer in answers) == 1
    assert (await pair[0].billing.totals(PROJECT)).billed == eur("50000")


async def test_an_advance_is_there_once_it_is_posted(store: SqlStore, make_contract: Make, row: Make):
    billing = store.billing
    await billing.put_contract(make_contract())
    await advance_of(store, row, "100", stage="priced")
    draw = row("i", ("time", "100", 1), ("advance_applied", "-100", 1))
    with pytest.raises(OverDrawn, match=r"0\.00 EUR is left"):
        await billing.settle("i", draw)
    await advance_of(store, row, "100")
    assert (await billing.settle("i", draw)).advance_left == eur("0")
    # A discarded invoice gives back what it used.
    await billing.put_invoice(draw.with_changes(stage="discarded"))
    assert (await billing.totals(PROJECT)).advance_left == eur("100")


async def test_retention_is_held_up_to_its_most_and_released_once(
    store: SqlStore, make_contract: Make, row: Make
):
    billing = store.billing
    terms = RetentionTerms(tiers=(RetentionTier(percent="10"),), most_held=eur("1500"))
    await billing.put_contract(make_contract(terms=BillingTerms(retention=terms)))
    first = row("i1", ("time", "10000", 1), ("retention", "-1000", 1))
    used = await billing.settle("i1", first)
    assert (used.billed, used.retained) == (eur("10000"), eur("1000"))
    with pytest.raises(OverDrawn, match=r"holds 1,000\.00 EUR of what may be held .* 500\.00 EUR is left"):
        await billing.settle("i2", row("i2", ("time", "10000", 1), ("retention", "-1000", 1)))
    release = row("r", ("retention_release", "1000", 1))
    with pytest.raises(OverDrawn, match="releases"):  # not before the invoice that holds it is posted
        await billing.settle("r", release)
    await billing.put_invoice(first.with_changes(stage="posted"))
    used = await billing.settle("r", release)
    assert (used.billed, used.retained) == (eur("10000"), eur("0"))
    with pytest.raises(OverDrawn, match="releases"):
        await billing.settle("r2", row("r2", ("retention_release", "0.01", 1)))


async def test_caps_of_lines_and_soft_caps(store: SqlStore, make_contract: Make, row: Make):
    billing = store.billing
    lines = (
        ContractLine(id="1", number=1, name="one", cap=eur("1000")),
        ContractLine(id="2", number=2, name="two"),
    )
    await billing.put_contract(make_contract(lines=lines))
    await billing.settle(
        "i1", row("i1", ("time", "600", 1), ("adjustment", "-100", 1), ("expense", "900", 2))
    )
    with pytest.raises(
        OverDrawn, match=r"the cap of line 1 of contract C-0001, of which 500\.00 EUR is left"
    ):
        await billing.settle("i2", row("i2", ("time", "500.01", 1)))
    used = await billing.settle("i2", row("i2", ("time", "500", 1)))
    assert used.billed_by_line == {1: eur("1000"), 2: eur("900")}
    assert (used.billed, used.expenses) == (eur("1900"), eur("900"))
    soft = BillingTerms(cap=eur("1"), cap_kind="soft")
    await billing.put_contract(make_contract(lines=lines, revision=2, terms=soft))
    assert (await billing.settle("i3", row("i3", ("time", "500", 1)))).billed == eur("2400")


async def test_fixed_amounts_are_not_cut_by_the_cap_of_a_line(
    store: SqlStore, make_contract: Make, make_event: Make, make_invoice: Make, row: Make
):
    billing, event = store.billing, f"{PROJECT}/1/M1/1"
    line = ContractLine(id="1", number=1, name="one", cap=eur("1000"))
    await billing.put_contract(make_contract(lines=(line,)))
    await billing.add_event(make_event(amount="1200"))
    await billing.put_invoice(make_invoice("i"))
    await billing.cover("i", events=[event])
    for kind in ("milestone", "time"):  # `time`: the PSA's own prices
        fixed = row("i", (kind, "1200", 1), keys=(event,), events=(event,))
        assert (await billing.settle("i", fixed)).billed == eur("1200")
    with pytest.raises(OverDrawn, match="the cap of line 1"):
        await billing.settle("j", row("j", ("time", "0.01", 1)))


async def test_a_blocked_price_is_no_claim_on_the_cap(store: SqlStore, make_contract: Make, row: Make):
    billing = store.billing
    await billing.put_contract(make_contract(terms=BillingTerms(cap=eur("1000"))))
    over = row("i", ("milestone", "1200", 1))
    with pytest.raises(OverDrawn):
        await billing.settle("i", over)
    assert over.priced is not None
    finding = InvoiceFinding(rule="cap.hard", field="terms.cap", problem="200 too much")
    blocked = over.priced.model_copy(update={"findings": (finding,)})
    await billing.settle("i", over.model_copy(update={"priced": blocked}))


async def test_settling_again_replaces_what_it_used(store: SqlStore, make_contract: Make, row: Make):
    billing = store.billing
    await billing.put_contract(make_contract(terms=BillingTerms(cap=eur("100"))))
    for _ in range(2):
        used = await billing.settle("i", row("i", ("time", "80", 1)))
        assert used.billed == eur("80")
    assert len(await store.audit.list("i")) == 1
    assert (await billing.settle("i", row("i", ("time", "90", 2)))).billed_by_line == {2: eur("90")}
    assert (await billing.totals(PROJECT, without="i")).billed == eur("0")
    # Posted meanwhile, a late repeat of the same price is no new use.
    posted = row("i", ("time", "90", 2), stage="posted")
    await billing.put_invoice(posted)
    assert (await billing.settle("i", posted)).billed == eur("90")


async def test_what_cannot_be_settled(store: SqlStore, make_contract: Make, make_invoice: Make, row: Make):
    billing = store.billing
    with pytest.raises(StaleReference, match="has no contract"):
        await billing.settle("i", row("i", ("time", "1", 1)))
    with pytest.raises(StaleReference, match="has no contract"):
        await billing.totals(PROJECT)
    await billing.put_contract(make_contract())
    with pytest.raises(StoreError, match="not by j"):
        await billing.settle("i", row("j", ("time", "1", 1)))
    with pytest.raises(StoreError, match="without a price"):
        await billing.settle("i", make_invoice("i"))
    with pytest.raises(StoreError, match="is in USD, contract C-0001 in EUR"):
        await billing.settle("i", row("i", ("time", "1", 1), currency="USD"))
    lies = row("i", ("time", "100", 1), ("retention", "-10", 1))
    assert lies.priced is not None
    for name in ("retention", "advance_applied"):
        priced = lies.priced.model_copy(update={name: eur("9")})
        with pytest.raises(StoreError, match=rf"states {name} 9\.00 EUR, its lines of that kind sum to"):
            await billing.settle("i", lies.model_copy(update={"priced": priced}))
    assert await billing.invoices() == []


async def test_what_is_billed_by_name_must_be_covered(
    store: SqlStore, make_contract: Make, make_entry: Make, make_invoice: Make, row: Make
):
    billing, key = store.billing, "kantata:time:1"
    await billing.put_contract(make_contract())
    await billing.take_in([make_entry()])
    await billing.put_invoice(make_invoice("i"))
    priced = row("i", ("time", "100", 1), keys=(key,))
    with pytest.raises(StoreError, match=f"bills {key} and 0 more that it does not cover"):
        await billing.settle("i", priced)
    await billing.cover("i", entries=[key])
    assert (await billing.settle("i", priced)).billed == eur("100")


# -- credit notes


async def test_a_credit_note_gives_back_when_posted(store: SqlStore, make_contract: Make, row: Make):
    billing = store.billing
    await billing.put_contract(make_contract(terms=BillingTerms(cap=eur("1000"))))
    await advance_of(store, row, "500")
    lines = (("time", "900", 1), ("advance_applied", "-500", 1))
    invoice = row("i", *lines)
    await billing.settle("i", invoice)
    await billing.put_invoice(invoice.with_changes(stage="posted"))
    part = row("c", ("time", "300", 1), credits="i")
    assert (await billing.settle("c", part)).billed == eur("900")
    await billing.put_invoice(part.with_changes(stage="posted"))
    assert (await billing.totals(PROJECT)).billed == eur("600")
    # Credited in full, neither invoice nor note counts any more, and the advance is there again.
    await billing.put_invoice(invoice.with_changes(stage="credited"))
    used = await billing.totals(PROJECT)
    assert (used.billed, used.advance_left) == (eur("0"), eur("500"))


async def test_a_credit_note_has_the_sign_of_its_invoice(store: SqlStore, make_contract: Make, row: Make):
    billing = store.billing
    await billing.put_contract(make_contract())
    with pytest.raises(StaleReference, match="credits invoice i, which is not kept"):
        await billing.settle("c", row("c", ("time", "-300", 1), credits="i"))
    await billing.settle("i", row("i", ("time", "900", 1), stage="posted"))
    with pytest.raises(
        StoreError, match=r"over -300\.00 EUR must have the sign of what it credits, 900\.00 EUR"
    ):
        await billing.settle("c", row("c", ("time", "-300", 1), credits="i"))


# -- rows


async def test_an_invoice_row_is_replaced_until_it_is_posted(
    timed_store: SqlStore, clock: Any, make_invoice: Make, row: Make
):
    billing = timed_store.billing
    first = await billing.put_invoice(make_invoice("i"))
    assert first.updated_at == clock.now
    clock.forward(minutes=1)
    assert await billing.put_invoice(make_invoice("i")) == first
    drafted = row("i", ("time", "10", 1), stage="drafted", external_id="77", approved_by="cfo")
    await billing.put_invoice(drafted)
    await billing.put_invoice(drafted.with_changes(stage="discarded", external_id="", priced=None))
    await billing.put_invoice(drafted.with_changes(stage="approved", revision=2, approval="d7"))
    posted = drafted.with_changes(stage="posted", revision=2, number="INV-1")
    kept = await billing.put_invoice(posted)
    assert kept == await billing.invoice("i") == posted.with_changes(updated_at=clock.now)
    audit = await timed_store.audit.list("i")
    assert [entry.after.split()[0] for entry in audit] == [
        *("collected,", "drafted,", "discarded,", "approved,", "posted,"),
    ]
    assert (audit[3].actor, audit[3].why, audit[4].object) == ("cfo", "d7", "INV-1")
    assert await timed_store.audit.verify() == (5, [])


@pytest.mark.parametrize(
    ("kept", "change", "says"),
    [
        ("posted", {"stage": "drafted"}, "is posted as INV-1, it never goes back to drafted"),
        ("paid", {"stage": "discarded"}, "never goes back"),
        ("credited", {"stage": "posted"}, "never goes back to posted"),
        ("posted", {"priced": None}, "its priced cannot change; correct it by a credit note"),
        ("posted", {"number": "INV-2"}, "its number cannot change"),
        ("paid", {"external_id": "78"}, "its external_id cannot change"),
        ("priced", {"project": "X"}, "has project 'DE01-7K3QXW', not 'X'"),
        ("priced", {"credits": "X"}, "has credits '', not 'X'"),
    ],
)
async def test_what_is_posted_stays(store: SqlStore, row: Make, kept: str, change: Any, says: str):
    posted = row("i", ("time", "10", 1), stage=kept, number="INV-1", external_id="77")
    standing = await store.billing.put_invoice(posted)
    with pytest.raises(StoreError, match=says):
        await store.billing.put_invoice(posted.with_changes(**change))
    assert await store.billing.invoice("i") == standing
    if kept == "posted":
        await store.billing.put_invoice(posted.with_changes(stage="paid"))
        await store.billing.put_invoice(posted.with_changes(stage="posted"))  # the payment bounced


async def test_invoices_are_listed_last_changed_first(timed_store: SqlStore, clock: Any, make_invoice: Make):
    billing = timed_store.billing
    for n, facts in enumerate(({}, {"stage": "posted"}, {"customer": "002"}, {"project": "X"})):
        clock.forward(minutes=1)
        await billing.put_invoice(make_invoice(f"i{n}", **facts))

    async def listed(**by: Any) -> list[str]:
        return [found.id for found in await billing.invoices(**by)]

    assert await listed() == ["i3", "i2", "i1", "i0"]
    assert await listed(project=PROJECT) == ["i2", "i1", "i0"]
    assert await listed(stage="posted") == ["i1"]
    assert await listed(customer="001", stage="collected", limit=1) == ["i3"]
    assert await billing.invoice("nobody") is None


async def test_the_documents_of_a_project_are_all_there_is(store: SqlStore, make_invoice: Make):
    billing = store.billing
    for n in range(205):  # more than a list shows
        await billing.put_invoice(make_invoice(f"i{n}"))
    await billing.put_invoice(make_invoice("c1", credits="i7", credit_reason="concession"))
    await billing.put_invoice(make_invoice("x", project="X"))
    found = await billing.documents(PROJECT)
    assert {row.id for row in found} == {"c1", *(f"i{n}" for n in range(205))}
    assert [row.id for row in await billing.documents(PROJECT, credits="i7")] == ["c1"]
    assert await billing.documents(PROJECT, credits="i8") == []


async def test_amounts_are_summed_exactly(store: SqlStore, make_contract: Make, row: Make):
    """A tenth of a cent would show: 0.10 a thousand times, and amounts beyond a double's digits."""
    billing = store.billing
    await billing.put_contract(make_contract())
    lines = [("time", "0.10", 1)] * 1000 + [("time", "900000000000000.01", 1)]
    assert (await billing.settle("i", row("i", *lines))).billed == eur("900000000000100.01")
    await billing.put_contract(make_contract(project="CL", currency="CLF"))
    huge = row("j", ("time", "1000000000000000", 1), currency="CLF", project="CL")
    with pytest.raises(StoreError, match="too large to be kept"):
        await billing.settle("j", huge)
