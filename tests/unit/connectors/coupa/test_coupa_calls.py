"""What the connector asks, and what it makes of answers that no healthy instance gives."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.coupa.client import CoupaClient, build
from connectors.errors import Conflict, Rejected
from connectors.http import exact_json
from domain.buying import SupplierQuery
from domain.intake import FeedPosition
from tests.unit.connectors.coupa import coupa_sample as sample
from tests.unit.connectors.coupa.test_coupa_mapping import KEY, request


class Instance:
    """Answers every list with the same rows."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": "t", "scope": "core.requisition.read"})
        self.asked.append(request)
        return httpx.Response(200, content=exact_json.encode(self.rows))

    def client(self, **changes: Any) -> CoupaClient:
        return build("coupa", sample.settings(**changes), transport=httpx.MockTransport(self))


async def test_every_read_asks_for_json_and_for_the_fields_it_needs() -> None:
    instance = Instance([sample.order()])
    client = instance.client()
    await client.purchase_orders("DE01-7K3QXW", FeedPosition(), limit=200)
    (asked,) = instance.asked
    assert asked.headers["accept"] == asked.headers["content-type"] == "application/json"
    params = asked.url.params
    assert (params["limit"], params["order_by"], params["dir"]) == ("50", "id", "asc")
    assert params["order_lines[account][segment_3]"] == "DE01-7K3QXW"
    assert "offset" not in params
    assert "exported" not in params
    assert "po_number" in exact_json.decode(params["fields"])
    await client.aclose()


async def test_the_mark_is_that_of_the_first_page() -> None:
    """A row that changed while we read may stand before the cursor: the next drain must reach back to it."""
    instance = Instance([sample.order(**{"id": 31, "updated-at": "2026-11-23T09:00:00+00:00"})])
    client = instance.client(page_size=1)
    first = await client.purchase_orders("", FeedPosition())
    instance.rows = [sample.order(**{"id": 32, "updated-at": "2026-11-23T10:00:00+00:00"})]
    second = await client.purchase_orders("", FeedPosition(page=first.next_page))
    instance.rows = []
    last = await client.purchase_orders("", FeedPosition(page=second.next_page))
    marks = [page.mark.isoformat() for page in (first, second, last) if page.mark]
    assert marks == ["2026-11-23T09:00:00+00:00"] * 3
    assert [asked.url.params.get("id[gt]") for asked in instance.asked] == [None, "31", "32"]
    assert last.next_page == ""
    await client.aclose()


async def test_a_drain_of_nothing_keeps_its_beginning() -> None:
    since = datetime(2026, 11, 23, 9, tzinfo=UTC)
    client = Instance([]).client()
    page = await client.purchase_orders("", FeedPosition(since=since))
    assert (page.mark, page.next_page, page.orders) == (since, "", ())
    await client.aclose()


async def test_pages_that_do_not_advance_are_refused() -> None:
    row = {"id": 7, "number": "S-7", "name": "Kontor", "status": "active", "on-hold": False}
    client = Instance([row]).client(page_size=1)
    with pytest.raises(Rejected, match="do not advance") as stuck:
        await client.suppliers(SupplierQuery())
    assert stuck.value.rule == "paging.stuck"
    await client.aclose()


async def test_a_key_on_two_requisitions_is_a_conflict() -> None:
    held = {"fairlead-key": KEY}
    rows = [sample.requisition(**{"custom-fields": held, "id": id}) for id in (12, 13)]
    client = Instance(rows).client()
    with pytest.raises(Conflict, match="12, 13"):
        await client.find(request(), KEY)
    await client.aclose()


async def test_a_filter_that_is_not_honoured_finds_nothing_foreign() -> None:
    client = Instance([sample.requisition()]).client()
    assert await client.find(request(), KEY) is None
    await client.aclose()


async def test_a_key_that_is_not_shown_is_not_taken_for_absent() -> None:
    client = Instance([sample.requisition(**{"custom-fields": {}})]).client()
    with pytest.raises(Rejected, match="does not show the custom field fairlead-key") as drift:
        await client.find(request(), KEY)
    assert drift.value.rule == "schema.missing_field"
    await client.aclose()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"segments": {"segment-1": "{entity}-{project}"}}, "exactly one"),
        ({"segments": {"segment-1": "{project}", "segment-2": "{cost}"}}, "may use"),
        ({"segments": {"seg": "{project}"}}, "is no segment"),
        ({"charts": {"DE01": "A", "US01": "B"}}, "in both"),
        (
            {"charts": {"DE01": "A", "US01": "A"}, "ship_to": {"DE01": "A", "US01": "B"}},
            "share a chart",
        ),
    ],
)
def test_settings_that_cannot_work_say_why(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sample.settings(**changes)
