"""The event that people changed: a hint that wakes the sync of whoever is concerned."""

import pytest

from gateway.dispatch import Dispatcher
from store.ports import InboxRow
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import RecordingTemporal, event, inbox_row


async def kept(store: SqlStore, system: str) -> InboxRow:
    row = inbox_row(event("people.changed", subject=system), source="hr")
    assert await store.inbox.put(row)
    return row


@pytest.mark.parametrize(
    ("system", "woken"),
    [
        ("workday", ["resources/acme/workday"]),
        ("kantata", ["resources/acme/workday", "resources/acme/workday-us"]),
    ],
    ids=["of one hr", "of the psa"],
)
async def test_changed_people_wake_their_sync_and_are_applied(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, system: str, woken: list[str]
) -> None:
    row = await kept(timed_store, system)
    await dispatcher.dispatch(row)
    assert temporal.wakes == [(process, f"event {row.id}") for process in woken]
    found = await timed_store.inbox.get(row.id)
    assert found is not None
    assert (found.state, found.note) == ("applied", "resource sync woken")


async def test_a_system_that_holds_no_people_is_a_mistake_for_its_owner(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    row = await kept(timed_store, "netsuite")
    await dispatcher.dispatch(row)
    found = await timed_store.inbox.get(row.id)
    assert found is not None
    assert (found.state, temporal.wakes) == ("poison", [])
    (item,) = await timed_store.attention.list()
    assert "no system 'netsuite' holds people here; there is kantata, workday, workday-us" in item.detail
