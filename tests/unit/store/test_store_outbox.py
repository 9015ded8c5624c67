"""The outbox: noted with the change, routed once, delivered in order, claimed by one sender at a time."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.attention import AttentionItem
from domain.invoice_state import InvoiceRow
from domain.outbound import OutboxNote
from domain.readiness import OwnerGroup
from store.ports import EffectIntent, StaleReference, StoreError
from store.sql.engine import SqlStore
from tests.unit.store.conftest import NOON, PROCESS, HandClock

LEASE = timedelta(seconds=45)
STAFFING = {"staffing": {"demand.published"}}


def a_note(key: str = "k1", type: str = "demand.published", subject: str = "REQ-1") -> OutboxNote:
    return OutboxNote(type=type, key=key, subject=subject, data={"project": "DE01-7K3QXW", "hours": "120"})


async def tell(store: SqlStore, *notes: OutboxNote) -> None:
    """Note events with the end of some process."""
    key = f"activation/acme/{notes[0].key}"
    await store.processes.open(key, "activation", "run")
    await store.processes.close(key, 1, "done", tells=notes)


async def claimed(store: SqlStore, subscriber: str = "staffing", by: str = "a", limit: int = 8) -> list[str]:
    found = await store.outbox.claim(subscriber, by=by, lease=LEASE, limit=limit)
    return [one.event.key for one in found]


# -- noting -----------------------------------------------------------------------------------------


async def test_an_event_is_noted_with_the_confirmation_and_once(
    store: SqlStore, make_intent: Callable[..., EffectIntent]
):
    intent = make_intent("psa.request.2")
    await store.effects.begin(intent)
    assert await store.outbox.list() == []
    for _ in range(3):
        await store.effects.confirm(intent.key, external_id="4711", tells=(a_note(intent.key),))
    (row,) = await store.outbox.list()
    assert (row.type, row.key, row.process, row.subject) == (
        "demand.published",
        intent.key,
        PROCESS,
        "REQ-1",
    )
    assert row.data == a_note().data
    assert await store.outbox.get(row.id) == row
    assert "." not in row.id, "the signature uses full stops as delimiters"


async def test_a_refused_change_tells_nothing(store: SqlStore, make_intent: Callable[..., EffectIntent]):
    intent = make_intent()
    await store.effects.begin(intent)
    await store.effects.confirm(intent.key, external_id="4711")
    with pytest.raises(StoreError, match="4712"):
        await store.effects.confirm(intent.key, external_id="4712", tells=(a_note(),))
    await store.processes.open(PROCESS, "activation", "run")
    with pytest.raises(StoreError, match="generation"):
        await store.processes.close(PROCESS, 7, "done", tells=(a_note("k2"),))
    assert await store.outbox.list() == []


async def test_change_and_event_land_together_or_not_at_all(store: SqlStore):
    await store.processes.open(PROCESS, "activation", "run")
    broken = a_note().model_copy(update={"data": {"hours": float("nan")}})
    with pytest.raises(StoreError):
        await store.processes.close(PROCESS, 1, "done", tells=(broken,))
    process = await store.processes.get(PROCESS)
    assert process is not None
    assert process.state == "running"


async def test_exceptions_and_invoices_tell_too(store: SqlStore, make_invoice: Callable[..., InvoiceRow]):
    item = AttentionItem(
        id=f"{PROCESS}/x/1",
        process=PROCESS,
        step="x",
        headline="h",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        raised_at=NOON,
        due_at=NOON,
    )
    row = make_invoice()
    for _ in range(2):
        await store.attention.put(item, tells=(a_note("e", "exception.raised"),))
        await store.billing.put_invoice(row, tells=(a_note("i", "invoice.posted"),))
    assert {(one.type, one.process) for one in await store.outbox.list()} == {
        ("exception.raised", PROCESS),
        ("invoice.posted", row.id),
    }


# -- routing ----------------------------------------------------------------------------------------


async def test_an_event_goes_to_those_who_name_its_type_when_it_is_routed(store: SqlStore):
    await tell(store, a_note(), a_note("k2", "invoice.posted"))
    everyone = {"staffing": {"demand.published"}, "lake": {"demand.published", "invoice.posted"}}
    assert await store.outbox.route(everyone) == 2
    assert await store.outbox.route(everyone | {"late": {"demand.published"}}) == 0
    by_type = {row.type: [one.subscriber for one in row.deliveries] for row in await store.outbox.list()}
    assert by_type == {"demand.published": ["lake", "staffing"], "invoice.posted": ["lake"]}


async def test_without_subscribers_events_are_kept_and_never_pile_up_for_a_later_one(store: SqlStore):
    await tell(store, a_note())
    assert await store.outbox.route({}) == 1
    assert await store.outbox.route(STAFFING) == 0
    assert await claimed(store) == []
    (row,) = await store.outbox.list()
    assert (row.routed, row.deliveries) == (True, ())


# -- claiming ---------------------------------------------------------------------------------------


async def test_one_sender_at_a_time_until_its_lease_has_run_out(timed_store: SqlStore, clock: HandClock):
    await tell(timed_store, a_note())
    await timed_store.outbox.route(STAFFING)
    assert await claimed(timed_store, by="a") == ["k1"]
    assert await claimed(timed_store, by="b") == []
    clock.forward(seconds=45)
    assert await claimed(timed_store, by="b") == ["k1"], "a died between sending and marking"
    (row,) = await timed_store.outbox.list()
    assert not await timed_store.outbox.fail(row.sequence, "staffing", "poison", by="a", note="too late")
    await timed_store.outbox.acknowledge(row.sequence, "staffing")
    assert not await timed_store.outbox.fail(row.sequence, "staffing", "poison", by="b", note="too late")
    (row,) = await timed_store.outbox.list()
    assert [(one.state, one.attempts, one.settled_at) for one in row.deliveries] == [
        ("acknowledged", 2, clock.now)
    ]


async def test_a_later_event_of_a_subject_waits_for_the_former(timed_store: SqlStore, clock: HandClock):
    notes = [a_note("k1"), a_note("k2"), a_note("k3", subject="REQ-2")]
    await tell(timed_store, *notes)
    await timed_store.outbox.route(STAFFING)
    first, other = await timed_store.outbox.claim("staffing", by="a", lease=LEASE, limit=8)
    assert (first.event.key, other.event.key) == ("k1", "k3")
    await timed_store.outbox.acknowledge(other.event.sequence, "staffing")
    hour = timedelta(hours=1)
    await timed_store.outbox.fail(
        first.event.sequence, "staffing", "waiting", by="a", note="500", retry_in=hour
    )
    clock.forward(minutes=59)
    assert await claimed(timed_store) == []
    clock.forward(minutes=1)
    (again,) = await timed_store.outbox.claim("staffing", by="a", lease=LEASE, limit=8)
    assert (again.event.key, again.delivery.attempts) == ("k1", 2)
    await timed_store.outbox.fail(first.event.sequence, "staffing", "poison", by="a", note="given up")
    assert await claimed(timed_store) == ["k2"], "what is given up holds up nothing"


async def test_subscribers_do_not_wait_for_each_other(store: SqlStore):
    await tell(store, a_note("k1"), a_note("k2"))
    await store.outbox.route(STAFFING | {"lake": {"demand.published"}})
    (held,) = await store.outbox.claim("staffing", by="a", lease=LEASE, limit=8)
    (other,) = await store.outbox.claim("lake", by="a", lease=LEASE, limit=8)
    await store.outbox.acknowledge(other.event.sequence, "lake")
    assert await claimed(store, "lake") == ["k2"]
    assert held.event.key == "k1"
    assert await claimed(store, "staffing") == []


async def test_claims_come_in_pages_oldest_first(store: SqlStore):
    await tell(store, *(a_note(f"k{number}", subject=f"REQ-{number}") for number in range(5)))
    await store.outbox.route(STAFFING)
    assert await claimed(store, limit=3) == ["k0", "k1", "k2"]
    assert await claimed(store, limit=3) == ["k3", "k4"]


async def test_two_gateways_route_and_claim_each_event_once(
    store_factory: Callable[..., SqlStore], store_path: Path
):
    """Two stores on one database, as two processes have them."""
    one, other = store_factory(store_path), store_factory(store_path)
    await tell(one, *(a_note(f"k{number:02}", subject=f"REQ-{number}") for number in range(30)))
    routed = await asyncio.gather(*(store.outbox.route(STAFFING) for store in (one, other)))
    assert sum(routed) == 30
    taken = await asyncio.gather(
        *(claimed(store, by=str(number), limit=10) for number in range(3) for store in (one, other))
    )
    keys = [key for page in taken for key in page]
    assert len(keys) == len(set(keys))
    rest = await claimed(one, limit=30)
    assert sorted(keys + rest) == [f"k{number:02}" for number in range(30)]


async def test_the_same_event_noted_by_two_at_once_is_noted_once(
    store_factory: Callable[..., SqlStore], store_path: Path
):
    one, other = store_factory(store_path), store_factory(store_path)
    keys = [f"activation/acme/{number}" for number in range(10)]
    for key in keys:
        await one.processes.open(key, "activation", "run")
    await asyncio.gather(
        *(
            store.processes.close(key, 1, "done", tells=(a_note(),))
            for key, store in zip(keys, (one, other) * 5, strict=True)
        )
    )
    assert len(await one.outbox.list()) == 1
    assert {(await one.processes.get(key)).state for key in keys} == {"done"}  # type: ignore[union-attr]


# -- stopping and going on --------------------------------------------------------------------------


async def test_a_subscriber_that_is_gone_gets_nothing_until_it_is_taken_up(store: SqlStore):
    await tell(store, a_note("k1"), a_note("k2", subject="REQ-2"))
    await store.outbox.route(STAFFING)
    (first,) = await store.outbox.claim("staffing", by="a", lease=LEASE, limit=1)
    await store.outbox.fail(first.event.sequence, "staffing", "paused", by="a", note="answered 410")
    assert (await claimed(store), await store.outbox.unsettled("staffing")) == ([], 1)
    other = next(row for row in await store.outbox.list() if row.key == "k2")
    assert await store.outbox.resend(other.id, to=None, by="noor@firm.example") == ["staffing"]
    assert await claimed(store) == ["k1", "k2"]
    assert await store.outbox.unsettled("staffing") == 0


async def test_everything_given_up_is_taken_up_at_once(store: SqlStore):
    await tell(store, *(a_note(f"k{number}", subject=f"REQ-{number}") for number in range(3)))
    await store.outbox.route(STAFFING)
    for one in await store.outbox.claim("staffing", by="a", lease=LEASE, limit=2):
        await store.outbox.fail(one.event.sequence, "staffing", "poison", by="a", note="500")
    assert await store.outbox.take_up("staffing", by="noor@firm.example") == 2
    assert await store.outbox.take_up("staffing", by="noor@firm.example") == 0
    assert await claimed(store) == ["k0", "k1", "k2"]
    (entry,) = await store.audit.list("outbox/staffing")
    assert (entry.actor, entry.what) == ("noor@firm.example", "2 events sent again")


async def test_an_event_is_sent_again_to_whom_it_is_asked_for(timed_store: SqlStore, clock: HandClock):
    await tell(timed_store, a_note())
    await timed_store.outbox.route(STAFFING)
    (row,) = await timed_store.outbox.list()
    await timed_store.outbox.acknowledge(row.sequence, "staffing")
    clock.forward(hours=100)
    assert await timed_store.outbox.resend(row.id, to="lake", by="noor@firm.example") == ["lake"]
    assert (await claimed(timed_store), await claimed(timed_store, "lake")) == ([], ["k1"])
    assert await timed_store.outbox.resend(row.id, to=None, by="noor@firm.example") == ["lake", "staffing"]
    (again,) = await timed_store.outbox.claim("staffing", by="a", lease=LEASE, limit=8)
    assert (again.event.id, again.delivery.since) == (row.id, clock.now), "its age counts anew"
    told = [entry for entry in await timed_store.audit.list(row.process) if "sent again" in entry.what]
    assert [(entry.actor, entry.object) for entry in told] == [
        ("noor@firm.example", "lake"),
        ("noor@firm.example", "lake, staffing"),
    ]
    with pytest.raises(StaleReference, match="fairlead events outbox"):
        await timed_store.outbox.resend("fl-unknown", to=None, by="x")


async def test_what_was_sent_again_before_it_was_routed_is_routed_all_the_same(store: SqlStore):
    await tell(store, a_note())
    (row,) = await store.outbox.list()
    await store.outbox.resend(row.id, to="staffing", by="x")
    assert await store.outbox.route(STAFFING) == 1
    assert await claimed(store) == ["k1"]


# -- listing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["k3", "k2", "k1"]),
        ({"limit": 2}, ["k3", "k2"]),
        ({"type": "demand.published"}, ["k2", "k1"]),
        ({"state": "acknowledged"}, ["k1"]),
        ({"state": "waiting"}, ["k2"]),
        ({"since": NOON + timedelta(minutes=2)}, ["k3"]),
    ],
)
async def test_events_are_found_by_type_state_and_time(
    timed_store: SqlStore, clock: HandClock, asked: dict[str, Any], found: list[str]
):
    for note in (a_note("k1"), a_note("k2"), a_note("k3", "invoice.posted")):
        await tell(timed_store, note)
        clock.forward(minutes=1)
    await timed_store.outbox.route(STAFFING)
    first = (await timed_store.outbox.list())[-1]
    await timed_store.outbox.acknowledge(first.sequence, "staffing")
    assert [row.key for row in await timed_store.outbox.list(**asked)] == found
