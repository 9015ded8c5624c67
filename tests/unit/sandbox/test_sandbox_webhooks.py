"""Events out: who is told, how they are signed, delivered again, doubled, delayed and lost."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import httpx
import pytest
from defusedxml import ElementTree

from sandbox.core import clock
from tests.unit.sandbox.salesforce_org import Org

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
ACK = (
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><notificationsResponse'
    ' xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></Body></Envelope>'
)


class Receiver:
    """What arrived, and how to answer."""

    def __init__(self) -> None:
        self.got: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(204)

    async def deliver(self, org: Org) -> float | None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as client:
            return await org.world.webhooks.deliver_due(client)

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.got]


async def subscribe(org: Org, scheme: str = "standard-webhooks") -> None:
    body = {"system": "salesforce", "url": "http://hooks.test/{system}", "secret": SECRET, "scheme": scheme}
    answer = await org.client.post("/_control/webhooks", json=body)
    assert answer.status_code == 200, answer.text


async def unsigned(org: Org, count: int = 1) -> list[tuple[str, str]]:
    """Opportunities and contracts whose customer has not signed yet."""
    found = await org.rows("SELECT Id, ContractId FROM Opportunity WHERE IsWon = true ORDER BY Id")
    pairs = [(row["Id"], row["ContractId"]) for row in found][:count]
    for _, contract in pairs:
        await person(org, "Contract", contract, CustomerSignedDate=None)
    return pairs


async def person(org: Org, kind: str, record: str, **fields: Any) -> None:
    answer = await org.client.post(f"/_control/salesforce/{kind}/{record}", json=fields)
    assert answer.status_code == 200, answer.text


async def test_signing_the_contract_of_a_won_deal_tells_once(org: Org) -> None:
    await subscribe(org)
    ((deal, contract),) = await unsigned(org)
    await person(org, "Opportunity", deal, Name="Renamed")
    receiver = Receiver()
    await receiver.deliver(org)
    assert receiver.got == []
    for day in ("2026-11-20", "2026-11-21"):
        await person(org, "Contract", contract, CustomerSignedDate=day)
    await receiver.deliver(org)
    (request,) = receiver.got
    assert request.url == "http://hooks.test/salesforce"
    signed = (
        f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    )
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert f'"id":"{deal}"' in request.content.decode()
    assert '"type":"opportunity.signed"' in request.content.decode()


async def test_winning_a_deal_whose_contract_is_signed_tells(org: Org) -> None:
    await subscribe(org)
    deal = await org.opportunity()
    await person(org, "Opportunity", deal, StageName="Negotiation/Review")
    await org.call("PATCH", f"/sobjects/Opportunity/{deal}", {"StageName": "Closed Won"})
    receiver = Receiver()
    await receiver.deliver(org)
    assert len(receiver.got) == 1


async def test_an_outbound_message_is_sent_again_until_acknowledged(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(org, "salesforce-outbound-message")
    ((deal, contract),) = await unsigned(org)
    await person(org, "Contract", contract, CustomerSignedDate="2026-11-20")
    receiver = Receiver()
    receiver.answers = [httpx.Response(200, text="ok"), httpx.Response(200, text=ACK)]
    wait = await receiver.deliver(org)
    assert wait is not None
    assert wait > 0
    later = clock.now() + 60
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await receiver.deliver(org) is None
    assert len(receiver.got) == 2
    root = ElementTree.fromstring(receiver.got[0].content)
    organization = root.find(f".//{OUTBOUND}OrganizationId")
    assert organization is not None
    assert str(organization.text).startswith("00D")
    sobject = root.find(f".//{OUTBOUND}Notification/{OUTBOUND}sObject")
    assert sobject is not None
    assert deal in [element.text for element in sobject]
    events = (await org.client.get("/_webhooks")).json()["webhooks"]
    assert [(event["state"], event["attempts"]) for event in events] == [("delivered", 2)]


async def test_events_doubled_lost_and_late(org: Org) -> None:
    await subscribe(org)
    first, second, third = await unsigned(org, 3)

    async def sign(pair: tuple[str, str]) -> None:
        await person(org, "Contract", pair[1], CustomerSignedDate="2026-11-20")

    receiver = Receiver()
    await org.arm(kind="webhook_duplicate", count=1)
    await sign(first)
    await receiver.deliver(org)
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1

    await org.arm(kind="webhook_lost", count=1)
    await sign(second)
    assert await receiver.deliver(org) is None
    assert len(receiver.got) == 2

    await org.arm(kind="webhook_reorder", count=1, seconds=600)
    await sign(third)
    await receiver.deliver(org)
    assert len(receiver.got) == 2  # held until the next event is out
    await person(org, "Contract", second[1], CustomerSignedDate=None)
    await sign(second)
    await receiver.deliver(org)
    await receiver.deliver(org)
    bodies = [request.content.decode() for request in receiver.got[2:]]
    assert [third[0] in body for body in bodies] == [False, True]


async def test_events_of_a_refused_write_are_not_sent(org: Org) -> None:
    await subscribe(org)
    deal, contract = (await unsigned(org))[0]
    base = "/services/data/v66.0/sobjects"
    parts = [
        {"method": "PATCH", "url": f"{base}/Contract/{contract}", "referenceId": "a"}
        | {"body": {"CustomerSignedDate": "2026-11-20"}},
        {"method": "PATCH", "url": f"{base}/Opportunity/{deal}", "referenceId": "b", "body": {"Nome": "x"}},
    ]
    await org.call("POST", "/composite", {"allOrNone": True, "compositeRequest": parts})
    receiver = Receiver()
    await receiver.deliver(org)
    assert receiver.got == []


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://x", "secret": SECRET},
        {"url": "http://x", "secret": "no base 64!"},
        {"url": "http://x", "scheme": "morse"},
        {"url": "http://x", "system": "sap"},
        {"secret": SECRET},
        [],
    ],
)
async def test_bad_subscriptions(org: Org, body: Any) -> None:
    answer = await org.client.post("/_control/webhooks", json=body)
    assert answer.status_code == 400
    assert (await org.client.get("/_control/webhooks")).json()["subscriptions"] == []


async def test_subscriptions_outlive_a_restart_until_removed(tmp_path: Path) -> None:
    async def known(org: Org) -> list[str]:
        listed = (await org.client.get("/_control/webhooks")).json()["subscriptions"]
        return [target["url"] for target in listed]

    org = Org(tmp_path)
    await subscribe(org)
    await org.client.post("/_reset")
    await org.close()
    again = Org(tmp_path)
    assert await known(again) == ["http://hooks.test/{system}"]
    await again.client.delete("/_control/webhooks")
    await again.close()
    last = Org(tmp_path)
    assert await known(last) == []
    await last.close()
