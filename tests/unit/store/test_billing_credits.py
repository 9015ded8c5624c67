"""Credit notes and prices in the store: never more than there is, never priced on what has changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.invoice_state import InvoiceFinding, InvoiceRow
from domain.money import Money
from store.billing_ports import OverDrawn, ProjectTotals
from store.ports import StoreError
from store.sql.engine import SqlStore

Make = Callable[..., Any]
PROJECT = "DE01-7K3QXW"


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest.fixture
def row(make_invoice: Make, make_priced: Make) -> Make:
    """`row("i1", ("time", "100", 1), stage="posted")`: an invoice with its price."""

    def make(id: str, *lines: tuple[str, str, int], **changes: Any) -> InvoiceRow:
        made: InvoiceRow = make_invoice(id, priced=make_priced(*lines), **{"stage": "priced", **changes})
        return made

    return make


@pytest.fixture
async def pair(
    store_factory: Callable[..., SqlStore], store_path: Path
) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Two stores on one file."""
    stores = (store_factory(store_path), store_factory(store_path))
    yield stores
    for store in stores:
        await store.aclose()


async def posted(store: SqlStore, row: Make, make_contract: Make) -> None:
    await store.billing.put_contract(make_contract())
    await store.billing.put_invoice(row("i", ("time", "100", 1), ("expense", "50", 1), stage="posted"))


async def test_racing_credit_notes_never_take_back_more_than_a_line_has(
    pair: tuple[SqlStore, SqlStore], row: Make, make_contract: Make
) -> None:
    await posted(pair[0], row, make_contract)
    notes = [row(f"c{n}", ("time", "30", 1), credits="i") for n in range(8)]
    answers = await asyncio.gather(
        *(pair[n % 2].billing.settle(each.id, each) for n, each in enumerate(notes)), return_exceptions=True
    )
    assert sum(isinstance(answer, ProjectTotals) for answer in answers) == 3
    assert all(isinstance(answer, OverDrawn) for answer in answers if not isinstance(answer, ProjectTotals))


async def test_a_line_is_not_credited_out_of_what_another_has_left(
    store: SqlStore, row: Make, make_contract: Make
) -> None:
    await posted(store, row, make_contract)
    with pytest.raises(OverDrawn, match=r"too much of line 1 of invoice i: with others 120\.00 EUR of 100"):
        await store.billing.settle("c", row("c", ("time", "120", 1), credits="i"))
    await store.billing.settle("c", row("c", ("time", "100", 1), credits="i"))
    # What is let go gives its claim back.
    with pytest.raises(OverDrawn):
        await store.billing.settle("d", row("d", ("time", "1", 1), credits="i"))
    await store.billing.put_invoice(row("c", ("time", "100", 1), credits="i", stage="discarded"))
    await store.billing.settle("d", row("d", ("time", "1", 1), credits="i"))


async def test_an_entry_is_credited_by_name_once(store: SqlStore, row: Make, make_contract: Make) -> None:
    await posted(store, row, make_contract)
    await store.billing.settle("c", row("c", ("time", "10", 1), credits="i", credited=("a", "b")))
    with pytest.raises(OverDrawn, match="d credits b, which c does already"):
        await store.billing.settle("d", row("d", ("time", "10", 1), credits="i", credited=("b",)))


async def test_a_price_made_on_other_totals_is_made_again(
    store: SqlStore, row: Make, make_contract: Make
) -> None:
    """Tiers of retention and the customer's order go by what was billed before."""
    await store.billing.put_contract(make_contract())
    seen = await store.billing.totals(PROJECT)
    await store.billing.settle("i1", row("i1", ("time", "100", 1)), seen=seen)
    with pytest.raises(OverDrawn, match=r"priced when 0\.00 EUR .* were billed, by now it is 100\.00 EUR"):
        await store.billing.settle("i2", row("i2", ("time", "100", 1)), seen=seen)
    again = await store.billing.totals(PROJECT, without="i2")
    assert (await store.billing.settle("i2", row("i2", ("time", "100", 1)), seen=again)).billed == eur("200")
    # Its own part does not count: it may be priced again.
    await store.billing.settle("i2", row("i2", ("time", "90", 1)), seen=again)


async def test_what_is_blocked_claims_nothing(store: SqlStore, row: Make, make_contract: Make) -> None:
    await store.billing.put_contract(make_contract())
    blocked = row("i", ("time", "100", 1))
    finding = InvoiceFinding(rule="customer_po.number", field="customer_po", problem="it is missing")
    stopped = blocked.with_changes(priced=blocked.priced.with_changes(findings=(finding,)))
    assert (await store.billing.settle("i", stopped)).billed == eur("0")
    assert (await store.billing.settle("i", blocked)).billed == eur("100")


async def test_expenses_count_before_their_markup(store: SqlStore, row: Make, make_contract: Make) -> None:
    await store.billing.put_contract(make_contract())
    marked = row("i", ("expense", "110", 1), ("time", "40", 1), stage="posted")
    line = marked.priced.lines[0].with_changes(before_markup=eur("100"))
    priced = marked.priced.with_changes(lines=(line, marked.priced.lines[1]))
    totals = await store.billing.settle("i", marked.with_changes(priced=priced))
    assert (totals.billed, totals.expenses) == (eur("150"), eur("100"))
    part = line.with_changes(line=line.line.with_changes(net=eur("55")), before_markup=eur("50"))
    note = row("c", ("expense", "55", 1), credits="i")
    back = note.with_changes(priced=note.priced.with_changes(lines=(part,)), stage="posted")
    assert (await store.billing.settle("c", back)).expenses == eur("50")


async def test_events_are_released_by_name_too(
    store: SqlStore, row: Make, make_contract: Make, make_event: Make, make_entry: Make, make_invoice: Make
) -> None:
    billing = store.billing
    await billing.put_contract(make_contract())
    await billing.take_in([make_entry(1), make_entry(2)])
    for occasion in ("M1", "M2"):
        await billing.add_event(make_event(occasion))
    await billing.put_invoice(make_invoice("i"))
    first, second = f"{PROJECT}/1/M1/1", f"{PROJECT}/1/M2/1"
    await billing.cover("i", entries=["kantata:time:1", "kantata:time:2"], events=[first, second])
    assert await billing.release("i", entries=["kantata:time:1"], events=[first]) == [
        "kantata:time:1",
        first,
    ]
    assert [event.key for event in await billing.events(PROJECT, open_only=True)] == [first]
    assert [entry.key for entry in await billing.entries_of("i")] == ["kantata:time:2"]
    assert await billing.release("i", events=[first]) == [first], "a repeat answers the same"
    with pytest.raises(StoreError, match="never covered"):
        await billing.release("i", events=[f"{PROJECT}/1/M9/1"])
    assert await billing.release("i", entries=[]) == [], "nothing named is nothing"
    open_now = await billing.open_entries(PROJECT, up_to=date(2026, 12, 31))
    assert [entry.key for entry in open_now] == ["kantata:time:1"]
