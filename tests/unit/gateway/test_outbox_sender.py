"""Telling subscribers over real HTTP: again until it is acknowledged, in order, by one sender at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.outbound import OutboxNote
from domain.readiness import OwnerGroup
from gateway.outbox import GIVEN_UP_AFTER, OutboxSender, outbox_jobs
from gateway.outbox_post import Answer, post
from gateway.outbox_subscribers import Receiver
from gateway.sweeper import Sweeper
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import NOW, SECRET, Clock
from tests.unit.gateway.receiver import LocalReceiver, listening

ITEM = "outbox/staffing/deliver/1"


@dataclass(frozen=True)
class Section:
    """A `[subscribers.<name>]` of the firm's file."""

    url: str
    types: tuple[str, ...] = ("demand.published", "demand.withdrawn")
    secret: str = "env:STAFFING"
    next_secret: str | None = None
    timeout: timedelta = timedelta(seconds=5)
    owner: OwnerGroup = OwnerGroup.DELIVERY_OPERATIONS


@dataclass(frozen=True)
class TellingTestFirm:
    subscribers: dict[str, Section] = field(default_factory=dict)
    id: str = "acme"

    def secret(self, reference: str) -> str:
        return SECRET


@pytest.fixture
async def remote() -> AsyncIterator[LocalReceiver]:
    async with listening() as receiver:
        yield receiver


@pytest.fixture
def store(store_factory: Callable[..., SqlStore], clock: Clock) -> SqlStore:
    moving: Callable[[], datetime] = clock
    return store_factory(clock=moving)


@dataclass
class Telling:
    """A sender, its one subscriber, and its store."""

    store: SqlStore
    clock: Clock
    sender: OutboxSender
    numbers: int = 0

    async def tell(self, *subjects: str) -> None:
        for subject in subjects:
            self.numbers += 1
            key = f"activation/acme/{self.numbers}"
            note = OutboxNote(type="demand.published", key=key, subject=subject, data={"n": self.numbers})
            await self.store.processes.open(key, "activation", "run")
            await self.store.processes.close(key, 1, "done", tells=(note,))

    async def send(self) -> int:
        return await self.sender.send_due(self.sender.receivers[0])

    async def states(self) -> list[str]:
        rows = await self.store.outbox.list()
        return [one.state for row in reversed(rows) for one in row.deliveries]

    async def notes(self) -> list[str]:
        rows = await self.store.outbox.list()
        return [one.note for row in reversed(rows) for one in row.deliveries]


@pytest.fixture
def telling(store: SqlStore, clock: Clock, remote: LocalReceiver) -> Telling:
    firm = TellingTestFirm({"staffing": Section(remote.url)})
    return Telling(store, clock, OutboxSender(firm, store, clock))


async def test_an_event_arrives_whole_and_once(telling: Telling, remote: LocalReceiver) -> None:
    await telling.tell("REQ-1")
    assert (await telling.send(), await telling.send()) == (1, 0)
    (row,) = await telling.store.outbox.list()
    (got,) = remote.got
    assert got.event == {
        "specversion": "1.0",
        "id": row.id,
        "source": "/fairlead/acme",
        "type": "demand.published",
        "subject": "REQ-1",
        "time": NOW.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": "urn:fairlead:event:demand.published:1",
        "data": {"n": 1},
    }
    assert got.headers["webhook-id"] == row.id
    assert await telling.states() == ["acknowledged"]


async def test_a_refused_event_comes_again_at_growing_intervals(
    telling: Telling, remote: LocalReceiver
) -> None:
    remote.answer = lambda got: (500, {})
    await telling.tell("REQ-1")
    waits = []
    for _ in range(4):
        assert await telling.send() == 1
        (row,) = await telling.store.outbox.list()
        wait = row.deliveries[0].next_at - telling.clock.at
        waits.append(wait.total_seconds())
        telling.clock.forward(wait - timedelta(seconds=1))
        assert await telling.send() == 0
        telling.clock.forward(timedelta(seconds=1))
    assert waits == [10, 20, 40, 80]
    remote.answer = lambda got: (200, {})
    assert await telling.send() == 1
    assert len(set(remote.ids)) == 1, "the same id in every delivery"
    assert len({one.headers["webhook-timestamp"] for one in remote.got}) == 5, "signed anew each time"
    assert await telling.states() == ["acknowledged"]
    assert await telling.store.attention.get(ITEM) is None


async def test_a_receiver_may_ask_for_more_time(telling: Telling, remote: LocalReceiver) -> None:
    remote.answer = lambda got: (429, {"Retry-After": "600"})
    await telling.tell("REQ-1")
    await telling.send()
    (row,) = await telling.store.outbox.list()
    assert row.deliveries[0].next_at - telling.clock.at == timedelta(seconds=600)


async def test_after_three_days_it_is_given_up_and_its_owner_told_once(
    telling: Telling, remote: LocalReceiver
) -> None:
    remote.answer = lambda got: (503, {})
    await telling.tell("REQ-1", "REQ-2")
    attempts = 0
    while "waiting" in await telling.states() or not attempts:
        attempts += await telling.send()
        rows = await telling.store.outbox.list()
        telling.clock.at = max(one.next_at for row in rows for one in row.deliveries)
    assert telling.clock.at - NOW == GIVEN_UP_AFTER
    assert 2 * 20 < attempts < 2 * 40
    assert (await telling.states(), await telling.notes()) == (["poison"] * 2, ["answered 503"] * 2)
    (item,) = await telling.store.attention.list()
    assert (item.id, item.owner, item.error_class) == (
        ITEM,
        OwnerGroup.DELIVERY_OPERATIONS,
        "UndeliveredEvents",
    )
    remote.answer = lambda got: (200, {})
    assert await telling.store.outbox.take_up("staffing", by="noor@firm.example") == 2
    await telling.send()
    assert await telling.states() == ["acknowledged"] * 2
    assert await telling.store.attention.list() == [], "healed, it closes by itself"


async def test_one_who_is_gone_gets_nothing_more_and_its_owner_is_told(
    telling: Telling, remote: LocalReceiver
) -> None:
    remote.answer = lambda got: (410, {})
    await telling.tell("REQ-1")
    await telling.send()
    await telling.tell("REQ-2")
    telling.clock.forward(timedelta(days=9))
    assert await telling.send() == 0
    assert await telling.states() == ["paused", "waiting"]
    (item,) = await telling.store.attention.list()
    assert item.headline == "The subscriber staffing is gone: nothing more is sent to it"
    remote.answer = lambda got: (200, {})
    await telling.store.outbox.take_up("staffing", by="noor@firm.example")
    await telling.send()
    assert await telling.states() == ["acknowledged"] * 2
    assert await telling.store.attention.list() == []


async def test_a_redirect_is_a_refusal(telling: Telling, remote: LocalReceiver) -> None:
    remote.answer = lambda got: (302, {"Location": remote.url})
    await telling.tell("REQ-1")
    assert (await telling.send(), len(remote.got)) == (1, 1)
    assert await telling.states() == ["waiting"]


async def test_each_subject_keeps_its_order(telling: Telling, remote: LocalReceiver) -> None:
    failing = [True]
    remote.answer = lambda got: (500 if got.event["subject"] == "REQ-1" and failing[0] else 200, {})
    await telling.tell("REQ-1", "REQ-1", "REQ-2", "REQ-2", "REQ-1")
    await telling.send()
    assert sorted(remote.subjects) == ["REQ-1 1", "REQ-2 3", "REQ-2 4"]
    failing[0] = False
    telling.clock.forward(timedelta(seconds=10))
    assert await telling.send() == 3
    assert remote.subjects[-3:] == ["REQ-1 1", "REQ-1 2", "REQ-1 5"]


async def test_two_gateways_share_the_work(telling: Telling, remote: LocalReceiver) -> None:
    firm = TellingTestFirm({"staffing": Section(remote.url)})
    second = OutboxSender(firm, telling.store, telling.clock)
    await telling.tell(*(f"REQ-{number}" for number in range(20)))
    counts = await asyncio.gather(telling.send(), second.send_due(second.receivers[0]))
    assert (sum(counts), len(remote.got), len(set(remote.ids))) == (20, 20, 20)


async def test_a_death_between_sending_and_marking_sends_again_under_the_same_id(
    telling: Telling, remote: LocalReceiver
) -> None:
    class Killed(BaseException):
        """The process is gone: nothing after it happens."""

    async def dying(receiver: Receiver, message_id: str, body: bytes, now: datetime) -> Answer:
        assert (await post(receiver, message_id, body, now)).acknowledged
        raise Killed

    firm = TellingTestFirm({"staffing": Section(remote.url)})
    await telling.tell("REQ-1")
    dead = OutboxSender(firm, telling.store, telling.clock, post=dying)
    with pytest.raises(Killed):
        await dead.send_due(dead.receivers[0])
    assert (await telling.send(), len(remote.got)) == (0, 1), "its lease still runs"
    telling.clock.forward(timedelta(seconds=35))
    assert await telling.send() == 1
    first, again = remote.got
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)
    assert await telling.states() == ["acknowledged"]


async def test_a_slow_subscriber_holds_up_nobody(
    store: SqlStore, clock: Clock, remote: LocalReceiver
) -> None:
    async with listening() as quick:
        firm = TellingTestFirm({"slow": Section(remote.url), "quick": Section(quick.url)})
        remote.hold.clear()
        telling = Telling(store, clock, OutboxSender(firm, store, clock))
        await telling.tell("REQ-1")

        async def nothing(row: Any) -> None:
            """The inbox is empty here."""

        sweeper = Sweeper(store, nothing, interval=0.01, now=clock, also=outbox_jobs(firm, store, clock))
        running = asyncio.create_task(sweeper.run())
        try:
            async with asyncio.timeout(5):
                await remote.came.wait()
                await quick.came.wait()
                quick.came.clear()
                await telling.tell("REQ-2")
                await quick.came.wait()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert (len(remote.got), len(quick.got)) == (1, 2)


async def test_without_subscribers_the_outbox_is_still_routed(store: SqlStore, clock: Clock) -> None:
    (job,) = outbox_jobs(TellingTestFirm(), store, clock)
    await Telling(store, clock, OutboxSender(TellingTestFirm(), store, clock)).tell("REQ-1")
    assert await job() == 1
