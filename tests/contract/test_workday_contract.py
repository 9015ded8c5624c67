"""Workday against its emulator, by the contract that every connector keeps, and the promises of `HrPort`."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from connectors.errors import Conflict, NotFound, Rejected, Throttled, Transient, Unauthenticated
from connectors.http.auth import utc_now
from connectors.workday.client import WorkdayClient, build
from connectors.workday.settings import WorkdaySettings
from domain.commands import Command
from domain.money import Money
from domain.people_commands import RecordAssignment, RecordUtilization
from sandbox.settings import SandboxSettings
from sandbox.workday.ids import wid
from tests.contract.bench import Bench
from tests.contract.connector_contract import ConnectorContract, Plan, Refusal

TOKEN = "contract-token-0123456789"
PROJECT = wid("project", "INTERNAL-1")
WORKER = wid("worker", "W-0004")
FIRST, LAST = date(2040, 12, 1), date(2041, 1, 31)


@cache
def key_pair() -> tuple[str, bytes]:
    """Private PEM and public PEM of the API client."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def assignment(**changes: Any) -> RecordAssignment:
    command = RecordAssignment(
        worker_external_id=WORKER,
        project_external_id=PROJECT,
        role="Project Manager",
        starts_on=FIRST,
        ends_on=LAST,
        hours="120.50",
    )
    return command.with_changes(**changes)


def utilization(**changes: Any) -> RecordUtilization:
    command = RecordUtilization(
        worker_external_id=WORKER,
        project_external_id=PROJECT,
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 30),
        hours="37.25",
    )
    return command.with_changes(**changes)


async def an_assignment(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    return assignment(), assignment(ends_on=date(2041, 2, 28))


async def a_share(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    command = assignment(hours=None, percent="50")
    return command, command.with_changes(percent="60")


async def a_change(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    key = f"resources/contract/{tag}/hr.assignment/1"
    line = (await client.apply(assignment(), key)).external_id
    command = assignment(hours="80", line_external_id=line, line_key=key)
    return command, command.with_changes(hours="0")


async def a_utilization(bench: Bench, client: Any, tag: str) -> tuple[Command, Command]:
    return utilization(), utilization(hours="38")


def documented(text: str, code: str, field: str) -> dict[str, Any]:
    """An error body with its array of problems."""
    problem = {"error": text, "code": code, "field": field, "path": f"/{field}"}
    return {"error": "invalid request: validation errors", "errors": [problem]}


class TestWorkdayContract(ConnectorContract):
    system = "workday"
    needed_field = "skillItem"
    plans = (
        Plan("record assignment by hours", an_assignment),
        Plan("record assignment by share", a_share),
        Plan("change assignment", a_change),
        Plan("record utilization", a_utilization),
    )
    refusals = (
        Refusal(
            "field",
            400,
            documented("Specify a Start Date.", "A552", "startDate"),
            Rejected,
            write=True,
            facts={"field": "startDate", "code": "A552", "rule": "vendor.validation"},
        ),
        Refusal("single error", 400, {"error": "invalid request", "code": "S21"}, Rejected),
        Refusal("token", 401, {"error": "invalid resource or operation"}, Unauthenticated),
        Refusal(
            "permission",
            403,
            {"error": "permission denied"},
            Rejected,
            facts={"rule": "vendor.permission"},
        ),
        Refusal("unknown", 404, {"error": "resource not found"}, NotFound, write=True),
        Refusal("locked", 423, {"error": "locked"}, Transient, write=True),
        Refusal("throttled", 429, {"error": "too many requests"}, Throttled, facts={"retry_after": None}),
        Refusal("throttled on a write", 429, {"error": "too many requests"}, Throttled, write=True),
        Refusal(
            *("retry after", 429, {"error": "too many requests"}, Throttled),
            headers={"Retry-After": "7"},
            facts={"retry_after": 7.0},
        ),
        Refusal("failure, reading", 500, {"error": "internal server error"}, Transient),
        Refusal("a proxy's page", 502, "<html><body>Bad Gateway</body></html>", Transient),
        Refusal(
            "a process that objects in a 200",
            200,
            {
                "id": wid("line", "1"),
                "businessEventRecords": [{"businessEventValidation": [{"descriptor": "Not employed."}]}],
            },
            Rejected,
            write=True,
            facts={"rule": "vendor.business_process"},
        ),
        Refusal(
            "an answer that does not show our key",
            201,
            {"id": wid("line", "1"), "hours": 1},
            Conflict,
            write=True,
            facts={"rule": "key.not_shown", "field": "memo"},
        ),
    )

    @classmethod
    def sandbox_settings(cls, home: Path) -> SandboxSettings:
        public = home / "workday.pem"
        public.write_bytes(key_pair()[1])
        return SandboxSettings(home=home, quiet=True, deals=0, workday_public_key=public)

    def connect(
        self,
        bench: Bench,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        wrong: bool = False,
        timeout: float = 5.0,
        **changes: Any,
    ) -> WorkdayClient:
        return client_of(bench, transport, wrong, timeout_seconds=timeout, **changes)

    def secrets(self, bench: Bench) -> Sequence[str]:
        return (TOKEN, bench.settings.workday_secret, bench.settings.workday_refresh_token)

    def token_response(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/token"):
            return None
        return httpx.Response(200, json={"access_token": TOKEN, "expires_in": 300, "token_type": "Bearer"})

    async def read(self, client: Any) -> object:
        skills = await client.skills(WORKER)
        assert len(skills) == 2
        return skills

    async def read_unknown_value(self, client: Any) -> None:
        today = utc_now().date()
        page = await client.absences(today, today + timedelta(days=70))
        assert page.days == (), "an absence in a state nobody has heard of is not guessed at"
        assert {one.field for one in page.unreadable} >= {"timeOffDetails.status"}
        assert all("Unheard Of" in one.problem for one in page.unreadable)

    def sample_command(self) -> Command:
        return utilization()

    async def sample_read(self, client: Any) -> object:
        return await client.skills(WORKER)

    async def paged(self, bench: Bench) -> tuple[Sequence[str], Sequence[str]]:
        who, first = wid("worker", "W-0005"), date(2029, 1, 1)
        days = [(first + timedelta(days=n)).isoformat() for n in range(40)]
        for day in days:
            await bench.add("timeOffDetails", {"worker": who, "date": day, "quantity": 1})
        client = self.connect(bench, page_size=15)
        await bench.arm("page_shift", rows=-4)
        page = await client.absences(first, first + timedelta(days=60), limit=999)
        await client.aclose()
        return days, [day.day.isoformat() for day in page.days if day.worker_external_id == who]

    async def amount_read(self, bench: Bench, amount: Money) -> Money:
        """Workday holds no money of ours: hours go the same way."""
        client = self.connect(bench)
        key = f"resources/contract/{amount.currency}-{amount.amount}/hr.utilization/1"
        command = utilization(hours=amount.amount)
        await client.apply(command, key)
        found = await client.find(command, key)
        await client.aclose()
        assert found is not None
        assert found.differences(command) == {}
        return Money.of(found.fields["effort"].removesuffix(" h"), amount.currency)


def client_of(
    bench: Bench, transport: httpx.AsyncBaseTransport | None = None, wrong: bool = False, **changes: Any
) -> WorkdayClient:
    given = {
        "base_url": bench.base_url,
        "tenant": bench.settings.workday_tenant,
        "token_url": f"{bench.base_url}/ccx/oauth2/{bench.settings.workday_tenant}/token",
        "client_id": bench.settings.workday_client_id,
        "client_secret": bench.settings.workday_secret,
        "refresh_token": "wrong-secret" if wrong else bench.settings.workday_refresh_token,
        "calendar_report": "ISU_Fairlead/Fairlead_Work_Calendars",
        **changes,
    }
    return build("workday", WorkdaySettings.model_validate(given), transport=transport or bench.transport)
