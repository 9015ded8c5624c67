"""Asynchronous submission: one job per key, one result per record."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Ambiguous, Rejected
from connectors.netsuite.client import NetSuiteClient, build
from connectors.netsuite.settings import NetSuiteSettings
from tests.unit.sandbox.netsuite_account import BASE_URL, CERTIFICATE, CLIENT, Account, private_pem

KEY = "backfill/acme/customers/page.1/1"


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


@pytest.fixture
async def client(account: Account) -> AsyncIterator[NetSuiteClient]:
    settings = NetSuiteSettings(
        account="TSTDRV1",
        base_url=BASE_URL,
        client_id=CLIENT,
        certificate_id=CERTIFICATE,
        private_key=private_pem(),
        algorithm="ES256",
    )
    client = build("netsuite", settings, account.transport, lambda: datetime.now(UTC))
    yield client
    await client.aclose()


def customer(name: str, **more: Any) -> dict[str, Any]:
    registration = {"items": [{"taxRegistrationNumber": f"DE{name}"}]}
    return {
        "companyName": name,
        "subsidiary": {"externalId": "sub-DE01"},
        "taxRegistration": registration,
        **more,
    }


async def test_a_job_is_pending_then_has_a_result_per_record(
    account: Account, client: NetSuiteClient
) -> None:
    job = await client.submit_async("customer", {"a": customer("A"), "b": customer("B")}, KEY)
    assert not job.repeated
    assert await client.async_results(job) is None
    results = await client.async_results(job)
    assert results is not None
    assert [(each.external_id, each.error) for each in results] == [("a", None), ("b", None)]
    for result in results:
        held = account.store.get("customer", result.record_id)
        assert held is not None
        assert held["externalId"] == result.external_id


async def test_the_same_key_gives_the_first_job(account: Account, client: NetSuiteClient) -> None:
    records = {"a": customer("A")}
    first = await client.submit_async("customer", records, KEY)
    again = await client.submit_async("customer", records, KEY)
    assert (again.id, again.repeated) == (first.id, True)
    assert len(account.effects(object="customer")) == 1
    other = await client.submit_async("customer", {"b": customer("B")}, f"{KEY}2")
    assert other.id != first.id


async def test_a_failed_record_carries_its_error_and_the_others_stand(
    account: Account, client: NetSuiteClient
) -> None:
    records = {"a": customer("A"), "b": customer("B", creditLimit="many"), "c": customer("C", mistyped=1)}
    job = await client.submit_async("customer", records, KEY)
    assert await client.async_results(job) is None
    results = await client.async_results(job) or ()
    assert [type(each.error) for each in results] == [type(None), Rejected, Rejected]
    assert [each.error.field for each in results if each.error] == ["creditLimit", "mistyped"]
    assert [row["externalId"] for row in account.store.rows("customer") if row.get("externalId")] == ["a"]


async def test_a_partial_batch_shows_which_records_are_in_doubt(
    account: Account, client: NetSuiteClient
) -> None:
    account.faults.arm({"kind": "partial_batch", "count": 1})
    job = await client.submit_async("customer", {"a": customer("A"), "b": customer("B")}, KEY)
    assert await client.async_results(job) is None
    results = await client.async_results(job) or ()
    assert [type(each.error) for each in results] == [type(None), Ambiguous]


async def test_a_lost_answer_is_settled_by_submitting_again(account: Account, client: NetSuiteClient) -> None:
    account.faults.arm({"kind": "error_after_apply", "count": 1})
    with pytest.raises(Ambiguous):
        await client.submit_async("customer", {"a": customer("A")}, KEY)
    assert (await client.submit_async("customer", {"a": customer("A")}, KEY)).repeated
    assert len(account.effects(object="customer")) == 1


async def test_other_refusals_stay_refusals(account: Account, client: NetSuiteClient) -> None:
    account.faults.arm({"kind": "reject", "count": 1})
    with pytest.raises(Rejected):
        await client.submit_async("customer", {"a": customer("A")}, KEY)


@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_has_its_size(client: NetSuiteClient, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        await client.submit_async("customer", {str(n): customer("A") for n in range(count)}, KEY)
