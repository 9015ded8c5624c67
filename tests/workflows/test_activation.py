"""The activation of a deal, as its users see it: gates, decisions, corrections, hand-over."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Rejected, Transient
from domain.activation_process import ActivationResult
from domain.attention import EventRef
from domain.delivery import StaffingAnswer
from domain.money import Money
from store.ports import InboxRow
from tests.support.activation_firm import NOW, Firm, a_deal, running_firm

IN_ORDER = [
    "netsuite.customer/1",
    "kantata.customer/1",
    "psa.project/1",
    "psa.plan/1",
    "erp.project/1",
    "psa.seats/1",
    "psa.request.2/1",
    "erp.billing_schedule/1",
    "erp.open/1",
    "psa.open/1",
    "crm.active/1",
]


async def finish(handle: Any) -> ActivationResult:
    async with asyncio.timeout(20):
        result: ActivationResult = await handle.result()
        return result


def reason_of(caught: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str:
    return str(caught.value.__cause__)


async def test_a_signed_deal_becomes_an_open_project_in_every_system(firm: Firm) -> None:
    handle = await firm.start()
    view = await firm.reached("awaiting staffing")
    assert view.staffing_asked == ("Architect",)
    assert not any("open" in key for key in firm.psa.keys() + firm.erp.keys()), "closed until staffed"
    await firm.decide("approve_staffing", "approve_staffing")
    result = await finish(handle)
    assert result.state == "active"
    effects = await firm.store.effects.list(firm.process)
    assert [e.key.split("/", 3)[-1] for e in effects] == IN_ORDER
    assert {e.state for e in effects} == {"confirmed"}
    assert result.handed_over == (f"billing/acme/{result.project}", f"procurement/acme/{result.project}")
    for id in result.handed_over:
        assert (await firm.client.get_workflow_handle(id).describe()).status.name == "RUNNING"
    assert (await firm.store.processes.get(firm.process)).state == "done"
    checked, faults = await firm.store.audit.verify(firm.process)
    assert (checked > 20, list(faults)) == (True, [])


async def test_activating_an_active_deal_again_changes_nothing(firm: Firm) -> None:
    first = await activate(firm)
    written = len(firm.psa.applied)
    again = await finish(await firm.start())
    assert (again.joined, again.project, len(firm.psa.applied)) == (True, first.project, written)


async def test_staffing_answered_in_the_psa_needs_no_second_approval(firm: Firm) -> None:
    firm.psa.after_apply = lambda key: answer(firm, key)
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("provide_evidence", "evidence")
    assert (await finish(handle)).state == "active"


def answer(firm: Firm, key: str) -> None:
    if "psa.request" in key:
        firm.psa.answers.append(
            StaffingAnswer(request_external_id=firm.psa.records[key][1].external_id, state="approved")
        )


async def test_an_approval_given_early_counts_whatever_goes_wrong_meanwhile(firm: Firm) -> None:
    firm.erp.fail("erp.project", Rejected("no base rate", system="netsuite"))
    handle = await firm.start()
    view = await firm.reached("creating", attention=1)
    await firm.decide("approve_staffing", "approve_staffing")
    await firm.decide("resolve", "retry", target=view.attention[0].id)
    assert (await finish(handle)).state == "active"


async def test_who_asked_for_the_staffing_cannot_approve_it(firm: Firm) -> None:
    await firm.start()
    await firm.reached("awaiting staffing")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("approve_staffing", "approve_staffing", actor="Petra@firm.example")
    assert "another person approves it" in reason_of(caught)
    assert (await firm.view()).stage == "awaiting staffing"


async def test_a_red_gate_creates_nothing_and_heals_when_the_source_is_put_right(firm: Firm) -> None:
    firm.crm.deal = a_deal(contract=a_deal().contract.with_changes(billing_entity=None))
    handle = await firm.start()
    view = await firm.reached("gates before creation", attention=1)
    item = view.attention[0]
    assert item.owner.value == "finance_systems"
    assert [(f.field, f.rule) for f in item.findings] == [
        ("contract.billing_entity", "billing_entity.required")
    ]
    assert not firm.psa.applied
    assert not firm.erp.applied
    assert [row.id for row in await firm.store.attention.list()] == [item.id]

    firm.crm.deal = a_deal()
    await firm.store.inbox.put(event(firm))
    await handle.signal("event_received", EventRef(id="sf:e1", type="deal.changed"))
    await firm.reached("awaiting staffing")
    assert list(await firm.store.attention.list()) == []
    assert (await firm.store.inbox.get("sf:e1")).state == "applied"
    await firm.decide("approve_staffing", "approve_staffing")
    assert (await finish(handle)).state == "active"


def event(firm: Firm) -> InboxRow:
    return InboxRow(
        id="sf:e1", source="sf", event_id="e1", type="deal.changed", subject=firm.deal_id, version=NOW,
        body={}, received_at=NOW,
    )  # fmt: skip


async def test_a_correction_in_place_of_money_needs_a_second_person(firm: Firm) -> None:
    wrong = a_deal().contract.with_changes(value=Money.of("61000.00", "EUR"))
    firm.crm.deal = a_deal(contract=wrong)
    handle = await firm.start()
    view = await firm.reached("gates before creation", attention=1)
    assert "lines.sum_mismatch" in {f.rule for f in view.attention[0].findings}
    payload = {"contract.value": "60000.00"}
    first = await firm.decide(
        "resolve", "correct", target=view.attention[0].id, payload=payload, reason="typo"
    )
    view = await firm.reached("gates before creation", attention=1)
    assert view.attention[0].state == "awaiting_second_person"
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("second", "second", target=first)
    assert "a second person has to agree" in reason_of(caught)
    await firm.decide("second", "second", target=first, actor="karl@firm.example")
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    assert (await finish(handle)).state == "active"


async def test_a_correction_that_means_nothing_is_refused_with_the_reason(firm: Firm) -> None:
    firm.crm.deal = a_deal(contract=a_deal().contract.with_changes(billing_entity=None))
    await firm.start()
    await firm.reached("gates before creation", attention=1)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("correct", "correct", payload={"contract.value": "sixty"})
    assert "sixty" in reason_of(caught)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("correct", "correct", payload={"contract.signed_on": "2026-11-01"})
    assert "cannot be corrected" in reason_of(caught)


async def test_a_gate_is_skipped_only_by_its_role_and_two_persons(firm: Firm) -> None:
    customer = a_deal().customer.with_changes(credit_hold=True)
    firm.crm.deal = a_deal(customer=customer)
    handle = await firm.start()
    view = await firm.reached("gates before creation", attention=1)
    target = view.attention[0].id
    skip = await firm.decide("resolve", "skip", target=target, reason="released by phone")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("second", "second", target=skip, actor="karl@firm.example", role="operator")
    assert "approved by the role controller" in reason_of(caught)
    await firm.decide("second", "second", target=skip, actor="karl@firm.example", role="controller")
    view = await firm.reached("awaiting staffing")
    states = {gate.gate.value: gate.state for gate in view.gates}
    assert states["customer_data"] == "skipped"
    await firm.decide("approve_staffing", "approve_staffing")
    assert (await finish(handle)).state == "active"


async def test_a_refused_write_waits_for_its_owner_and_goes_on_where_it_stood(firm: Firm) -> None:
    firm.erp.fail(
        "erp.project", Rejected("Period 2026-12 has no base rate", system="netsuite", field="currency")
    )
    handle = await firm.start()
    view = await firm.reached("creating", attention=1)
    item = view.attention[0]
    assert (item.step, item.owner.value, item.facts["field"]) == (
        "erp.project",
        "finance_systems",
        "currency",
    )
    assert item.systems == ("netsuite",)
    await firm.decide("resolve", "retry", target=item.id)
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    assert (await finish(handle)).state == "active"
    assert firm.psa.keys().count("psa.project/1") == 1
    row = await firm.store.effects.get(f"{firm.process}/erp.project/1")
    assert row.state == "confirmed"


async def test_what_passes_by_itself_troubles_nobody(firm: Firm) -> None:
    firm.psa.fail("psa.project", Transient("connection refused", system="kantata"))
    result = await activate(firm)
    assert result.state == "active"
    assert list(await firm.store.attention.list(state=None)) == []


async def test_a_deal_that_changed_after_creation_is_not_opened_unseen(firm: Firm) -> None:
    await firm.start()
    await firm.reached("awaiting staffing")
    lines = list(a_deal().lines)
    lines[0] = lines[0].with_changes(amount=Money.of("31000.00", "EUR"))
    firm.crm.deal = a_deal(contract=a_deal().contract.with_changes(lines=tuple(lines)))
    await firm.decide("approve_staffing", "approve_staffing")
    view = await firm.reached("gates before opening", attention=1)
    assert "lines[1].amount" in [f.field for f in view.attention[0].findings]
    assert not any("open" in key for key in firm.psa.keys() + firm.erp.keys())


async def test_two_starters_share_one_process(firm: Firm) -> None:
    from temporalio.exceptions import WorkflowAlreadyStartedError

    await firm.start()
    with pytest.raises(WorkflowAlreadyStartedError):
        await firm.start()
    await firm.reached("awaiting staffing")
    assert firm.psa.keys().count("psa.project/1") == 1


async def test_a_forged_decision_is_refused(firm: Firm) -> None:
    from domain.attention import DecisionRef

    handle = await firm.start()
    await firm.reached("awaiting staffing")
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("approve_staffing", DecisionRef(id="never-written"))
    assert (await firm.view()).stage == "awaiting staffing"


async def test_an_unanswered_gate_escalates_when_its_time_is_up(
    time_skipping: WorkflowEnvironment, store: Any
) -> None:
    async with running_firm(time_skipping.client, store) as firm:
        firm.crm.deal = a_deal(contract=a_deal().contract.with_changes(billing_entity=None))
        handle = await firm.start(run_timeout=timedelta(days=30))
        with time_skipping.auto_time_skipping_disabled():
            view = await firm.reached("gates before creation", attention=1)
            assert view.attention[0].person == "finance_systems@firm.example"
        await time_skipping.sleep(timedelta(hours=25))
        with time_skipping.auto_time_skipping_disabled():
            view = await firm.reached("gates before creation", attention=1)
            item = view.attention[0]
            assert (item.escalations, item.person) == (1, "head-of-finance_systems@firm.example")
            assert (await store.attention.get(item.id)).escalations == 1
        await handle.terminate()


async def activate(firm: Firm) -> ActivationResult:
    """The whole way, with the staffing approved."""
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("approve_staffing", "approve_staffing")
    return await finish(handle)
