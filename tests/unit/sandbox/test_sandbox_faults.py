"""The fault engine: what it strikes, how often, and the same again with the same seed."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from sandbox.core.call import Answer, Call
from sandbox.core.emulator import Route
from sandbox.core.fault_kinds import KINDS
from sandbox.core.faults import FaultEngine
from sandbox.core.records import RecordStore
from sandbox.salesforce.errors import SalesforceErrors
from tests.unit.sandbox.salesforce_org import Org, code

READ = Route("GET", "/x", lambda call: Answer(200))
WRITE = Route("POST", "/x", lambda call: Answer(200))


def call(store: RecordStore, body: str = "", method: str = "POST", path: str = "/x") -> Call:
    return Call(
        *("crm", method, path, "", Headers()),
        body=body.encode(),
        base_url="http://crm.test",
        store=store,
        errors=SalesforceErrors(),
    )


def strikes(spec: dict[str, Any], org: Org, times: int = 60) -> list[bool]:
    engine = FaultEngine(("crm",))
    engine.arm(spec)
    one = call(org.world.database.store("crm"))
    return [engine.strike(("before", "after"), one, WRITE, writes=True) is not None for _ in range(times)]


def test_the_same_seed_strikes_the_same_requests(org: Org) -> None:
    half: dict[str, Any] = {"kind": "throttle", "rate": 0.5, "seed": 7}
    first = strikes(half, org)
    assert first == strikes(half, org)
    assert first != strikes(half | {"seed": 8}, org)
    assert 15 < sum(first) < 45
    assert sum(strikes(half | {"rate": 0}, org)) == 0
    assert sum(strikes(half | {"rate": 1, "count": 3}, org)) == 3


@pytest.mark.parametrize(
    ("spec", "read", "write"),
    [
        ({"kind": "server_error"}, True, True),
        ({"kind": "server_error", "only": "reads"}, True, False),
        ({"kind": "server_error", "only": "writes"}, False, True),
        ({"kind": "record_locked"}, False, True),
        ({"kind": "period_closed"}, False, False),  # not a posting route
        ({"kind": "server_error", "methods": ["get"]}, True, False),
        ({"kind": "server_error", "path": "^/x$"}, True, True),
        ({"kind": "server_error", "path": "^/y"}, False, False),
        ({"kind": "server_error", "match": "key-1"}, False, True),
        ({"kind": "server_error", "system": "psa"}, False, False),
    ],
)
def test_only_what_matches_is_struck(org: Org, spec: dict[str, Any], read: bool, write: bool) -> None:
    store = org.world.database.store("crm")
    engine = FaultEngine(("crm", "psa"))
    engine.arm(spec)
    struck_read = engine.strike(("before", "after"), call(store, method="GET"), READ, writes=False)
    struck_write = engine.strike(("before", "after"), call(store, '{"k": "key-1"}'), WRITE, writes=True)
    assert (struck_read is not None, struck_write is not None) == (read, write)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "nonsense"},
        {},
        {"kind": "throttle", "colour": "red"},
        {"kind": "throttle", "rate": 1.5},
        {"kind": "throttle", "count": -1},
        {"kind": "throttle", "count": "many"},
        {"kind": "throttle", "path": "("},
        {"kind": "throttle", "only": "some"},
        {"kind": "throttle", "system": "sap"},
        "throttle",
    ],
)
async def test_a_bad_fault_is_refused_with_the_known_kinds(org: Org, fault: Any) -> None:
    answer = await org.client.post("/_faults", json=[{"kind": "late"}, fault])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()["known_kinds"]) == set(KINDS)
    assert (await org.client.get("/_faults")).json()["faults"] == []  # all or none


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("throttle", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("throttle_retry_after", 429, "REQUEST_LIMIT_EXCEEDED"),
        ("server_error", 500, "UNKNOWN_EXCEPTION"),
        ("unavailable", 503, "SERVER_UNAVAILABLE"),
        ("record_locked", 400, "UNABLE_TO_LOCK_ROW"),
        ("concurrency", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("reject", 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ],
)
async def test_refusals_apply_nothing(org: Org, kind: str, status: int, error: str) -> None:
    await org.arm(kind=kind, count=1, field="Name")
    answer = await org.call("POST", "/sobjects/Account", {"Name": "x"})
    assert (answer.status_code, code(answer)) == (status, error)
    assert ("retry-after" in answer.headers) == (kind == "throttle_retry_after")
    assert await org.effects() == []
    assert (await org.call("POST", "/sobjects/Account", {"Name": "x"})).status_code == 201


async def test_an_error_after_applying_has_applied(org: Org) -> None:
    await org.arm(kind="error_after_apply", count=1, match="Zeta")
    assert (await org.call("GET", "/limits")).status_code == 200
    answer = await org.call("POST", "/sobjects/Account", {"Name": "Zeta"})
    assert answer.status_code == 500
    assert [effect["count"] for effect in await org.effects()] == [1]
    log = (await org.client.get("/_requests?system=salesforce&limit=1")).json()["requests"]
    assert (log[0]["status"], log[0]["fault"]) == (500, "error_after_apply")


async def test_stale_reads_show_the_past_and_then_the_present(org: Org) -> None:
    opportunity = await org.opportunity()
    path = f"/sobjects/Opportunity/{opportunity}"
    made = (await org.call("POST", "/sobjects/Account", {"Name": "New"})).json()["id"]
    await org.call("PATCH", path, {"Fairlead_Status__c": "Active"})
    await org.arm(kind="stale_read", seconds=60)
    assert (await org.call("GET", path)).json()["Fairlead_Status__c"] == "Not Started"
    assert (await org.call("GET", f"/sobjects/Account/{made}")).status_code == 404
    assert await org.rows("SELECT Id FROM Account WHERE Name = 'New'") == []
    await org.client.delete("/_faults")
    assert (await org.call("GET", path)).json()["Fairlead_Status__c"] == "Active"
    assert len(await org.rows("SELECT Id FROM Account WHERE Name = 'New'")) == 1


async def test_content_faults_change_answers_and_nothing_else(org: Org) -> None:
    path = f"/sobjects/Opportunity/{await org.opportunity()}"
    true = (await org.call("GET", path)).json()
    await org.arm(kind="unknown_field")
    await org.arm(kind="missing_field", field="Name")
    await org.arm(kind="new_enum")
    spoilt = (await org.call("GET", path)).json()
    assert set(spoilt) - set(true) == {"Surprise__c"}
    assert set(true) - set(spoilt) == {"Name"}
    assert spoilt["StageName"] == "Unheard Of"
    assert (await org.client.delete("/_faults/2")).status_code == 200
    assert (await org.client.delete("/_faults/2")).status_code == 404
    await org.client.delete("/_faults")
    assert (await org.call("GET", path)).json() == true


async def test_the_login_is_never_struck(org: Org) -> None:
    await org.arm(kind="unavailable")
    await org.login()
    assert (await org.call("GET", "/limits")).status_code == 503
