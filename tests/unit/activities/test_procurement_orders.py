"""Changed orders found by polling, and every order of a project read over all its pages."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.boundary import Boundary
from activities.effects import EffectRunner
from activities.procurement import ProcurementActivities, ReadPurchases
from activities.procurement_events import PolledOrders, PollOrders
from domain.buying import PurchaseLine
from domain.buying_commands import RequestPurchase
from domain.money import Money
from domain.procurement_process import ProcurementFacts
from store.sql.engine import SqlStore
from tests.support.buying_systems import FakeBuying

OURS, FOREIGN = "DE01-AAAAAA", "DE01-ZZZZZZ"
POLL = PollOrders(firm="acme", system="coupa", overlap_seconds=300)
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


class Desk:
    """The activities over a fake procurement system and a real store."""

    def __init__(self, store: SqlStore) -> None:
        self.buying, self.store = FakeBuying(), store
        runner = EffectRunner(self.buying, store, commit_limit=timedelta(seconds=1))
        cards: Any = None
        self.activities = ProcurementActivities(
            self.buying, runner, store, Boundary(), cards, clock=lambda: LONG_AGO
        )

    async def ordered(self, project: str) -> str:
        """An order of `project`; the id of its requisition."""
        amount = Money.of("100.00", "EUR")
        line = PurchaseLine(
            ref="3", description="Work", quantity=Decimal(1), rate=Decimal(100), amount=amount
        )
        command = RequestPurchase(
            project=project, entity="DE01", supplier="S-1", currency="EUR",
            needed_on=LONG_AGO.date(), lines=(line,),
        )  # fmt: skip
        record = await self.buying.apply(command, f"key-{len(self.buying.asked)}")
        self.buying.order(record.external_id)
        return record.external_id

    async def run(self, activity: Any, input: Any) -> Any:
        env = ActivityEnvironment()
        env.info = dataclasses.replace(env.info, heartbeat_timeout=None)
        return await env.run(activity, input)

    async def poll(self) -> PolledOrders:
        polled: PolledOrders = await self.run(self.activities.poll_orders, POLL)
        return polled


@pytest.fixture
async def desk(store: SqlStore) -> Desk:
    desk = Desk(store)
    await store.processes.open(f"procurement/acme/{OURS}", "procurement", "run-1")
    return desk


async def test_the_first_poll_only_sets_the_mark(desk: Desk) -> None:
    await desk.ordered(OURS)
    assert await desk.poll() == PolledOrders(seen=0, new=0)
    assert await desk.store.cursors.get("coupa.purchase_orders") == LONG_AGO


async def test_changed_orders_of_our_projects_become_events_once(desk: Desk) -> None:
    await desk.poll()
    desk.buying.page_size = 2
    for project in (OURS, FOREIGN, OURS, "no number!"):
        await desk.ordered(project)
    assert await desk.poll() == PolledOrders(seen=4, new=2, unknown=2)
    rows = await desk.store.inbox.list(type="purchase_order.changed")
    assert {(row.subject, row.state) for row in rows} == {(OURS, "received")}
    newest = max(order.version for order in desk.buying.ordered.values() if order.version)
    assert await desk.store.cursors.get("coupa.purchase_orders") == newest
    again = await desk.poll()
    assert (again.new, again.seen > 0) == (0, True), "the overlap is read again and brings nothing new"
    order = next(iter(desk.buying.ordered.values()))
    desk.buying.change(order, state="accepted")
    assert (await desk.poll()).new == 1


async def test_a_project_is_read_over_all_pages(desk: Desk) -> None:
    desk.buying.page_size = 1
    ids = [await desk.ordered(OURS) for _ in range(3)]
    await desk.ordered(FOREIGN)
    facts: ProcurementFacts = await desk.run(
        desk.activities.read, ReadPurchases(project=OURS, requisitions=(*ids, "gone"))
    )
    assert [one.id for one in facts.requisitions] == ids
    assert facts.missing == ("gone",)
    assert [one.requisition for one in facts.orders] == ids
