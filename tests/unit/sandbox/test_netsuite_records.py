"""Records of the emulated NetSuite account: results, validation, lines, rules, effects."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sandbox.netsuite_account import BASE_URL, RECORD, STRICT, TAX_ID, Account


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


def schedule(account: Account, job_id: str, *amounts: str, **more: Any) -> dict[str, Any]:
    items = [{"comments": text, "milestoneAmount": 10, "milestoneDate": "2026-12-31"} for text in amounts]
    return {
        "name": "Milestones",
        "scheduleType": {"id": "3"},
        "job": {"id": job_id},
        "milestone": {"items": items},
        **more,
    }


async def new_job(account: Account, **changes: Any) -> str:
    answer = await account.call("POST", f"{RECORD}/job", account.job(**changes), STRICT)
    assert answer.status_code == 204, answer.text
    return answer.headers["location"].rsplit("/", 1)[1]


async def test_a_create_answers_204_with_the_records_address(account: Account) -> None:
    answer = await account.call("POST", f"{RECORD}/job", account.job(), STRICT)
    assert (answer.status_code, answer.content) == (204, b"")
    location = answer.headers["location"]
    assert location.startswith(f"{BASE_URL}{RECORD}/job/")
    shown = (await account.client.get(location)).json()
    assert shown["companyName"] == "Rollout"
    assert shown["currency"]["refName"] == "Euro"
    assert shown["parent"]["refName"].endswith("Alpha Werke")
    assert shown["allowTime"] is True


async def test_a_put_by_external_id_creates_then_updates(account: Account) -> None:
    path = f"{RECORD}/job/eid:prj-1"
    first = await account.call("PUT", path, account.job(), STRICT)
    second = await account.call("PUT", path, account.job(companyName="Rollout II"), STRICT)
    assert [first.status_code, second.status_code] == [204, 204]
    assert first.headers["location"] == second.headers["location"]
    shown = (await account.call("GET", path)).json()
    assert (shown["externalId"], shown["companyName"]) == ("prj-1", "Rollout II")


async def test_lines_are_added_again_unless_replaced(account: Account) -> None:
    job_id = await new_job(account)
    path, body = f"{RECORD}/billingSchedule/eid:s-1", schedule(account, job_id, "a", "b")

    async def count() -> int:
        shown = (await account.call("GET", path, expandSubResources="true")).json()
        return int(shown["milestone"]["totalResults"])

    await account.call("PUT", path, body, STRICT)
    assert await count() == 2
    await account.call("PUT", path, body, STRICT)
    assert await count() == 4
    await account.call("PUT", path, body, STRICT, replace="milestone")
    assert await count() == 2


async def test_a_repeat_with_replace_is_no_further_effect(account: Account) -> None:
    job_id = await new_job(account)
    body = schedule(account, job_id, "a", "b", custrecord_fairlead_key="deal/schedule/1")
    for _ in range(3):
        await account.call("PUT", f"{RECORD}/billingSchedule/eid:s-1", body, STRICT, replace="milestone")
    found = account.effects(object="billingSchedule")
    assert [(effect["effect_key"], effect["natural_key"], effect["count"]) for effect in found] == [
        ("deal/schedule/1", "s-1", 1)
    ]


async def test_a_line_with_its_key_is_changed_in_place(account: Account) -> None:
    job_id = await new_job(account)
    path = f"{RECORD}/billingSchedule/eid:s-1"
    await account.call("PUT", path, schedule(account, job_id, "a", "b"), STRICT)
    done = {"milestone": {"items": [{"milestoneId": 1, "milestoneCompleted": True}]}}
    assert (await account.call("PATCH", path, done, STRICT)).status_code == 204
    items = (await account.call("GET", path, expandSubResources="true")).json()["milestone"]["items"]
    assert [item.get("milestoneCompleted") for item in items] == [True, None]
    unknown = {"milestone": {"items": [{"milestoneId": 9, "milestoneCompleted": True}]}}
    answer = await account.call("PATCH", path, unknown, STRICT)
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "milestone.items[0].milestoneId"


async def test_sublists_are_links_until_expanded(account: Account) -> None:
    job_id = await new_job(account)
    path = f"{RECORD}/billingSchedule/eid:s-1"
    await account.call("PUT", path, schedule(account, job_id, "a"), STRICT)
    assert "items" not in (await account.call("GET", path)).json()["milestone"]
    restricted = (await account.call("GET", path, fields="name")).json()
    assert set(restricted) == {"links", "id", "name"}
    whole = (await account.call("GET", path, fields="name", expandSubResources="true")).json()
    assert whole["scheduleType"] == {"id": "3", "refName": "Fixed Bid, Milestone"}
    bare = (await account.call("GET", path, simpleEnumFormat="true")).json()
    assert bare["scheduleType"] == "3"


@pytest.mark.parametrize(
    ("level", "status"), [("error", 400), ("warning", 204), ("ignore", 204), (None, 204)]
)
async def test_a_mistyped_field_is_dropped_unless_names_are_checked(
    account: Account, level: str | None, status: int
) -> None:
    headers = {} if level is None else {"X-NetSuite-PropertyNameValidation": level}
    answer = await account.call("POST", f"{RECORD}/job", account.job(comment="lost"), headers)
    assert answer.status_code == status
    if status == 400:
        problem = answer.json()["o:errorDetails"][0]
        assert (problem["o:errorCode"], problem["o:errorPath"]) == ("INVALID_CONTENT", "comment")
    else:
        assert "comment" not in (await account.client.get(answer.headers["location"])).json()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"subsidiary": {"id": "999"}}, "subsidiary"),
        ({"parent": {"externalId": "nobody"}}, "parent"),
        ({"startDate": "31.12.2026"}, "startDate"),
        ({"startDate": "2026-02-30"}, "startDate"),
        ({"allowTime": "T"}, "allowTime"),
        ({"jobPrice": "12.50"}, "jobPrice"),
        ({"jobBillingType": {"id": "77"}}, "jobBillingType"),
        ({"companyName": "x" * 84}, "companyName"),
    ],
)
async def test_a_senseless_value_is_refused_at_its_path(
    account: Account, changes: dict[str, Any], path: str
) -> None:
    answer = await account.call("POST", f"{RECORD}/job", account.job(**changes))
    assert answer.status_code == 400
    problem = answer.json()["o:errorDetails"][0]
    assert (problem["o:errorCode"], problem["o:errorPath"]) == ("INVALID_CONTENT", path)
    assert account.effects() == []


async def test_a_bad_line_is_refused_at_its_path(account: Account) -> None:
    body = schedule(account, await new_job(account), "a")
    body["milestone"]["items"][0]["milestoneAmount"] = "ten"
    answer = await account.call("POST", f"{RECORD}/billingSchedule", body, STRICT)
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "milestone.items[0].milestoneAmount"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"companyName": None}, "Please enter value(s) for: Project Name"),
        ({"parent": None}, "Please enter value(s) for: Customer"),
        ({"subsidiary": {"externalId": "sub-US01"}}, "must match the subsidiary of the customer"),
    ],
)
async def test_a_project_needs_a_fitting_customer(
    account: Account, changes: dict[str, Any], words: str
) -> None:
    answer = await account.call("POST", f"{RECORD}/job", account.job(**changes), STRICT)
    problem = answer.json()["o:errorDetails"][0]
    assert (answer.status_code, problem["o:errorCode"]) == (400, "USER_ERROR")
    assert words in problem["detail"]


async def test_an_inactive_customer_takes_no_project(account: Account) -> None:
    account.by_hand("customer", account.id_of("customer", "companyName", "Alpha Werke"), {"isInactive": True})
    answer = await account.call("POST", f"{RECORD}/job", account.job(), STRICT)
    assert "inactive" in answer.json()["o:errorDetails"][0]["detail"]


async def test_a_schedule_goes_while_unused(account: Account) -> None:
    job_id = await new_job(account)
    path = f"{RECORD}/billingSchedule/eid:s-1"
    await account.call("PUT", path, schedule(account, job_id, "a"), STRICT)
    account.by_hand("billingSchedule", "eid:s-1", {"transaction": {"id": "9001"}})
    refused = await account.call("DELETE", path)
    assert (refused.status_code, refused.json()["o:errorDetails"][0]["o:errorCode"]) == (400, "USER_ERROR")
    account.by_hand("billingSchedule", "eid:s-1", {"transaction": None})
    assert (await account.call("DELETE", path)).status_code == 204
    gone = await account.call("DELETE", path)
    assert (gone.status_code, gone.json()["o:errorDetails"][0]["o:errorCode"]) == (404, "NONEXISTENT_ID")


async def test_a_project_with_a_schedule_stays(account: Account) -> None:
    job_id = await new_job(account)
    await account.call("POST", f"{RECORD}/billingSchedule", schedule(account, job_id, "a"), STRICT)
    answer = await account.call("DELETE", f"{RECORD}/job/{job_id}")
    assert "cannot be deleted" in answer.json()["o:errorDetails"][0]["detail"]
    assert (await account.call("PATCH", f"{RECORD}/job/{job_id}", {"isInactive": True})).status_code == 204


async def test_numbers_and_external_ids_are_unique(account: Account) -> None:
    await new_job(account, entityId="DE01-A", externalId="e-1")
    for changes in ({"entityId": "DE01-A"}, {"externalId": "e-1"}):
        answer = await account.call("POST", f"{RECORD}/job", account.job(**changes), STRICT)
        assert "already exists" in answer.json()["o:errorDetails"][0]["detail"]


async def test_set_up_records_may_only_be_viewed(account: Account) -> None:
    period = account.id_of("accountingPeriod", "periodName", "Nov 2026")
    answer = await account.call("PATCH", f"{RECORD}/accountingPeriod/{period}", {"closed": True}, STRICT)
    assert (answer.status_code, answer.json()["o:errorDetails"][0]["o:errorCode"]) == (
        403,
        "INSUFFICIENT_PERMISSION",
    )
    account.by_hand("accountingPeriod", period, {"closed": True})
    assert (await account.call("GET", f"{RECORD}/accountingPeriod/{period}")).json()["closed"] is True


async def test_computed_fields_cannot_be_written(account: Account) -> None:
    customer = account.id_of("customer", "companyName", "Alpha Werke")
    await account.call("PATCH", f"{RECORD}/customer/{customer}", {"balance": 5}, STRICT)
    assert (await account.call("GET", f"{RECORD}/customer/{customer}")).json()["balance"] == 0


async def test_the_first_registration_gives_the_default_tax_number(account: Account) -> None:
    body = {"companyName": "Neu", "subsidiary": {"externalId": "sub-DE01"}}
    body |= {"taxRegistration": {"items": [{"nexusCountry": "DE", "taxRegistrationNumber": "DE1"}]}}
    answer = await account.call("POST", f"{RECORD}/customer", body, STRICT)
    shown = (await account.client.get(answer.headers["location"])).json()
    assert shown["defaultTaxReg"] == "DE1"
    assert shown["entityId"].startswith("CUS")


async def test_effects_carry_the_key_field_else_the_external_id(account: Account) -> None:
    await account.call("PUT", f"{RECORD}/job/eid:prj-1", account.job(), STRICT)
    change = {"allowTime": False, "custentity_fairlead_key": "deal/open/1"}
    await account.call("PATCH", f"{RECORD}/job/eid:prj-1", change, STRICT)
    found = [(each["operation"], each["effect_key"], each["natural_key"]) for each in account.effects()]
    assert found == [("create", "prj-1", "prj-1"), ("update", "deal/open/1", "prj-1")]


async def test_collections_list_ids_only(account: Account) -> None:
    body = (await account.call("GET", f"{RECORD}/customer", limit="2")).json()
    assert (body["count"], body["hasMore"], body["totalResults"]) == (2, True, 3)
    assert set(body["items"][0]) == {"id", "links"}
    bad = await account.call("GET", f"{RECORD}/customer", limit="2", offset="1")
    assert bad.json()["o:errorDetails"][0]["o:errorQueryParam"] == "offset"


async def test_select_options_name_the_accounts_own_lists(account: Account) -> None:
    headers = {"Accept": "application/vnd.oracle.resource+json; type=select-options"}
    answer = await account.call("POST", f"{RECORD}/job", {}, headers, fields="jobBillingType,parent")
    body = answer.json()
    assert {"links": [], "id": "4", "refName": "Time and Materials"} in body["jobBillingType"][
        "_selectOptions"
    ]
    assert len(body["parent"]["_selectOptions"]) == 3
    assert account.effects() == []


async def test_the_catalogue_knows_custom_fields(account: Account) -> None:
    catalog = (await account.call("GET", f"{RECORD}/metadata-catalog")).json()
    assert "billingSchedule" in [item["name"] for item in catalog["items"]]
    schema = (await account.call("GET", f"{RECORD}/metadata-catalog/job")).json()
    assert schema["properties"]["custentity_fairlead_key"]["x-ns-custom-field"] is True


async def test_unknown_paths_types_and_bodies_get_vendor_errors(account: Account) -> None:
    for method, path in (("GET", f"{RECORD}/unheardOf/1"), ("GET", f"{RECORD}/job/1"), ("GET", "/nowhere")):
        answer = await account.call(method, path)
        assert answer.status_code == 404
        assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "NONEXISTENT_ID"
    broken = await account.client.post(f"{RECORD}/job", content=b"{not json")
    assert broken.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_CONTENT"
    odd = await account.call(
        "POST", f"{RECORD}/job", account.job(), {"X-NetSuite-PropertyNameValidation": "x"}
    )
    assert odd.json()["o:errorDetails"][0]["o:errorHeader"] == "X-NetSuite-PropertyNameValidation"


async def test_a_refused_action_has_the_flat_shape(account: Account) -> None:
    answer = await account.call("POST", f"{RECORD}/customer/1001/@approve", {})
    body = answer.json()
    assert (answer.status_code, body["o:errorCode"]) == (400, "INVALID_REQUEST")
    assert "approve" in body["detail"]
    assert "o:errorDetails" not in body
    assert (await account.call("POST", f"{RECORD}/customer/9/@approve", {})).status_code == 404


async def test_a_month_is_closed_by_hand_under_its_own_name(account: Account) -> None:
    account.by_hand("accountingPeriod", "eid:period-2026-11", {"closed": True})
    (row,) = await account.rows("SELECT periodname FROM accountingperiod WHERE externalid = 'period-2026-11'")
    assert row == {"periodname": "Nov 2026"}


async def test_the_seed_holds_customers_known_to_finance_only(account: Account) -> None:
    names = [row["companyName"] for row in account.store.rows("customer")]
    assert names == ["Alpha Werke", "Beta Werke", "Beta Werke (old)"]
    taxes = {row["companyName"]: row["defaultTaxReg"] for row in account.store.rows("customer")}
    assert taxes["Alpha Werke"] == TAX_ID
    assert taxes["Beta Werke"] == taxes["Beta Werke (old)"]
    closed = {row["periodName"]: row["closed"] for row in account.store.rows("accountingPeriod")}
    assert closed["Oct 2026"]
    assert not closed["Nov 2026"]
    assert not closed["FY 2026"]
    assert account.effects() == []


async def test_state_survives_a_reopened_file(account: Account, tmp_path: Path) -> None:
    await account.call("PUT", f"{RECORD}/job/eid:prj-1", account.job(jobPrice=10), STRICT)
    account.database.close()
    again = Account(tmp_path)
    shown = (await again.call("GET", f"{RECORD}/job/eid:prj-1")).json()
    assert shown["companyName"] == "Rollout"
    assert len(again.effects()) == 1
    await again.close()
