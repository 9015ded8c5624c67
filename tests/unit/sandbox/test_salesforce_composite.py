"""Composite and collections: answers per part, references, and undoing all."""

from typing import Any

from tests.unit.sandbox.salesforce_org import DATA, Org

BASE = DATA.removeprefix("/salesforce")


def sub(method: str, path: str, name: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "url": BASE + path, "referenceId": name} | (
        {} if body is None else {"body": body}
    )


async def accounts(org: Org) -> set[str]:
    return {row["Name"] for row in await org.rows("SELECT Name FROM Account WHERE Name LIKE 'T-%'")}


async def test_a_later_part_refers_to_an_earlier_one(org: Org) -> None:
    parts = [
        sub("POST", "/sobjects/Account", "acc", {"Name": "T-1"}),
        sub("POST", "/sobjects/Contact", "con", {"LastName": "Roe", "AccountId": "@{acc.id}"}),
        sub("GET", "/query?q=SELECT+Name+FROM+Account+WHERE+Id='@{acc.id}'", "ask"),
        sub("PATCH", "/sobjects/Account/@{ask.records[0].Id}", "x", {"Name": "T-2"}),
    ]
    body = (await org.call("POST", "/composite", {"compositeRequest": parts})).json()["compositeResponse"]
    # the query does not select Id, so the last reference is not there
    assert [part["httpStatusCode"] for part in body] == [201, 201, 200, 400]
    assert body[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert body[2]["body"]["records"][0]["Name"] == "T-1"


async def test_all_or_none_undoes_the_parts_that_worked(org: Org) -> None:
    parts = [
        sub("POST", "/sobjects/Account", "one", {"Name": "T-1"}),
        sub("POST", "/sobjects/Account", "two", {"Nome": "T-2"}),
    ]
    answer = await org.call("POST", "/composite", {"allOrNone": True, "compositeRequest": parts})
    assert answer.status_code == 200
    codes = [(p["httpStatusCode"], p["body"][0]["errorCode"]) for p in answer.json()["compositeResponse"]]
    assert codes == [(400, "PROCESSING_HALTED"), (400, "INVALID_FIELD")]
    assert await accounts(org) == set()
    assert await org.effects() == []

    await org.call("POST", "/composite", {"allOrNone": False, "compositeRequest": parts})
    assert await accounts(org) == {"T-1"}


async def test_composite_limits(org: Org) -> None:
    many = [sub("GET", "/limits", f"r{n}") for n in range(26)]
    assert (await org.call("POST", "/composite", {"compositeRequest": many})).status_code == 400
    asks = [sub("GET", "/query?q=SELECT+Id+FROM+Account", f"r{n}") for n in range(6)]
    assert (await org.call("POST", "/composite", {"compositeRequest": asks})).status_code == 400
    twice = [sub("GET", "/limits", "same")] * 2
    assert (await org.call("POST", "/composite", {"compositeRequest": twice})).status_code == 400


def rows(*names: str) -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, "Name": name} for name in names]


async def test_a_collection_answers_row_by_row(org: Org) -> None:
    body = {"records": [*rows("T-1"), {"attributes": {"type": "Account"}}, *rows("T-3")]}
    answer = await org.call("POST", "/composite/sobjects", body)
    assert answer.status_code == 200
    assert [row["success"] for row in answer.json()] == [True, False, True]
    assert answer.json()[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert await accounts(org) == {"T-1", "T-3"}

    undone = await org.call("POST", "/composite/sobjects", body | {"allOrNone": True})
    codes = [row["errors"][0]["statusCode"] for row in undone.json()]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING", codes[0]]
    assert len(await org.rows("SELECT Id FROM Account WHERE Name = 'T-1'")) == 1


async def test_a_collection_upserts_reads_updates_and_deletes(org: Org) -> None:
    records = [row | {"Tax_Id__c": f"T-{n}"} for n, row in enumerate(rows("T-1", "T-2"))]
    path = "/composite/sobjects/Account/Tax_Id__c"
    first = (await org.call("PATCH", path, {"records": records})).json()
    second = (await org.call("PATCH", path, {"records": records})).json()
    assert [row["created"] for row in first + second] == [True, True, False, False]
    ids = [row["id"] for row in first]
    changed = [{"attributes": {"type": "Account"}, "id": ids[0], "Name": "T-9"}]
    assert (await org.call("PATCH", "/composite/sobjects", {"records": changed})).json()[0]["success"]
    read = await org.call(
        "GET", "/composite/sobjects/Account", params={"ids": ",".join(ids), "fields": "Name"}
    )
    assert [row["Name"] for row in read.json()] == ["T-9", "T-2"]
    gone = await org.call("DELETE", "/composite/sobjects", params={"ids": f"{ids[0]},{ids[0]}"})
    assert [row["success"] for row in gone.json()] == [True, False]
    assert await accounts(org) == {"T-2"}


async def test_a_partial_batch_applies_half(org: Org) -> None:
    await org.arm(kind="partial_batch", count=1)
    answer = await org.call("POST", "/composite/sobjects", {"records": rows("T-1", "T-2", "T-3")})
    assert [row["success"] for row in answer.json()] == [True, True, False]
    assert answer.json()[2]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert await accounts(org) == {"T-1", "T-2"}
