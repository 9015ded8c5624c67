"""Records of the emulated Salesforce org: upsert, validation, conditions, what the system computes."""

from decimal import Decimal
from email.utils import formatdate
from typing import Any

import pytest

from sandbox.core import wire
from sandbox.salesforce import ids
from tests.unit.sandbox.salesforce_org import Org, code


def test_ids_carry_the_checksum_salesforce_documents() -> None:
    assert ids.checksum("001A0000006Vm9r") == "IAC"  # worked example of Salesforce's own documentation
    assert ids.normal("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert ids.normal("001A0000006Vm9rIAB") is None
    assert ids.normal("not an id") is None


async def test_upsert_creates_changes_repeats_and_refuses_ambiguity(org: Org) -> None:
    path = "/sobjects/Account/Tax_Id__c/DE136695976"
    body = {"Name": "Atlas GmbH", "BillingCountryCode": "DE"}
    first = await org.call("PATCH", path, body)
    assert (first.status_code, first.json()["created"]) == (201, True)
    second = await org.call("PATCH", path, body | {"Name": "Atlas SE"})
    assert (second.status_code, second.json()["created"]) == (200, False)
    assert second.json()["id"] == first.json()["id"]
    assert (await org.call("GET", path.replace("DE1", "de1"))).json()["Name"] == "Atlas SE"

    await org.call("POST", "/sobjects/Account", body | {"Tax_Id__c": "DE136695976"})
    several = await org.call("PATCH", path, body)
    assert several.status_code == 300
    assert len(several.json()) == 2
    assert (await org.call("GET", path)).json() == several.json()
    wrong = await org.call("PATCH", "/sobjects/Account/Name/Atlas", body)
    assert (wrong.status_code, code(wrong)) == (404, "NOT_FOUND")
    only = await org.call("PATCH", "/sobjects/Account/Tax_Id__c/none?updateOnly=true", body)
    assert only.status_code == 404


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("Opportunity", {"Name": "x"}, "REQUIRED_FIELD_MISSING"),
    ("Account", {"Name": "x", "Surname": "y"}, "INVALID_FIELD"),
    ("Account", {"Name": 5}, "JSON_PARSER_ERROR"),
    ("Account", {"Name": "x", "Credit_Hold__c": "yes"}, "JSON_PARSER_ERROR"),
    ("Account", {"Name": "x" * 256}, "STRING_TOO_LONG"),
    ("Account", {"Name": "x", "BillingCountryCode": "XX"}, "FIELD_INTEGRITY_EXCEPTION"),
    ("Account", {"Name": "x", "ParentId": "001"}, "MALFORMED_ID"),
    ("Account", {"Name": "x", "ParentId": ids.record_id("001", 99999)}, "INVALID_CROSS_REFERENCE_KEY"),
    ("Account", {"Name": "x", "CreatedDate": "2026-01-01"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ("Product2", {"Name": "x", "CurrencyIsoCode": "XXX"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ("Contract", {"AccountId": "first", "StartDate": "23.11.2026"}, "JSON_PARSER_ERROR"),
    ("User", {"LastName": "x"}, "INSUFFICIENT_ACCESS_OR_READONLY"),
    ("Nothing", {"Name": "x"}, "NOT_FOUND"),
]


@pytest.mark.parametrize(("kind", "body", "expected"), REFUSALS, ids=[f"{r[0]}-{r[2]}" for r in REFUSALS])
async def test_a_bad_body_is_refused_and_leaves_nothing(
    org: Org, kind: str, body: dict[str, Any], expected: str
) -> None:
    if body.get("AccountId") == "first":
        body = body | {"AccountId": (await org.rows("SELECT Id FROM Account LIMIT 1"))[0]["Id"]}
    answer = await org.call("POST", f"/sobjects/{kind}", body)
    assert answer.status_code == (404 if expected == "NOT_FOUND" else 400)
    assert code(answer) == expected
    assert await org.effects() == []


async def test_a_body_that_is_no_json(org: Org) -> None:
    answer = await org.call("POST", "/sobjects/Account", content=b"{not json")
    assert (answer.status_code, code(answer)) == (400, "JSON_PARSER_ERROR")


async def test_update_answers_204_and_respects_if_unmodified_since(org: Org) -> None:
    path = f"/sobjects/Opportunity/{await org.opportunity()}"
    old = {"if-unmodified-since": formatdate(0, usegmt=True)}
    stale = await org.call("PATCH", path, {"Fairlead_Status__c": "Activating"}, headers=old)
    assert stale.status_code == 412
    bad = await org.call(
        "PATCH", path, {"Fairlead_Status__c": "Activating"}, headers={"if-unmodified-since": "now"}
    )
    assert bad.status_code == 400
    fresh = {"if-unmodified-since": formatdate(32503680000, usegmt=True)}
    done = await org.call(
        "PATCH", path[:-3], {"Fairlead_Status__c": "Activating"}, headers=fresh
    )  # 15 characters
    assert (done.status_code, done.content) == (204, b"")
    shown = (await org.call("GET", f"{path}?fields=Fairlead_Status__c")).json()
    assert shown["Fairlead_Status__c"] == "Activating"
    unchanged = await org.call(
        "GET", path, headers={"if-modified-since": formatdate(32503680000, usegmt=True)}
    )
    assert unchanged.status_code == 304


async def test_amount_is_the_sum_of_the_lines_and_not_writable_beside_them(org: Org) -> None:
    opportunity = await org.opportunity()
    path = f"/sobjects/Opportunity/{opportunity}"
    before = wire.decode((await org.call("GET", path)).content)
    lines = {"OpportunityId": opportunity, "Quantity": 3, "UnitPrice": 33.335}
    assert (await org.call("POST", "/sobjects/OpportunityLineItem", lines)).status_code == 201
    assert (await org.call("PATCH", path, {"Amount": 1})).status_code == 204
    after = wire.decode((await org.call("GET", path)).content)
    assert after["Amount"] == before["Amount"] + Decimal("100.01")
    assert after["SystemModstamp"].endswith(".000+0000")


async def test_stage_flags_follow_the_stage(org: Org) -> None:
    path = f"/sobjects/Opportunity/{await org.opportunity()}"
    assert (await org.call("PATCH", path, {"IsWon": False})).status_code == 400
    assert (await org.call("PATCH", path, {"StageName": "Closed Lost"})).status_code == 204
    shown = (await org.call("GET", f"{path}?fields=IsWon,IsClosed,Probability")).json()
    assert (shown["IsWon"], shown["IsClosed"], shown["Probability"]) == (False, True, 0)


async def test_deleted_records_are_gone_but_for_query_all(org: Org) -> None:
    made = (await org.call("POST", "/sobjects/Account", {"Name": "Brief"})).json()["id"]
    assert (await org.call("DELETE", f"/sobjects/Account/{made}")).status_code == 204
    assert code(await org.call("GET", f"/sobjects/Account/{made}")) == "ENTITY_IS_DELETED"
    soql = f"SELECT Id, IsDeleted FROM Account WHERE Id = '{made}'"  # noqa: S608
    assert await org.rows(soql) == []
    everything = (await org.call("GET", "/queryAll", params={"q": soql})).json()
    assert [row["IsDeleted"] for row in everything["records"]] == [True]


async def test_versions_and_unknown_resources(org: Org) -> None:
    for version, status in (("v60.0", 200), ("v68.0", 200), ("v59.0", 404), ("v69.0", 404)):
        answer = await org.client.get(f"/salesforce/services/data/{version}/limits")
        assert answer.status_code == status
        assert answer.headers["sforce-limit-info"].startswith("api-usage=")
    assert code(await org.call("GET", "/nothing")) == "NOT_FOUND"
    described = (await org.call("GET", "/sobjects/opportunity/describe")).json()
    fields = {field["name"]: field for field in described["fields"]}
    assert fields["Fairlead_Status__c"]["restrictedPicklist"]
    assert not fields["IsWon"]["updateable"]
