"""What counts as an effect: once, repeated without change, landed twice, made by a person, undone."""

from tests.unit.sandbox.salesforce_org import Org


async def test_a_repeat_that_changes_nothing_is_no_further_effect(org: Org) -> None:
    path = f"/sobjects/Opportunity/{await org.opportunity()}"
    body = {"Fairlead_Status__c": "Activating", "Fairlead_Key__c": "activation/1/status"}
    for _ in range(3):
        assert (await org.call("PATCH", path, body)).status_code == 204
    (effect,) = await org.effects(system="salesforce", object="Opportunity")
    assert (effect["effect_key"], effect["operation"], effect["count"]) == (
        "activation/1/status",
        "update",
        1,
    )
    assert effect["fields"] == body


async def test_two_records_under_one_key_are_one_effect_landed_twice(org: Org) -> None:
    body = {"StageName": "Prospecting", "CloseDate": "2027-01-01", "Fairlead_Key__c": "k-1"}
    for name in ("One", "Two"):
        assert (await org.call("POST", "/sobjects/Opportunity", body | {"Name": name})).status_code == 201
    (effect,) = await org.effects(effect_key="k-1")
    assert (effect["count"], len(effect["ids"])) == (2, 2)


async def test_without_a_key_the_same_values_are_the_same_effect(org: Org) -> None:
    for name in ("Same", "Same", "Other"):
        await org.call("POST", "/sobjects/Account", {"Name": name})
    counts = {effect["natural_key"]: effect["count"] for effect in await org.effects(object="Account")}
    assert counts == {"Same": 2, "Other": 1}


async def test_there_and_back_and_there_again_lands_twice(org: Org) -> None:
    path = f"/sobjects/Opportunity/{await org.opportunity()}"
    for status, key in (("Activating", "a"), ("Active", "b"), ("Activating", "a")):
        await org.call("PATCH", path, {"Fairlead_Status__c": status, "Fairlead_Key__c": key})
    assert {e["effect_key"]: e["count"] for e in await org.effects()} == {"a": 2, "b": 1}


async def test_a_persons_edit_is_kept_apart(org: Org) -> None:
    opportunity = await org.opportunity()
    answer = await org.client.post(
        f"/_control/salesforce/Opportunity/{opportunity}", json={"Name": "Renamed"}
    )
    assert answer.json()["Name"] == "Renamed"
    assert await org.effects() == []
    (effect,) = await org.effects(origin="ui")
    assert effect["fields"] == {"Name": "Renamed"}
    refused = await org.client.post(f"/_control/salesforce/Opportunity/{opportunity}", json={"Nome": "x"})
    assert refused.status_code == 400
    assert "Nome" in refused.json()["detail"]
    missing = await org.client.post("/_control/salesforce/Opportunity/0065g00000zzzzzAAA", json={"Name": "x"})
    assert missing.status_code in (400, 404)


async def test_what_the_system_computes_is_no_effect(org: Org) -> None:
    line = {"OpportunityId": await org.opportunity(), "Quantity": 1, "UnitPrice": 5}
    await org.call("POST", "/sobjects/OpportunityLineItem", line)
    assert [effect["object"] for effect in await org.effects()] == ["OpportunityLineItem"]


async def test_unknown_filters_are_named(org: Org) -> None:
    answer = await org.client.get("/_effects?sistem=salesforce")
    assert answer.status_code == 400
    assert "sistem" in answer.json()["detail"]
