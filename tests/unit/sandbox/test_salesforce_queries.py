"""SOQL over HTTP: results, parents and children, paging, and the vendor's error codes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.sandbox.salesforce_org import Org, code


async def test_parents_children_and_null_where_there_are_none(org: Org) -> None:
    fields = "Id, Account.Name, Account.Parent.Name, Contract.CustomerSignedDate, Owner.Email"
    lines_of = "SELECT Billing_Method__c, TotalPrice FROM OpportunityLineItems ORDER BY SortOrder"
    condition = f"Id = '{await org.opportunity()}'"
    soql = f"SELECT {fields}, ({lines_of}) FROM Opportunity WHERE {condition}"  # noqa: S608
    (row,) = await org.rows(soql)
    assert row["attributes"]["type"] == "Opportunity"
    assert row["Account"]["Name"]
    assert row["Account"]["Parent"] is None
    assert row["Contract"]["CustomerSignedDate"] == "2026-11-18"
    lines = row["OpportunityLineItems"]["records"]
    assert [line["Billing_Method__c"] for line in lines][:3] == ["Milestone"] * 3
    body = {"Name": "Bare", "StageName": "Prospecting", "CloseDate": "2027-01-01"}
    await org.call("POST", "/sobjects/Opportunity", body)
    (bare,) = await org.rows(
        "SELECT Account.Name, (SELECT Id FROM OpportunityLineItems) FROM Opportunity WHERE Name = 'bare'"
    )
    assert bare["Account"] is None
    assert bare["OpportunityLineItems"] is None


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Tax_Id__c = 'aa-1'", ["Ajax"]),
        ("Name LIKE 'b%' OR Name LIKE '_jax'", ["Ajax", "Borea", "B%x"]),
        (r"Name LIKE 'B\%%'", ["B%x"]),
        ("AnnualRevenue > 10", ["Borea"]),
        ("AnnualRevenue <= 10", ["Ajax"]),
        ("AnnualRevenue = null", ["B%x"]),
        ("AnnualRevenue != 10", ["Borea", "B%x"]),
        ("Tax_Id__c IN ('AA-1', 'BB-2')", ["Ajax", "Borea"]),
        ("Credit_Hold__c = true", ["Borea"]),
        ("NOT (Name = 'Ajax' OR Name = 'Borea')", ["B%x"]),
        ("Parent.Name = 'Ajax'", ["Borea"]),
        ("CreatedDate > 2020-01-01T00:00:00Z", ["Ajax", "Borea", "B%x"]),
        ("SystemModstamp > 2999-01-01T00:00:00Z", []),
    ],
)
async def test_conditions(org: Org, condition: str, names: list[str]) -> None:
    ajax = {"Name": "Ajax", "Tax_Id__c": "AA-1", "AnnualRevenue": 10}
    made = (await org.call("POST", "/sobjects/Account", ajax)).json()["id"]
    more = {"Tax_Id__c": "BB-2", "AnnualRevenue": 11, "Credit_Hold__c": True, "ParentId": made}
    await org.call("POST", "/sobjects/Account", {"Name": "Borea", **more})
    await org.call("POST", "/sobjects/Account", {"Name": "B%x"})
    mine = "Name IN ('Ajax', 'Borea', 'B%x')"
    soql = f"SELECT Name FROM Account WHERE {mine} AND ({condition})"  # noqa: S608
    assert [row["Name"] for row in await org.rows(soql)] == names


@pytest.mark.parametrize(
    ("soql", "expected"),
    [
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id, (SELECT Id FROM Cases) FROM Account", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Id = 'short'", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
async def test_refused_statements(org: Org, soql: str, expected: str) -> None:
    answer = await org.call("GET", "/query", params={"q": soql})
    assert (answer.status_code, code(answer)) == (400, expected)


async def test_order_limit_offset_and_count(org: Org) -> None:
    names = [row["Name"] for row in await org.rows("SELECT Name FROM Account ORDER BY Name DESC")]
    assert names == sorted(names, key=str.lower, reverse=True)
    assert [
        r["Name"] for r in await org.rows("SELECT Name FROM Account ORDER BY Name DESC LIMIT 2 OFFSET 1")
    ] == names[1:3]
    assert (await org.query("SELECT COUNT() FROM Account"))["totalSize"] == len(names)
    first = (await org.rows("SELECT Tax_Id__c FROM Account ORDER BY Tax_Id__c"))[0]
    assert first["Tax_Id__c"] is None


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[Org]:
    org = Org(tmp_path, customers=450, deals=0)
    await org.login()
    yield org
    await org.close()


async def pages(org: Org, soql: str) -> list[list[str]]:
    body = await org.query(soql, headers={"sforce-query-options": "batchSize=200"})
    found = [[row["Id"] for row in body["records"]]]
    while not body["done"]:
        body = (await org.client.get(f"/salesforce{body['nextRecordsUrl']}")).json()
        found.append([row["Id"] for row in body["records"]])
    return found


async def test_pages_cover_every_row_once(large: Org) -> None:
    found = await pages(large, "SELECT Id FROM Account ORDER BY Id")
    assert [len(page) for page in found] == [200, 200, 50]
    assert len({row for page in found for row in page}) == 450


async def test_a_page_shift_repeats_a_row(large: Org) -> None:
    await large.arm(kind="page_shift", count=1)
    found = [row for page in await pages(large, "SELECT Id FROM Account ORDER BY Id") for row in page]
    assert len(found) == 451
    assert len(set(found)) == 450
    faults = (await large.client.get("/_faults")).json()["faults"]
    assert faults[0]["fired"] == 1


async def test_an_unknown_cursor(org: Org) -> None:
    answer = await org.call("GET", "/query/01g5g0000000099AAA-200")
    assert (answer.status_code, code(answer)) == (400, "INVALID_QUERY_LOCATOR")
