"""What others are told of an activation: each thing once, whatever is repeated."""

import asyncio
from typing import Any

import pytest

from connectors.errors import Rejected
from domain.activation_process import ActivationResult
from tests.support.activation_firm import Firm

Told = list[tuple[str, str]]


async def told(firm: Firm) -> Told:
    """Type and subject of every event, in the order in which they were noted."""
    rows = await firm.store.outbox.list()
    return [(row.type, row.subject) for row in reversed(rows)]


async def finish(handle: Any) -> ActivationResult:
    async with asyncio.timeout(20):
        result: ActivationResult = await handle.result()
        return result


async def test_an_activation_tells_demand_and_project_once(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt of the request dies after the store has committed; Temporal repeats the activity."""
    confirm, died = firm.store.effects.confirm, list[str]()

    async def confirm_and_die(key: str, **facts: Any) -> Any:
        row = await confirm(key, **facts)
        if "psa.request" in key and not died:
            died.append(key)
            raise ConnectionError("the worker lost its way after the commit")
        return row

    monkeypatch.setattr(firm.store.effects, "confirm", confirm_and_die)
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    assert len(died) == 1
    await firm.decide("approve_staffing", "approve_staffing")
    result = await finish(handle)
    request = (await firm.store.effects.get(died[0])).external_id
    assert await told(firm) == [("demand.published", request), ("project.activated", result.project)]
    demand, project = reversed(await firm.store.outbox.list())
    assert demand.data["project"] == project.data["project"] == result.project
    assert (demand.data["role"], demand.data["revision"], demand.key) == ("Architect", 1, died[0])
    assert (project.data["deal"], project.key) == (firm.deal_id, f"{firm.process}/1")


async def test_a_cancelled_activation_takes_its_demand_back(firm: Firm) -> None:
    handle = await firm.start()
    await firm.reached("awaiting staffing")
    await firm.decide("cancel", "cancel", reason="the customer changed their mind")
    result = await finish(handle)
    assert result.state == "cancelled"
    types = [type for type, _ in await told(firm)]
    assert types == ["demand.published", "demand.withdrawn", "activation.cancelled"]
    published, withdrawn, cancelled = reversed(await firm.store.outbox.list())
    assert published.subject == withdrawn.subject
    assert cancelled.data == {"deal": firm.deal_id, "project": result.project, "generation": 1}


async def test_a_refused_write_tells_that_a_person_is_waited_for_and_no_longer(firm: Firm) -> None:
    refusal = Rejected("Petra Vogel may not post", system="netsuite", field="currency")
    firm.erp.fail("erp.project", refusal)
    await firm.start()
    view = await firm.reached("creating", attention=1)
    await firm.decide("resolve", "retry", target=view.attention[0].id)
    await firm.reached("awaiting staffing")
    raised, resolved = [row for row in reversed(await firm.store.outbox.list()) if "exception" in row.type]
    assert (raised.type, resolved.type) == ("exception.raised", "exception.resolved")
    assert raised.subject == resolved.subject == view.attention[0].id
    assert raised.data["owner"] == "finance_systems"
    assert "Petra" not in str(raised.data) + str(resolved.data), "no words of a system, and no people"
