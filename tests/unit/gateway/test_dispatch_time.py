"""The event that time was approved: a hint that wakes time posting and leaves nothing to apply."""

from typing import Any

import pytest

from gateway.dispatch import Dispatcher
from runtime.connect import NoTemporal
from store.ports import InboxRow
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import RecordingTemporal, event, inbox_row

PROJECT = "DE01-7K3QXW"


async def kept(store: SqlStore, **data: Any) -> InboxRow:
    row = inbox_row(event("time.approved", subject=PROJECT, **data), source="psa")
    assert await store.inbox.put(row)
    return row


@pytest.mark.parametrize(
    ("data", "woken"),
    [
        ({"system": "kantata"}, ["time/acme/kantata"]),
        ({}, ["time/acme/kantata", "time/acme/kantata-us"]),
    ],
    ids=["of one psa", "of an unnamed one"],
)
async def test_approved_time_wakes_time_posting_and_is_applied(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, data: Any, woken: list[str]
) -> None:
    row = await kept(timed_store, **data)
    await dispatcher.dispatch(row)
    assert temporal.wakes == [(process, f"event {row.id}") for process in woken]
    found = await timed_store.inbox.get(row.id)
    assert found is not None
    assert (found.state, found.note) == ("applied", "time posting woken")


async def test_a_system_that_is_no_psa_is_a_mistake_for_its_owner(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    row = await kept(timed_store, system="netsuite")
    await dispatcher.dispatch(row)
    found = await timed_store.inbox.get(row.id)
    assert found is not None
    assert (found.state, temporal.wakes) == ("poison", [])
    (item,) = await timed_store.attention.list()
    assert "no system 'netsuite' plays psa here; there is kantata, kantata-us" in item.detail


async def test_without_temporal_the_hint_comes_back(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    row = await kept(timed_store, system="kantata")
    temporal.start_error = NoTemporal("away")
    await dispatcher.dispatch(row)
    found = await timed_store.inbox.get(row.id)
    assert found is not None
    assert found.state == "received"
    assert found.next_at is not None
    temporal.start_error = None
    await dispatcher.dispatch(found)
    assert len(temporal.wakes) == 1
