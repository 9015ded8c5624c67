"""`fairlead alerts`: what is open and what was, whose, how much, how old, and what to do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.alert_screens import age
from cli.exit_codes import ExitCode
from domain.alert_state import AlertRule, Condition, Worth
from domain.money import Money
from domain.readiness import OwnerGroup
from store.sql.engine import SqlStore
from tests.unit.cli.cli_runs import LocalFirm, words

NOW = datetime.now(UTC)
PROJECT = "DE01-7K3QXW"
UNBILLED = f"unbilled_work/{PROJECT}/1"
STUCK = "stuck_event/kantata:milestone.accepted:poison/1"


def unbilled(**changes: Any) -> Condition:
    made = Condition(
        rule=AlertRule.UNBILLED_WORK, object=PROJECT, project=PROJECT, customer="Alpenglow AG",
        headline=f"Approved work of project {PROJECT} [Rollout] is not billed",
        detail="42 entries worked until 2026-02-07: 40 ready, 2 held", count=42,
        worth=Worth(values=(Money.of("1234.50", "EUR"),), hours="8"),
        since=NOW - timedelta(days=31, hours=1), owner=OwnerGroup.FINANCE_SYSTEMS, cure="bill it",
        command=f"fairlead bill {PROJECT}", person="fin@fairlead.example",
        escalates_to="cfo@fairlead.example",
    )  # fmt: skip
    return made.with_changes(**changes)


def stuck(**changes: Any) -> Condition:
    made = Condition(
        rule=AlertRule.STUCK_EVENT, object="kantata:milestone.accepted:poison", project=PROJECT,
        headline="3 events milestone.accepted of kantata cannot be applied", count=3,
        since=NOW - timedelta(hours=5), owner=OwnerGroup.DELIVERY_OPERATIONS, cure="cure the reason",
    )  # fmt: skip
    return made.with_changes(**changes)


async def look(store: SqlStore, rule: AlertRule, *found: Condition, days: float = 0) -> None:
    at = NOW + timedelta(days=days - 10)
    await store.alerts.keep(rule, found, at=at, escalate_after=timedelta(days=7))


@pytest.fixture
def alerted(firm: LocalFirm) -> LocalFirm:
    async def work(store: SqlStore) -> None:
        await look(store, AlertRule.UNBILLED_WORK, unbilled())
        await look(store, AlertRule.UNBILLED_WORK, unbilled(), days=8)
        await look(store, AlertRule.STUCK_EVENT, stuck())

    firm.with_store(work)
    return firm


def test_no_alert_and_nobody_looked(firm: LocalFirm) -> None:
    assert firm.json("alerts") == {"count": 0, "looked_at": {}, "alerts": []}
    shown = firm.fairlead("alerts")
    assert shown.exit_code == ExitCode.OK
    assert words(shown.stdout) == (
        "Nothing lasts too long. Nobody has looked yet: the worker looks every hour, or as often as [alerts]"
        " watch_every says."
    )


def test_alerts_are_listed_with_worth_age_owner_and_what_to_do(alerted: LocalFirm) -> None:
    shown = alerted.fairlead("alerts")
    assert shown.exit_code == ExitCode.WAITING
    text = words(shown.stdout)
    for said in (
        f"Approved work of project {PROJECT} [Rollout] is not billed",
        "What 42 entries worked until 2026-02-07: 40 ready, 2 held",
        "Worth 1,234.50 EUR, 8.00 h",
        "Age 31 d, since",
        "escalated 1 time to cfo@fairlead.example",
        "Owner finance systems · fin@fairlead.example",
        f"Do bill it fairlead bill {PROJECT}",
        f"Id {UNBILLED}",
        "Age 5 h, since",
        "As of ",
    ):
        assert said in text
    assert text.index(UNBILLED) < text.index(STUCK)


@pytest.mark.parametrize("group", [[], ["list"]])
def test_the_document_of_the_list(alerted: LocalFirm, group: list[str]) -> None:
    document = alerted.json("alerts", *group, "--rule", "unbilled-work")
    (alert,) = document["alerts"]
    assert (alert["id"], alert["amount"], alert["age_days"]) == (UNBILLED, "1,234.50 EUR, 8.00 h", 31)
    assert (alert["state"], alert["escalations"], alert["count"]) == ("open", 1, 42)
    assert alert["worth"]["values"] == [{"amount": "1234.50", "currency": "EUR"}]
    assert set(document["looked_at"]) == {"unbilled_work", "stuck_event"}


def test_filters_and_what_was_cleared(alerted: LocalFirm) -> None:
    def ids(*options: str) -> list[str]:
        return [alert["id"] for alert in alerted.json("alerts", *options)["alerts"]]

    assert ids("--owner", "delivery operations") == [STUCK]
    assert ids("--limit", "1") == [UNBILLED]
    alerted.with_store(lambda store: look(store, AlertRule.UNBILLED_WORK, days=9))
    assert ids() == [STUCK]
    assert ids("--all") == [STUCK, UNBILLED]
    shown = alerted.fairlead("alerts", "--all", "--rule", "unbilled_work")
    assert shown.exit_code == ExitCode.OK
    assert "is not billed cleared" in words(shown.stdout)
    assert "fairlead bill" not in shown.stdout
    assert "No alert fits these filters" in alerted.fairlead("alerts", "--owner", "finance_systems").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rule", "unbiled"], "There are unbilled_work, delayed_invoice, missed_event"),
        (["--owner", "sales"], "There are enterprise_architecture, finance_systems"),
        (["--limit", "0"], "greater than or equal to 1"),
    ],
)
def test_a_filter_that_is_none_names_those_there_are(firm: LocalFirm, options: list[str], said: str) -> None:
    refused = firm.fairlead("alerts", *options)
    assert refused.exit_code == ExitCode.USAGE
    assert said in words(refused.output)


@pytest.mark.parametrize("id", [UNBILLED, UNBILLED.removesuffix("/1")])
def test_one_alert_with_its_story(alerted: LocalFirm, id: str) -> None:
    document = alerted.json("alerts", "show", id)
    assert [entry["outcome"] for entry in document["story"]] == ["raised", "escalated"]
    assert document["alert"]["escalates_to"] == "cfo@fairlead.example"
    text = words(alerted.fairlead("alerts", "show", id).stdout)
    assert "Customer Alpenglow AG" in text
    assert "alert raised: Approved work" in text


def test_an_alert_by_its_project_when_it_is_the_only_one(alerted: LocalFirm) -> None:
    several = alerted.fairlead("alerts", "show", PROJECT)
    assert several.exit_code == ExitCode.USAGE
    assert "has 2 open alerts" in words(several.output)
    assert UNBILLED in several.output
    alerted.with_store(lambda store: look(store, AlertRule.STUCK_EVENT, days=1))
    assert alerted.json("alerts", "show", PROJECT)["alert"]["id"] == UNBILLED
    assert alerted.json("alerts", "show", STUCK)["alert"]["state"] == "cleared"
    assert alerted.fairlead("alerts", "show", "nobody").exit_code == ExitCode.NOT_FOUND


def test_the_group_explains_itself(firm: LocalFirm) -> None:
    shown = firm.fairlead("alerts", "--help")
    assert shown.exit_code == ExitCode.OK
    assert "list" in shown.stdout
    assert "show" in shown.stdout


@pytest.mark.parametrize(
    ("lasted", "said"), [(-5, "0 min"), (119, "119 min"), (120, "2 h"), (2879, "47 h"), (2880, "2 d")]
)
def test_an_age_in_words(lasted: int, said: str) -> None:
    assert age(timedelta(minutes=lasted)) == said
