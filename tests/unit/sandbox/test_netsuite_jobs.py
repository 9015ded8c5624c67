"""Asynchronous jobs, batches, faults and the concurrency limit of the emulated account."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.netsuite_account import BASE_URL, RECORD, Account

ASYNC = {"Prefer": "respond-async", "X-NetSuite-Idempotency-Key": "c0ffee"}
BATCH = {**ASYNC, "Content-Type": "application/vnd.oracle.resource+json; type=collection"}


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path, concurrency=2)
    yield account
    await account.close()


async def finished(account: Account, location: str) -> list[httpx.Response]:
    """Poll a job to its end and give the result of each task."""
    pending = (await account.client.get(location)).json()
    assert (pending["completed"], pending["progress"]) == (False, "pending")
    assert (await account.client.get(location)).json()["completed"] is True
    tasks = (await account.client.get(f"{location}/task")).json()["items"]
    return [await account.client.get(f"{location}/task/{task['id']}/result") for task in tasks]


async def test_an_asynchronous_create_becomes_a_job(account: Account) -> None:
    answer = await account.call("POST", f"{RECORD}/job", account.job(), ASYNC)
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["preference-applied"] == "respond-async"
    (result,) = await finished(account, answer.headers["location"])
    assert result.status_code == 204
    assert result.headers["location"].startswith(f"{BASE_URL}{RECORD}/job/")


async def test_the_same_key_is_answered_with_the_first_job(account: Account) -> None:
    first = await account.call("POST", f"{RECORD}/job", account.job(), ASYNC)
    again = await account.call("POST", f"{RECORD}/job", account.job(), ASYNC)
    assert (again.status_code, again.json()["title"]) == (400, "Conflict")
    assert again.json()["o:errorDetails"][0]["o:errorCode"] == "IDEMPOTENCY_ERROR"
    assert again.headers["location"] == first.headers["location"]
    assert len(account.effects(object="job")) == 1


async def test_a_synchronous_call_ignores_the_key(account: Account) -> None:
    headers = {"X-NetSuite-Idempotency-Key": "c0ffee"}
    for _ in range(2):
        assert (await account.call("POST", f"{RECORD}/job", account.job(), headers)).status_code == 204
    assert len(list(account.store.rows("job"))) == 2


async def test_a_batch_fails_row_by_row(account: Account) -> None:
    items = [account.job(externalId=name) for name in "abc"]
    items[1]["jobPrice"] = "x"
    answer = await account.call("PUT", f"{RECORD}/job", {"items": items}, BATCH)
    results = await finished(account, answer.headers["location"])
    assert [result.status_code for result in results] == [204, 400, 204]
    assert [row["externalId"] for row in account.store.rows("job")] == ["a", "c"]


async def test_the_partial_fault_applies_some_rows(account: Account) -> None:
    account.faults.arm({"kind": "partial_batch", "count": 1})
    items = [account.job(externalId=name) for name in "abcd"]
    answer = await account.call("PUT", f"{RECORD}/job", {"items": items}, BATCH)
    results = await finished(account, answer.headers["location"])
    assert [result.status_code for result in results] == [204, 204, 500, 500]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"items": []}, BATCH),
        ({"items": [{"companyName": "no external id"}]}, BATCH),
        ({"items": "x"}, BATCH),
        ({"items": [{"externalId": str(n)} for n in range(101)]}, BATCH),
        ({"items": [{"externalId": "a"}]}, {}),
    ],
)
async def test_a_wrong_batch_is_refused(
    account: Account, body: dict[str, Any], headers: dict[str, str]
) -> None:
    answer = await account.call("PUT", f"{RECORD}/job", body, headers)
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_REQUEST"


async def test_unknown_jobs_and_tasks(account: Account) -> None:
    created = await account.call("POST", f"{RECORD}/job", account.job(), ASYNC)
    location = created.headers["location"]
    for path in (f"{location}/task/2", f"{location}/task/x", f"{location}/task/1/result", f"{location}9"):
        assert (await account.client.get(path)).status_code == 404


async def test_more_calls_in_flight_than_allowed_are_refused(account: Account) -> None:
    account.faults.arm({"kind": "late", "seconds": 0.05})
    answers = await asyncio.gather(*(account.call("GET", f"{RECORD}/customer") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]
    refused = next(answer.json() for answer in answers if answer.status_code == 429)
    assert (refused["title"], refused["o:errorCode"]) == ("Bad Request", "USER_ERROR")
    assert refused["o:errorDetails"][0]["o:errorCode"] == "CONCURRENCY_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle", 429, "CONCURRENCY_LIMIT_EXCEEDED"),
        ("record_locked", 400, "RCRD_HAS_BEEN_CHANGED"),
        ("reject", 400, "INVALID_CONTENT"),
        ("server_error", 500, "UNEXPECTED_ERROR"),
        ("unavailable", 503, "SERVICE_UNAVAILABLE"),
        ("token_expired", 401, "INVALID_LOGIN"),
    ],
)
async def test_faults_speak_the_vendors_words(account: Account, kind: str, status: int, code: str) -> None:
    account.faults.arm({"kind": kind, "count": 1})
    answer = await account.call("POST", f"{RECORD}/job", account.job())
    assert answer.status_code == status
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == code
    assert account.effects() == []


async def test_content_faults_strike_rows_and_records(account: Account) -> None:
    account.faults.arm({"kind": "unknown_field"})
    account.faults.arm({"kind": "new_enum"})
    shown = (await account.call("GET", f"{RECORD}/customer/1001")).json()
    assert (shown["custentity_unheard_of"], shown["creditHoldOverride"]) == ("unexpected", "Unheard Of")
    rows = await account.rows("SELECT id, creditholdoverride FROM customer WHERE id = 1001")
    assert rows[0]["creditholdoverride"] == "Unheard Of"


async def test_a_stale_read_does_not_show_the_write(account: Account) -> None:
    await account.call("PUT", f"{RECORD}/job/eid:prj-1", account.job())
    account.faults.arm({"kind": "stale_read", "seconds": 60, "count": 1})
    assert (await account.call("GET", f"{RECORD}/job/eid:prj-1")).status_code == 404
    assert (await account.call("GET", f"{RECORD}/job/eid:prj-1")).status_code == 200
