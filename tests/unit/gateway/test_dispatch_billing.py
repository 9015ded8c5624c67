"""Events about a project's billing: told to its process, waiting for it, or nobody's."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from domain.attention import EventRef
from gateway.dispatch import WAITING_LIMIT, Dispatcher
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import DEAL, NOW, Clock, RecordingTemporal, event
from tests.unit.gateway.test_dispatch import PROJECT, again, keep, process

BILLING = f"billing/acme/{PROJECT}"
GONE = RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
DATA: dict[str, dict[str, Any]] = {
    "milestone.accepted": {"milestone": "1"},
    "progress.reported": {"line": "4", "period": "2027-01", "percent": "50"},
    "contract.changed": {"deal": DEAL},
    "psa.invoice_released": {"invoice": "20481"},
}


def about(type: str, id: str = "b1", *, minutes: int = 0, **data: Any) -> dict[str, Any]:
    body = event(type, id, subject=PROJECT, at=NOW + timedelta(minutes=minutes))
    version = body["data"]["version"]
    return {**body, "data": {"project": PROJECT, "version": version, **DATA[type], **data}}


@pytest.mark.parametrize("type", DATA)
async def test_it_is_told_to_the_billing_of_its_project(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, type: str
) -> None:
    row = await keep(timed_store, about(type))
    await dispatcher.dispatch(row)
    assert temporal.signals == [(BILLING, "event_received", EventRef(id=row.id, type=type))]
    after = await again(timed_store, row)
    assert (after.state, after.process) == ("dispatched", BILLING)
    assert temporal.starts == [], "an event starts no billing"


async def test_a_milestone_may_precede_the_activation(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    temporal.signal_error = GONE
    row = await keep(timed_store, about("milestone.accepted"))
    await dispatcher.dispatch(row)
    after = await again(timed_store, row)
    assert (after.state, after.note) == ("waiting", f"no billing of project {PROJECT} is running")
    temporal.signal_error = None
    await dispatcher.dispatch(after)
    assert (await again(timed_store, row)).state == "dispatched"


async def test_it_waits_for_days_and_then_has_an_owner(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, clock: Clock
) -> None:
    temporal.signal_error = GONE
    row = await keep(timed_store, about("milestone.accepted"))
    await dispatcher.dispatch(row)
    clock.forward(WAITING_LIMIT)
    await dispatcher.dispatch(await again(timed_store, row))
    assert (await again(timed_store, row)).state == "poison"
    (item,) = await timed_store.attention.list()
    assert item.owner == "delivery_operations"


async def test_what_comes_after_the_final_account_has_an_owner(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    temporal.signal_error = GONE
    await timed_store.processes.open(BILLING, "billing", "run-1")
    await timed_store.processes.close(BILLING, 1, "done")
    row = await keep(timed_store, about("psa.invoice_released"))
    await dispatcher.dispatch(row)
    after = await again(timed_store, row)
    assert (after.state, after.note) == ("poison", f"the billing of project {PROJECT} has ended")


async def test_an_older_milestone_is_not_dropped_for_a_newer_one(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    newer = await keep(timed_store, about("milestone.accepted", "b2", minutes=5, milestone="2"))
    await timed_store.inbox.mark(newer.id, "applied")
    older = await keep(timed_store, about("milestone.accepted", "b1", milestone="1"))
    await dispatcher.dispatch(older)
    assert [signal[2].id for signal in temporal.signals] == [older.id]


async def test_an_older_hint_of_a_change_is_dropped(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    newer = await keep(timed_store, about("contract.changed", "b2", minutes=5))
    await timed_store.inbox.mark(newer.id, "applied")
    older = await keep(timed_store, about("contract.changed", "b1"))
    await dispatcher.dispatch(older)
    assert temporal.signals == []
    assert (await again(timed_store, older)).state == "applied"


async def test_a_change_of_an_active_deal_reaches_its_billing(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    await process(timed_store, "done")
    row = await keep(timed_store, event("deal.changed"))
    await dispatcher.dispatch(row)
    assert temporal.signals == [(BILLING, "event_received", EventRef(id=row.id, type="deal.changed"))]
    assert temporal.starts == []
    temporal.signal_error = GONE
    later = await keep(timed_store, event("deal.changed", "later", at=NOW + timedelta(minutes=1)))
    await dispatcher.dispatch(later)
    assert (await again(timed_store, later)).note == f"already active as {PROJECT}"
