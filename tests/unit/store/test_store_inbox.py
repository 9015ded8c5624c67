"""The inbox: kept once, due until applied, replayed on request."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from store.ports import InboxRow, StaleReference, StoreError
from store.sql.engine import SqlStore

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def event(number: int = 1, **changes: Any) -> InboxRow:
    facts = {
        "id": f"salesforce:e{number}",
        "source": "salesforce",
        "event_id": f"e{number}",
        "type": "deal.signed",
        "subject": "0065g",
        "version": NOON + timedelta(minutes=number),
        "body": {"Id": "0065g"},
        "received_at": NOON + timedelta(seconds=number),
    }
    return InboxRow.model_validate(facts | changes)


def ids(rows: Sequence[InboxRow]) -> list[str]:
    return [row.event_id for row in rows]


async def test_put_keeps_once_and_reads_back_equal(store: SqlStore):
    row = event(body={"Id": "0065g", "Lines": [{"Name": "Müller", "n": 3}], "none": None})
    assert await store.inbox.put(row)
    assert not await store.inbox.put(event(body={"other": "content"}))
    assert await store.inbox.get(row.id) == row
    assert await store.inbox.get("salesforce:e9") is None


async def test_numbers_of_a_body_are_kept_digit_for_digit(store: SqlStore):
    body = {"Amount": Decimal("1234567890123456789.10"), "Big": 2**70, "Small": Decimal("0.10")}
    await store.inbox.put(event(body=body))
    kept = await store.inbox.get(event().id)
    assert kept is not None
    assert kept.body == body
    assert isinstance(kept.body["Amount"], Decimal)
    assert str(kept.body["Small"]) == "0.10"


async def test_id_must_be_source_and_event_id(store: SqlStore):
    with pytest.raises(StoreError, match="must have the id salesforce:e1"):
        await store.inbox.put(event(id="e1"))


async def test_body_that_is_no_json_is_refused(store: SqlStore):
    with pytest.raises(StoreError, match="cannot keep"):
        await store.inbox.put(event(body={"Amount": float("nan")}))


async def test_due_until_applied_oldest_first(timed_store: SqlStore, clock: Any):
    inbox = timed_store.inbox
    for number in (3, 1, 2, 4):
        await inbox.put(event(number))
    assert ids(await inbox.due(clock.now)) == ["e1", "e2", "e3", "e4"]
    assert ids(await inbox.due(clock.now, limit=2)) == ["e1", "e2"]

    await inbox.mark("salesforce:e1", "dispatched", process="p", retry_in=timedelta(seconds=30))
    await inbox.mark("salesforce:e2", "waiting", retry_in=timedelta(seconds=60))
    await inbox.mark("salesforce:e3", "poison", note="unknown type")
    await inbox.mark("salesforce:e4", "dispatched")
    assert await inbox.due(clock.now) == []
    assert ids(await inbox.due(clock.forward(seconds=30))) == ["e1"]
    assert ids(await inbox.due(clock.forward(seconds=30))) == ["e1", "e2"]
    await inbox.mark("salesforce:e1", "applied")
    assert ids(await inbox.due(clock.now)) == ["e2"]


async def test_mark_counts_attempts_and_keeps_the_process(timed_store: SqlStore, clock: Any):
    inbox = timed_store.inbox
    await inbox.put(event())
    await inbox.mark(event().id, "dispatched", process="activation/acme/0065g", retry_in=timedelta(0))
    await inbox.mark(event().id, "waiting", note="does not run yet", retry_in=timedelta(minutes=1))
    row = await inbox.get(event().id)
    assert row is not None
    assert (row.state, row.attempts, row.process) == ("waiting", 2, "activation/acme/0065g")
    assert (row.note, row.next_at) == ("does not run yet", clock.now + timedelta(minutes=1))
    with pytest.raises(StaleReference, match="event lost is not in the inbox"):
        await inbox.mark("lost", "applied")


async def test_a_late_dispatcher_does_not_take_back_applied(store: SqlStore):
    await store.inbox.put(event())
    await store.inbox.mark(event().id, "applied", process="p")
    applied = await store.inbox.get(event().id)
    await store.inbox.mark(event().id, "dispatched", retry_in=timedelta(0))
    assert await store.inbox.get(event().id) == applied


async def test_newest_version_is_that_of_what_was_applied(store: SqlStore):
    async def newest(**changes: str) -> datetime | None:
        asked = {"source": "salesforce", "subject": "0065g", "type": "deal.signed"} | changes
        return await store.inbox.newest_version(**asked)

    for number in (1, 2, 3):
        await store.inbox.put(event(number))
    assert await newest() is None
    await store.inbox.mark("salesforce:e2", "applied")
    await store.inbox.mark("salesforce:e1", "applied")
    assert await newest() == event(2).version
    assert await newest(type="deal.lost") is None
    assert await newest(subject="other") is None
    await store.inbox.replay(["salesforce:e2"])
    assert await newest() == event(2).version


async def test_replay_puts_back_and_is_due_at_once(timed_store: SqlStore, clock: Any):
    inbox = timed_store.inbox
    for number in (1, 2, 3):
        await inbox.put(event(number))
        await inbox.mark(event(number).id, "applied" if number == 1 else "poison", process="p")
    wanted = [event(1).id, event(2).id, event(2).id, "salesforce:unknown"]
    assert await inbox.replay(wanted) == 2
    assert await inbox.replay([]) == 0
    due = await inbox.due(clock.now)
    assert ids(due) == ["e1", "e2"]
    assert [(row.state, row.attempts, row.process) for row in due] == [("received", 0, "p")] * 2
    await inbox.mark(event(1).id, "applied")
    assert ids(await inbox.due(clock.now)) == ["e2"]


async def test_replay_of_more_ids_than_one_statement_takes(store: SqlStore):
    for number in range(3):
        await store.inbox.put(event(number))
    many = [f"salesforce:e{number}" for number in range(40_000)]
    assert await store.inbox.replay(many) == 3


async def test_list_filters_newest_first(store: SqlStore):
    for number in range(1, 5):
        await store.inbox.put(event(number, type="deal.lost" if number == 4 else "deal.signed"))
    await store.inbox.mark("salesforce:e2", "poison")
    cet = timezone(timedelta(hours=1))
    assert ids(await store.inbox.list()) == ["e4", "e3", "e2", "e1"]
    assert ids(await store.inbox.list(limit=1)) == ["e4"]
    assert ids(await store.inbox.list(type="deal.signed", state="received")) == ["e3", "e1"]
    assert ids(await store.inbox.list(since=event(3).received_at.astimezone(cet))) == ["e4", "e3"]


async def test_naive_time_is_refused(store: SqlStore):
    with pytest.raises(StoreError, match="has no time zone"):
        await store.inbox.due(NOON.replace(tzinfo=None))
