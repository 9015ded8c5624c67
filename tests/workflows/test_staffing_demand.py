"""Demand of an activation as staffing sees it in the store, and an approval of what it is not any more."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.support.activation_firm import Firm


async def test_what_was_asked_is_in_the_store_and_an_older_revision_is_not_approved(firm: Firm) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    (asked,) = await firm.store.people.demand()
    assert (asked.process, asked.entity, asked.revision, asked.state) == (firm.process, "DE01", 1, "open")
    assert asked.project.startswith("DE01-")
    assert asked.hours > 0
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await firm.decide("approve_staffing", "approve_staffing", payload={"revision": "0"})
    assert "revision 0 of the demand, which stands at revision 1" in str(caught.value.cause)
    await firm.decide("approve_staffing", "approve_staffing", payload={"revision": "1", "person.2": "W-1"})
    result = await handle.result()
    assert result.state == "active"


async def test_a_cancelled_activation_needs_nobody(firm: Firm) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="signed by mistake")
    await handle.result()
    assert await firm.store.people.demand() == []
    (gone,) = await firm.store.people.demand(state=None)
    assert gone.state == "withdrawn"
