"""Salesforce outbound messages: read, checked, kept per notification, acknowledged, and hardened."""

import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
import structlog

from gateway import outbound_message as messages
from gateway.outbound_message import BadMessage
from store.ports import StoreError
from tests.unit.gateway.conftest import Running
from tests.unit.gateway.gateway_parts import DEAL, NOW, ORG, PATH_SECRET, notification, outbound_message

ADDRESS = "/hooks/salesforce/" + quote(PATH_SECRET, safe="")
IDS = [f"04lWX000000{number:04}YAA" for number in range(150)]


async def post(gateway: Running, body: bytes, address: str = ADDRESS) -> httpx.Response:
    headers = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
    return await gateway.http.post(address, content=body, headers=headers)


def acknowledged(response: httpx.Response) -> None:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/xml")
    ack = ElementTree.fromstring(response.content).find(  # noqa: S314 - our own answer
        "{http://schemas.xmlsoap.org/soap/envelope/}Body"
        "/{http://soap.sforce.com/2005/09/outbound}notificationsResponse"
        "/{http://soap.sforce.com/2005/09/outbound}Ack"
    )
    assert ack is not None
    assert ack.text == "true"


async def test_a_notification_becomes_a_candidate_for_activation(gateway: Running) -> None:
    stamp = "2026-11-23T11:30:00.000Z"
    acknowledged(await post(gateway, outbound_message(notification(IDS[0], SystemModstamp=stamp))))
    await gateway.dispatched()
    row = await gateway.store.inbox.get(f"salesforce:{IDS[0]}")
    assert row is not None
    assert (row.type, row.subject, row.state) == ("deal.signed", DEAL, "dispatched")
    assert row.version == NOW - timedelta(minutes=30)
    assert row.body["data"]["org"] == ORG
    assert [start["workflow_id"] for start in gateway.temporal.starts] == [f"activation/acme/{DEAL}"]


async def test_a_batch_of_a_hundred_with_repeats_and_out_of_order(gateway: Running) -> None:
    stamps = [f"2026-11-23T10:{59 - number:02}:00.000Z" for number in range(50)]
    once = [notification(IDS[number], SystemModstamp=stamps[number]) for number in range(50)]
    acknowledged(await post(gateway, outbound_message(*once, *once)))
    assert len(await gateway.ids()) == 50
    acknowledged(await post(gateway, outbound_message(*once)))
    assert len(await gateway.ids()) == 50
    await gateway.dispatched()
    assert len({start["workflow_id"] for start in gateway.temporal.starts}) == 1


async def test_without_a_stamp_the_time_of_arrival_is_the_version(gateway: Running) -> None:
    bodies = [notification(IDS[1]), notification(IDS[2], SystemModstamp="2099-01-01T00:00:00Z")]
    acknowledged(await post(gateway, outbound_message(*bodies)))
    rows = await gateway.store.inbox.list()
    assert [row.version for row in rows] == [NOW, NOW]


async def test_an_object_nobody_reads_goes_to_a_person_and_is_acknowledged(gateway: Running) -> None:
    acknowledged(await post(gateway, outbound_message(notification(IDS[3], kind="Case"))))
    await gateway.dispatched()
    row = await gateway.store.inbox.get(f"salesforce:{IDS[3]}")
    assert row is not None
    assert (row.type, row.state) == ("salesforce.Case", "poison")


async def test_a_session_id_is_never_kept_or_logged(gateway: Running) -> None:
    body = outbound_message(notification(IDS[4])).replace(
        b'<SessionId xsi:nil="true"/>', b"<SessionId>SESSION-CANARY</SessionId>"
    )
    with structlog.testing.capture_logs() as logs:
        acknowledged(await post(gateway, body))
    row = await gateway.store.inbox.get(f"salesforce:{IDS[4]}")
    assert row is not None
    assert "CANARY" not in f"{row}{logs}"


@pytest.mark.parametrize(
    "address", ["/hooks/salesforce", "/hooks/salesforce/", "/hooks/salesforce/guess", ADDRESS + "x"]
)
async def test_without_the_secret_address_nothing_is_kept(gateway: Running, address: str) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await post(gateway, outbound_message(notification(IDS[5])), address)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert b"Ack" not in response.content
    assert PATH_SECRET not in f"{response.text}{logs}"
    assert await gateway.ids() == []


async def test_another_organization_is_refused(gateway: Running) -> None:
    foreign = outbound_message(notification(IDS[6]), organization="00DWX0000000000EAA")
    response = await post(gateway, foreign)
    assert response.status_code == 401
    assert await gateway.ids() == []


async def test_what_could_not_be_kept_is_not_acknowledged(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, count = gateway.store.inbox.put, 0

    async def fails_midway(row: object) -> bool:
        nonlocal count
        count += 1
        if count == 3:
            raise StoreError("the store is locked")
        return await put(row)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway.store.inbox, "put", fails_midway)
    batch = outbound_message(*(notification(id) for id in IDS[10:15]))
    assert (await post(gateway, batch)).status_code == 503
    acknowledged(await post(gateway, batch))
    assert len(await gateway.ids()) == 5


DTD = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
BOMB = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def _with(doctype: bytes) -> bytes:
    return outbound_message(notification(IDS[7])).replace(
        b"<soapenv:Envelope", doctype + b"<soapenv:Envelope", 1
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not XML"),
        (b"{}", "not XML"),
        (b"\x00\xff\xfe", "not XML"),
        (b"<a>" * 20_000, "not XML"),
        (b"<a>" * 20_000 + b"</a>" * 20_000, "not a SOAP 1.1 envelope"),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", "not XML"),
        (b"<notifications/>", "not a SOAP 1.1 envelope"),
        (_with(DTD), "DTD"),
        (_with(BOMB), "DTD"),
        (outbound_message(), "1 to 100 notifications, not 0"),
        (outbound_message(*map(notification, IDS[:101])), "1 to 100 notifications, not 101"),
        (outbound_message(notification("04l")), "notification's Id"),
        (outbound_message(notification("04lWX0000000001'; DROP")), "notification's Id"),
        (outbound_message(notification(IDS[0], record="../../006")), "sObject's Id"),
        (outbound_message(notification(IDS[0], kind="Opp or tunity")), "name its type"),
        (outbound_message("<Notification><Id>04lWX0000000001</Id></Notification>"), "has no sObject"),
    ],
)
async def test_what_is_no_outbound_message_is_refused(gateway: Running, body: bytes, said: str) -> None:
    with pytest.raises(BadMessage, match=said):
        messages.read(body)
    response = await post(gateway, body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert await gateway.ids() == []
