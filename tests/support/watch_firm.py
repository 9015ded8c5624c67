"""A firm whose alerts are watched: a real store whose clock is the server's, and a real worker."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.watch import WatchActivities
from domain.alert_state import Alert, AlertRule
from domain.billable import Billable
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.money import Money
from domain.policy import PolicySnapshot
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.selling import BillingMethod, ContractLine, RateCard
from domain.watching import RULES, WatchResult, WatchTick
from tests.support.activation_firm import FirmFile, a_policy
from workflows.watch import Watch

PROJECT = "DE01-7K3QXW"
DAY = timedelta(days=1)


def eur(amount: object) -> Money:
    return Money.of(str(amount), "EUR")


def watched_contract(start: date, **changes: Any) -> ProjectContract:
    """Two years from `start`: line 1 a milestone of 30,000 on day 60, line 2 by the hour at 100,
    line 3 the same, but billed by the PSA."""
    lines = (
        ContractLine(
            id="l1", number=1, name="Design", billing_method=BillingMethod.MILESTONE, amount=eur(30000),
            due_on=start + 60 * DAY,
        ),
        ContractLine(
            id="l2", number=2, name="Architecture", billing_method=BillingMethod.TIME_AND_MATERIALS,
            unit_price=Decimal(100), role="Architect", ends_on=start,
        ),
        ContractLine(
            id="l3", number=3, name="Support", billing_method=BillingMethod.TIME_AND_MATERIALS,
            unit_price=Decimal(100), role="Architect", billing_authority="psa",
        ),
    )  # fmt: skip
    made = ProjectContract(
        project=PROJECT, deal="006A", number="00000100", title="Alpenglow rollout", entity="DE01",
        region="DE", currency="EUR", signed_on=start, starts_on=start, ends_on=start + 730 * DAY,
        customer="001A", customer_name="Alpenglow AG", lines=lines,
    )  # fmt: skip
    return made.with_changes(**changes)


def work(id: str, day: date, hours: int = 8, **changes: Any) -> Billable:
    made = Billable(
        key=f"kantata:time:{id}", kind="time", source="kantata", external_id=id, content_hash=id,
        project=PROJECT, line=2, entity="DE01", resource="u1", role="Architect", work_date=day,
        quantity=Quantity(amount=Decimal(hours), unit="hours"),
    )  # fmt: skip
    return made.with_changes(**changes)


def an_event(line: int, occasion: str, due_on: date, **changes: Any) -> BillingEventRow:
    made = BillingEventRow(
        key=f"{PROJECT}/{line}/{occasion}/1", project=PROJECT, line=line, kind="milestone", occasion=occasion,
        amount=eur(30000), due_on=due_on, service_from=due_on, service_to=due_on, evidence="acceptance 4711",
    )  # fmt: skip
    return made.with_changes(**changes)


def an_invoice(id: str, day: date, **changes: Any) -> InvoiceRow:
    made = InvoiceRow(
        id=id, project=PROJECT, entity="DE01", customer="001A", service_from=day, service_to=day
    )
    return made.with_changes(**changes)


class Prices(FirmFile):
    def rate_cards(self) -> Sequence[RateCard]:
        return []


class ServerClock:
    """The store's clock: moved by hand to the time of the server."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class WatchFirm:
    client: Client
    store: Any
    queue: str
    policy: PolicySnapshot
    runs: list[WorkflowHandle[Any, Any]] = field(default_factory=list)

    async def watch(self, rules: Sequence[AlertRule] = RULES) -> WatchResult:
        """One run, as the schedule starts it."""
        handle = await self.client.start_workflow(
            Watch.run,
            WatchTick(firm="acme", rules=tuple(rules)),
            id=f"tick/watch/{self.queue}/{len(self.runs)}",
            task_queue=self.queue,
            run_timeout=timedelta(hours=1),
        )
        self.runs.append(handle)
        result: WatchResult = await handle.result()
        return result

    async def alerts(self, rule: AlertRule, *, open_only: bool = True) -> list[Alert]:
        return list(await self.store.alerts.list(rule=rule, open_only=open_only))


@asynccontextmanager
async def running_watch(client: Client, store: Any, **policy: Any) -> AsyncIterator[WatchFirm]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    file = Prices(a_policy(queue).with_changes(**policy))
    firm = WatchFirm(client, store, queue, file.policy)
    async with watch_worker(firm, file):
        yield firm


def watch_worker(firm: WatchFirm, file: Prices | None = None) -> Worker:
    """A worker of the firm; another one takes over where it stopped."""
    file = file or Prices(firm.policy)
    activities = WatchActivities(firm.store, file, file)
    return Worker(
        firm.client,
        task_queue=firm.queue,
        workflows=[Watch],
        activities=[activities.look, activities.unchecked],
    )
