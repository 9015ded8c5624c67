"""The activation's requisitions: requested as a step, undone with the rest, handed over with the project."""

from collections.abc import AsyncIterator

import pytest

from connectors.errors import Rejected
from domain.procurement_process import ProcurementView
from tests.support.activation_firm import Firm
from tests.support.buying_systems import FakeBuying
from tests.support.procurement_firm import LINE, procuring
from tests.workflows.test_activation import finish

KEY = f"procurement.request.{LINE}/1"


@pytest.fixture
async def buying(firm: Firm) -> AsyncIterator[FakeBuying]:
    async with procuring(firm) as buying:
        yield buying


async def test_requisitions_are_written_and_handed_over(firm: Firm, buying: FakeBuying) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    assert firm.erp.keys()[-1] == "erp.billing_schedule/1"
    await firm.decide("approve_staffing", "approve_staffing")
    result = await finish(handle)
    (id,) = buying.asked
    assert buying.asked[id].project == result.project
    assert (buying.keys(), result.handed_over[1]) == ([KEY], f"procurement/acme/{result.project}")
    assert ("coupa", "purchase requisition", id) in [
        (record.system, record.noun, record.external_id) for record in result.records
    ]
    assert await firm.store.references.canonical("coupa", "requisition", id) == (
        f"requisition:{result.project}:procurement.request.{LINE}:1"
    )
    lives = firm.client.get_workflow_handle(result.handed_over[1])
    view = await lives.query("status", result_type=ProcurementView)
    (line,) = view.lines
    assert (line.state, line.key, line.requisition) == ("requested", f"{firm.process}/{KEY}", id)


async def test_what_activation_requested_is_withdrawn_under_its_own_key(
    firm: Firm, buying: FakeBuying
) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="signed by mistake")
    assert (await finish(handle)).state == "cancelled"
    assert [one.state for one in buying.asked.values()] == ["withdrawn"]
    assert (await firm.store.effects.get(f"{firm.process}/{KEY}")).state == "undone"


async def test_an_accepted_order_keeps_a_cancel_waiting_for_a_person(firm: Firm, buying: FakeBuying) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    (id,) = buying.asked
    order = buying.order(id, state="accepted")
    await firm.decide("cancel", "cancel", reason="signed by mistake")
    (item,) = (await firm.reached("cancelling", attention=1)).attention
    assert order.number in item.detail
    assert "S-1" in item.detail
    assert (item.facts["order"], item.facts["amount"]) == (order.number, "5,525.00 EUR")
    assert item.owner.value == "finance_systems"
    buying.change(order, state="cancelled")
    await firm.decide("resolve", "retry", target=item.id)
    assert (await finish(handle)).state == "cancelled"
    assert (await firm.store.effects.get(f"{firm.process}/{KEY}")).state == "undone"


async def test_an_unaccepted_order_is_cancelled_with_the_activation(firm: Firm, buying: FakeBuying) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    (id,) = buying.asked
    buying.order(id)
    await firm.decide("cancel", "cancel", reason="signed by mistake")
    assert (await finish(handle)).state == "cancelled"
    assert [order.state for order in buying.ordered.values()] == ["cancelled"]


async def test_a_supplier_nobody_knows_is_corrected_in_place(firm: Firm, buying: FakeBuying) -> None:
    buying.known = [one for one in buying.known if one.id == "S-2"]
    await firm.start()
    (item,) = (await firm.reached("creating", attention=1)).attention
    assert "has no active supplier 'Redwood Ltd'" in item.detail
    await firm.decide("resolve", "correct", target=item.id, payload={f"lines[{LINE}].supplier": "S-2"})
    await firm.reached("awaiting staffing")
    assert [one.supplier for one in buying.asked.values()] == ["S-2"]


async def test_a_refused_requisition_undoes_the_activation_on_decision(
    firm: Firm, buying: FakeBuying
) -> None:
    buying.fail(KEY, Rejected("the account is closed", system="coupa"))
    handle = await firm.start()
    (item,) = (await firm.reached("creating", attention=1)).attention
    await firm.decide("resolve", "compensate", target=item.id, reason="no budget")
    assert (await finish(handle)).state == "cancelled"
    assert buying.asked == {}
    assert (await firm.store.effects.get(f"{firm.process}/psa.project/1")).state == "undone"


async def test_a_firm_without_procurement_notes_what_awaits_a_requisition(firm: Firm) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    result = await finish(handle)
    lives = firm.client.get_workflow_handle(result.handed_over[1])
    view = await lives.query("status", result_type=ProcurementView)
    assert (view.system, view.stage, view.lines[0].state) == ("", "requisition due", "need")
    await lives.signal("close")
    assert (await lives.result())["closed"] is True
