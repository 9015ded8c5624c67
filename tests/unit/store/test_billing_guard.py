"""The guard: an entry or event is on one live invoice, whoever races, and is free again when released."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain.invoice_state import InvoiceRow
from store.billing_ports import AlreadyCovered
from store.ports import StaleReference, StoreError
from store.sql.engine import SqlStore

Make = Callable[..., Any]
PROJECT = "DE01-7K3QXW"
ONE, TWO = "invoice/acme/1", "invoice/acme/2"
RACERS = 40
END = date(2026, 12, 31)
Pair = tuple[SqlStore, SqlStore]


def key(id: int) -> str:
    return f"kantata:time:{id}"


@pytest.fixture
async def pair(store_factory: Callable[..., SqlStore], store_path: Path) -> AsyncIterator[Pair]:
    """Two stores on one file."""
    stores = (store_factory(store_path), store_factory(store_path))
    yield stores
    for store in stores:
        await store.aclose()


@pytest.fixture
async def filled(pair: Pair, make_entry: Make, make_event: Make, make_invoice: Make) -> SqlStore:
    """Ten entries, two events and two invoices."""
    store = pair[0]
    await store.billing.take_in([make_entry(n) for n in range(10)])
    for occasion in ("M1", "M2"):
        await store.billing.add_event(make_event(occasion))
    for id in (ONE, TWO):
        await store.billing.put_invoice(make_invoice(id))
    return store


async def keys_on(store: SqlStore, invoice: str) -> list[str]:
    return [entry.key for entry in await store.billing.entries_of(invoice)]


async def test_of_racing_invoices_one_covers(pair: Pair, filled: SqlStore, make_invoice: Make):
    ids = [f"invoice/acme/r{n}" for n in range(RACERS)]
    for id in ids:
        await filled.billing.put_invoice(make_invoice(id))
    event = f"{PROJECT}/1/M1/1"
    answers = await asyncio.gather(
        *(
            pair[n % 2].billing.cover(id, entries=[key(n % 10), key(0)], events=[event])
            for n, id in enumerate(ids)
        ),
        return_exceptions=True,
    )
    assert [answer for answer in answers if answer is None] == [None]
    assert all(isinstance(answer, AlreadyCovered) for answer in answers if answer is not None)
    winner = ids[answers.index(None)]
    taken = set(await keys_on(filled, winner))
    entries = [entry for n in range(10) if (entry := await filled.billing.entry(key(n)))]
    assert {entry.key: entry.invoice for entry in entries if entry.invoice} == dict.fromkeys(taken, winner)
    assert (await filled.billing.events(PROJECT))[0].invoice == winner


async def test_of_racing_repeats_all_succeed_and_one_row_stands(pair: Pair, filled: SqlStore):
    await asyncio.gather(*(pair[n % 2].billing.cover(ONE, entries=[key(1)]) for n in range(RACERS)))
    assert await keys_on(filled, ONE) == [key(1)]
    assert [entry.what for entry in await filled.audit.list(ONE)] == [
        f"invoice of project {PROJECT} collected",
        "1 entry covered",
    ]


async def test_all_or_none(filled: SqlStore):
    await filled.billing.cover(ONE, entries=[key(1)])
    with pytest.raises(
        AlreadyCovered, match=f"entry {key(1)} is on invoice {ONE}, it cannot be on {TWO} too"
    ):
        await filled.billing.cover(TWO, entries=[key(n) for n in range(5)])
    assert await keys_on(filled, TWO) == []
    assert [e.key for e in await filled.billing.open_entries(PROJECT, up_to=END)][:2] == [key(0), key(2)]


async def test_the_index_itself_refuses_a_second_live_row(filled: SqlStore, raw: Any):
    """Should the look before it ever be wrong, the database still says no."""
    await filled.billing.cover(ONE, entries=[key(1)], events=[f"{PROJECT}/1/M1/1"])
    second = text(
        "INSERT INTO coverage (invoice, kind, item, covered_at) VALUES (:invoice, :kind, :item, '2026-01-01')"
    )
    for kind, item in (("entry", key(1)), ("event", f"{PROJECT}/1/M1/1")):
        with pytest.raises(IntegrityError), raw() as database:
            database.execute(second, {"invoice": TWO, "kind": kind, "item": item})


async def test_what_may_not_be_covered(
    filled: SqlStore, make_entry: Make, make_event: Make, make_invoice: Make
):
    billing = filled.billing
    await billing.take_in([make_entry(20, billable=False), make_entry(21, project="OTHER")])
    await billing.void_event(f"{PROJECT}/1/M2/1", reason="cancelled")
    for wrong, says in (
        ({"entries": [key(20)]}, "is not billable"),
        ({"entries": [key(21)]}, f"is of project OTHER, invoice {ONE} of {PROJECT}"),
        ({"events": [f"{PROJECT}/1/M2/1"]}, "is void"),
    ):
        with pytest.raises(StoreError, match=says):
            await billing.cover(ONE, **wrong)
    for wrong in ({"entries": [key(77)]}, {"events": ["nothing"]}):
        with pytest.raises(StaleReference, match="is not kept"):
            await billing.cover(ONE, **wrong)
    with pytest.raises(StaleReference, match="invoice nobody is not kept"):
        await billing.cover("nobody", entries=[key(1)])
    for stage in ("posted", "discarded", "empty"):
        row = make_invoice(f"invoice/acme/{stage}", stage=stage)
        await billing.put_invoice(row)
        with pytest.raises(StoreError, match=f"is {stage}: nothing can be added"):
            await billing.cover(row.id, entries=[key(1)])
    assert [e.invoice for e in await billing.open_entries(PROJECT, up_to=END)] == [""] * 10


async def test_release_by_name_and_of_everything(filled: SqlStore):
    billing, event = filled.billing, f"{PROJECT}/1/M1/1"
    await billing.cover(ONE, entries=[key(n) for n in range(4)], events=[event])
    for _ in range(2):  # a repeat answers the same
        assert await billing.release(ONE, entries=[key(2)]) == [key(2)]
    await billing.cover(TWO, entries=[key(2)])
    assert await keys_on(filled, TWO) == [key(2)]
    for _ in range(2):
        assert await billing.release(ONE) == [key(0), key(1), key(3), event]
    assert await keys_on(filled, ONE) == []
    assert (await billing.events(PROJECT, open_only=True))[0].key == event
    with pytest.raises(StoreError, match=f"never covered {key(9)}"):
        await billing.release(ONE, entries=[key(9)])
    await billing.cover(ONE, entries=[key(0)])  # the same invoice may take it again
    assert await keys_on(filled, ONE) == [key(0)]
    whats = [entry.what for entry in await filled.audit.list(ONE)]
    assert whats[1:] == [
        "4 entries and 1 event covered",
        "1 entry released",
        "3 entries and 1 event released",
        "1 entry covered",
    ]


async def test_credit_and_rebill(filled: SqlStore, make_invoice: Make, make_priced: Make):
    billing = filled.billing
    await billing.cover(ONE, entries=[key(1), key(2)])
    posted: InvoiceRow = make_invoice(ONE, stage="posted", priced=make_priced(("time", "300", 1)))
    await billing.put_invoice(posted)
    with pytest.raises(StoreError, match="would be billed twice; post a credit note first"):
        await billing.release(ONE, entries=[key(1)])
    with pytest.raises(AlreadyCovered):
        await billing.cover(TWO, entries=[key(1)])

    note = make_invoice("credit/acme/1", credits=ONE, credit_reason="billing_error")
    await billing.put_invoice(note)
    with pytest.raises(StoreError, match="not credited"):
        await billing.release(ONE, entries=[key(1)])
    await billing.put_invoice(note.with_changes(stage="posted"))
    assert await billing.release(ONE, entries=[key(1)]) == [key(1)]
    await billing.cover(TWO, entries=[key(1)])
    with pytest.raises(AlreadyCovered):  # what was not released by name stays credited, not to be rebilled
        await billing.cover(TWO, entries=[key(2)])
    await billing.put_invoice(posted.with_changes(stage="credited"))
    assert await billing.release(ONE) == [key(2)]


async def test_of_racing_rebills_one_covers(pair: Pair, filled: SqlStore, make_invoice: Make):
    await filled.billing.cover(ONE, entries=[key(n) for n in range(10)])
    for n in range(20):
        await filled.billing.put_invoice(make_invoice(f"rebill/{n}", rebills=ONE))
    answers = await asyncio.gather(
        pair[1].billing.release(ONE),
        *(pair[n % 2].billing.cover(f"rebill/{n}", entries=[key(m) for m in range(10)]) for n in range(20)),
        return_exceptions=True,
    )
    assert answers.count(None) <= 1
    assert all(isinstance(answer, AlreadyCovered) for answer in answers[1:] if answer is not None)
    owners = {entry.invoice for n in range(10) if (entry := await filled.billing.entry(key(n)))}
    assert len(owners) == 1


async def test_a_thousand_entries_on_one_invoice(store: SqlStore, make_entry: Make, make_invoice: Make):
    await store.billing.take_in([make_entry(n) for n in range(1100)])
    await store.billing.put_invoice(make_invoice())
    keys = [key(n) for n in range(1100)]
    await store.billing.cover(ONE, entries=keys)
    assert len(await store.billing.entries_of(ONE)) == 1100
    assert len(await store.billing.release(ONE)) == 1100
    assert len(await store.billing.open_entries(PROJECT, up_to=END, limit=2000)) == 1100


# -- events


async def test_an_event_is_kept_once(pair: Pair, make_event: Make):
    kept = await asyncio.gather(*(pair[n % 2].billing.add_event(make_event()) for n in range(RACERS)))
    assert kept.count(True) == 1
    assert await pair[0].billing.events(PROJECT) == [make_event()]
    with pytest.raises(
        StoreError, match=r"kept with 10,000\.00 EUR, not with 9,000\.00 EUR; give the change"
    ):
        await pair[0].billing.add_event(make_event(amount="9000"))
    with pytest.raises(StoreError, match="not with none"):
        await pair[0].billing.add_event(make_event(amount=None))
    with pytest.raises(StoreError, match=f"must have the key {PROJECT}/2/M1/1"):
        await pair[0].billing.add_event(make_event(line=2))
    (said,) = await pair[0].audit.list(f"project:{PROJECT}")
    assert (said.what, said.why) == ("billing event: milestone M1 of 10,000.00 EUR", "acceptance 4711")


async def test_an_event_is_void_unless_it_is_billed(filled: SqlStore):
    billing, event = filled.billing, f"{PROJECT}/1/M1/1"
    await billing.cover(ONE, events=[event])
    with pytest.raises(AlreadyCovered, match=f"is on invoice {ONE}"):
        await billing.void_event(event, reason="scope")
    await billing.release(ONE)
    for _ in range(2):
        await billing.void_event(event, reason="scope")
    assert [row.occasion for row in await billing.events(PROJECT, open_only=True)] == ["M2"]
    assert [row.void for row in await billing.events(PROJECT)] == [True, False]
    with pytest.raises(StaleReference, match="nothing is not kept"):
        await billing.void_event("nothing", reason="scope")
    assert [entry.outcome for entry in await filled.audit.list(f"project:{PROJECT}")].count("void") == 1
