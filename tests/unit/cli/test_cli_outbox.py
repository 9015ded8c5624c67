"""`fairlead events outbox` and `resend`, and the exception of a subscriber that does not take its events."""

from datetime import timedelta

import pytest

from cli.exit_codes import ExitCode
from domain.outbound import OutboxNote
from gateway.outbox_exceptions import Undelivered
from gateway.outbox_subscribers import Receiver, receivers
from store.sql.engine import SqlStore
from tests.unit.cli.cli_runs import CONTROLLER, TOMAS, LocalFirm, words

SECTION = """
[subscribers.staffing]
url = "https://staffing.example.com/events"
types = ["demand.published"]
secret = "env:FAIRLEAD_WEBHOOK_SECRET"
owner = "delivery_operations"

[subscribers.lake]
url = "https://lake.example.com/events"
types = ["invoice.posted"]
secret = "env:FAIRLEAD_WEBHOOK_SECRET"
"""


def a_note(type: str = "demand.published", key: str = "k1") -> OutboxNote:
    return OutboxNote(type=type, key=key, subject="REQ-1", data={"project": "DE01-7K3QXW"})


@pytest.fixture
def telling(firm: LocalFirm) -> LocalFirm:
    """One event on its way to staffing, given up; one that is meant for nobody."""
    (file,) = firm.home.rglob("fairlead.toml")
    file.write_text(file.read_text(encoding="utf-8") + SECTION, encoding="utf-8")

    async def fill(store: SqlStore) -> None:
        await store.processes.open("activation/x/1", "activation", "run")
        notes = (a_note(), a_note("project.activated"))
        await store.processes.close("activation/x/1", 1, "done", tells=notes)
        await store.outbox.route({"staffing": ["demand.published"]})
        (one,) = await store.outbox.claim("staffing", by="a", lease=timedelta(minutes=1), limit=8)
        await Undelivered(store).raise_for(
            _receiver(), one.event, "poison", "answered 500", one.delivery.since
        )
        await store.outbox.fail(one.event.sequence, "staffing", "poison", by="a", note="answered 500")

    firm.with_store(fill)
    return firm


def _receiver() -> Receiver:
    from types import SimpleNamespace
    from typing import Any, cast

    section = SimpleNamespace(
        url="https://staffing.example.com/events",
        types=("demand.published",),
        secret="env:X",
        next_secret=None,
        timeout=timedelta(seconds=1),
        owner="delivery_operations",
    )
    firm: Any = SimpleNamespace(id="x", subscribers={"staffing": section}, secret=str)
    return receivers(cast(Any, firm))[0]


def test_the_outbox_says_who_has_what(telling: LocalFirm) -> None:
    document = telling.json("events", "outbox")
    assert document["count"] == 2
    by_type = {row["type"]: row for row in document["events"]}
    (delivery,) = by_type["demand.published"]["deliveries"]
    assert (delivery["subscriber"], delivery["state"], delivery["attempts"]) == ("staffing", "poison", 1)
    assert by_type["project.activated"]["deliveries"] == []
    shown = words(telling.fairlead("events", "outbox").stdout)
    assert "nobody subscribes to it" in shown
    assert "answered 500, after 1" in shown
    assert a_note().id in shown


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--state", "poison"], 1),
        (["--state", "acknowledged"], 0),
        (["--type", "project.activated"], 1),
        (["--since", "1h", "--limit", "1"], 1),
        (["--since", "2126-01-01T00:00:00Z"], 0),
    ],
)
def test_the_outbox_is_narrowed_by_state_type_and_time(
    telling: LocalFirm, options: list[str], count: int
) -> None:
    assert telling.json("events", "outbox", *options)["count"] == count


def test_a_state_there_is_not_is_a_mistake_of_use(telling: LocalFirm) -> None:
    result = telling.fairlead("events", "outbox", "--state", "sent")
    assert result.exit_code == ExitCode.USAGE
    assert "waiting, acknowledged, paused, poison" in words(result.stderr)


def test_an_event_is_sent_again_to_all_or_to_one(telling: LocalFirm) -> None:
    again = telling.json("events", "resend", a_note().id, "--as", TOMAS)
    assert again == {"event": a_note().id, "to": ["staffing"]}
    assert telling.json("events", "resend", a_note().id, "--to", "lake", "--as", TOMAS)["to"] == ["lake"]
    (row,) = telling.json("events", "outbox", "--type", "demand.published")["events"]
    assert [(one["subscriber"], one["state"]) for one in row["deliveries"]] == [
        ("lake", "waiting"),
        ("staffing", "waiting"),
    ]
    entries = telling.with_store(lambda store: store.audit.list("activation/x/1"))
    assert [entry.actor for entry in entries if "sent again" in entry.what] == [TOMAS, TOMAS]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["fl-unknown", "--as", TOMAS], ExitCode.NOT_FOUND, "fairlead events outbox"),
        ([a_note().id, "--to", "nobody", "--as", TOMAS], ExitCode.NOT_FOUND, "lake, staffing"),
        ([a_note("project.activated").id, "--as", TOMAS], ExitCode.REFUSED, "--to"),
        ([a_note().id, "--as", CONTROLLER], ExitCode.REFUSED, "operator"),
        ([a_note().id], ExitCode.USAGE, "--as EMAIL"),
    ],
)
def test_what_cannot_be_sent_again_is_said_with_its_cure(
    telling: LocalFirm, arguments: list[str], code: ExitCode, said: str
) -> None:
    result = telling.fairlead("events", "resend", *arguments)
    assert result.exit_code == code
    assert said in words(result.stderr)


def test_the_exception_of_a_subscriber_is_cured_by_a_retry(telling: LocalFirm) -> None:
    (item,) = telling.json("exceptions", "list")["exceptions"]
    assert "fairlead exceptions resolve outbox/staffing/deliver/1 --retry" in item["detail"]
    told = telling.json("exceptions", "resolve", item["id"], "--retry", "--as", TOMAS)
    assert told == {"subscriber": "staffing", "events": 1}
    assert telling.json("events", "outbox", "--state", "waiting")["count"] == 1


def test_the_catalogue_lists_what_is_told(telling: LocalFirm) -> None:
    assert "demand.published v1" in words(telling.fairlead("events", "catalog").stdout)
    assert {"demand.published", "invoice.posted"} <= {
        kind["name"] for kind in telling.json("events", "catalog")["published"]
    }
