"""The command line as a person uses it, on a firm that runs: from a signed deal to a project, and back."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.exit_codes import ExitCode
from local.ephemeral import ephemeral_firm
from runtime.settings import Settings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
MAIN = "from cli.main import main; main()"
OPERATOR = "tomas.lindqvist@fairlead.example"
CONTROLLER = "controller@fairlead.example"
STAFFING = "staffing@fairlead.example"
FLAGSHIP = "Polaris Managed Operations"


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Person:
    """Somebody at a terminal of this firm."""

    settings: Settings

    async def fairlead(self, *arguments: str) -> Ended:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("FAIRLEAD_", "TEMPORAL_"))}
        environ |= self.settings.environment() | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", MAIN, *arguments,
            env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await child.communicate()
        assert child.returncode is not None
        assert "Traceback" not in err.decode()
        return Ended(child.returncode, out.decode(), err.decode())

    async def json(self, *arguments: str, code: int = ExitCode.OK) -> Any:
        ended = await self.fairlead(*arguments, "--json")
        assert ended.code == code, ended
        return ended.json

    async def deal(self, called: str = "", **facts: Any) -> str:
        """Id of the first signed deal whose name begins so and of which `facts` are true."""
        listed = [one for one in (await self.json("deals"))["deals"] if one["name"].startswith(called)]
        fitting = [one for one in listed if all(one[name] == value for name, value in facts.items())]
        return str(fitting[0]["deal"])


@pytest.fixture(scope="module")
async def person() -> AsyncIterator[Person]:
    async with ephemeral_firm() as settings:
        yield Person(settings)


async def exceptions_of(person: Person, deal: str) -> list[Any]:
    listed = (await person.json("exceptions", "list"))["exceptions"]
    return [item for item in listed if item["process"].endswith(f"/{deal}")]


async def test_a_signed_deal_becomes_a_project(person: Person) -> None:
    deal = await person.deal(FLAGSHIP, state="not started")

    started = await person.json("activate", deal, "--as", OPERATOR)
    assert (started["answer"], started["requested_by"]) == ("started", OPERATOR)
    assert started["web_ui"].startswith(f"http://127.0.0.1:{person.settings.ui_port}/namespaces/default/")
    assert (await person.json("activate", deal))["answer"] == "joined"

    waiting = await person.json("watch", deal, code=ExitCode.WAITING)
    assert waiting["status"]["staffing_asked"]
    board = (await person.json("status"))["processes"]
    # People are synced beside it since the firm came up.
    assert [one["process"] for one in board if one["kind"] != "resources"] == [started["process"]]

    before = await person.json("readiness", deal, code=ExitCode.WAITING)
    states = {gate["gate"]: gate["state"] for gate in before["gates"]}
    assert states.pop("staffing") == "not_judged"
    assert set(states.values()) == {"green"}
    assert len(states) == 5

    assert (await person.fairlead("approve", deal, "--as", "audit@fairlead.example")).code == ExitCode.REFUSED
    approved = await person.json("approve", deal, "--as", STAFFING)
    assert approved["decision"]["actor"] == STAFFING

    ended = await person.json("watch", deal)
    project = ended["result"]["project"]
    assert ended["result"]["state"] == "active"
    assert {record["system"] for record in ended["result"]["records"]} == {
        "coupa",
        "kantata",
        "netsuite",
        "salesforce",
    }
    await tells_its_story(person, deal, project)


async def tells_its_story(person: Person, deal: str, project: str) -> None:
    """What the screens say of an active project."""
    again = await person.json("activate", deal)
    assert (again["answer"], again["project"]) == ("active already", project)
    assert (await person.json("readiness", project))["ready"]
    traced = await person.json("trace", project)
    confirmed = [one for one in traced["timeline"] if one["outcome"] == "confirmed"]
    assert len({one["key"] for one in confirmed}) == len(confirmed) >= 8
    assert all(one["external_id"] for one in confirmed)
    assert {one["who"] for one in traced["timeline"] if one["kind"] == "decision"} == {STAFFING}
    assert await exceptions_of(person, deal) == []
    assert (await person.json("audit", "verify", "all"))["ok"]
    assert deal not in str(await person.json("deals"))
    active = {one["deal"]: one["state"] for one in (await person.json("deals", "--all"))["deals"]}
    assert active[deal] == "active"
    refused = await person.fairlead("cancel", deal, "--reason", "too late", "--as", OPERATOR)
    assert refused.code == ExitCode.REFUSED
    assert "has ended" in refused.err


async def test_a_red_gate_is_corrected_by_two_people_and_then_cancelled(person: Person) -> None:
    deal = await person.deal(entity=None)
    entity = {"USD": "US01", "EUR": "DE01", "INR": "IN01"}
    currency = next(one["currency"] for one in (await person.json("deals"))["deals"] if one["deal"] == deal)

    red = await person.json("activate", deal, "--wait", "--as", OPERATOR, code=ExitCode.WAITING)
    assert [item["step"] for item in red["status"]["attention"]] == ["gate.legal_entity"]
    [item] = await exceptions_of(person, deal)
    assert item["owner"] == "finance_systems"

    correction = f"contract.billing_entity={entity[currency]}"
    decided = await person.json(
        "exceptions", "resolve", deal, "--correct", correction, "--reason", "as signed", "--as", CONTROLLER
    )
    assert decided["needs_second_person"]
    assert CONTROLLER not in decided["second_person_may_be"]
    decision = decided["decision"]["id"]
    assert (await person.fairlead("approve", decision, "--as", CONTROLLER)).code == ExitCode.REFUSED
    _, *second = decided["second_person_command"].split()
    assert (await person.fairlead(*second)).code == ExitCode.OK
    assert (await person.fairlead(*second)).code == ExitCode.REFUSED  # once is enough

    after = await person.json("watch", deal, code=ExitCode.WAITING)
    assert after["status"]["staffing_asked"]
    assert not after["status"]["attention"]

    cancelled = await person.json("cancel", deal, "--reason", "withdrawn", "--wait", "--as", OPERATOR)
    assert cancelled["result"]["state"] == "cancelled"
    assert OPERATOR in cancelled["result"]["reason"]
    undone = [one for one in (await person.json("trace", deal))["timeline"] if one["outcome"] == "undone"]
    assert {one["system"] for one in undone} == {"coupa", "kantata", "netsuite"}
    assert (await person.json("audit", "verify", deal))["ok"]

    anew = await person.json("activate", deal, "--wait", code=ExitCode.WAITING)
    assert anew["status"]["generation"] == 2
    assert anew["status"]["attention"]


async def test_what_is_not_there_or_not_signed_is_not_started(person: Person) -> None:
    unknown = await person.json("activate", "0065g00000zzzzzAAA", code=ExitCode.NOT_FOUND)
    assert "There is no deal" in unknown["error"]["message"]
    unsigned = await unsigned_deal(person.settings)
    refused = await person.json("activate", unsigned, code=ExitCode.REFUSED)
    assert "is not signed" in refused["error"]["message"]
    started = str(await person.json("status", "--all"))
    assert "zzzzz" not in started
    assert unsigned not in started


async def unsigned_deal(settings: Settings) -> str:
    """Id of an opportunity that was not won, as the sandbox holds it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{settings.sandbox_url}/_control/salesforce/Opportunity")
    found = answer.json()
    records = found["records"] if isinstance(found, dict) else found
    values = [record.get("values", record) for record in records]
    return str(next(one["Id"] for one in values if one["StageName"] == "Prospecting"))


async def test_every_system_answers_and_every_history_fits(person: Person) -> None:
    assert (await person.json("systems", "check"))["ok"]
    replayed = await person.json("replay")
    assert replayed["failures"] == []
    assert sum(replayed["replayed"].values()) >= 1
    checks = (await person.json("doctor"))["checks"]
    assert [check for check in checks if not check["ok"]] == []


async def test_an_event_reaches_the_gateway_and_is_traced(person: Person) -> None:
    deal = await person.deal(state="not started")
    sent = await person.json("events", "send", "deal.signed", deal, "--id", f"walk/{deal}")
    assert sent["status"] == 202
    again = await person.json("events", "send", "deal.signed", deal, "--id", f"walk/{deal}")
    assert again["status"] in (200, 409), "409 when it was signed in the same second"
    async with asyncio.timeout(60):
        while (await person.fairlead("status", deal, "--json")).code == ExitCode.NOT_FOUND:
            pass
    kinds = [one["kind"] for one in (await person.json("trace", deal))["timeline"]]
    assert kinds[0] == "event"
