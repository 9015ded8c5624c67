"""Alerts in the store: one open for a condition whoever looks, kept when cleared, audited once."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain.alert_state import AlertChanges, AlertRule, Condition, Worth
from domain.money import Money
from domain.readiness import OwnerGroup
from store.ports import InboxRow, StoreError
from store.sql.engine import SqlStore

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
RULE = AlertRule.UNBILLED_WORK


def found(object: str = "P1", **changes: Any) -> Condition:
    made = Condition(
        rule=RULE, object=object, headline=f"Work of {object} is not billed", detail="2 entries",
        project=object, worth=Worth(values=(Money.of("800.00", "EUR"),)), since=NOON - 40 * DAY,
        owner=OwnerGroup.FINANCE_SYSTEMS, cure="bill it",
    )  # fmt: skip
    return made.with_changes(**changes)


async def look(store: SqlStore, *conditions: Condition, days: float = 0, rule: Any = RULE) -> AlertChanges:
    at = NOON + timedelta(days=days)
    return await store.alerts.keep(rule, conditions, at=at, escalate_after=7 * DAY)


async def story(store: SqlStore, id: str) -> list[str]:
    return [entry.outcome for entry in await store.audit.list(f"alert:{id}")]


async def test_a_condition_is_raised_once_and_moves_on(store: SqlStore) -> None:
    first = await look(store, found(), found("P2"))
    assert [alert.id for alert in first.raised] == ["unbilled_work/P1/1", "unbilled_work/P2/1"]
    more = found(worth=Worth(values=(Money.of("900.00", "EUR"),)), since=NOON - 39 * DAY)
    second = await look(store, more, found("P2"), days=1)
    assert (second.raised, second.cleared, second.escalated, second.standing) == ((), (), (), 2)
    alert = await store.alerts.get("unbilled_work/P1/1")
    assert alert is not None
    assert (str(alert.worth), alert.raised_at, alert.seen_at) == ("900.00 EUR", NOON, NOON + DAY)
    assert alert.since == NOON - 39 * DAY
    assert await story(store, alert.id) == ["raised"]


async def test_the_same_look_again_changes_nothing(store: SqlStore) -> None:
    first = await look(store, found())
    again = await look(store, found())
    assert (again.raised, again.standing) == ((), 1)
    assert await store.alerts.list() == list(first.raised)
    await look(store, days=1)
    before = await store.alerts.list(open_only=False)
    assert await look(store, days=1) == AlertChanges()
    assert await store.alerts.list(open_only=False) == before


async def test_healed_it_is_cleared_and_kept_and_comes_back_as_another(store: SqlStore) -> None:
    await look(store, found())
    cleared = (await look(store, days=1)).cleared
    assert [(alert.id, alert.cleared_at) for alert in cleared] == [("unbilled_work/P1/1", NOON + DAY)]
    assert await store.alerts.list() == []
    await look(store, found(), days=2)
    assert [alert.id for alert in await store.alerts.list(open_only=False)] == [
        "unbilled_work/P1/2",
        "unbilled_work/P1/1",
    ]
    assert await story(store, "unbilled_work/P1/1") == ["raised", "cleared"]
    assert await story(store, "unbilled_work/P1/2") == ["raised"]


async def test_it_escalates_once_in_each_limit(store: SqlStore) -> None:
    await look(store, found())
    for days, times in ((6, 0), (7, 1), (8, 0), (21, 1)):
        assert len((await look(store, found(), days=days)).escalated) == times
    alert = await store.alerts.get("unbilled_work/P1/1")
    assert alert is not None
    assert alert.escalations == 3
    assert await story(store, alert.id) == ["raised", "escalated", "escalated"]


async def test_a_late_look_changes_nothing(store: SqlStore) -> None:
    await look(store, found(), days=1)
    late = await look(store, found("P2"))
    assert late == AlertChanges(late=True)
    assert [alert.object for alert in await store.alerts.list()] == ["P1"]
    assert await store.alerts.looked() == {RULE: NOON + DAY}


async def test_rules_do_not_clear_each_other(store: SqlStore) -> None:
    await look(store, found())
    other = found(rule=AlertRule.LATE_APPROVAL)
    await look(store, other, rule=AlertRule.LATE_APPROVAL)
    await look(store, rule=AlertRule.LATE_APPROVAL, days=1)
    assert [alert.rule for alert in await store.alerts.list()] == [RULE]
    with pytest.raises(StoreError, match="cannot keep a condition of rule late_approval"):
        await look(store, other)
    with pytest.raises(StoreError, match="two conditions of P1"):
        await look(store, found(), found(), days=2)


async def test_racing_looks_raise_one(store_factory: Callable[..., SqlStore], tmp_path: Path) -> None:
    stores = [store_factory(tmp_path / "shared.db") for _ in range(2)]
    changes = await asyncio.gather(*(look(stores[number % 2], found(), found("P2")) for number in range(8)))
    assert sum(len(change.raised) for change in changes) == 2
    assert len(await stores[0].alerts.list(open_only=False)) == 2
    assert await story(stores[1], "unbilled_work/P1/1") == ["raised"]
    assert (await stores[0].audit.verify())[1] == []


async def test_the_database_refuses_a_second_open_alert(timed_store: SqlStore, raw: Any) -> None:
    await look(timed_store, found())
    copy = "INSERT INTO alerts SELECT 'x', rule, object, 9, owner, since, {}, body FROM alerts"
    with pytest.raises(IntegrityError, match=r"(?i)unique"), raw() as database:
        database.execute(text(copy.format("NULL")))
    with raw() as database:
        database.execute(text(copy.format("since")))


async def test_lists_filter_and_begin_with_what_lasts_longest(store: SqlStore) -> None:
    await look(store, found("new", since=NOON - DAY), found("old"))
    event = found("e", rule=AlertRule.STUCK_EVENT, owner=OwnerGroup.PLATFORM_ENGINEERING, since=NOON)
    await look(store, event, rule=AlertRule.STUCK_EVENT)
    alerts = store.alerts
    assert [one.object for one in await alerts.list()] == ["old", "new", "e"]
    assert [one.object for one in await alerts.list(limit=1)] == ["old"]
    assert [one.object for one in await alerts.list(owner="platform_engineering")] == ["e"]
    assert [one.object for one in await alerts.list(rule=RULE)] == ["old", "new"]
    await look(store, found("new"), days=1)
    assert [one.object for one in await alerts.list(open_only=False)] == ["new", "e", "old"]
    assert await alerts.get("nobody") is None


# -- what rules look at -------------------------------------------------------------------------------


async def test_open_events_are_of_all_projects_and_due(
    store: SqlStore, make_contract: Any, make_event: Any, make_invoice: Any
) -> None:
    billing = store.billing
    await billing.put_contract(make_contract())
    for occasion, due_on in (("M1", 20), ("M2", 21), ("M3", 22), ("M4", 10), ("M5", 11)):
        event = make_event(occasion, key=f"DE01-7K3QXW/1/{occasion}/1", due_on=date(2026, 2, due_on))
        await billing.add_event(event)
    other = make_event(project="US01-X", key="US01-X/1/M1/1", due_on=date(2026, 2, 1))
    await billing.add_event(other)
    await billing.void_event("DE01-7K3QXW/1/M4/1", reason="test")
    await billing.put_invoice(make_invoice())
    await billing.cover("invoice/acme/1", events=["DE01-7K3QXW/1/M5/1"])
    found = await store.alerts.open_events(date(2026, 2, 21))
    assert [event.key for event in found] == ["US01-X/1/M1/1", "DE01-7K3QXW/1/M1/1", "DE01-7K3QXW/1/M2/1"]


async def test_open_events_are_found_by_an_index(store_template: Path) -> None:
    query = "EXPLAIN QUERY PLAN SELECT * FROM billing_events WHERE due_on <= ? AND void IS 0 AND invoice = ''"
    with closing(sqlite3.connect(store_template)) as database:
        plan = database.execute(f"{query} ORDER BY due_on, key", ("2026-01-01",)).fetchall()
    assert "ix_billing_events_open" in plan[0][3]


async def test_quiet_invoices_and_processes(timed_store: SqlStore, clock: Any, make_invoice: Any) -> None:
    store = timed_store
    for id, stage in (("i1", "collected"), ("i2", "drafted"), ("i3", "discarded")):
        await store.billing.put_invoice(make_invoice(id, stage=stage))
        clock.forward(days=1)
    for key in ("activation/acme/1", "activation/acme/2", "activation/acme/3"):
        await store.processes.open(key, "activation", "run")
    await store.processes.open("billing/acme/1", "billing", "run")
    await store.processes.close("activation/acme/2", 1, "done")
    clock.forward(days=1)
    await store.processes.update("activation/acme/3", stage="creating")
    clock.forward(days=1)
    stages: Any = ("collected", "drafted")
    assert [row.id for row in await store.alerts.quiet_invoices(stages, clock.now)] == ["i1", "i2"]
    assert [row.id for row in await store.alerts.quiet_invoices(stages, NOON + DAY)] == ["i1"]
    quiet = await store.alerts.quiet_processes("activation", clock.now - DAY)
    assert [row.key for row in quiet] == ["activation/acme/1"]


async def test_stuck_events_are_grouped(store: SqlStore) -> None:
    async def put(number: int, state: Any, days: float, type: str = "milestone.accepted") -> None:
        row = InboxRow(
            id=f"kantata:{number}", source="kantata", event_id=str(number), type=type, subject="P1",
            version=NOON, body={}, received_at=NOON - timedelta(days=days),
        )  # fmt: skip
        await store.inbox.put(row)
        await store.inbox.mark(row.id, state, note=f"note {number}")

    for number, (state, days) in enumerate([("poison", 0), ("poison", 3), ("waiting", 2), ("waiting", 0)]):
        await put(number, state, days)
    await put(9, "applied", 9)
    await put(10, "waiting", 4, type="time.approved")
    groups = await store.alerts.stuck_events(NOON - DAY)
    assert [(one.type, one.state, one.count, one.note) for one in groups] == [
        ("milestone.accepted", "poison", 2, "note 1"),
        ("milestone.accepted", "waiting", 1, "note 2"),
        ("time.approved", "waiting", 1, "note 10"),
    ]
    assert groups[0].oldest == NOON - 3 * DAY
