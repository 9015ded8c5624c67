"""The client over a transport that answers as the documents say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.errors import Ambiguous, Conflict, ConnectorError, NotFound, Rejected, Transient
from connectors.http import exact_json
from connectors.salesforce.api import MAX_PARTS, Part, read_limit_header
from connectors.salesforce.client import SalesforceClient, build
from domain.commands import MarkDeal
from tests.unit.connectors.salesforce.salesforce_sample import DEAL_ID, query_answer, settings

KEY = "activation/acme/0065g/crm.mark/1"
MARK = MarkDeal(deal_external_id=DEAL_ID, status="Active", project_number="DE01-7K3QXW")
SHOWN = {
    "Id": DEAL_ID,
    "Fairlead_Status__c": "Active",
    "Fairlead_Project__c": "DE01-7K3QXW",
    "Fairlead_Key__c": KEY,
}
Handler = Callable[[httpx.Request], httpx.Response]


class Org:
    """Answers tokens; passes everything else to `handler` and remembers it."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.calls: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/services/oauth2/token":
            return httpx.Response(200, json={"access_token": "canary-token-1234567890"})
        self.calls.append(request)
        return self.handler(request)


def client_of(handler: Handler, **options: Any) -> tuple[SalesforceClient, Org]:
    org = Org(handler)
    return build("crm", settings(**options), transport=httpx.MockTransport(org)), org


def answering(status: int, body: Any = None) -> Handler:
    content = b"" if body is None else exact_json.encode(body)
    return lambda request: httpx.Response(status, content=content)


# ---- reading


async def test_a_deal_is_read_by_one_query() -> None:
    client, org = client_of(answering(200, query_answer()))
    deal = await client.read_deal(DEAL_ID)
    assert deal.id == f"deal:crm:{DEAL_ID}"
    (call,) = org.calls
    assert call.url.path == "/services/data/v66.0/query"
    assert call.headers["sforce-query-options"] == "batchSize=2000"
    assert call.headers["sforce-call-options"] == "client=Fairlead"
    statement = call.url.params["q"]
    assert statement.endswith(f"FROM Opportunity WHERE Id = '{DEAL_ID}'")
    for column in ("Account.Tax_Id__c", "Contract.Billing_Entity__c", "Owner.Email", "Cap__c"):
        assert column in statement


@pytest.mark.parametrize("deal_id", ["", "0065", "0065g00000AbCdEAAV'", "0065g00000AbCd-", "x" * 17])
async def test_a_malformed_id_is_not_found_without_a_call(deal_id: str) -> None:
    client, org = client_of(answering(200, query_answer()))
    with pytest.raises(NotFound, match="15 or 18 letters and digits"):
        await client.read_deal(deal_id)
    assert org.calls == []


async def test_an_unknown_deal_is_not_found() -> None:
    client, _ = client_of(answering(200, {"totalSize": 0, "done": True, "records": []}))
    with pytest.raises(NotFound, match=DEAL_ID):
        await client.read_deal(DEAL_ID)


async def test_lines_beyond_the_first_page_are_fetched() -> None:
    whole = query_answer()
    lines = whole["records"][0]["OpportunityLineItems"]
    rest = {"done": True, "records": lines["records"][1:]}
    lines |= {
        "done": False,
        "nextRecordsUrl": "/services/data/v66.0/query/01gX-1",
        "records": lines["records"][:1],
    }

    def handler(request: httpx.Request) -> httpx.Response:
        more = request.url.path.endswith("/query/01gX-1")
        return httpx.Response(200, content=exact_json.encode(rest if more else whole))

    client, org = client_of(handler)
    assert len((await client.read_deal(DEAL_ID)).lines) == 3
    assert len(org.calls) == 2


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("Delivery_Region__c", "Opportunity.Delivery_Region__c"),
        ("Account.Tax_Id__c", "Account.Tax_Id__c"),
        ("Contract.Billing_Entity__c", "Contract.Billing_Entity__c"),
        ("Lines.1.Cap__c", "OpportunityLineItem.Cap__c"),
    ],
)
async def test_a_column_that_vanished_is_named(path: str, field: str) -> None:
    answer = query_answer()
    record: Any = answer["records"][0]
    *parents, last = path.replace("Lines.", "OpportunityLineItems.records.").split(".")
    for name in parents:
        record = record[int(name)] if name.isdigit() else record[name]
    del record[last]
    client, _ = client_of(answering(200, answer))
    with pytest.raises(Rejected, match=field) as drift:
        await client.read_deal(DEAL_ID)
    assert (drift.value.system, drift.value.field, drift.value.rule) == ("crm", field, "schema.missing_field")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"SystemModstamp": "just now"}, "SystemModstamp"),
        ({"IsWon": "perhaps"}, "IsWon"),
        ({"Name": None}, "Name"),
    ],
)
async def test_a_standard_field_of_another_type_is_named(changes: dict[str, Any], field: str) -> None:
    client, _ = client_of(answering(200, query_answer(changes)))
    with pytest.raises(Rejected, match=field) as drift:
        await client.read_deal(DEAL_ID)
    assert drift.value.rule == "schema.changed_field"


async def test_signed_deals_page_by_keyset() -> None:
    statements: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        statements.append(request.url.params["q"])
        number = len(statements)
        if number == 3:
            return httpx.Response(200, json={"done": True, "records": []})
        stamp = f"2026-11-2{number}T09:30:00.000+0000"
        answer = query_answer({"Id": f"0065g00000AbCdEAA{number}", "SystemModstamp": stamp})
        return httpx.Response(200, content=exact_json.encode(answer))

    client, _ = client_of(handler, page_size=1)
    since = datetime(2026, 11, 20, 10, tzinfo=UTC)
    deals = await client.signed_deals(since)
    assert [deal.external_id[-1] for deal in deals] == ["1", "2"]
    first, second, third = statements
    assert "IsWon = true AND Contract.CustomerSignedDate != null" in first
    assert "SystemModstamp >= 2026-11-20T10:00:00Z" in first
    assert "Contract.SystemModstamp >= 2026-11-20T10:00:00Z" in first
    assert first.endswith("ORDER BY SystemModstamp, Id LIMIT 1")
    assert (
        "(SystemModstamp > 2026-11-21T09:30:00Z OR "
        "(SystemModstamp = 2026-11-21T09:30:00Z AND Id > '0065g00000AbCdEAA1'))" in second
    )
    assert "2026-11-22T09:30:00Z" in third


async def test_a_short_page_that_is_not_the_last_goes_on() -> None:
    answers = iter([{**query_answer(), "done": False}, {"done": True, "records": []}])
    client, org = client_of(lambda request: httpx.Response(200, content=exact_json.encode(next(answers))))
    assert len(await client.signed_deals(None)) == 1
    assert len(org.calls) == 2


# ---- writing


async def test_a_mark_is_one_patch_and_a_read_back() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(204) if request.method == "PATCH" else httpx.Response(200, json=SHOWN)

    client, org = client_of(handler)
    record = await client.apply(MARK, KEY)
    assert record.differences(MARK) == {}
    assert record.url == f"https://acme.my.salesforce.example/{DEAL_ID}"
    patch, read = org.calls
    assert patch.url.path == f"/services/data/v66.0/sobjects/Opportunity/{DEAL_ID}"
    assert exact_json.decode(patch.content) == {name: SHOWN[name] for name in SHOWN if name != "Id"}
    assert read.method == "GET"


@pytest.mark.parametrize(
    "read_back",
    [
        httpx.Response(200, json={**SHOWN, "Fairlead_Key__c": None}),
        httpx.Response(404, json=[{"message": "x", "errorCode": "NOT_FOUND"}]),
        httpx.Response(503),
        httpx.Response(200, json={"Id": DEAL_ID}),
    ],
    ids=["stale", "gone", "unavailable", "drift"],
)
async def test_a_mark_that_cannot_be_read_back_is_ambiguous(read_back: httpx.Response) -> None:
    client, _ = client_of(lambda request: httpx.Response(204) if request.method == "PATCH" else read_back)
    with pytest.raises(Ambiguous):
        await client.apply(MARK, KEY)


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (SHOWN, True),
        ({**SHOWN, "Fairlead_Key__c": KEY + "2"}, False),
        ({**SHOWN, "Fairlead_Key__c": None}, False),
    ],
)
async def test_only_this_keys_mark_is_found(shown: dict[str, Any], found: bool) -> None:
    client, _ = client_of(answering(200, shown))
    assert (await client.find(MARK, KEY) is not None) is found


async def test_a_deal_that_is_gone_holds_no_mark() -> None:
    client, _ = client_of(answering(404, [{"message": "x", "errorCode": "NOT_FOUND"}]))
    assert await client.find(MARK, KEY) is None
    with pytest.raises(NotFound):
        await client.apply(MARK, KEY)


# ---- the platform's own operations


@pytest.mark.parametrize(
    ("status", "body", "created", "record_id"),
    [
        (201, {"id": "001A", "success": True, "errors": [], "created": True}, True, "001A"),
        (200, {"id": "001A", "success": True, "errors": [], "created": False}, False, "001A"),
        (204, None, False, ""),
    ],
)
async def test_upsert_answers_of_all_versions(status: int, body: Any, created: bool, record_id: str) -> None:
    client, org = client_of(answering(status, body))
    done = await client.api.upsert("Account", "Ext__c", "a/b c", {"Name": "x"}, operation="upsert")
    assert (done.created, done.id) == (created, record_id)
    assert org.calls[0].url.raw_path.endswith(b"/sobjects/Account/Ext__c/a%2Fb%20c")


async def test_an_upsert_that_meets_several_is_a_conflict() -> None:
    client, _ = client_of(answering(300, ["/services/data/v66.0/sobjects/Account/001A"]))
    with pytest.raises(Conflict, match="001A"):
        await client.api.upsert("Account", "Ext__c", "k", {}, operation="upsert")


async def test_an_upsert_answer_without_id_is_ambiguous() -> None:
    client, _ = client_of(answering(201, {"success": True}))
    with pytest.raises(Ambiguous, match="id"):
        await client.api.upsert("Account", "Ext__c", "k", {}, operation="upsert")


def composite(*parts: tuple[int, Any]) -> dict[str, Any]:
    return {
        "compositeResponse": [
            {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": f"r{number}"}
            for number, (status, body) in enumerate(parts)
        ]
    }


def failed(code: str, message: str = "why") -> list[dict[str, Any]]:
    return [{"message": message, "errorCode": code, "fields": []}]


PARTS = [
    Part("r0", "POST", "sobjects/Account", {"Name": "x"}),
    Part("r1", "GET", "sobjects/Account/@{r0.id}"),
]


async def test_composite_gives_every_parts_answer() -> None:
    client, org = client_of(answering(200, composite((201, {"id": "1"}), (200, {"Id": "1"}))))
    answers = await client.api.composite(PARTS, operation="create both", write=True)
    assert [(answer.reference, answer.status) for answer in answers] == [("r0", 201), ("r1", 200)]
    assert exact_json.decode(org.calls[0].content) == {
        "allOrNone": True,
        "compositeRequest": [
            {
                "method": "POST",
                "url": "/services/data/v66.0/sobjects/Account",
                "referenceId": "r0",
                "body": {"Name": "x"},
            },
            {"method": "GET", "url": "/services/data/v66.0/sobjects/Account/@{r0.id}", "referenceId": "r1"},
        ],
    }


@pytest.mark.parametrize(
    ("code", "error"), [("UNABLE_TO_LOCK_ROW", Transient), ("REQUIRED_FIELD_MISSING", Rejected)]
)
async def test_the_cause_is_found_behind_halted_parts(code: str, error: type[ConnectorError]) -> None:
    body = composite((400, failed("PROCESSING_HALTED")), (400, failed(code)))
    client, _ = client_of(answering(200, body))
    with pytest.raises(ConnectorError) as raised:
        await client.api.composite(PARTS, operation="create both", write=True)
    assert type(raised.value) is error
    assert (raised.value.code, raised.value.status) == (code, 400)


async def test_composite_parts_may_fail_alone() -> None:
    client, _ = client_of(answering(200, composite((201, {"id": "1"}), (404, failed("NOT_FOUND")))))
    answers = await client.api.composite(PARTS, operation="x", write=True, all_or_none=False)
    assert [answer.status for answer in answers] == [201, 404]


@pytest.mark.parametrize("count", [0, MAX_PARTS + 1])
async def test_a_composite_of_the_wrong_size_is_refused(count: int) -> None:
    client, org = client_of(answering(200, composite()))
    with pytest.raises(ValueError, match="1 to 25"):
        await client.api.composite(PARTS[:1] * count, operation="x", write=True)
    assert org.calls == []


@pytest.mark.parametrize(
    ("header", "gauges"),
    [
        ("api-usage=18/5000", ["api-usage 18 of 5000"]),
        (
            "api-usage=10018/100000; per-app-api-usage=17/250(appName=fair-lead)",
            ["api-usage 10018 of 100000", "per-app-api-usage 17 of 250"],
        ),
        ("", []),
        ("api-usage=lots", []),
    ],
)
def test_the_limit_header_is_read(header: str, gauges: list[str]) -> None:
    assert [str(gauge) for gauge in read_limit_header({"sforce-limit-info": header})] == gauges


# ---- settings


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fields": {"contract.entity": "X__c"}}, "'contract.entity' is not a canonical field"),
        ({"fields": {"contract.value": "no such name"}}, "is not a field API name"),
        ({"fields": {"mark.key": ""}}, "may not be empty"),
        ({"client_secret": ""}, "needs client_secret"),
        ({"auth": "jwt_bearer"}, "needs username and private_key"),
        ({"api_version": "66"}, "api_version"),
        ({"page_size": 5000}, "page_size"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_cure(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**options)


def test_secrets_are_in_no_repr() -> None:
    given = settings(private_key="canary-key")
    assert "a-client-secret" not in repr(given)
    assert "canary-key" not in repr(given)


async def test_a_jwt_bearer_login_uses_the_key() -> None:
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    assertions: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/services/oauth2/token":
            assertions.append(httpx.QueryParams(request.content.decode())["assertion"])
            return httpx.Response(200, json={"access_token": "canary-token-1234567890"})
        return httpx.Response(200, content=exact_json.encode(query_answer()))

    given = settings(auth="jwt_bearer", client_secret="", username="robot@acme.example", private_key=pem)
    client = build("crm", given, transport=httpx.MockTransport(handler))
    await client.read_deal(DEAL_ID)
    claims = jwt.decode(
        assertions[0], key.public_key(), algorithms=["RS256"], audience="https://login.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("fairlead", "robot@acme.example")
    assert (
        timedelta(0) < datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC) <= timedelta(minutes=3)
    )
