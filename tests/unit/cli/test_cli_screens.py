"""What the screens say of a store that holds something: shape of the JSON, and words for people."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.events import moment
from cli.exit_codes import ExitCode, Stop
from cli.output import until
from domain.activation_process import ActivationResult, SystemRecord
from domain.attention import Action, AttentionItem
from domain.readiness import Finding, Gate, OwnerGroup
from store.ports import EffectIntent, InboxRow
from store.sql.engine import SqlStore
from store.sql.tables import AuditRecord
from tests.unit.cli.cli_runs import TOMAS, LocalFirm, words

DEAL = "0065g0000000001AAA"
PROCESS = f"activation/fairlead-demo/{DEAL}"
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
GATE = f"{PROCESS}/gate.legal_entity/1"


def red_gate(**changes: Any) -> AttentionItem:
    finding = Finding(
        gate=Gate.LEGAL_ENTITY,
        field="contract.billing_entity",
        rule="billing_entity.required",
        message="contract 00000111 names no billing entity",
    )
    item = AttentionItem(
        id=GATE,
        process=PROCESS,
        step="gate.legal_entity",
        headline="Gate legal entity is red",
        object=f"deal {DEAL} Polaris",
        amount="60,000.00 EUR",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        person=TOMAS,
        raised_at=NOW,
        due_at=NOW + timedelta(hours=24),
        actions=(Action.RETRY, Action.CORRECT, Action.SKIP),
        skip_role="controller",
        findings=(finding,),
    )
    return item.with_changes(**changes)


async def a_story(store: SqlStore) -> None:
    """One deal from its event to an active project, as the activities leave it in the store."""
    await store.inbox.put(
        InboxRow(
            id="salesforce:evt-1", source="salesforce", event_id="evt-1", type="deal.signed", subject=DEAL,
            version=NOW, body={}, received_at=NOW,
        )
    )  # fmt: skip
    await store.processes.open(PROCESS, "activation", "run-1", "Polaris")
    await store.processes.update(PROCESS, project="DE01-KLKOQC", stage="awaiting staffing")
    await store.audit.add(
        PROCESS, actor="fairlead", what="gates: all green", key="gates/1/before_creation/1", outcome="green"
    )
    key = f"{PROCESS}/psa.project/1"
    await store.effects.begin(
        EffectIntent(
            key=key, process=PROCESS, step="psa.project", system="kantata", noun="project", command_hash="h",
            actor="fairlead", summary="project in kantata",
        )
    )  # fmt: skip
    await store.effects.confirm(key, external_id="2", number="DE01-KLKOQC", url="http://psa.example/2")
    await store.audit.add(
        PROCESS,
        actor=TOMAS,
        what=f"decided: correct {GATE}",
        why="signed by DE01",
        key="decision/d1",
        outcome="claimed",
        after="contract.billing_entity = DE01",
    )


async def an_end(store: SqlStore) -> None:
    result = ActivationResult(
        state="active",
        deal=DEAL,
        project="DE01-KLKOQC",
        records=(SystemRecord(system="kantata", noun="project", external_id="2", number="DE01-KLKOQC"),),
    )
    await store.processes.close(PROCESS, 1, "done", result.model_dump_json())


@pytest.fixture
def told(firm: LocalFirm) -> LocalFirm:
    firm.with_store(a_story)
    return firm


def put(item: AttentionItem) -> Callable[[SqlStore], Any]:
    return lambda store: store.attention.put(item)


# -- exceptions -------------------------------------------------------------------------------------


def test_no_exception(firm: LocalFirm) -> None:
    assert firm.json("exceptions", "list") == {"count": 0, "exceptions": []}
    assert "Nothing waits for a person" in firm.fairlead("exceptions", "list").stdout


def test_exceptions_are_listed_by_due_time_and_owner(firm: LocalFirm) -> None:
    firm.with_store(put(red_gate()))
    earlier = red_gate(
        id=f"{PROCESS}/psa.project/1", step="psa.project", due_at=NOW, owner=OwnerGroup.PLATFORM_ENGINEERING
    )
    firm.with_store(put(earlier))
    firm.with_store(put(red_gate(id=f"{PROCESS}/read/1", state="resolved", resolution="done")))
    listed = firm.json("exceptions", "list")
    assert [one["id"] for one in listed["exceptions"]] == [earlier.id, GATE]
    assert firm.json("exceptions", "list", "--owner", "finance systems")["count"] == 1
    assert firm.json("exceptions", "list", "--all")["count"] == 3


def test_exception_is_shown_with_what_decides_it(firm: LocalFirm) -> None:
    firm.with_store(put(red_gate()))
    by_deal = firm.json("exceptions", "show", DEAL)
    assert by_deal == firm.json("exceptions", "show", GATE)
    assert by_deal["commands"][1] == (
        f"fairlead exceptions resolve {DEAL}/gate.legal_entity/1 "
        "--correct contract.billing_entity=VALUE --reason TEXT"
    )
    text = words(firm.fairlead("exceptions", "show", f"{DEAL}/gate.legal_entity/1").stdout)
    for said in ("names no billing entity", "60,000.00 EUR", "finance systems", TOMAS, "Skip by controller"):
        assert said in text


def test_a_deal_with_two_exceptions_is_ambiguous(firm: LocalFirm) -> None:
    firm.with_store(put(red_gate()))
    firm.with_store(put(red_gate(id=f"{PROCESS}/read/1", step="read")))
    result = firm.fairlead("exceptions", "show", DEAL)
    assert result.exit_code == ExitCode.USAGE
    assert f"{DEAL}/read/1" in words(result.stderr)


# -- trace, status, audit ---------------------------------------------------------------------------


def test_trace_is_one_ordered_timeline(told: LocalFirm) -> None:
    document = told.json("trace", DEAL)
    assert document == told.json("trace", "DE01-KLKOQC")
    assert document["correlation"] == PROCESS
    times = [one["at"] for one in document["timeline"]]
    assert times == sorted(times)
    kinds = [one["kind"] for one in document["timeline"]]
    assert {"event", "gates", "effect", "decision"} <= set(kinds)
    made = next(one for one in document["timeline"] if one["outcome"] == "confirmed")
    assert (made["system"], made["external_id"], made["number"]) == ("kantata", "2", "DE01-KLKOQC")
    assert made["url"] == "http://psa.example/2"
    assert made["key"] == f"{PROCESS}/psa.project/1"


def test_trace_for_people_names_ids_decisions_and_reasons(told: LocalFirm) -> None:
    text = words(told.fairlead("trace", DEAL).stdout)
    for said in (
        "deal.signed",
        "✓ project in kantata DE01-KLKOQC",
        "contract.billing_entity = DE01",
        "by " + TOMAS,
    ):
        assert said in text


def test_trace_of_nothing(firm: LocalFirm) -> None:
    assert firm.fairlead("trace", "DE01-NOTHING").exit_code == ExitCode.NOT_FOUND


def test_status_comes_from_the_store_when_temporal_is_away(told: LocalFirm) -> None:
    told.with_store(put(red_gate()))
    document = told.json("status")
    assert document["source"] == "store"
    assert [one["process"] for one in document["processes"]] == [PROCESS]
    assert document["processes"][0]["attention"] is True
    assert told.json("status", "--owner", "platform_engineering")["count"] == 0
    assert told.json("status", "--attention", "--kind", "activation")["count"] == 1
    assert told.json("status", "--stage", "active")["count"] == 0
    assert told.fairlead("status", "--owner", "nobody").exit_code == ExitCode.USAGE


def test_ended_activation_is_answered_from_the_store(told: LocalFirm) -> None:
    told.with_store(an_end)
    document = told.json("watch", DEAL)
    assert document["result"]["project"] == "DE01-KLKOQC"
    assert not document["open"]
    assert not document["waits_for_person"]
    readiness = told.json("readiness", "DE01-KLKOQC")
    assert readiness["source"] == "audit"
    assert [one["outcome"] for one in readiness["judgements"]] == ["green"]


def test_audit_is_whole_until_somebody_edits_it(told: LocalFirm) -> None:
    whole = told.json("audit", "verify", "all")
    assert whole["ok"]
    assert whole["entries"] == len(told.json("audit", "show", DEAL)["entries"])
    database = sqlite3.connect(told.home / "fairlead.db")
    with database:
        edited = database.execute(f"update {AuditRecord.__tablename__} set actor = 'x' where number = 2")  # noqa: S608
    assert edited.rowcount == 1
    database.close()
    result = told.fairlead("audit", "verify", DEAL, "--json")
    assert result.exit_code == ExitCode.CHECK_FAILED
    faults = told.json("audit", "verify")["faults"]
    assert [(fault["process"], fault["number"]) for fault in faults] == [(PROCESS, 2)]


# -- events -----------------------------------------------------------------------------------------


def test_events_are_listed_and_replayed(told: LocalFirm) -> None:
    assert [row["id"] for row in told.json("events", "list")["events"]] == ["salesforce:evt-1"]
    assert told.json("events", "list", "--state", "poison")["count"] == 0
    dry = told.json("events", "replay", "--type", "deal.signed", "--dry-run")
    assert (dry["replayed"], len(dry["events"])) == (0, 1)
    assert told.json("events", "replay", "--all")["replayed"] == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("list", "--state", "lost"), ExitCode.USAGE),
        (("list", "--since", "yesterday"), ExitCode.USAGE),
        (("list", "--since", "2026-11-23T06:00:00"), ExitCode.USAGE),
        (("replay",), ExitCode.USAGE),
        (("replay", "--type", "deal.lost"), ExitCode.NOT_FOUND),
        (("send", "deal.lost", DEAL), ExitCode.NOT_FOUND),
        (("send", "deal.signed", "no id"), ExitCode.REFUSED),
        (("send", "deal.signed", DEAL, "--source", "sap"), ExitCode.REFUSED),
        (("send", "deal.signed", DEAL, "--set", "version"), ExitCode.USAGE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_events_asked_for_wrongly(firm: LocalFirm, arguments: tuple[str, ...], code: ExitCode) -> None:
    assert firm.fairlead("events", *arguments).exit_code == code


def test_event_catalogue_holds_every_type_with_its_schema(firm: LocalFirm) -> None:
    text = firm.fairlead("events", "catalog").stdout
    document = firm.json("events", "catalog")
    for name in ("deal.signed", "deal.changed", "staffing.decided"):
        assert name in text
        assert name in str(document)
    assert firm.json("events", "catalog", "--asyncapi")["asyncapi"].startswith("3.")


def test_systems_are_listed_with_their_roles(firm: LocalFirm) -> None:
    systems = {one["system"]: one for one in firm.json("systems", "list")["systems"]}
    assert systems["salesforce"]["roles"] == ["crm"]
    assert systems["netsuite"]["max_in_flight"] == 4
    assert firm.fairlead("systems", "check", "sap").exit_code == ExitCode.NOT_FOUND


# -- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-23T06:00:00Z", NOW - timedelta(hours=2)),
        (None, None),
    ],
)
def test_since(text: str | None, expected: datetime | None) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "h", "2w", "-1h", "2026-11-23", "1234567h"])
def test_since_that_is_no_time(text: str) -> None:
    with pytest.raises(Stop, match="is no time"):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("left", "spoken"),
    [
        (timedelta(hours=23, minutes=59), "in 23 h"),
        (timedelta(days=3), "in 3 d"),
        (timedelta(minutes=5), "in 5 min"),
        (timedelta(seconds=20), "in 20 s"),
        (timedelta(hours=-2), "2 h overdue"),
    ],
)
def test_until(left: timedelta, spoken: str) -> None:
    assert until(NOW + left, NOW) == spoken
