"""`POST /v1/customers/validate`: the gate's own rules on what the ERP says now, within the time there is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectors.errors import (
    Ambiguous,
    Conflict,
    ConnectorError,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from domain.books import PartyFacts
from domain.identity import customer_key
from firm.problems import FirmFileError, Problem
from store.sql.engine import SqlStore
from tests.unit.gateway.api_parts import RunningApi, erp_customer, question, running_api
from tests.unit.gateway.gateway_parts import NOW, Clock

ADDRESS = "/v1/customers/validate"


@pytest.fixture
async def api(store: SqlStore, tmp_path: Path) -> AsyncIterator[RunningApi]:
    async with running_api(store, tmp_path, Clock(), limit=20.0) as running:
        yield running


def known(api: RunningApi, *customers: Any) -> None:
    api.erp.facts = PartyFacts(customers=customers, as_of=NOW)


async def ask(api: RunningApi, **changes: Any) -> dict[str, Any]:
    answer = await api.http.post(ADDRESS, json=question(**changes))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_one_customer_of_the_erp_is_matched(api: RunningApi) -> None:
    known(api, erp_customer())
    answer = await ask(api)
    assert (answer["outcome"], answer["gate"], answer["system"]) == ("matched", "green", "netsuite")
    assert answer["customer"] == {
        "external_id": "301",
        "number": "C301",
        "name": "Nordwind AG",
        "active": True,
    }
    assert answer["findings"] == []


async def test_the_erp_is_asked_as_an_activation_asks_it(api: RunningApi) -> None:
    await ask(api)
    query = api.erp.questions[0]
    assert (query.entity, query.tax_id, query.currency) == ("DE01", "DE136695976", "EUR")
    assert query.customer_key == customer_key("fairlead-demo", "0015g0000000001AAA", "netsuite")


async def test_a_customer_nobody_knows_would_be_created(api: RunningApi) -> None:
    asked = question()
    known(api)
    answer = await ask(api, customer=asked["customer"])
    assert answer["customer"] is None
    assert answer["outcome"] in ("new", "problems")
    rules = {finding["rule"] for finding in answer["findings"]}
    assert rules <= {"credit_limit.required"}, "nothing else is wrong with it"


async def test_of_two_candidates_a_person_chooses(api: RunningApi) -> None:
    known(api, erp_customer("301"), erp_customer("302"))
    answer = await ask(api)
    assert (answer["outcome"], answer["gate"]) == ("two_candidates", "red")
    assert [one["external_id"] for one in answer["candidates"]] == ["301", "302"]
    chosen = {**question()["customer"], "erp_id": "302"}
    answer = await ask(api, customer=chosen)
    assert (answer["outcome"], answer["customer"]["external_id"]) == ("matched", "302")


@pytest.mark.parametrize(
    ("customer", "erp", "rule"),
    [
        ({"tax_id": "DE136695977"}, {}, "tax_id.invalid"),
        ({"tax_id": None}, {}, "tax_id.required"),
        ({"credit_hold": True}, {}, "credit_hold.crm"),
        ({}, {"active": False}, "customer.inactive"),
        ({}, {"on_credit_hold": True}, "credit_hold.erp"),
        ({}, {"tax_ids": ("DE811115368",)}, "tax_id.differs"),
    ],
)
async def test_what_is_wrong_is_said_by_rule(
    api: RunningApi, customer: dict[str, Any], erp: dict[str, Any], rule: str
) -> None:
    known(api, erp_customer(**erp))
    answer = await ask(api, customer={**question()["customer"], **customer})
    assert (answer["outcome"], answer["gate"]) == ("problems", "red")
    assert rule in [finding["rule"] for finding in answer["findings"]]
    assert all(finding["message"] for finding in answer["findings"])


async def test_the_contract_counts_against_the_credit_limit(api: RunningApi) -> None:
    known(api, erp_customer())
    answer = await ask(api, contract_value={"amount": "200000.01", "currency": "EUR"})
    assert [finding["rule"] for finding in answer["findings"]] == ["credit_limit.exceeded"]


async def test_an_entity_of_nobody_is_refused(api: RunningApi) -> None:
    answer = await api.http.post(ADDRESS, json=question(entity="FR99"))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "entity", "problem": "is not the code of a legal entity of this firm"}
    ]
    assert "FR99" not in answer.text
    assert api.erp.questions == []


async def test_an_erp_that_keeps_silent_is_named_in_time(api: RunningApi) -> None:
    api.erp.silent, api.app.state.api_limit = True, 0.2
    loop = asyncio.get_running_loop()
    begin = loop.time()
    answer = await api.http.post(ADDRESS, json=question())
    assert loop.time() - begin < 2
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("netsuite did not answer in time.")
    assert int(answer.headers["retry-after"]) > 0
    assert api.erp.at_once == 0, "the question is given up, not left behind"


@pytest.mark.parametrize("error", [Transient, Throttled, Unauthenticated, Rejected, Conflict, Ambiguous])
async def test_an_erp_that_refuses_is_named_without_its_words(
    api: RunningApi, error: type[ConnectorError]
) -> None:
    api.erp.error = error("SECRET-WORDS of the vendor", system="netsuite", retry_after=42.5)
    with structlog.testing.capture_logs() as logs:
        answer = await api.http.post(ADDRESS, json=question())
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("netsuite gave no answer")
    assert answer.headers["retry-after"] == "42"
    assert "SECRET-WORDS" not in answer.text
    assert "SECRET-WORDS" in str(logs)


async def test_a_system_that_is_not_set_up_is_named(api: RunningApi) -> None:
    problem = Problem("fairlead.toml", "systems.netsuite.auth", "env:X is not set", "set it")
    api.erp.error = FirmFileError([problem])
    answer = await api.http.post(ADDRESS, json=question())
    assert answer.status_code == 503
    assert "netsuite" in answer.json()["detail"]
    assert "env:X" not in answer.text


async def test_few_questions_reach_the_erp_at_once(api: RunningApi) -> None:
    known(api, erp_customer())
    answers = await asyncio.gather(*(api.http.post(ADDRESS, json=question()) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert len(api.erp.questions) > 1
    assert api.erp.most_at_once == 1


async def test_a_body_that_comes_too_slowly_is_not_waited_for(api: RunningApi) -> None:
    api.app.state.api_limit = 0.2

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"customer":'
        await asyncio.Event().wait()

    answer = await api.http.post(ADDRESS, content=slowly(), headers={"content-type": "application/json"})
    assert answer.status_code == 408
