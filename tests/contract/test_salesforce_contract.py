"""Salesforce against its emulator, and against the error bodies its documents show."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.errors import (
    Ambiguous,
    Conflict,
    NotFound,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.http import exact_json
from connectors.salesforce import soql
from connectors.salesforce.api import Part
from connectors.salesforce.client import SalesforceClient, build
from connectors.salesforce.settings import SalesforceSettings
from domain.billing_commands import MarkBilling
from domain.commands import Command, MarkDeal
from domain.money import Money
from sandbox.settings import SandboxSettings
from tests.contract.bench import SEEDED_ON, Bench
from tests.contract.connector_contract import ConnectorContract, Plan, Refusal
from tests.unit.connectors.salesforce.salesforce_sample import query_answer

TOKEN = "00D5g0000012345!canary-token-for-tests"
DEAL_ID = "0065g00000AbCdEAAV"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def problem(code: str, message: str, *fields: str) -> list[dict[str, Any]]:
    return [{"message": message, "errorCode": code, "fields": list(fields)}]


async def prepare_mark(bench: Bench, client: SalesforceClient, tag: str) -> tuple[Command, Command]:
    deals = await client.signed_deals(None)
    deal = deals[int(tag) % len(deals)]
    mark = MarkDeal(deal_external_id=deal.external_id, status="Activating", project_number=f"DE01-{tag}")
    return mark, mark.with_changes(status="Cancelled")


async def prepare_billing(bench: Bench, client: SalesforceClient, tag: str) -> tuple[Command, Command]:
    deals = await client.signed_deals(None)
    deal = deals[int(tag) % len(deals)]
    mark = MarkBilling(
        deal_external_id=deal.external_id,
        last_invoice=f"INV-{tag}",
        invoiced=Money.of("12500.10", deal.currency or "EUR"),
        invoiced_on=date(2026, 11, 23),
    )
    return mark, mark.with_changes(invoiced=Money.of("12500.11", mark.invoiced.currency))


class TestSalesforceContract(ConnectorContract):
    system = "salesforce"
    needed_field = "Billing_Entity__c"
    plans = (Plan("mark deal", prepare_mark), Plan("mark billing", prepare_billing))
    refusals = (
        Refusal("session", 401, problem("INVALID_SESSION_ID", "Session expired or invalid"), Unauthenticated),
        Refusal(
            "daily limit",
            403,
            problem("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
            Throttled,
            facts={"rule": "quota.daily", "retry_after": None, "code": "REQUEST_LIMIT_EXCEEDED"},
        ),
        Refusal(
            "concurrent limit",
            403,
            problem("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
            Throttled,
            write=True,
            facts={"rule": "quota.concurrent"},
        ),
        Refusal(
            "lock",
            400,
            problem("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
            Transient,
            write=True,
        ),
        Refusal(
            "lock inside a trigger",
            400,
            problem(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Deal: execution of AfterUpdate: UNABLE_TO_LOCK_ROW"
            ),
            Transient,
            write=True,
        ),
        Refusal(
            "trigger",
            400,
            problem("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Deal: credit check failed"),
            Rejected,
            write=True,
            facts={"rule": "vendor.automation"},
        ),
        Refusal(
            "validation rule",
            400,
            problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Close the old project first", "Fairlead_Status__c"),
            Rejected,
            write=True,
            facts={"field": "Fairlead_Status__c", "rule": "vendor.validation"},
        ),
        Refusal(
            "picklist",
            400,
            problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value", "Fairlead_Status__c"),
            Rejected,
            write=True,
        ),
        Refusal(
            "too long",
            400,
            problem("STRING_TOO_LONG", "max length 80", "Fairlead_Project__c"),
            Rejected,
            write=True,
        ),
        Refusal(
            "unknown column",
            400,
            problem("INVALID_FIELD", "No such column 'Rate_Card__c' on sobject of type Contract"),
            Rejected,
            facts={"rule": "schema.drift"},
        ),
        Refusal("malformed query", 400, problem("MALFORMED_QUERY", "unexpected token: FORM"), Rejected),
        Refusal(
            "query timeout",
            400,
            problem("QUERY_TIMEOUT", "Your query request was running too long"),
            Transient,
        ),
        Refusal("locator", 400, problem("INVALID_QUERY_LOCATOR", "invalid query locator"), Transient),
        Refusal("malformed id", 400, problem("MALFORMED_ID", "bad id 0065"), NotFound, write=True),
        Refusal(
            "duplicate value",
            400,
            problem(
                "DUPLICATE_VALUE", "duplicate value found: Fairlead_Key__c duplicates value on record 006"
            ),
            Conflict,
            write=True,
        ),
        Refusal(
            "duplicate rule",
            400,
            problem("DUPLICATES_DETECTED", "Use one of these records?"),
            Rejected,
            write=True,
        ),
        Refusal("deleted", 400, problem("ENTITY_IS_DELETED", "entity is deleted"), NotFound, write=True),
        Refusal("no access", 403, problem("INSUFFICIENT_ACCESS", "insufficient access rights"), Rejected),
        Refusal("API off", 403, problem("API_DISABLED_FOR_ORG", "API is not enabled"), Rejected),
        Refusal(
            "not found",
            404,
            problem("NOT_FOUND", "The requested resource does not exist"),
            NotFound,
            write=True,
        ),
        Refusal(
            "not found, one object",
            404,
            problem("NOT_FOUND", "Provided external ID…")[0],
            NotFound,
            write=True,
        ),
        Refusal(
            "several",
            300,
            ["/services/data/v66.0/sobjects/X/1", "/services/data/v66.0/sobjects/X/2"],
            Conflict,
        ),
        Refusal("precondition", 412, problem("PRECONDITION_FAILED", "changed since"), Conflict, write=True),
        Refusal("server, on a read", 500, problem("UNKNOWN_EXCEPTION", "ErrorId 1"), Transient),
        Refusal("server, on a write", 500, problem("UNKNOWN_EXCEPTION", "ErrorId 1"), Ambiguous, write=True),
        Refusal("unavailable", 503, problem("SERVER_UNAVAILABLE", "busy"), Transient),
        Refusal("a proxy's page", 502, "<html><h1>Bad gateway</h1></html>", Ambiguous, write=True),
        Refusal("a code nobody knows", 400, problem("BRAND_NEW_CODE", "something"), Rejected, write=True),
        Refusal("an empty array", 400, [], Rejected),
    )
    _deal_id: ClassVar[str] = ""

    def connect(
        self,
        bench: Bench,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        wrong: bool = False,
        timeout: float = 5.0,
        **options: Any,
    ) -> SalesforceClient:
        given = {
            "base_url": bench.base_url,
            "client_id": bench.settings.salesforce_client_id,
            "client_secret": "wrong-secret-0000000000" if wrong else bench.settings.salesforce_secret,
            "timeout_seconds": timeout,
            **options,
        }
        settings = SalesforceSettings.model_validate(given)
        return build("salesforce", settings, transport=transport or bench.transport)

    @classmethod
    def sandbox_settings(cls, home: Path) -> SandboxSettings:
        public = home / "salesforce.pem"
        public.write_bytes(
            KEY.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        return SandboxSettings(
            home=home, quiet=True, deals=90, as_of=SEEDED_ON, salesforce_jwt_public_key=public
        )

    def secrets(self, bench: Bench) -> Sequence[str]:
        return (bench.settings.salesforce_secret, TOKEN)

    def token_response(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/services/oauth2/token"):
            return httpx.Response(200, json={"access_token": TOKEN, "token_type": "Bearer"})
        return None

    async def read(self, client: SalesforceClient) -> object:
        cls = type(self)
        if not cls._deal_id:
            cls._deal_id = (await client.signed_deals(None, 1))[0].external_id
        return await client.read_deal(cls._deal_id)

    async def read_unknown_value(self, client: SalesforceClient) -> None:
        deal = await client.read_deal((await client.signed_deals(None, 1))[0].external_id)
        assert deal.lines
        assert {line.billing_method for line in deal.lines} == {None}
        rules = [finding.rule for finding in deal.findings]
        assert rules == ["billing_method.unknown"] * len(deal.lines)
        assert "Unheard Of" in deal.findings[0].message
        assert "Billing_Method__c" in deal.findings[0].message

    def sample_command(self) -> Command:
        return MarkDeal(deal_external_id=DEAL_ID, status="Active", project_number="DE01-7K3QXW")

    async def sample_read(self, client: SalesforceClient) -> object:
        return await client.read_deal(DEAL_ID)

    async def paged(self, bench: Bench) -> tuple[Sequence[str], Sequence[str]]:
        whole = self.connect(bench)
        before = [deal.external_id for deal in await whole.signed_deals(None)]
        moving = _Moving(bench, [before[0], before[-1]])
        client = self.connect(bench, transport=moving, page_size=4)
        came = [deal.external_id for deal in await client.signed_deals(None)]
        assert moving.pages > len(before) // 4
        await whole.aclose()
        await client.aclose()
        return before, came

    async def amount_read(self, bench: Bench, amount: Money) -> Money:
        changes = {"Contract.CurrencyIsoCode": amount.currency, "Contract.Contract_Value__c": amount.amount}
        answer = httpx.Response(200, content=exact_json.encode(query_answer(changes)))
        client = self.connect(bench, transport=httpx.MockTransport(self._answering(answer)))
        deal = await client.read_deal(DEAL_ID)
        await client.aclose()
        assert deal.contract is not None
        assert deal.contract.value is not None
        return deal.contract.value

    # ---- what only this system does

    async def test_both_ways_to_sign_in_are_accepted(self, bench: Bench) -> None:
        by_key = {"auth": "jwt_bearer", "username": bench.settings.salesforce_username}
        for options in ({}, {"basic": True}, {**by_key, "private_key": pem(KEY)}):
            client = self.connect(bench, **options)
            await self.read(client)
            await client.aclose()
        client = self.connect(bench, **by_key, private_key=pem(OTHER_KEY))
        with pytest.raises(Unauthenticated, match="credentials are refused"):
            await self.read(client)
        await client.aclose()

    async def test_an_upsert_by_external_id_creates_once(
        self, client: SalesforceClient, bench: Bench, tag: str
    ) -> None:
        values = {"Name": f"Upserted {tag}"}
        key = f"TAX/{tag} ü"
        first = await client.api.upsert("Account", "Tax_Id__c", key, values, operation="upsert customer")
        again = await client.api.upsert("Account", "Tax_Id__c", key, values, operation="upsert customer")
        assert first.created
        assert not again.created
        assert first.id == again.id
        await bench.add("Account", {"Name": "Same tax id", "Tax_Id__c": key})
        with pytest.raises(Conflict, match=first.id):
            await client.api.upsert("Account", "Tax_Id__c", key, values, operation="upsert customer")

    async def test_a_composite_lands_whole_or_not_at_all(self, client: SalesforceClient, tag: str) -> None:
        account = Part("account", "POST", "sobjects/Account", {"Name": f"Composite {tag}"})
        contact = {"AccountId": "@{account.id}", "LastName": "Keller"}
        good = Part("contact", "POST", "sobjects/Contact", contact)
        answers = await client.api.composite([account, good], operation="create customer", write=True)
        assert [answer.status for answer in answers] == [201, 201]
        bad = Part("contact", "POST", "sobjects/Contact", {"AccountId": "@{account.id}"})
        with pytest.raises(Rejected, match="LastName") as rejected:
            await client.api.composite([account, bad], operation="create customer", write=True)
        assert rejected.value.code == "REQUIRED_FIELD_MISSING"
        statement = f"SELECT Id FROM Account WHERE Name = {soql.text(f'Composite {tag}')}"  # noqa: S608
        assert len(await client.api.query(statement, operation="count")) == 1

    async def test_a_long_answer_is_read_to_its_end(self, bench: Bench) -> None:
        client = self.connect(bench, page_size=200)
        before = len(await bench.requests())
        statement = "SELECT Id FROM OpportunityLineItem ORDER BY Id"
        rows = await client.api.query(statement, operation="list lines")
        pages = len(await bench.requests()) - before - 1
        assert pages > 1
        assert len({row["Id"] for row in rows}) == len(rows) > 200
        await client.aclose()

    async def test_an_amount_typed_in_the_screens_is_read_exactly(
        self, bench: Bench, client: SalesforceClient
    ) -> None:
        deal = await client.read_deal((await client.signed_deals(None, 1))[0].external_id)
        assert deal.contract is not None
        value = Decimal("0.10") + Decimal("123456789.23")
        await bench.edit("Contract", deal.contract.external_id, {"Contract_Value__c": value})
        again = await client.read_deal(deal.external_id)
        assert again.contract is not None
        assert again.contract.value is not None
        assert again.contract.value.amount == value
        assert again.version > deal.version

    async def test_reading_a_deal_is_one_call(self, bench: Bench, client: SalesforceClient) -> None:
        await self.read(client)
        before = len(await bench.requests())
        await self.read(client)
        assert len(await bench.requests()) == before + 1

    async def test_billing_and_status_of_a_deal_do_not_hide_each_other(
        self, bench: Bench, client: SalesforceClient, tag: str, key: str
    ) -> None:
        status, _ = await prepare_mark(bench, client, tag)
        billed, _ = await prepare_billing(bench, client, tag)
        await client.apply(status, f"{key}-status")
        await client.apply(billed, f"{key}-billed")
        for command, own in ((status, f"{key}-status"), (billed, f"{key}-billed")):
            found = await client.find(command, own)
            assert found is not None
            assert found.differences(command) == {}
        assert await client.find(billed, f"{key}-status") is None

    async def test_an_amount_in_another_currency_is_not_written(
        self, bench: Bench, client: SalesforceClient, tag: str, key: str
    ) -> None:
        command, _ = await prepare_billing(bench, client, tag)
        other = command.with_changes(invoiced=Money.of("1", "JPY"))
        with pytest.raises(Rejected, match="the deal is in") as refused:
            await client.apply(other, key)
        assert refused.value.rule == "currency.other"
        assert await bench.landed(key) == 0

    async def test_an_org_without_the_fields_says_which(self, bench: Bench, tag: str, key: str) -> None:
        client = self.connect(bench, fields={"billing.invoiced": "", "billing.invoiced_on": ""})
        command, _ = await prepare_billing(bench, client, tag)
        with pytest.raises(Rejected, match=r"names no field for billing\.invoiced"):
            await client.apply(command, key)
        assert [check for check in await client.check() if not check.ok] == []
        await client.aclose()

    async def test_every_signed_deal_can_be_read(self, client: SalesforceClient) -> None:
        for summary in await client.signed_deals(None):
            deal = await client.read_deal(summary.external_id)
            assert deal.signed
            assert deal.lines
            assert deal.name == summary.name
            assert deal.version >= summary.version
            assert deal.findings == ()

    async def test_a_contract_signed_later_counts_as_a_change(
        self, bench: Bench, client: SalesforceClient
    ) -> None:
        deals = await client.signed_deals(None)
        newest, old = deals[-1].version, deals[0].external_id
        assert old not in [found.external_id for found in await client.signed_deals(newest)]
        deal = await client.read_deal(old)
        assert deal.contract is not None
        await bench.edit("Contract", deal.contract.external_id, {"CustomerSignedDate": "2026-11-23"})
        assert old in [found.external_id for found in await client.signed_deals(newest)]

    async def test_signed_deals_come_oldest_change_first_up_to_the_limit(
        self, client: SalesforceClient
    ) -> None:
        deals = await client.signed_deals(None)
        assert [deal.version for deal in deals] == sorted(deal.version for deal in deals)
        assert list(await client.signed_deals(None, 3)) == list(deals[:3])
        assert all(deal.version >= deals[2].version for deal in await client.signed_deals(deals[2].version))


class _Moving(httpx.AsyncBaseTransport):
    """After the first page a person edits deals: one already seen, one still to come."""

    def __init__(self, bench: Bench, deals: Sequence[str]) -> None:
        self._bench, self._deals = bench, deals
        self.pages = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._bench.transport.handle_async_request(request)
        if request.url.path.endswith("/query"):
            self.pages += 1
            if self.pages == 1:
                for deal in self._deals:
                    await self._bench.edit("Opportunity", deal, {"Description": "moved while paging"})
        return answer
