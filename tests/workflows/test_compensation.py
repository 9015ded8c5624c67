"""Undo: a cancel at any point, in every form, leaves nothing behind or an owner who knows."""

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Ambiguous, Rejected, Throttled
from tests.support.activation_firm import Firm, running_firm
from tests.workflows.test_activation import IN_ORDER, activate, finish

UNDONE_BY = {
    "erp.billing_schedule/1": "billing schedule voiding",
    "psa.request.2/1": "resource request withdrawal",
    "erp.project/1": "project cancellation",
    "psa.project/1": "project cancellation",
    "crm.active/1": "deal status",
}
NEWEST_FIRST = ["crm.active/1", "erp.billing_schedule/1", "psa.request.2/1", "erp.project/1", "psa.project/1"]
STEPS_THAT_FAIL = [key.removesuffix("/1") for key in IN_ORDER]


def undone(firm: Firm) -> list[str]:
    """What was undone, in order."""
    order: list[tuple[int, str]] = []
    for system in (firm.crm, firm.psa, firm.erp):
        for key, command in system.applied:
            if key.endswith("/undo"):
                step = key.split("/", 3)[-1].removesuffix("/undo")
                assert command.noun == UNDONE_BY[step]
                order.append((NEWEST_FIRST.index(step), step))
    return [step for _, step in sorted(order)]


async def assert_clean(firm: Firm) -> None:
    """Every effect that can be undone is undone, and nothing is left in doubt."""
    for row in await firm.store.effects.list(firm.process):
        if row.key.endswith("/undo"):
            assert row.state == "confirmed"
        elif row.key.split("/", 3)[-1] in UNDONE_BY:
            assert row.state in ("undone", "rejected"), row.key


@pytest.mark.parametrize("step", STEPS_THAT_FAIL)
async def test_a_permanent_failure_at_any_step_is_compensated_on_decision(firm: Firm, step: str) -> None:
    for system in (firm.crm, firm.psa, firm.erp):
        system.fail(step + "/", Rejected("no", system=system.system))
    handle = await firm.start()
    if step.endswith(("open", "active")):
        await firm.reached("awaiting staffing")
        await firm.decide("approve_staffing", "approve_staffing")
        view = await firm.reached("opening", attention=1)
    else:
        view = await firm.reached("creating", attention=1)
    await firm.decide("resolve", "compensate", target=view.attention[0].id, reason="customer withdrew")
    result = await finish(handle)
    assert (result.state, "customer withdrew" in result.reason) == ("cancelled", True)
    await assert_clean(firm)
    assert list(await firm.store.attention.list()) == []
    assert (await firm.store.processes.get(firm.process)).state == "cancelled"


async def test_a_cancel_undoes_newest_first_across_all_systems(firm: Firm) -> None:
    order: list[str] = []
    for system in (firm.crm, firm.psa, firm.erp):
        system.after_apply = lambda key: order.append(key.split("/", 3)[-1])
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="signed by mistake")
    result = await finish(handle)
    assert result.state == "cancelled"
    undos = [key.removesuffix("/undo") for key in order if key.endswith("/undo")]
    assert undos == NEWEST_FIRST[1:]
    await assert_clean(firm)


async def test_a_bare_temporal_cancel_is_a_cancel_too(firm: Firm) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await finish(handle)
    assert undone(firm) == NEWEST_FIRST[1:]
    row = await firm.store.processes.get(firm.process)
    assert (row.state, "temporal" in row.result_json) == ("cancelled", True)


async def test_a_cancel_reaches_a_step_that_is_being_repeated(firm: Firm) -> None:
    firm.erp.fail("erp.project", *[Throttled("wait", system="netsuite", retry_after=30.0)] * 5)
    handle = await firm.start()
    await firm.reached("creating")
    await firm.intended("erp.project/1")
    await firm.decide("cancel", "cancel", reason="no patience")
    assert (await finish(handle)).state == "cancelled"
    await assert_clean(firm)


@pytest.mark.parametrize("form", ["decision", "temporal"])
async def test_a_second_cancel_does_not_stop_the_undo(firm: Firm, form: str) -> None:
    firm.psa.fail("psa.project/1/undo", *[Throttled("wait", system="kantata", retry_after=0.3)] * 3)
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="first")
    await firm.reached("cancelling")
    if form == "temporal":
        await handle.cancel()
    else:
        await firm.decide("cancel", "cancel", reason="second")
    assert (await finish(handle)).state == "cancelled"
    assert undone(firm) == NEWEST_FIRST[1:]


async def test_a_failed_undo_is_an_exception_with_an_owner_and_goes_on(firm: Firm) -> None:
    firm.erp.fail("erp.project/1/undo", Rejected("has transactions", system="netsuite"))
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="stop")
    view = await firm.reached("cancelling", attention=1)
    assert "has transactions" in view.attention[0].detail
    await firm.decide("resolve", "retry", target=view.attention[0].id)
    assert (await finish(handle)).state == "cancelled"
    await assert_clean(firm)


async def test_an_undo_settled_by_hand_needs_two_persons(firm: Firm) -> None:
    firm.erp.fail("erp.project/1/undo", *[Rejected("locked", system="netsuite")] * 9)
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="stop")
    view = await firm.reached("cancelling", attention=1)
    skip = await firm.decide("resolve", "skip", target=view.attention[0].id, reason="made inactive by hand")
    assert (await firm.view()).stage == "cancelling"
    await firm.decide("second", "second", target=skip, actor="karl@firm.example")
    assert (await finish(handle)).state == "cancelled"
    assert "psa.project/1" in undone(firm), "the rest was undone all the same"


async def test_an_undo_looks_up_what_may_have_happened(firm: Firm) -> None:
    """The answer of a write is lost and the process cancelled: the write is found and undone."""

    def lose_answer(key: str) -> None:
        if key.endswith("erp.billing_schedule/1"):
            raise Ambiguous("answer lost", system="netsuite", retry_after=60.0)

    firm.erp.after_apply = lose_answer
    handle = await firm.start()
    await firm.intended("erp.billing_schedule/1")
    await firm.decide("cancel", "cancel", reason="stop")
    assert (await finish(handle)).state == "cancelled"
    await assert_clean(firm)
    row = await firm.store.effects.get(f"{firm.process}/erp.billing_schedule/1")
    assert row.state == "undone"


async def test_a_cancelled_deal_is_activated_again_in_a_new_generation(firm: Firm) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="stop")
    first = await finish(handle)
    again = await activate(firm)
    assert (first.generation, again.generation, again.state) == (1, 2, "active")
    assert again.project == f"{first.project}-2"
    assert {"psa.project/1", "psa.project/2"} <= set(firm.psa.keys())
    assert firm.erp.keys().count("netsuite.customer/1") == 1, "the customer is shared and never undone"


async def test_an_active_project_is_no_longer_cancelled_here(firm: Firm) -> None:
    result = await activate(firm)
    assert result.state == "active"
    with pytest.raises(Exception, match=r"completed|not found"):
        await firm.decide("cancel", "cancel")


async def test_decisions_for_what_is_not_open_are_refused(firm: Firm) -> None:
    await firm.start()
    await firm.reached("awaiting staffing")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("resolve", "retry", target=f"{firm.process}/nothing/1")
    assert "is not open" in str(caught.value.__cause__)


async def test_compensation_survives_eviction_from_the_cache(
    temporal_env: WorkflowEnvironment, store: Any
) -> None:
    """Every workflow task replays from the start: undo code must not run because of an eviction."""
    async with running_firm(temporal_env.client, store, max_cached_workflows=0) as firm:
        firm.erp.fail("erp.project/1/undo", Rejected("busy", system="netsuite"))
        handle = await firm.start()
        await firm.reached("awaiting staffing")
        assert undone(firm) == []
        await firm.decide("cancel", "cancel", reason="stop")
        view = await firm.reached("cancelling", attention=1)
        await firm.decide("resolve", "retry", target=view.attention[0].id)
        assert (await finish(handle)).state == "cancelled"
        assert undone(firm) == NEWEST_FIRST[1:]
