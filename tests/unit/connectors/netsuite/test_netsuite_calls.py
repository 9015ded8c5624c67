"""What NetSuite receives from us: proof, headers, few calls, one cap on calls in flight."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from connectors.errors import Ambiguous, ConnectorError, NotFound, Rejected, Throttled
from connectors.http import exact_json
from connectors.netsuite.client import NetSuiteClient, build
from connectors.netsuite.jobs import number_of
from connectors.netsuite.settings import NetSuiteSettings
from domain.commands import (
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    OpenProject,
    ScheduleLine,
    VoidBillingSchedule,
)
from domain.identity import short_key
from domain.money import Money
from tests.unit.sandbox.netsuite_account import BASE_URL, CERTIFICATE, CLIENT, Account, private_pem, rsa_key

KEY = "activation/acme/0065g/erp.project/1"


class Clock:
    """Now, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(account: Account, clock: Clock) -> AsyncIterator[NetSuiteClient]:
    client = connect(account.transport, clock)
    yield client
    await client.aclose()


def connect(transport: httpx.AsyncBaseTransport, clock: Clock, **changes: Any) -> NetSuiteClient:
    given = {"account": "TSTDRV1", "base_url": BASE_URL, "client_id": CLIENT, "certificate_id": CERTIFICATE}
    given |= {"private_key": private_pem(), "algorithm": "ES256"}
    settings = NetSuiteSettings.model_validate({**given, **changes})
    return build("netsuite", settings, transport, clock)


def project(number: str = "DE01-A", **changes: Any) -> CreateProject:
    command = CreateProject(
        number=number,
        title="Rollout",
        customer_external_id="1001",
        entity="DE01",
        currency="EUR",
        budget=Money.of("10.10", "EUR"),
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 1, 31),
    )
    return command.with_changes(**changes)


def schedule(project_id: str, *amounts: str) -> CreateBillingSchedule:
    lines = tuple(
        ScheduleLine(ref=str(n), description="x", amount=Money.of(each, "EUR"), due_on=date(2026, 12, 31))
        for n, each in enumerate(amounts)
    )
    return CreateBillingSchedule(
        name="Plan", project_external_id=project_id, project_key=KEY, currency="EUR", lines=lines
    )


async def test_the_assertion_is_what_the_vendor_asks_for(clock: Clock) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t" * 40, "expires_in": 3600})
        return httpx.Response(404, json={})

    proof_of = {"private_key": private_pem(rsa_key()), "algorithm": "PS256"}
    client = connect(httpx.MockTransport(answer), clock, **proof_of)
    assert await client.find(project(), KEY) is None
    form = httpx.QueryParams(seen[0].content.decode())
    proof = form["client_assertion"]
    assert jwt.get_unverified_header(proof) == {"typ": "JWT", "alg": "PS256", "kid": CERTIFICATE}
    audience = f"{BASE_URL}/services/rest/auth/oauth2/v1/token"
    claims = jwt.decode(proof, rsa_key().public_key(), ["PS256"], audience=audience, issuer=CLIENT)
    assert claims["exp"] - claims["iat"] == 300
    assert claims["scope"] == ["rest_webservices", "restlets"]
    assert seen[1].url.path.endswith(f"/record/v1/job/eid:{short_key(KEY)}")
    assert seen[1].headers["authorization"] == f"Bearer {'t' * 40}"
    await client.aclose()


async def test_writes_are_strict_keyed_and_replace_their_lines(clock: Clock) -> None:
    puts: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t" * 40, "expires_in": 3600})
        if request.method == "PUT":
            puts.append(request)
            return httpx.Response(204)
        options = {"_selectOptions": [{"id": "9", "refName": "Fixed Bid, Milestone"}]}
        return httpx.Response(200, json={"scheduleType": options, "id": "801", "name": "Plan"})

    client = connect(httpx.MockTransport(answer), clock)
    await client.apply(schedule("5001", "0.10", "0.20"), KEY)
    (put,) = puts
    assert put.headers["x-netsuite-propertynamevalidation"] == "error"
    assert put.url.params["replace"] == "milestone"
    assert b'"milestoneAmount":0.10' in put.content
    assert exact_json.decode(put.content)["scheduleType"] == {"id": "9"}
    await client.aclose()


async def test_each_effect_is_one_write_and_one_read(account: Account, client: NetSuiteClient) -> None:
    customer = CreateCustomer(name="Neu", crm_id="1", entity="DE01", currency="EUR", payment_terms="Net 30")
    await client.check()

    async def calls(command: Any, key: str) -> list[str]:
        before = len(account.requests())
        await client.apply(command, key)
        return [line.split("?")[0].split(" ")[0] for line in account.requests()[before:]]

    made = await client.apply(project(), KEY)
    assert await calls(customer, "k/customer/1") == ["PUT", "GET"]
    assert await calls(project("DE01-B"), "k/project/1") == ["PUT", "GET"]
    assert await calls(schedule(made.external_id, "1.00"), "k/schedule/1") == ["PUT", "GET"]
    assert await calls(OpenProject(project_external_id=made.external_id), "k/open/1") == ["PATCH", "GET"]


async def test_reading_back_a_schedule_of_ours_is_one_call(account: Account, client: NetSuiteClient) -> None:
    made = await client.apply(project(), KEY)
    plan = await client.apply(schedule(made.external_id, "1.00", "2.50"), "k/schedule/1")
    before = len(account.requests())
    facts = await client.billing_schedule(plan.external_id)
    assert len(account.requests()) - before == 1
    assert (facts.total, facts.line_count, facts.active) == (Money.of("3.50", "EUR"), 2, True)


async def test_a_schedule_made_elsewhere_is_read_in_its_projects_currency(
    account: Account, client: NetSuiteClient, clock: Clock
) -> None:
    made = await client.apply(project(), KEY)
    plan = await client.apply(schedule(made.external_id, "1.00"), "k/schedule/1")
    other = connect(account.transport, clock)
    assert (await other.billing_schedule(plan.external_id)).total == Money.of("1.00", "EUR")
    account.by_hand("billingSchedule", plan.external_id, {"job": None})
    with pytest.raises(Rejected) as refused:
        await other.billing_schedule(plan.external_id)
    assert refused.value.field == "billingSchedule.job"
    with pytest.raises(NotFound):
        await other.billing_schedule("999999")
    await other.aclose()


async def test_a_version_changes_with_the_lines(account: Account, client: NetSuiteClient) -> None:
    made = await client.apply(project(), KEY)
    plan = await client.apply(schedule(made.external_id, "1.00"), "k/schedule/1")
    first = await client.billing_schedule(plan.external_id)
    again = await client.billing_schedule(plan.external_id)
    account.by_hand(
        "billingSchedule",
        plan.external_id,
        {"milestone": {"items": [{"milestoneAmount": 2, "milestoneDate": "2026-12-31"}]}},
    )
    changed = await client.billing_schedule(plan.external_id)
    assert first == again
    assert changed.version != first.version
    assert changed.total == Money.of("2.00", "EUR")


async def test_ids_are_kept_for_a_while_only(account: Account, client: NetSuiteClient, clock: Clock) -> None:
    await client.apply(project("DE01-1"), "k/1")
    before = len(account.requests())
    await client.apply(project("DE01-2"), "k/2")
    assert len(account.requests()) - before == 2
    clock.now += timedelta(seconds=601)
    before = len(account.requests())
    await client.apply(project("DE01-3"), "k/3")
    assert len(account.requests()) - before == 4


async def test_what_the_account_lacks_is_named_and_looked_for_again(
    account: Account, client: NetSuiteClient
) -> None:
    command = CreateCustomer(name="Neu", crm_id="1", entity="DE01", payment_terms="Net 45")
    with pytest.raises(Rejected) as refused:
        await client.apply(command, "k/customer/1")
    assert (refused.value.field, refused.value.rule) == ("payment_terms", "reference.unknown")
    assert "Net 45" in str(refused.value)
    assert "Net 30" in str(refused.value)
    with account.database.transaction(), account.database.writing_as("ui"):
        account.emulator.add("term", {"name": "Net 45", "daysUntilNetDue": 45})
    assert (await client.apply(command, "k/customer/1")).fields == {"name": "Neu"}


async def test_a_customer_of_another_subsidiary_is_a_rule_of_the_account(client: NetSuiteClient) -> None:
    with pytest.raises(Rejected) as refused:
        await client.apply(project(entity="US01"), KEY)
    assert refused.value.rule == "vendor.rule"
    assert "must match the subsidiary" in str(refused.value)


async def test_a_taken_number_is_a_conflict(client: NetSuiteClient) -> None:
    await client.apply(project(), KEY)
    with pytest.raises(ConnectorError) as refused:
        await client.apply(project(), "another/key/1")
    assert (refused.value.kind, refused.value.rule) == ("Conflict", "key.taken")


async def test_a_used_schedule_is_kept(account: Account, client: NetSuiteClient) -> None:
    made = await client.apply(project(), KEY)
    plan = await client.apply(schedule(made.external_id, "1.00"), "k/schedule/1")
    account.by_hand("billingSchedule", plan.external_id, {"transaction": {"id": "9001"}})
    with pytest.raises(Rejected) as refused:
        await client.apply(VoidBillingSchedule(schedule_external_id=plan.external_id), "k/void/1")
    assert refused.value.rule == "record.in_use"


async def test_a_stale_read_back_is_ambiguous(account: Account, client: NetSuiteClient) -> None:
    made = await client.apply(project(), KEY)
    opening = OpenProject(project_external_id=made.external_id)
    account.faults.arm({"kind": "stale_read", "seconds": 0.0001, "only": "reads", "count": 0})
    assert (await client.apply(opening, "k/open/1")).differences(opening) == {}
    account.faults.arm({"kind": "stale_read", "seconds": 3600, "only": "reads"})
    with pytest.raises(Ambiguous):
        await client.apply(opening, "k/open/2")
    account.faults.disarm()
    found = await client.find(opening, "k/open/2")
    assert found is not None
    assert found.differences(opening) == {}
    assert await client.find(opening, "k/open/1") is None


async def test_our_own_calls_stay_below_the_accounts_limit(account: Account, clock: Clock) -> None:
    account.faults.arm({"kind": "late", "seconds": 0.01})
    capped, greedy = connect(account.transport, clock), connect(account.transport, clock, in_flight=20)
    await asyncio.gather(*(capped.find(project(), f"k/{n}") for n in range(12)))
    assert account.log.stats()["netsuite"]["max_in_flight"] == 3
    answers = await asyncio.gather(
        *(greedy.find(project(), f"k/{n}") for n in range(12)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {Throttled, type(None)}
    await capped.aclose()
    await greedy.aclose()


@pytest.mark.parametrize("location", ["https://x/job/17", "https://x/job/17/", "/job/17?x=1"])
def test_the_id_stands_at_the_end_of_the_location(location: str) -> None:
    assert number_of(location) == "17"
