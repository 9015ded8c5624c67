"""Events again, and events of our own: what the command line calls."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gateway.replay import replay_events
from gateway.sending import CannotSend, send_event
from store.sql.engine import SqlStore
from tests.unit.gateway.conftest import Running
from tests.unit.gateway.gateway_parts import (
    DEAL,
    NOW,
    SECRET,
    Clock,
    GatewayTestFirm,
    Section,
    decided,
    event,
    inbox_row,
    settings,
)


async def fill(store: SqlStore) -> None:
    """Three applied events an hour apart, and a decision on staffing."""
    for hour in range(3):
        at = NOW + timedelta(hours=hour)
        await store.inbox.put(inbox_row(event(id=f"evt-{hour}", at=at), at=at))
        await store.inbox.mark(f"crm:evt-{hour}", "applied")
    await store.inbox.put(inbox_row(decided(), at=NOW))


async def test_a_dry_run_changes_nothing(timed_store: SqlStore) -> None:
    await fill(timed_store)
    replay = await replay_events(timed_store, "deal.signed", NOW + timedelta(hours=1), dry_run=True)
    assert [row.event_id for row in replay.events] == ["evt-1", "evt-2"]
    assert (replay.replayed, replay.truncated) == (0, False)
    assert {row.state for row in await timed_store.inbox.list(type="deal.signed")} == {"applied"}


async def test_a_replay_is_dispatched_again_and_stays_one_effect(gateway: Running) -> None:
    await fill(gateway.store)
    gateway.clock.forward(timedelta(hours=3))
    replay = await replay_events(gateway.store, "deal.signed", None, dry_run=False)
    assert (len(replay.events), replay.replayed) == (3, 3)
    await gateway.parts.sweeper.sweep()
    states = {row.event_id: row.state for row in await gateway.store.inbox.list(type="deal.signed")}
    assert states == {"evt-0": "applied", "evt-1": "applied", "evt-2": "dispatched"}
    assert [start["workflow_id"] for start in gateway.temporal.starts] == [f"activation/acme/{DEAL}"]


async def test_a_replay_of_everything_takes_every_type(timed_store: SqlStore) -> None:
    await fill(timed_store)
    assert (await replay_events(timed_store, None, None, dry_run=False)).replayed == 4


async def test_a_type_is_known_by_the_catalogue_or_by_the_inbox(timed_store: SqlStore) -> None:
    assert (await replay_events(timed_store, "deal.signed", None, dry_run=False)).replayed == 0
    with pytest.raises(KeyError, match=r"deal\.signed"):
        await replay_events(timed_store, "deal.sgined", None, dry_run=False)
    await timed_store.inbox.put(inbox_row({**event(), "type": "deal.teleported"}))
    assert (await replay_events(timed_store, "deal.teleported", None, dry_run=False)).replayed == 1


async def test_a_time_without_offset_is_refused(timed_store: SqlStore) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        await replay_events(timed_store, None, NOW.replace(tzinfo=None), dry_run=True)


@pytest.fixture
def real_time(clock: Clock) -> Clock:
    """Sending stamps its signature with the real time, so the gateway must live in it."""
    clock.at = clock.at.now(clock.at.tzinfo)
    return clock


async def test_sending_is_received_and_a_repeat_is_a_duplicate(
    real_time: Clock, gateway: Running, tmp_path: Path
) -> None:
    transport = httpx.ASGITransport(app=gateway.app)
    version = real_time()
    sent = [
        await send_event(
            settings(tmp_path),
            GatewayTestFirm(),
            "deal.signed",
            DEAL,
            data={"org": "00DWX0000009zXyEAI"},
            version=version,
            transport=transport,
        )
        for _ in range(2)
    ]
    assert sent[0].status == 202
    assert sent[1].status in (200, 409), "409 when both were signed within one second"
    assert all(one.accepted for one in sent)
    assert sent[0].source == "crm"
    assert sent[1].event_id == sent[0].event_id
    row = await gateway.store.inbox.get(f"crm:{sent[0].event_id}")
    assert row is not None
    assert (row.subject, row.version) == (DEAL, version)


async def test_sending_by_the_generic_scheme(real_time: Clock, gateway: Running, tmp_path: Path) -> None:
    sent = await send_event(
        settings(tmp_path),
        GatewayTestFirm(),
        "staffing.decided",
        "REQ-7",
        source="staffing",
        data={"project": "DE01-7K3QXW", "decision": "approved"},
        transport=httpx.ASGITransport(app=gateway.app),
    )
    assert sent.status == 202
    assert await gateway.ids() == [f"staffing:{sent.event_id}"]


async def test_what_the_gateway_refuses_is_told(real_time: Clock, gateway: Running, tmp_path: Path) -> None:
    other = GatewayTestFirm(secrets={"env:CRM": "whsec_" + "QUJD" * 10})
    sent = await send_event(
        settings(tmp_path), other, "deal.signed", DEAL, transport=httpx.ASGITransport(app=gateway.app)
    )
    assert (sent.status, sent.accepted) == (401, False)
    assert sent.answer["title"] == "Unauthorized"


def _away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    ("type", "subject", "source", "said"),
    [
        ("deal.signed", "../etc", None, r"this is no deal\.signed: data\.deal"),
        ("staffing.decided", "REQ-1", "staffing", r"data\.project: Field required"),
        ("deal.signed", DEAL, "nobody", "no source 'nobody' is registered; there is broken, crm"),
        ("deal.signed", DEAL, "staffing", r"no registered source can sign deal\.signed"),
        ("deal.signed", DEAL, "salesforce", r"no registered source can sign deal\.signed"),
        ("deal.signed", DEAL, "broken", "env:MISSING is not set"),
        ("deal.signed", DEAL, None, "does not answer .ConnectError.; start it with `fairlead up`"),
    ],
)
async def test_what_cannot_be_sent_says_why(
    tmp_path: Path, type: str, subject: str, source: str | None, said: str
) -> None:
    with pytest.raises(CannotSend, match=said) as refused:
        await send_event(
            settings(tmp_path),
            GatewayTestFirm(),
            type,
            subject,
            source=source,
            transport=httpx.MockTransport(_away),
        )
    assert SECRET not in str(refused.value)


async def test_an_unknown_type_cannot_be_sent(tmp_path: Path) -> None:
    firm = GatewayTestFirm(webhooks={"crm": Section("standard-webhooks", "env:CRM")})
    with pytest.raises(KeyError, match=r"no event type 'deal\.won'"):
        await send_event(settings(tmp_path), firm, "deal.won", DEAL)
