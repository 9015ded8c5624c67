"""What the rules of alerts find in a store: whose, how much and since when; healed by what heals it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities import alert_facts
from activities.watch import WatchActivities
from domain.alert_state import Alert, AlertRule
from domain.attention import AttentionItem
from domain.billable import IntakeProblem
from domain.policy import EntityPolicy
from domain.readiness import OwnerGroup
from domain.watching import FailedLook, Looked, LookFor, Unchecked
from store.ports import InboxRow
from store.sql.engine import SqlStore
from tests.support.activation_firm import a_policy
from tests.support.watch_firm import (
    DAY,
    PROJECT,
    Prices,
    ServerClock,
    an_event,
    an_invoice,
    watched_contract,
    work,
)

NOW = datetime(2026, 5, 20, 22, 30, tzinfo=UTC)
"""Half past midnight of the 21st in Berlin."""
START = date(2026, 1, 10)


class Watching:
    """The activities over a real store, at a time that is set by hand."""

    def __init__(self, store: SqlStore, clock: ServerClock) -> None:
        berlin = EntityPolicy(
            code="DE01", name="Beratung GmbH", country="DE", currency="EUR", region="DE",
            time_zone="Europe/Berlin",
        )  # fmt: skip
        self.store, self.clock = store, clock
        file = Prices(a_policy("q").with_changes(entities=(berlin,)))
        self.activities = WatchActivities(store, file, file)

    async def look(self, rule: AlertRule) -> Looked:
        return await ActivityEnvironment().run(self.activities.look, LookFor(rule=rule, at=self.clock.now))

    async def found(self, rule: AlertRule) -> list[Alert]:
        await self.look(rule)
        return list(await self.store.alerts.list(rule=rule))


@pytest.fixture
async def watching(store_factory: Callable[..., SqlStore]) -> Watching:
    clock = ServerClock(NOW)
    watching = Watching(store_factory(clock=clock), clock)
    await watching.store.billing.put_contract(watched_contract(START))
    return watching


async def test_unbilled_work_of_many_pages_held_parked_and_of_others(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_facts, "_PAGE", 4)
    billing = watching.store.billing
    old = date(2026, 4, 20)
    await billing.take_in([work(f"t{number}", old - number * DAY, hours=1) for number in range(10)])
    await billing.take_in(
        [
            work("young", old + DAY), work("psa", old, line=3), work("cost", old, billable=False),
            work("held", old, hours=1), work("parked", old, hours=1),
            work("lost", old - DAY, project="US01-GONE", entity="US01"),
        ]
    )  # fmt: skip
    await billing.adjust("kantata:time:held", decision="d1", held=True, hold_reason="asks")
    await billing.adjust("kantata:time:parked", decision="d2", parked=True)
    mine, lost = await watching.found(AlertRule.UNBILLED_WORK)
    assert (mine.object, mine.count, str(mine.worth)) == (PROJECT, 12, "1,200.00 EUR")
    assert mine.detail == ("12 entries worked until 2026-04-20: 10 ready, 1 held, 1 parked above a cap")
    assert mine.since == datetime(2026, 4, 10, 22, tzinfo=UTC)
    assert (mine.customer, mine.person) == ("Alpenglow AG", "finance_systems@firm.example")
    assert (lost.object, str(lost.worth), lost.entity) == ("US01-GONE", "8.00 h", "US01")


async def test_the_delay_of_an_event_counts_in_days_of_the_entity(watching: Watching) -> None:
    billing = watching.store.billing
    for occasion, due_on in (("A", date(2026, 5, 17)), ("B", date(2026, 5, 18))):
        await billing.add_event(an_event(1, occasion, due_on))
    time = an_event(0, "2026-04", date(2026, 5, 1), kind="time", amount=None, service_to=date(2026, 4, 30))
    await billing.add_event(time)
    await billing.take_in(
        [work("a", date(2026, 4, 30)), work("b", date(2026, 5, 1)), work("c", START, line=3)]
    )
    found = await watching.found(AlertRule.DELAYED_INVOICE)
    assert [(one.object.split("/")[2], str(one.worth)) for one in found] == [
        ("2026-04", "800.00 EUR"),
        ("A", "30,000.00 EUR"),
    ]


async def test_an_invoice_on_its_way_is_worth_what_it_covers(watching: Watching) -> None:
    billing = watching.store.billing
    await billing.take_in([work("a", date(2026, 5, 10))])
    await billing.add_event(an_event(1, "1", date(2026, 5, 10)))
    row = an_invoice("invoice/acme/x", START, events=(f"{PROJECT}/1/1/1",))
    await billing.put_invoice(row)
    await billing.cover(row.id, entries=["kantata:time:a"], events=row.events)
    assert await watching.found(AlertRule.DELAYED_INVOICE) == []
    watching.clock.now += timedelta(days=3, hours=1)
    (found,) = await watching.found(AlertRule.DELAYED_INVOICE)
    assert (found.object, str(found.worth), found.since) == (row.id, "30,800.00 EUR", NOW)
    await billing.put_invoice(row.with_changes(stage="discarded"))
    await billing.release(row.id)
    await billing.void_event(f"{PROJECT}/1/1/1", reason="test")
    assert await watching.found(AlertRule.DELAYED_INVOICE) == []


async def test_missed_events_end_with_the_projects_billing(watching: Watching) -> None:
    found = await watching.found(AlertRule.MISSED_EVENT)
    assert [one.object for one in found] == [
        f"{PROJECT}/0/2026-01/1", f"{PROJECT}/1/1/1"
    ]  # fmt: skip
    key = f"billing/acme/{PROJECT}"
    await watching.store.processes.open(key, "billing", "run")
    assert len(await watching.found(AlertRule.MISSED_EVENT)) == 2
    await watching.store.processes.close(key, 1, "done")
    assert await watching.found(AlertRule.MISSED_EVENT) == []


async def test_projects_are_looked_at_page_by_page_and_a_bad_one_stops_nobody(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_facts, "_PROJECTS", 2)
    for number in range(4):
        await watching.store.billing.put_contract(watched_contract(START, project=f"P{number}"))
    bad = watched_contract(START, project="P1")
    lines = (bad.lines[0].with_changes(billing_method="subscription"),)
    await watching.store.billing.put_contract(bad.with_changes(revision=2, lines=lines))
    found = await watching.found(AlertRule.MISSED_EVENT)
    assert {one.project for one in found} == {PROJECT, "P0", "P1", "P2", "P3"}
    (told,) = [one for one in found if one.project == "P1"]
    assert (told.object, told.since) == ("P1", NOW)
    assert "cannot be told" in told.headline


async def test_late_approvals_are_told_for_a_week(watching: Watching) -> None:
    approved = datetime(2026, 5, 20, 9, tzinfo=UTC)
    late = {"approved_at": approved}
    await watching.store.billing.take_in(
        [
            work("a", date(2026, 5, 10), **late), work("b", date(2026, 5, 14), hours=2, **late),
            work("c", date(2026, 5, 15), **late), work("d", date(2026, 5, 1), billable=False, **late),
        ]
    )  # fmt: skip
    (found,) = await watching.found(AlertRule.LATE_APPROVAL)
    assert (found.count, str(found.worth), found.since) == (3, "1,000.00 EUR", approved)
    assert "the worst, of 2026-05-01, after 19" in found.detail
    watching.clock.now += 8 * DAY
    assert await watching.found(AlertRule.LATE_APPROVAL) == []


async def test_refused_work_heals_when_it_comes_in(watching: Watching) -> None:
    problem = IntakeProblem(
        key="kantata:time:a", field="task", rule="task.closed", problem="task 2 is closed",
        owner="delivery_operations", project=PROJECT, amount="8.00 h", external_id="a",
        found_at=NOW - 3 * DAY,
    )  # fmt: skip
    await watching.store.billing.refuse([problem])
    (found,) = await watching.found(AlertRule.REFUSED_WORK)
    assert (str(found.worth), found.person) == ("8.00 h", "delivery_operations@firm.example")
    await watching.store.billing.take_in([work("a", date(2026, 5, 18))])
    assert await watching.found(AlertRule.REFUSED_WORK) == []


async def test_a_stalled_activation_names_what_it_waits_for(watching: Watching) -> None:
    key, store = "activation/acme/006A", watching.store
    await store.processes.open(key, "activation", "run", "Alpenglow")
    await store.processes.update(key, stage="gates before creation")
    watching.clock.now += timedelta(days=3, hours=1)
    (found,) = await watching.found(AlertRule.STALLED_ACTIVATION)
    assert (found.owner.value, found.object, found.since) == ("delivery_operations", key, NOW)
    item = AttentionItem(
        id=f"{key}/gate.tax_rules/1", process=key, step="gate.tax_rules", headline="Gate tax rules is red",
        owner=OwnerGroup.FINANCE_SYSTEMS, raised_at=NOW, due_at=NOW,
    )  # fmt: skip
    await store.attention.put(item)
    (found,) = await watching.found(AlertRule.STALLED_ACTIVATION)
    assert (found.owner.value, found.number) == ("finance_systems", 1)
    assert "it waits: Gate tax rules is red" in found.detail
    await store.processes.update(key, stage="creating")
    assert await watching.found(AlertRule.STALLED_ACTIVATION) == []


async def test_stuck_events_belong_to_the_owner_of_their_type(watching: Watching) -> None:
    for number, type in enumerate(("milestone.accepted", "nobody.knows")):
        row = InboxRow(
            id=f"x:{number}", source="x", event_id=str(number), type=type, subject=PROJECT, version=NOW,
            body={}, received_at=NOW,
        )  # fmt: skip
        await watching.store.inbox.put(row)
        await watching.store.inbox.mark(row.id, "poison", note="no project")
    found = {one.object: one for one in await watching.found(AlertRule.STUCK_EVENT)}
    assert found["x:nobody.knows:poison"].owner is OwnerGroup.ENTERPRISE_ARCHITECTURE
    assert found["x:milestone.accepted:poison"].owner is OwnerGroup.DELIVERY_OPERATIONS
    assert found["x:milestone.accepted:poison"].detail.endswith(": no project")


async def test_each_change_is_one_line_of_the_log_without_people(watching: Watching) -> None:
    await watching.store.billing.take_in([work("a", START)])
    with capture_logs() as logs:
        for _ in range(2):
            await watching.look(AlertRule.UNBILLED_WORK)
        watching.clock.now += 8 * DAY
        await watching.look(AlertRule.UNBILLED_WORK)
        await watching.store.billing.put_invoice(an_invoice("invoice/acme/1", START))
        await watching.store.billing.cover("invoice/acme/1", entries=["kantata:time:a"])
        await watching.look(AlertRule.UNBILLED_WORK)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("alert_raised", "warning"), ("alert_escalated", "warning"), ("alert_cleared", "info"),
    ]  # fmt: skip
    assert logs[0]["alert"] == f"unbilled_work/{PROJECT}/1"
    assert logs[0]["amount"] == "800.00 EUR"
    assert "@" not in str(logs)


async def test_a_rule_that_could_not_be_looked_at_is_an_alert_of_its_own(watching: Watching) -> None:
    async def tell(*failed: FailedLook) -> Looked:
        return await ActivityEnvironment().run(
            watching.activities.unchecked, Unchecked(failed=failed, at=watching.clock.now)
        )

    assert (await tell(FailedLook(rule=AlertRule.MISSED_EVENT, problem="disk full"))).raised == 1
    (alert,) = await watching.store.alerts.list()
    assert (alert.headline, alert.since) == ('The alerts "missed event" are not up to date', NOW)
    watching.clock.now += DAY
    assert (await tell()).cleared == 1
