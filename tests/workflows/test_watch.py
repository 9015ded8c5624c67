"""The watch over alert rules in skipped time: one alert for a condition, moved on, cleared, raised anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from domain.alert_state import AlertRule
from domain.policy import AlertThresholds
from domain.watching import WatchTick
from runtime.schedules import keep_watch, watch_id
from tests.support.watch_firm import (
    DAY,
    PROJECT,
    ServerClock,
    WatchFirm,
    an_event,
    an_invoice,
    eur,
    running_watch,
    watch_worker,
    watched_contract,
    work,
)

UNBILLED, DELAYED, MISSED = AlertRule.UNBILLED_WORK, AlertRule.DELAYED_INVOICE, AlertRule.MISSED_EVENT


class Time:
    """The server's time, which is the store's too."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env
        self.clock = ServerClock()

    async def forward(self, days: float = 0) -> None:
        if days:
            await self._env.sleep(timedelta(days=days))
        self.clock.now = await self._env.get_current_time()


@pytest.fixture
async def time(time_skipping: WorkflowEnvironment) -> Time:
    time = Time(time_skipping)
    await time.forward()
    return time


@pytest.fixture
async def firm(
    time_skipping: WorkflowEnvironment, time: Time, store_factory: Callable[..., Any]
) -> AsyncIterator[WatchFirm]:
    store = store_factory(clock=time.clock)
    async with running_watch(time_skipping.client, store) as firm:
        await store.billing.put_contract(watched_contract(time.clock.now.date()))
        yield firm


async def test_unbilled_work_is_one_alert_that_moves_clears_and_comes_back(
    firm: WatchFirm, time: Time
) -> None:
    today, billing = time.clock.now.date(), firm.store.billing
    await billing.take_in([work("a", today), work("b", today + 3 * DAY, hours=2), work("c", today, line=3)])
    await time.forward(30)
    await firm.watch()
    assert await firm.alerts(UNBILLED) == []

    await time.forward(1)
    result = await firm.watch()
    (alert,) = await firm.alerts(UNBILLED)
    assert (alert.id, str(alert.worth)) == (f"unbilled_work/{PROJECT}/1", "800.00 EUR")
    assert (alert.count, alert.age(alert.seen_at).days) == (1, 31)
    assert next(look for look in result.looks if look.rule is UNBILLED).raised == 1

    for _ in range(4):
        await time.forward(1)
        await firm.watch()
    (later,) = await firm.alerts(UNBILLED)
    assert (later.id, later.raised_at) == (alert.id, alert.raised_at)
    assert (str(later.worth), later.count, later.escalations) == ("1,000.00 EUR", 2, 0)
    assert later.age(later.seen_at).days == 35

    await time.forward(3)
    await firm.watch()
    (escalated,) = await firm.alerts(UNBILLED)
    assert (escalated.escalations, escalated.escalates_to) == (1, "head-of-finance_systems@firm.example")

    await billing.put_invoice(an_invoice("invoice/acme/1", today))
    await billing.cover("invoice/acme/1", entries=["kantata:time:a", "kantata:time:b"])
    await firm.watch()
    assert await firm.alerts(UNBILLED) == []
    await billing.release("invoice/acme/1")
    await time.forward(1)
    await firm.watch()
    again, first = await firm.alerts(UNBILLED, open_only=False)
    assert (again.number, again.cleared_at, again.escalations) == (2, None, 0)
    assert (first.number, first.id, first.cleared_at is not None) == (1, alert.id, True)
    told = [entry.outcome for entry in await firm.store.audit.list(f"alert:{alert.id}")]
    assert told == ["raised", "escalated", "cleared"]


async def test_a_milestone_not_accepted_then_not_invoiced(firm: WatchFirm, time: Time) -> None:
    start = time.clock.now.date()
    cycle = an_event(0, f"{start:%Y-%m}", start + DAY, kind="time", amount=None)
    await firm.store.billing.add_event(cycle)
    await firm.store.billing.void_event(cycle.key, reason="nothing was worked")
    await time.forward(62)
    await firm.watch()
    assert await firm.alerts(MISSED) == []
    await time.forward(1)
    await firm.watch()
    (missed,) = await firm.alerts(MISSED)
    assert (missed.object, missed.worth.values, missed.owner.value) == (
        f"{PROJECT}/1/1/1", (eur(30000),), "delivery_operations",
    )  # fmt: skip

    await firm.store.billing.add_event(an_event(1, "1", start + 63 * DAY))
    await firm.watch()
    assert await firm.alerts(MISSED) == []
    await time.forward(3)
    await firm.watch()
    assert await firm.alerts(DELAYED) == []
    await time.forward(1)
    await firm.watch()
    (delayed,) = await firm.alerts(DELAYED)
    assert (delayed.object, str(delayed.worth)) == (f"{PROJECT}/1/1/1", "30,000.00 EUR")

    invoice = an_invoice("invoice/acme/2", start, events=(f"{PROJECT}/1/1/1",))
    await firm.store.billing.put_invoice(invoice)
    await firm.store.billing.cover(invoice.id, events=invoice.events)
    await firm.watch()
    assert await firm.alerts(DELAYED) == []
    await time.forward(4)
    await firm.watch()
    (standing,) = await firm.alerts(DELAYED)
    assert (standing.object, str(standing.worth)) == (invoice.id, "30,000.00 EUR")
    assert standing.command == f"fairlead prebill show {invoice.id}"


async def test_another_worker_changes_nothing(
    time_skipping: WorkflowEnvironment, time: Time, store_factory: Callable[..., Any]
) -> None:
    store = store_factory(clock=time.clock)
    await store.billing.put_contract(watched_contract(time.clock.now.date()))
    await store.billing.take_in([work("a", time.clock.now.date())])
    async with running_watch(time_skipping.client, store) as firm:
        await time.forward(40)
        await firm.watch()
        before = await store.alerts.list()
    async with watch_worker(firm):
        result = await firm.watch()
    after = await store.alerts.list()
    assert [alert.id for alert in before] == [alert.id for alert in after]
    assert [alert.raised_at for alert in before] == [alert.raised_at for alert in after]
    assert (sum(look.raised for look in result.looks), sum(look.cleared for look in result.looks)) == (0, 0)


async def test_a_rule_that_cannot_be_looked_at_keeps_its_alerts_and_is_told(
    firm: WatchFirm, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await firm.store.billing.take_in([work("a", time.clock.now.date())])
    await time.forward(40)
    await firm.watch()
    looked_at = (await firm.store.alerts.looked())[UNBILLED]

    async def broken(*_: Any) -> None:
        raise RuntimeError("the index is gone")

    with monkeypatch.context() as patched:
        patched.setattr(firm.store.billing, "unbilled", broken)
        await time.forward(1)
        result = await firm.watch()
    assert [one.rule for one in result.failed] == [UNBILLED]
    assert len(await firm.alerts(UNBILLED)) == 1
    (told,) = await firm.alerts(AlertRule.UNCHECKED_RULE)
    assert (told.object, told.detail, told.since) == (
        "unbilled_work",
        "RuntimeError: the index is gone",
        looked_at,
    )
    assert told.owner.value == "platform_engineering"
    (missed,) = await firm.alerts(MISSED)
    assert (missed.seen_at > looked_at, str(missed.worth)) == (True, "800.00 EUR")
    await firm.watch()
    assert await firm.alerts(AlertRule.UNCHECKED_RULE) == []


async def test_thresholds_are_those_of_the_firms_file(
    time_skipping: WorkflowEnvironment, time: Time, store_factory: Callable[..., Any]
) -> None:
    store = store_factory(clock=time.clock)
    await store.billing.put_contract(watched_contract(time.clock.now.date()))
    await store.billing.take_in([work("a", time.clock.now.date())])
    await time.forward(6)
    async with running_watch(time_skipping.client, store, alerts=AlertThresholds(unbilled_days=5)) as firm:
        await firm.watch([UNBILLED])
        assert len(await firm.alerts(UNBILLED)) == 1


async def test_a_schedule_starts_it_and_goes_when_it_is_not_wanted(
    temporal_env: WorkflowEnvironment, store: Any
) -> None:
    client = temporal_env.client
    async with running_watch(client, store) as firm:
        tick = WatchTick(firm=firm.queue)
        handle = client.get_schedule_handle(watch_id(firm.queue))
        for hours in (2, 1):
            await keep_watch(client, firm.queue, tick, timedelta(hours=hours))
        schedule = (await handle.describe()).schedule
        assert schedule.spec.intervals[0].every == timedelta(hours=1)
        assert schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
        await handle.trigger()
        async with asyncio.timeout(20):
            while AlertRule.UNCHECKED_RULE not in await store.alerts.looked():
                await asyncio.sleep(0.05)
        assert set(await store.alerts.looked()) == set(AlertRule)
        await keep_watch(client, firm.queue, tick, None)
        with pytest.raises(RPCError):
            await handle.describe()
