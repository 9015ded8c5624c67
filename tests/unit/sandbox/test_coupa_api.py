"""The Coupa emulator as any HTTP client meets it: strict, in JSON, with the vendor's own traps."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.coupa_instance import LINE, CoupaInstance, body


@pytest.fixture
async def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CoupaInstance]:
    instance = CoupaInstance(tmp_path, monkeypatch)
    await instance.token()
    yield instance
    await instance.aclose()


def text(answer: tuple[int, Any]) -> tuple[int, str]:
    """Status and the first error text."""
    status, content = answer
    (texts,) = content["errors"].values()
    return status, texts[0]


# ---- signing in


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "core.payroll.read"}, 400, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_scope"),
    ],
)
async def test_a_wrong_grant_is_refused(
    instance: CoupaInstance, changes: dict[str, str], status: int, error: str
) -> None:
    answer = await instance.token(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_token_opens_what_its_scopes_name(instance: CoupaInstance) -> None:
    await instance.token(scope="core.requisition.read core.supplier.read")
    assert len(await instance.get("suppliers")) == 12
    status, words = text(await instance.call("POST", "requisitions", body()))
    assert (status, "core.requisition.write" in words) == (403, True)
    assert (await instance.call("GET", "users"))[0] == 403


async def test_a_new_token_is_not_taken_at_once_where_the_instance_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = CoupaInstance(tmp_path, monkeypatch, coupa_token_delay=3600)
    assert (await slow.token()).status_code == 200
    assert (await slow.call("GET", "suppliers"))[0] == 401
    await slow.aclose()


async def test_calls_beyond_pace_and_burst_are_throttled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paced = CoupaInstance(tmp_path, monkeypatch, coupa_calls_per_second=1, coupa_burst=2)
    await paced.token()
    statuses = [(await paced.call("GET", "uoms"))[0] for _ in range(8)]
    assert statuses[:3] == [200, 200, 200]
    assert 429 in statuses
    await paced.aclose()


@pytest.mark.parametrize("header", ["accept", "content-type"])
async def test_without_json_headers_the_answer_would_be_xml(instance: CoupaInstance, header: str) -> None:
    instance.headers[header] = "application/xml"
    assert (await instance.call("POST", "requisitions", body()))[0] == 406


# ---- queries


async def test_no_match_is_an_empty_list_and_a_missing_record_is_404(instance: CoupaInstance) -> None:
    assert await instance.get("suppliers", number="nobody") == []
    assert (await instance.call("GET", "suppliers/999"))[0] == 404


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({"number": "S-002"}, ["S-002"]),
        ({"number[in]": "S-002,S-003"}, ["S-002", "S-003"]),
        ({"id[gt]": "10"}, ["S-011", "S-012"]),
        ({"id[lt_or_eq]": "2", "order_by": "id", "dir": "desc"}, ["S-002", "S-001"]),
        ({"primary_address[country][code]": "IN", "limit": "1"}, ["S-003"]),
        ({"number[starts_with]": "S-01", "number[not_eq]": "S-011"}, ["S-010", "S-012"]),
        ({"on_hold": "true"}, []),
        ({"tax_id[blank]": "true"}, []),
        ({"offset": "10"}, ["S-011", "S-012"]),
    ],
    ids=lambda given: str(given)[:40],
)
async def test_filters_order_and_pages(
    instance: CoupaInstance, params: dict[str, str], numbers: list[str]
) -> None:
    rows = await instance.get("suppliers", **params)
    assert [row["number"] for row in rows] == numbers


async def test_fields_narrow_the_answer_also_within(instance: CoupaInstance) -> None:
    id = await instance.submit()
    fields = '["id",{"requisition_lines":["line_num",{"account":["segment_3"]}]},{"custom_fields":{}}]'
    shown = await instance.get(f"requisitions/{id}", fields=fields)
    assert shown == {
        "id": id,
        "requisition-lines": [{"line-num": 1, "account": {"segment-3": "DE01-1"}}],
        "custom-fields": {"fairlead-key": None, "fairlead-undo-key": None, "fairlead-reason": None},
    }


@pytest.mark.parametrize(
    "params",
    [
        {"nmber": "S-002"},
        {"fields": '["nmber"]'},
        {"fields": "number"},
        {"order_by": "nmber"},
        {"dir": "up"},
        {"limit": "many"},
        {"id[gt]": "S-002"},
    ],
    ids=str,
)
async def test_a_query_that_means_nothing_is_refused(instance: CoupaInstance, params: dict[str, str]) -> None:
    assert (await instance.call("GET", "suppliers", **params))[0] == 400


async def test_a_page_never_holds_more_than_fifty(instance: CoupaInstance) -> None:
    for _ in range(52):
        await instance.submit()
    assert len(await instance.get("requisitions", limit=200)) == 50


# ---- requisitions


async def test_numbers_are_text_and_totals_rounded_once(instance: CoupaInstance) -> None:
    shown = await instance.get(f"requisitions/{await instance.submit()}")
    line = shown["requisition-lines"][0]
    assert (line["quantity"], line["unit-price"], line["total"]) == ("10.00", "100.005", "1000.05")
    assert "external-po-reference" not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ship-to-address": None}, "Ship to address can't be blank"),
        ({"requisition-lines": []}, "Lines can't be blank"),
        ({"requested-by": {"login": "nobody"}}, "Requested by"),
        ({"external-po-reference": "x" * 21}, "too long"),
        ({"surprise": 1}, "unknown attribute 'surprise'"),
        ({"custom-fields": {"cost": "1"}}, "unknown attribute 'cost'"),
        ({"requisition-lines": [{**LINE, "line-num": 2}]}, "count up by one"),
        ({"requisition-lines": [{**LINE, "description": ""}]}, "Description can't be blank"),
        ({"requisition-lines": [{**LINE, "quantity": "many"}]}, "is not a number"),
        ({"requisition-lines": [{**LINE, "quantity": "0"}]}, "above zero"),
        ({"requisition-lines": [{**LINE, "supplier": {"number": "S-999"}}]}, "Supplier"),
        ({"requisition-lines": [{**LINE, "uom": {"code": "MOON"}}]}, "Uom"),
        ({"requisition-lines": [{**LINE, "currency": {"code": "XXX"}}]}, "Currency"),
        (
            {"requisition-lines": [{**LINE, "account": {**LINE["account"], "segment-2": "9999"}}]},
            "segment-2 9999 is invalid",
        ),
        ({"requisition-lines": [{**LINE, "need-by-date": "soon"}]}, "Need by date"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
async def test_a_bad_requisition_is_refused_and_leaves_nothing(
    instance: CoupaInstance, changes: dict[str, Any], words: str
) -> None:
    status, said = text(await instance.call("POST", "requisitions/submit_for_approval", body(**changes)))
    assert status == 400
    assert words in said
    assert await instance.get("requisitions") == []


async def test_a_po_reference_is_unique_and_becomes_the_number(instance: CoupaInstance) -> None:
    id = await instance.submit(**{"external-po-reference": "FL-1"})
    again = body(**{"external-po-reference": "FL-1"})
    status, words = text(await instance.call("POST", "requisitions/submit_for_approval", again))
    assert (status, "has already been taken" in words) == (400, True)
    for action in ("approve", "order"):
        await instance.act("requisitions", id, action)
    (order,) = await instance.get("purchase_orders", po_number="FL-1")
    shown = await instance.get(f"requisitions/{id}")
    assert shown["status"] == "ordered"
    assert shown["requisition-lines"][0]["order-line-id"] == order["order-lines"][0]["id"]


async def test_people_can_only_do_what_the_status_allows(instance: CoupaInstance) -> None:
    id = await instance.submit()
    assert (await instance.act("requisitions", id, "order")).status_code == 400
    assert (await instance.act("requisitions", id, "approve")).status_code == 200
    assert (await instance.act("requisitions", id, "reject")).status_code == 400
    status, words = text(await instance.call("PUT", f"requisitions/{id}/save_for_later", {}))
    assert (status, "it is approved" in words) == (400, True)


# ---- orders


async def test_marking_as_exported_ignores_whatever_else_is_sent(instance: CoupaInstance) -> None:
    order = await instance.order("issue")
    change = {"custom-fields": {"fairlead-reason": "dropped"}}
    status, shown = await instance.call("PUT", f"purchase_orders/{order}", change, exported="true")
    assert (status, shown["exported"]) == (200, True)
    assert shown["custom-fields"]["fairlead-reason"] is None
    assert (await instance.call("PUT", f"purchase_orders/{order}", change))[0] == 400


async def test_a_new_version_is_to_be_exported_again(instance: CoupaInstance) -> None:
    order = await instance.order("issue", "export")
    assert await instance.get("purchase_orders", exported="false") == []
    await instance.act("purchase_orders", order, "revise")
    (shown,) = await instance.get("purchase_orders", exported="false")
    assert (shown["version"], shown["internal-revision"]) == (2, 3)


async def test_offsets_pass_over_rows_while_others_are_marked(instance: CoupaInstance) -> None:
    """The trap: why readers use the last id instead."""
    orders = [await instance.order() for _ in range(4)]
    seen = []
    for offset in (0, 2):
        page = await instance.get("purchase_orders", exported="false", limit=2, offset=offset)
        for row in page:
            seen.append(row["id"])
            await instance.call("PUT", f"purchase_orders/{row['id']}", exported="true")
    assert seen == orders[:2]


async def test_an_invoiced_order_cannot_be_cancelled(instance: CoupaInstance) -> None:
    order = await instance.order("issue")
    await instance.act("purchase_orders", order, "bill", amount="1.00")
    assert (await instance.call("PUT", f"purchase_orders/{order}/cancel", {}))[0] == 400
    other = await instance.order("issue", "acknowledge")
    status, shown = await instance.call("PUT", f"purchase_orders/{other}/cancel", return_object="limited")
    assert (status, shown) == (200, {"id": other})


async def test_each_change_of_an_order_is_told(instance: CoupaInstance) -> None:
    target = {"system": "coupa", "url": "http://hooks.test/{system}", "secret": "whsec_MDEyMzQ1Njc4OWFi"}
    assert (await instance.http.post("/_control/webhooks", json=target)).status_code == 200
    order = await instance.order("issue", "acknowledge")
    await instance.call("PUT", f"purchase_orders/{order}", exported="true")
    answer: httpx.Response = await instance.http.get("/_webhooks")
    told = [event["body"] for event in answer.json()["webhooks"]]
    assert len(told) == 3
    assert all('"type":"purchase_order.changed"' in body for body in told)
    assert all(f'"order":"{order}"' in body and '"project":"DE01-1"' in body for body in told)
