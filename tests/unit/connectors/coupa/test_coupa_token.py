"""A new token that Coupa does not take yet: told with the time that is left, never answered with another."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.coupa.client import CoupaClient, build
from connectors.errors import Rejected, Transient, Unauthenticated
from domain.buying import SupplierQuery
from tests.unit.connectors.coupa import coupa_sample as sample

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Instance:
    """Issues tokens, and refuses those that are in `refused`."""

    def __init__(self) -> None:
        self.now = NOW
        self.issued = 0
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.answer: Any = sample.requisition()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            self.issued += 1
            return httpx.Response(200, json={"access_token": f"t{self.issued}", "expires_in": 86399})
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.asked.append(token)
        if token in self.refused:
            return httpx.Response(401, json={"error": "invalid_token"})
        return httpx.Response(200, json=self.answer)

    def client(self, **changes: Any) -> CoupaClient:
        transport = httpx.MockTransport(self)
        return build("coupa", sample.settings(**changes), transport=transport, clock=lambda: self.now)


async def test_a_token_too_new_to_be_taken_is_told_and_kept() -> None:
    instance = Instance()
    instance.refused = {"t1"}
    client = instance.client()
    with pytest.raises(Transient, match="should in 5 s") as early:
        await client.requisition("12")
    assert early.value.retry_after == 5
    instance.now = NOW + timedelta(seconds=2, milliseconds=500)
    with pytest.raises(Transient) as later:
        await client.requisition("12")
    assert later.value.retry_after == 3
    assert instance.issued == 1
    instance.refused = set()
    assert (await client.requisition("12")).state == "pending"
    await client.aclose()


async def test_a_token_that_has_worked_is_renewed_at_once() -> None:
    instance = Instance()
    client = instance.client()
    await client.requisition("12")
    instance.refused = {"t1"}
    await client.requisition("12")
    assert instance.asked == ["t1", "t1", "t2"]
    await client.aclose()


async def test_its_successor_may_be_too_new_as_well() -> None:
    instance = Instance()
    client = instance.client()
    await client.requisition("12")
    instance.refused = {"t1", "t2"}
    with pytest.raises(Transient):
        await client.requisition("12")
    assert instance.issued == 2
    await client.aclose()


async def test_a_refusal_after_these_seconds_means_what_it_says() -> None:
    instance = Instance()
    instance.refused = {"t1", "t2"}
    client = instance.client(token_settle_seconds=0)
    with pytest.raises(Unauthenticated):
        await client.requisition("12")
    await client.aclose()


async def test_an_answer_that_is_no_list_of_objects_is_drift() -> None:
    instance = Instance()
    instance.answer = {"suppliers": []}
    client = instance.client()
    with pytest.raises(Rejected, match="not a list") as drift:
        await client.suppliers(SupplierQuery())
    assert drift.value.rule == "schema.changed_field"
    await client.aclose()
