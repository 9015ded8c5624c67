"""Subcontractor procurement, as its users see it: requested, ordered, accepted, taken back; what fails."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Ambiguous, Rejected
from domain.attention import EventRef
from domain.buying import PurchaseLine, Supplier
from domain.money import Money
from domain.procurement_process import ProcurementState
from domain.selling import Deal
from tests.support.activation_firm import a_deal
from tests.support.procurement_firm import LINE, ProcurementFirm, running_procurement

DEAL_CHANGED = "deal.changed"


@pytest.fixture
async def firm(temporal_env: WorkflowEnvironment, store: Any) -> AsyncIterator[ProcurementFirm]:
    async with running_procurement(temporal_env.client, store) as firm:
        yield firm


def changed_line(**changes: Any) -> Deal:
    """The deal with another line of the supplier; without it when `subcontracted` is off."""
    deal = a_deal()
    assert deal.contract is not None
    lines = tuple(line.with_changes(**changes) if str(line.number) == LINE else line for line in deal.lines)
    return deal.with_changes(contract=deal.contract.with_changes(lines=lines))


async def ordered(firm: ProcurementFirm, **changes: Any) -> Any:
    """A line whose order is with its supplier."""
    await firm.start()
    order = firm.buying.order(await firm.requested(), **changes)
    await firm.event()
    return order


async def accepted(firm: ProcurementFirm) -> Any:
    order = await ordered(firm)
    firm.buying.change(order, state="accepted")
    await firm.event()
    await firm.at("accepted")
    return order


# -- forward ------------------------------------------------------------------------------------------


async def test_a_need_becomes_an_order_that_the_supplier_has_accepted(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    asked = firm.buying.asked[id]
    (line,) = asked.lines
    assert (asked.supplier, asked.project, asked.entity) == ("S-1", firm.project, "DE01")
    assert (line.ref, line.quantity, line.rate) == (LINE, Decimal(50), Decimal("110.5"))
    assert asked.total == Money.of("5525.00", "EUR")
    firm.buying.decide(id, "approved")
    order = firm.buying.order(id)
    event = await firm.event()
    view = await firm.at("ordered")
    assert (view.stage, view.lines[0].order_number) == ("awaiting acceptance", order.number)
    assert (await firm.store.inbox.get(event.id)).state == "applied"
    firm.buying.change(order, state="accepted")
    await firm.event()
    view = await firm.at("accepted")
    assert (view.stage, view.next_at) == ("accepted", None), "it costs nothing from here on"
    assert (await firm.store.processes.get(firm.process)).state == "running"
    await firm.handle.signal("close")
    await firm.ended()
    assert (await firm.store.processes.get(firm.process)).state == "done"
    assert await firm.effects() == [(f"procurement.request.{LINE}/1", "confirmed")]


@pytest.mark.parametrize("named", ["S-1", "DE811128135", "Redwood Ltd"])
async def test_a_supplier_is_known_by_number_tax_id_or_name(firm: ProcurementFirm, named: str) -> None:
    await firm.start(changed_line(supplier=named))
    assert firm.buying.asked[await firm.requested()].supplier == "S-1"


async def test_events_in_any_order_and_five_times_change_nothing_twice(firm: ProcurementFirm) -> None:
    order = await ordered(firm)
    firm.buying.change(order, state="accepted")
    for _ in range(5):
        for id in ("coupa:accepted", "coupa:issued", "coupa:draft"):
            await firm.event(id)
    view = await firm.at("accepted")
    assert view.attention == ()
    async with asyncio.timeout(10):
        for id in ("coupa:accepted", "coupa:issued", "coupa:draft"):
            while (await firm.store.inbox.get(id)).state != "applied":
                await asyncio.sleep(0.02)
    assert len(firm.buying.applied) == 1


async def test_a_lost_answer_is_looked_up_and_not_sent_again(firm: ProcurementFirm) -> None:
    def lose(key: str) -> None:
        firm.buying.after_apply = lambda key: None
        raise Ambiguous("answer lost", system="coupa", retry_after=0.2)

    await firm.start(changed_line(supplier="Nobody"))
    view = await firm.at("need", attention=1)
    firm.buying.known.append(Supplier(id="S-9", name="Nobody", country="DE", currency="EUR"))
    firm.buying.after_apply = lose
    await firm.decide("retry", view.attention[0].id)
    view = await firm.until(lambda view: view.lines[0].state == "requested")
    assert [key for key, _ in firm.buying.applied if "request" in key] == [view.lines[0].key]


async def test_lines_of_one_supplier_share_a_requisition(firm: ProcurementFirm) -> None:
    deal = a_deal()
    assert deal.contract is not None
    first = next(line for line in deal.lines if str(line.number) == LINE)
    lines = (first, first.with_changes(id="l4", number=4, name="Retest", quantity=Decimal(10)))
    await firm.start(deal.with_changes(contract=deal.contract.with_changes(lines=lines)))
    view = await firm.at("requested", "requested")
    assert len(firm.buying.asked) == 1
    assert {line.key for line in view.lines} == {f"{firm.process}/procurement.request.{LINE}/1"}


# -- what a person decides ----------------------------------------------------------------------------


async def test_two_candidates_are_decided_on_by_a_person(firm: ProcurementFirm) -> None:
    twin = Supplier(id="S-7", name="Redwood Ltd", country="US", currency="USD")
    firm.buying.known.append(twin)
    await firm.start()
    (item,) = (await firm.at("need", attention=1)).attention
    assert "S-1 (Redwood Ltd, DE), S-7 (Redwood Ltd, US)" in item.detail
    assert item.owner.value == "finance_systems"
    await firm.decide("correct", item.id, payload={f"lines[{LINE}].supplier": "S-7"})
    assert firm.buying.asked[await firm.requested()].supplier == "S-7"


async def test_no_candidate_leaves_nothing_and_is_skipped_by_two(firm: ProcurementFirm) -> None:
    await firm.start(changed_line(supplier="Willow Ltd"))
    (item,) = (await firm.at("need", attention=1)).attention
    assert "has no active supplier 'Willow Ltd'" in item.detail
    await firm.agreed("skip", item.id, reason="done by ourselves")
    view = await firm.at("withdrawn")
    assert "done by ourselves" in view.lines[0].dropped
    assert firm.buying.applied == []


@pytest.mark.parametrize(
    ("changes", "correction", "words"),
    [
        ({"role": "Diver"}, {"cost_rate": "90"}, "has no cost for Diver"),
        ({"unit_price": Decimal(100)}, {"cost_rate": "110.5"}, "costs 110.5 EUR an hour and is sold at 100"),
        ({"quantity": Decimal(0)}, {"quantity": "20"}, "has no hours"),
    ],
)
async def test_a_need_that_does_not_hold_is_corrected(
    firm: ProcurementFirm, changes: Any, correction: dict[str, str], words: str
) -> None:
    await firm.start(changed_line(**changes))
    (item,) = (await firm.at("need", attention=1)).attention
    assert words in item.detail
    payload = {f"lines[{LINE}].{field}": value for field, value in correction.items()}
    await firm.agreed("correct", item.id, payload=payload)
    await firm.requested()


async def test_a_refused_requisition_is_corrected_and_requested_anew(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    firm.buying.decide(id, "rejected", "too many hours")
    await firm.event()
    (item,) = (await firm.at("rejected", attention=1)).attention
    assert "too many hours" in item.detail
    await firm.agreed("correct", item.id, payload={f"lines[{LINE}].quantity": "30"})
    view = await firm.until(
        lambda view: view.lines[0].requisition != id and view.stage == "awaiting approval"
    )
    assert view.lines[0].amount == Money.of("3315.00", "EUR")
    assert view.attention == ()
    assert await firm.effects() == [
        (f"procurement.request.{LINE}/1", "undone"),
        (f"procurement.request.{LINE}/1/undo", "confirmed"),
        (f"procurement.request.{LINE}.2/1", "confirmed"),
    ]


async def test_a_requisition_submitted_again_by_a_person_is_followed(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    firm.buying.decide(id, "rejected", "no")
    await firm.event()
    (item,) = (await firm.at("rejected", attention=1)).attention
    firm.buying.decide(id, "pending")
    await firm.decide("retry", item.id)
    assert (await firm.at("requested")).lines[0].requisition == id


async def test_an_order_other_than_requested_is_an_exception(firm: ProcurementFirm) -> None:
    dearer = PurchaseLine(
        ref=LINE, description="Penetration test", quantity=Decimal(50), rate=Decimal(120),
        amount=Money.of("6000.00", "EUR"),
    )  # fmt: skip
    order = await ordered(firm, lines=(dearer,))
    (item,) = (await firm.at("ordered", attention=1)).attention
    assert "it is over 6,000.00 EUR, wanted is 5,525.00 EUR" in item.detail
    firm.buying.change(order, supplier="S-2")
    await firm.event()
    await firm.until(lambda view: "its supplier is S-2" in view.attention[0].detail)
    firm.buying.change(order, supplier="S-1")
    await firm.agreed("skip", item.id, reason="agreed by phone")
    await firm.at("ordered", attention=0)
    firm.buying.change(order, state="accepted")
    await firm.event()
    await firm.at("accepted", attention=0)


async def test_an_order_that_procurement_cancelled_is_requested_anew(firm: ProcurementFirm) -> None:
    order = await ordered(firm)
    firm.buying.change(order, state="cancelled")
    await firm.event()
    (item,) = (await firm.at("rejected", attention=1)).attention
    assert f"order {order.number} was cancelled there" in item.detail
    await firm.decide("retry", item.id)
    view = await firm.at("requested")
    assert view.lines[0].round == 2


async def test_what_cannot_be_decided_is_refused(firm: ProcurementFirm) -> None:
    await firm.start()
    await firm.requested()
    wrong = {"lines[9].supplier": "S-1"}, {f"lines[{LINE}].supplier": "S-2"}
    for payload in wrong:
        with pytest.raises(WorkflowUpdateFailedError):
            await firm.decide("correct", payload=payload)
    with pytest.raises(WorkflowUpdateFailedError):
        await firm.decide("approve")


# -- taken back ---------------------------------------------------------------------------------------


async def test_cancelled_before_anything_was_requested(firm: ProcurementFirm) -> None:
    await firm.start(changed_line(supplier="Nobody"))
    await firm.at("need", attention=1)
    await firm.decide("cancel", reason="deal lost")
    result = await firm.ended()
    assert [line["state"] for line in result["lines"]] == ["withdrawn"]
    assert firm.buying.applied == []
    assert (await firm.store.processes.get(firm.process)).state == "cancelled"
    assert list(await firm.store.attention.list(process=firm.process)) == []


async def test_a_pending_requisition_is_withdrawn(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    await firm.decide("cancel", reason="deal lost")
    await firm.ended()
    assert firm.buying.asked[id].state == "withdrawn"


async def test_an_approved_requisition_is_withdrawn_by_a_person(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    firm.buying.decide(id, "approved")
    await firm.decide("cancel", reason="deal lost")
    (item,) = (await firm.at("approved", attention=1)).attention
    firm.buying.decide(id, "withdrawn")
    await firm.decide("retry", item.id)
    await firm.ended()
    assert (await firm.store.processes.get(firm.process)).state == "cancelled"


async def test_an_order_that_is_not_accepted_is_cancelled(firm: ProcurementFirm) -> None:
    order = await ordered(firm)
    await firm.decide("cancel", reason="deal lost")
    await firm.ended()
    assert firm.buying.ordered[order.external_id].state == "cancelled"


async def test_an_accepted_order_is_cancelled_by_a_person_who_is_told_all(firm: ProcurementFirm) -> None:
    order = await accepted(firm)
    await firm.decide("cancel", reason="deal lost")
    (item,) = (await firm.at("accepted", attention=1)).attention
    assert item.headline == f"Order {order.number} has to be cancelled by a person"
    assert item.owner.value == "finance_systems"
    assert item.facts["order"] == order.number
    assert (item.facts["supplier"], item.facts["amount"]) == ("S-1", "5,525.00 EUR")
    assert "contact" in item.facts
    firm.buying.change(order, state="cancelled")
    await firm.event()
    await firm.ended()
    assert len(firm.buying.applied) == 1, "no machine has touched it"


async def test_a_supplier_that_accepts_while_it_is_cancelled_goes_to_a_person(firm: ProcurementFirm) -> None:
    order = await ordered(firm)
    await firm.at("ordered")
    firm.buying.change(order, state="accepted")
    await firm.decide("cancel", reason="deal lost")
    (item,) = (await firm.at("accepted", attention=1)).attention
    assert order.number in item.detail + item.headline
    await firm.agreed("skip", item.id, reason="the supplier delivers elsewhere")
    await firm.ended()


async def test_a_cancel_by_temporal_takes_back_first(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    await firm.handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await firm.ended()
    assert firm.buying.asked[id].state == "withdrawn"
    assert (await firm.store.processes.get(firm.process)).state == "cancelled"


@pytest.mark.parametrize("part", ["request", "undo"])
async def test_a_write_refused_for_good_has_an_owner_and_goes_on(firm: ProcurementFirm, part: str) -> None:
    firm.buying.fail(
        f"{LINE}/1/undo" if part == "undo" else f"request.{LINE}/1", Rejected("no", system="coupa")
    )
    await firm.start()
    if part == "undo":
        await firm.requested()
        await firm.decide("cancel", reason="deal lost")
    view = await firm.until(lambda view: len(view.attention) == 1)
    await firm.decide("retry", view.attention[0].id)
    if part == "undo":
        await firm.ended()
    else:
        await firm.requested()


# -- changes of the contract --------------------------------------------------------------------------


async def test_a_line_dropped_from_the_contract_is_withdrawn(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    firm.crm.deal = changed_line(subcontracted=False)
    event = await firm.event(kind=DEAL_CHANGED)
    view = await firm.at("withdrawn")
    assert firm.buying.asked[id].state == "withdrawn"
    assert "names it no longer" in view.lines[0].dropped
    assert (await firm.store.inbox.get(event.id)).state == "received", "billing applies a change of contract"


async def test_a_lost_deal_takes_everything_back(firm: ProcurementFirm) -> None:
    order = await ordered(firm)
    await firm.at("ordered")
    firm.crm.deal = a_deal(won=False, stage="Closed Lost")
    await firm.event(kind=DEAL_CHANGED)
    await firm.at("withdrawn")
    assert firm.buying.ordered[order.external_id].state == "cancelled"


async def test_a_line_reduced_before_its_order_is_requested_anew(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    firm.crm.deal = changed_line(quantity=Decimal(20))
    await firm.event(kind=DEAL_CHANGED)
    view = await firm.until(lambda view: view.lines[0].requisition not in ("", id))
    assert view.lines[0].amount == Money.of("2210.00", "EUR")
    assert firm.buying.asked[id].state == "withdrawn"


async def test_a_line_reduced_after_its_order_is_an_exception(firm: ProcurementFirm) -> None:
    await accepted(firm)
    firm.crm.deal = changed_line(quantity=Decimal(20))
    await firm.event(kind=DEAL_CHANGED)
    (item,) = (await firm.at("accepted", attention=1)).attention
    assert "it is over 5,525.00 EUR, wanted is 2,210.00 EUR" in item.detail


async def test_a_deal_that_cannot_be_read_as_a_contract_goes_to_its_owner(firm: ProcurementFirm) -> None:
    await firm.start()
    await firm.requested()
    firm.crm.deal = a_deal(currency=None)
    await firm.event(kind=DEAL_CHANGED)
    (item,) = (await firm.at("requested", attention=1)).attention
    assert "has no currency" in item.detail
    firm.crm.deal = a_deal()
    await firm.decide("retry", item.id)
    await firm.at("requested", attention=0)


async def test_a_line_dropped_before_it_was_requested_settles_its_exception(firm: ProcurementFirm) -> None:
    await firm.start(changed_line(supplier="Nobody"))
    await firm.at("need", attention=1)
    firm.crm.deal = changed_line(subcontracted=False)
    await firm.event(kind=DEAL_CHANGED)
    await firm.at("withdrawn", attention=0)


async def test_a_requisition_that_is_gone_is_left_by_two(firm: ProcurementFirm) -> None:
    await firm.start()
    del firm.buying.asked[await firm.requested()]
    await firm.event()
    (item,) = (await firm.at("requested", attention=1)).attention
    assert "is gone" in item.headline
    await firm.agreed("skip", item.id, reason="deleted by their support")
    await firm.at("withdrawn", attention=0)


async def test_an_event_whose_row_is_gone_ends_nothing(firm: ProcurementFirm) -> None:
    await firm.start()
    id = await firm.requested()
    firm.buying.decide(id, "approved")
    await firm.handle.signal("event_received", EventRef(id="coupa:gone", type="purchase_order.changed"))
    await firm.at("approved", attention=0)


# -- long lives ---------------------------------------------------------------------------------------


async def test_the_next_run_goes_on_with_all_it_knows(firm: ProcurementFirm) -> None:
    order = await ordered(firm, supplier="S-2")
    view = await firm.at("ordered", attention=1)
    await firm.handle.terminate()
    kept = ProcurementState(
        firm="acme", project=firm.project, correlation="activation/acme/006A", system="coupa", entity="DE01",
        deal="006A", lines=view.lines, attention=view.attention, exception_numbers={f"order.{LINE}": 1},
    )  # fmt: skip
    await firm.client.start_workflow("SubcontractorProcurement", kept, id=firm.process, task_queue=firm.queue)
    firm.buying.change(order, supplier="S-1")
    await firm.event()
    await firm.at("ordered", attention=0)
    assert len(firm.buying.applied) == 1


async def test_it_survives_eviction_from_the_cache(temporal_env: WorkflowEnvironment, store: Any) -> None:
    async with running_procurement(temporal_env.client, store, max_cached_workflows=0) as firm:
        await accepted(firm)
        await firm.decide("cancel", reason="deal lost")
        await firm.at("accepted", attention=1)


# -- silence and polling ------------------------------------------------------------------------------


async def test_an_approval_nobody_told_of_is_found_and_silence_escalates(
    time_skipping: WorkflowEnvironment, store: Any
) -> None:
    async with running_procurement(time_skipping.client, store) as firm:
        await firm.start(run_timeout=timedelta(days=60))
        with time_skipping.auto_time_skipping_disabled():
            id = await firm.requested()
            firm.buying.decide(id, "approved")
        await time_skipping.sleep(timedelta(minutes=31))
        with time_skipping.auto_time_skipping_disabled():
            await firm.at("approved")
            reads = firm.buying.reads
        await time_skipping.sleep(timedelta(hours=73))
        with time_skipping.auto_time_skipping_disabled():
            (item,) = (await firm.at("approved", attention=1)).attention
            assert "waits for its approval and order" in item.headline
            assert firm.buying.reads - reads < 25, "asked at growing intervals"
        await time_skipping.sleep(timedelta(hours=25))
        with time_skipping.auto_time_skipping_disabled():
            view = await firm.until(lambda view: bool(view.attention) and view.attention[0].escalations > 0)
            assert view.attention[0].person == "head-of-finance_systems@firm.example"
            order = firm.buying.order(id)
            await firm.event()
            await firm.at("ordered", attention=0)
            firm.buying.change(order, state="accepted")
            await firm.event()
            await firm.at("accepted", attention=0)
