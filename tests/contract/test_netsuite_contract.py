"""NetSuite against its emulator, by the contract that every connector keeps."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from connectors.errors import (
    Conflict,
    NotFound,
    PeriodClosed,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.netsuite.client import NetSuiteClient, build
from connectors.netsuite.settings import NetSuiteSettings
from domain.books import PartyQuery
from domain.commands import (
    CancelProject,
    Command,
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    OpenProject,
    ScheduleLine,
    VoidBillingSchedule,
)
from domain.identity import short_key
from domain.money import Money
from domain.selling import Address
from sandbox.settings import SandboxSettings
from tests.contract import netsuite_billing as billing
from tests.contract.bench import SEEDED_ON, Bench
from tests.contract.connector_contract import ConnectorContract, Plan, Refusal

TOKEN = "contract-token-0123456789"
KNOWN_KEY = "activation/contract/known/erp.project/1"
TAX_ID = "DE136695976"
FIRST, LAST = date(2026, 12, 1), date(2027, 6, 30)


@cache
def key_pair() -> tuple[str, bytes]:
    """Private PEM and public PEM of the integration."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class NetSuiteBench(Bench):
    """A DELETE carries no key: the effect of a voiding is counted by the schedule that was deleted."""

    customer_id = ""
    voided = ""

    async def landed(self, key: str) -> int:
        deleted = await self.effects(operation="delete", natural_key=self.voided) if self.voided else []
        return await super().landed(key) + sum(int(effect["count"]) for effect in deleted)

    async def found_firm(self) -> None:
        """A customer of our own and a project made by hand, whatever the seed holds."""
        customer = {"companyName": "Vertrag AG", "subsidiary": {"externalId": "sub-DE01"}}
        customer |= {"taxRegistration": {"items": [{"taxRegistrationNumber": TAX_ID, "nexusCountry": "DE"}]}}
        self.customer_id = str((await self.add("customer", customer))["id"])
        project = {"companyName": "Known", "entityId": "DE01-KNOWN", "parent": {"id": self.customer_id}}
        project |= {"subsidiary": {"externalId": "sub-DE01"}, "jobBillingType": {"id": "1"}}
        await self.add("job", project | {"externalId": short_key(KNOWN_KEY)})


def project(bench: Any, tag: str, **changes: Any) -> CreateProject:
    command = CreateProject(
        number=f"DE01-{tag}",
        title=f"Rollout {tag}",
        customer_external_id=bench.customer_id,
        entity="DE01",
        currency="EUR",
        budget=Money.of("100000.01", "EUR"),
        starts_on=FIRST,
        ends_on=LAST,
        contract_number="C-7",
        crm_id="0065g00000Aa1Bb",
    )
    return command.with_changes(**changes)


def schedule(project_id: str, tag: str, *amounts: str, recurring: bool = False) -> CreateBillingSchedule:
    kind: Any = "recurring" if recurring else "milestone"
    lines = tuple(
        ScheduleLine(ref=str(n), description="Phase", amount=Money.of(amount, "EUR"), due_on=LAST, kind=kind)
        for n, amount in enumerate(amounts, 1)
    )
    return CreateBillingSchedule(
        name=f"Plan {tag}", project_external_id=project_id, project_key="k", currency="EUR", lines=lines
    )


async def new_project(bench: Any, client: Any, tag: str) -> str:
    record = await client.apply(project(bench, tag), f"activation/contract/{tag}/erp.project/1")
    return str(record.external_id)


async def a_customer(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    command = CreateCustomer(
        name=f"Neukunde {tag}",
        legal_name=f"Neukunde {tag} GmbH",
        crm_id=f"001{tag}",
        tax_id=f"DE9{tag}",
        address=Address(street="Allee 1", city="Bonn", postal_code="53111", country="DE"),
        currency="EUR",
        entity="DE01",
    )
    return command, command.with_changes(name=f"Anderer {tag}")


async def a_project(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    command = project(bench, tag)
    return command, command.with_changes(ends_on=date(2027, 7, 31))


async def milestones(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    project_id = await new_project(bench, client, tag)
    return schedule(project_id, tag, "0.10", "0.20"), schedule(project_id, tag, "0.10", "0.21")


async def recurring_bills(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    project_id = await new_project(bench, client, tag)
    command = schedule(project_id, tag, "99.99", "99.99", recurring=True)
    return command, schedule(project_id, tag, "99.99", recurring=True)


async def a_voiding(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    key = f"activation/contract/{tag}/erp.schedule/1"
    record = await client.apply(schedule(await new_project(bench, client, tag), tag, "5.00"), key)
    bench.voided = short_key(key)
    command = VoidBillingSchedule(schedule_external_id=record.external_id)
    return command, command.with_changes(voided=False)


async def an_opening(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    command = OpenProject(project_external_id=await new_project(bench, client, tag))
    return command, command.with_changes(open=False)


async def a_cancellation(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    command = CancelProject(project_external_id=await new_project(bench, client, tag), reason="lost")
    return command, command.with_changes(cancelled=False)


def documented(code: str, detail: str, **places: str) -> dict[str, Any]:
    """An error body with the array of details."""
    named = {f"o:error{name}": value for name, value in places.items()}
    problem = {"detail": detail, "o:errorCode": code, **named}
    return {"type": "about:blank", "title": "Bad Request", "status": 400, "o:errorDetails": [problem]}


CONCURRENCY = {
    "title": "Bad Request",
    "status": 429,
    "o:errorCode": "USER_ERROR",
    "o:errorDetails": [{"detail": "blocked", "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}],
}
CLOSED = "The transaction date you specified is not within the date range of an open accounting period."


class TestNetSuiteContract(ConnectorContract):
    system = "netsuite"
    needed_field = "companyName"
    plans = (
        Plan("create customer", a_customer),
        Plan("create project", a_project),
        Plan("create milestone schedule", milestones),
        Plan("create recurring schedule", recurring_bills),
        Plan("void schedule", a_voiding),
        Plan("open project", an_opening),
        Plan("cancel project", a_cancellation),
        Plan("draft invoice", billing.a_draft),
        Plan("post invoice", billing.a_posting),
        Plan("discard invoice", billing.a_discarding),
        Plan("credit whole invoice", billing.a_full_credit),
        Plan("credit part of invoice", billing.a_partial_credit),
        Plan("receive payment", billing.a_payment),
        Plan("post journal", billing.a_journal),
    )
    refusals = (
        Refusal("concurrency", 429, CONCURRENCY, Throttled, facts={"rule": "quota.concurrent"}),
        Refusal("concurrency on a write", 429, CONCURRENCY, Throttled, write=True),
        Refusal(
            "retry after",
            429,
            CONCURRENCY,
            Throttled,
            headers={"Retry-After": "7"},
            facts={"retry_after": 7.0},
        ),
        Refusal("restlet overflow", 400, documented("SSS_REQUEST_LIMIT_EXCEEDED", "slow down"), Throttled),
        Refusal(
            "overflow dressed as login",
            401,
            documented("INVALID_LOGIN", "Concurrent request limit exceeded."),
            Throttled,
        ),
        Refusal("login", 401, documented("INVALID_LOGIN", "Invalid login attempt."), Unauthenticated),
        Refusal(
            "field",
            400,
            documented("INVALID_CONTENT", "Invalid value", Path="item.items[0].item"),
            Rejected,
            write=True,
            facts={"field": "item.items[0].item", "code": "INVALID_CONTENT"},
        ),
        Refusal(
            "query parameter",
            400,
            documented("INVALID_REQUEST", "no such sublist", QueryParam="replace"),
            Rejected,
            write=True,
            facts={"field": "replace"},
        ),
        Refusal("rule", 400, documented("USER_ERROR", "Say no."), Rejected, facts={"rule": "vendor.rule"}),
        Refusal("closed period", 400, documented("USER_ERROR", CLOSED), PeriodClosed, write=True),
        Refusal(
            "taken number", 400, documented("USER_ERROR", "This record already exists."), Conflict, write=True
        ),
        Refusal("in use", 400, documented("USER_ERROR", "It has dependent records."), Rejected, write=True),
        Refusal(
            "flat shape of an action",
            400,
            {"title": "Bad Request", "detail": "Cannot approve.", "status": 400, "o:errorCode": "USER_ERROR"},
            Rejected,
            facts={"code": "USER_ERROR"},
        ),
        Refusal("edit collision", 400, documented("RCRD_HAS_BEEN_CHANGED", "changed"), Transient, write=True),
        Refusal("permission", 403, documented("INSUFFICIENT_PERMISSION", "no"), Rejected),
        Refusal("unknown record", 404, documented("NONEXISTENT_ID", "no such"), NotFound, write=True),
        Refusal("unexpected, reading", 500, documented("UNEXPECTED_ERROR", "Error ID: x1"), Transient),
        Refusal("a proxy's page", 502, "<html>Bad Gateway</html>", Transient),
    )

    @classmethod
    def sandbox_settings(cls, home: Path) -> SandboxSettings:
        public = home / "netsuite.pem"
        public.write_bytes(key_pair()[1])
        return SandboxSettings(home=home, quiet=True, as_of=SEEDED_ON, netsuite_public_key=public)

    def connect(
        self,
        bench: Bench,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        wrong: bool = False,
        timeout: float = 5.0,
        page_size: int = 1000,
    ) -> NetSuiteClient:
        settings = NetSuiteSettings(
            account=bench.settings.netsuite_account,
            base_url=bench.base_url,
            client_id="wrong-secret" if wrong else bench.settings.netsuite_client_id,
            certificate_id=bench.settings.netsuite_certificate_id,
            private_key=key_pair()[0],
            algorithm="ES256",
            accounts=billing.ACCOUNTS,
            tax_codes=billing.TAX_CODES,
            timeout_seconds=timeout,
            page_size=page_size,
        )
        return build("netsuite", settings, transport=transport or bench.transport)

    def secrets(self, bench: Bench) -> Sequence[str]:
        return (TOKEN,)

    def token_response(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/token"):
            return None
        return httpx.Response(200, json={"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    async def read(self, client: Any) -> object:
        command = project(NetSuiteBench, "KNOWN", title="Known", customer_external_id="x")
        record = await client.find(command, KNOWN_KEY)
        assert record is not None
        assert record.fields["title"] == "Known"
        return record

    async def read_unknown_value(self, client: Any) -> None:
        await self.read(client)
        facts = await client.party_facts(party(tax_id=TAX_ID))
        assert facts.customers[0].on_credit_hold, "a hold nobody has heard of keeps the gate shut"

    def sample_command(self) -> Command:
        return OpenProject(project_external_id="5001")

    async def sample_read(self, client: Any) -> object:
        return await client.billing_schedule("801")

    async def paged(self, bench: Bench) -> tuple[Sequence[str], Sequence[str]]:
        client = self.connect(bench, page_size=2)
        query = "SELECT id, companyname FROM customer WHERE id > ? ORDER BY id"
        expected = [row["id"] async for row in client.api.rows(query, (), operation="list customers")]
        came: list[str] = []
        async for row in client.api.rows(query, (), operation="list customers"):
            came.append(row["id"])
            if len(came) == 2:
                await bench.edit("customer", expected[0], {"comments": "moved"})
                await bench.add("customer", {"companyName": "New", "subsidiary": {"externalId": "sub-DE01"}})
        await client.aclose()
        return expected, came

    async def amount_read(self, bench: Any, amount: Money) -> Money:
        client = self.connect(bench)
        tag = f"{amount.currency}-{amount.amount}"
        budget = Money.zero(amount.currency)
        command = project(bench, tag, currency=amount.currency, budget=budget)
        made = await client.apply(command, f"activation/contract/{tag}/erp.project/1")
        line = ScheduleLine(ref="1", description="All", amount=amount, due_on=LAST)
        plan = schedule(made.external_id, tag).with_changes(currency=amount.currency, lines=(line,))
        record = await client.apply(plan, f"activation/contract/{tag}/erp.schedule/1")
        assert record.differences(plan) == {}
        await client.aclose()
        reader = self.connect(bench)
        total = (await reader.billing_schedule(record.external_id)).total
        await reader.aclose()
        return total

    # ---- fixtures: clients that know the account's ids already, so that a fault strikes the write itself

    @pytest.fixture(scope="class")
    @classmethod
    async def shared_bench(cls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
        bench = NetSuiteBench(cls.sandbox_settings(tmp_path_factory.mktemp("netsuite")), "netsuite")
        await bench.found_firm()
        yield bench
        await bench.aclose()

    @pytest.fixture
    async def bench(self, shared_bench: Bench) -> AsyncIterator[Bench]:
        assert isinstance(shared_bench, NetSuiteBench)
        shared_bench.voided = ""
        await shared_bench.calm()
        yield shared_bench
        await shared_bench.calm()

    @pytest.fixture(scope="class")
    @classmethod
    async def client(cls, shared_bench: Bench) -> AsyncIterator[NetSuiteClient]:
        client = cls().connect(shared_bench)
        await client.check()
        yield client
        await client.aclose()

    @pytest.fixture(scope="class")
    @classmethod
    async def hasty(cls, shared_bench: Bench) -> AsyncIterator[NetSuiteClient]:
        client = cls().connect(shared_bench, timeout=0.25)
        await client.check()
        yield client
        await client.aclose()


def party(**changes: Any) -> PartyQuery:
    query = PartyQuery(
        entity="DE01",
        customer_external_id="001-unknown",
        customer_key="activation/contract/unknown/erp.customer/1",
        customer_name="Vertrag AG",
        on=FIRST,
    )
    return query.with_changes(**changes)
