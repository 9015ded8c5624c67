"""Events about a project's purchases: told to its process, waiting for it, or of no more use."""

from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from domain.attention import EventRef
from gateway.dispatch import Dispatcher
from store.sql.engine import SqlStore
from tests.unit.gateway.gateway_parts import RecordingTemporal, event
from tests.unit.gateway.test_dispatch import PROJECT, again, keep, process
from tests.unit.gateway.test_dispatch_billing import BILLING, about

PROCUREMENT = f"procurement/acme/{PROJECT}"
GONE = RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
CHANGED = "purchase_order.changed"


def order_changed() -> dict[str, Any]:
    body = event(CHANGED, "o1", subject=PROJECT)
    data = {"order": "10", "project": PROJECT, "version": body["data"]["version"], "status": "issued"}
    return {**body, "data": data}


async def test_a_changed_order_is_told_to_the_procurement_of_its_project(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    row = await keep(timed_store, order_changed())
    await dispatcher.dispatch(row)
    assert temporal.signals == [(PROCUREMENT, "event_received", EventRef(id=row.id, type=CHANGED))]
    assert (await again(timed_store, row)).state == "dispatched"


async def test_it_waits_for_its_process_and_is_of_no_use_after_it(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal
) -> None:
    temporal.signal_error = GONE
    row = await keep(timed_store, order_changed())
    await dispatcher.dispatch(row)
    assert (await again(timed_store, row)).state == "waiting"
    await timed_store.processes.open(PROCUREMENT, "procurement", "run-1")
    await timed_store.processes.close(PROCUREMENT, 1, "done")
    await dispatcher.dispatch(await again(timed_store, row))
    assert (await again(timed_store, row)).note == f"the procurement of project {PROJECT} has ended"


@pytest.mark.parametrize("type", ["contract.changed", "deal.changed"])
async def test_a_change_of_contract_is_a_hint_to_procurement_before_billing_is_told(
    timed_store: SqlStore, dispatcher: Dispatcher, temporal: RecordingTemporal, type: str
) -> None:
    await process(timed_store, "done")
    await timed_store.processes.open(PROCUREMENT, "procurement", "run-1")
    row = await keep(timed_store, about(type) if type == "contract.changed" else event(type))
    await dispatcher.dispatch(row)
    assert [told[0] for told in temporal.signals] == [PROCUREMENT, BILLING]
    assert (await again(timed_store, row)).process == BILLING
