"""A PSA that hands out approved work in pages, and projects of ours to take it in for."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.attention import AttentionActivities
from activities.boundary import Boundary
from activities.decisions import DecisionActivities
from activities.failures import Patience
from activities.intake import IntakeActivities
from activities.intake_problems import IntakeProblemActivities
from activities.process import ProcessActivities
from connectors.errors import ConnectorError
from domain.attention import Decision, DecisionAction, DecisionRef
from domain.delivery import EntryApproval, Expense, TimeEntry
from domain.intake import FeedPosition, Unreadable, WorkPage
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.selling import BillingMethod, ContractLine, RateCard, RateCardRole
from domain.time_posting import TIME, TimePostingState, TimePostingView, Wake
from serving import methods
from tests.support.activation_firm import FirmFile, a_policy
from workflows.intake_tick import WakeTimePosting
from workflows.shared.search_attributes import initial_attributes
from workflows.time_posting import TimePosting

NOW = datetime(2026, 12, 14, 8, tzinfo=UTC)
PSA = "kantata"
PROJECT = "DE01-7K3QXW"
WORKSPACE = "9001"
"""Id of the project in the PSA."""
APPROVED = EntryApproval(by="u-lead", at=NOW - timedelta(days=1), outcome="approved")


def contract(**changes: Any) -> ProjectContract:
    """Line 1 by milestone, line 2 by time for an architect; December to March."""
    made = ProjectContract(
        project=PROJECT, deal="006A", number="00000100", title="Alpenglow rollout", entity="DE01",
        region="DE", currency="EUR", signed_on=date(2026, 11, 16), starts_on=date(2026, 12, 1),
        ends_on=date(2027, 3, 31), customer="001A", customer_name="Alpenglow AG", rate_card="RC-DE-2026",
        lines=(
            ContractLine(id="l1", number=1, name="Design", billing_method=BillingMethod.MILESTONE),
            ContractLine(
                id="l2", number=2, name="Architecture", billing_method=BillingMethod.TIME_AND_MATERIALS,
                role="Architect",
            ),
        ),
    )  # fmt: skip
    return made.with_changes(**changes)


def card(code: str) -> RateCard | None:
    """The one rate card: architects only."""
    if code != "RC-DE-2026":
        return None
    return RateCard(
        code=code, version="1", currency="EUR", valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31),
        roles=(RateCardRole(role="Architect", price=Decimal(200)),),
    )  # fmt: skip


def minutes(amount: int) -> Quantity:
    return Quantity(amount=Decimal(amount), unit="minutes")


def time_entry(id: str = "t1", **changes: Any) -> TimeEntry:
    """Eight hours of architecture on the 8th of December, approved by the lead."""
    made = TimeEntry(
        id=id, source=PSA, project=WORKSPACE, task="s2", task_ref="2", resource="u1", role="Architect",
        note="target picture", version=NOW, work_date=date(2026, 12, 8), quantity=minutes(480),
        approvals=(APPROVED,),
    )  # fmt: skip
    return made.model_copy(update=changes)


def expense(report: str = "x1", **changes: Any) -> Expense:
    """A train ticket of 119.00 EUR with 19.00 recoverable tax, rebilled under line 2."""
    made = Expense(
        source=PSA, report=report, line=1, project=WORKSPACE, task_ref="2", resource="u1", category="Travel",
        note="train", version=NOW, approvals=(APPROVED,), spent_on=date(2026, 12, 8),
        gross=Money.of("119.00", "EUR"), recoverable_tax=Money.of("19.00", "EUR"), reimbursable=True,
        billable=True, paid_by="employee",
    )  # fmt: skip
    return made.model_copy(update=changes)


def unreadable(id: str = "t9", **changes: Any) -> Unreadable:
    made = Unreadable(
        kind="time", external_id=id, field="currency", problem="XXQ is no currency", version=NOW,
        project_external_id=WORKSPACE,
    )  # fmt: skip
    return made.with_changes(**changes)


class FeedPsa:
    """Approved work in the order of its approval. A stamp is a minute after the one before."""

    system = PSA

    def __init__(self) -> None:
        self.time: list[tuple[datetime, TimeEntry | Unreadable]] = []
        self.expenses: list[tuple[datetime, Expense]] = []
        self.asked: list[FeedPosition] = []
        self.failures: dict[int, ConnectorError] = {}
        """By the number of the call of `approved_time`, counted from one."""
        self.before_page: Callable[[int], None] = lambda call: None
        self._stamp = NOW

    def approve(self, *work: TimeEntry | Expense | Unreadable) -> None:
        for one in work:
            self._stamp += timedelta(minutes=1)
            if isinstance(one, Expense):
                self.expenses.append((self._stamp, one))
            else:
                self.time.append((self._stamp, one))

    def edit(self, entry: TimeEntry) -> None:
        """The entry with its new content moves to the end of the feed."""
        self.time = [(at, one) for at, one in self.time if getattr(one, "id", "") != entry.id]
        self.approve(entry)

    async def approved_time(self, position: FeedPosition, limit: int = 200) -> WorkPage:
        self.asked.append(position)
        self.before_page(len(self.asked))
        if error := self.failures.pop(len(self.asked), None):
            raise error
        page, following, mark = _page(self.time, position, limit)
        return WorkPage(
            entries=tuple(one for one in page if isinstance(one, TimeEntry)),
            unreadable=tuple(one for one in page if isinstance(one, Unreadable)),
            next_page=following,
            mark=mark,
        )

    async def approved_expenses(self, position: FeedPosition, limit: int = 200) -> WorkPage:
        page, following, mark = _page(self.expenses, position, limit)
        return WorkPage(expenses=tuple(page), next_page=following, mark=mark)


def _page(
    feed: Sequence[tuple[datetime, Any]], position: FeedPosition, limit: int
) -> tuple[list[Any], str, datetime | None]:
    since = position.since or datetime(1970, 1, 1, tzinfo=UTC)
    changed = [(at, one) for at, one in feed if at >= since]
    start = int(position.page or 0)
    taken = changed[start : start + limit]
    following = str(start + limit) if len(changed) > start + limit else ""
    mark = taken[-1][0] if taken else position.since
    return [one for _, one in taken], following, mark


async def activated(store: Any, workspace: str = WORKSPACE, **changes: Any) -> None:
    """The project is ours: its cross-reference and its contract are in the store."""
    kept = contract(**changes)
    await store.references.put(f"project:{kept.project}", PSA, "project", workspace)
    await store.billing.put_contract(kept)


class CardsOfTheFirm:
    """The firm's rate cards."""

    def card(self, code: str) -> RateCard | None:
        return card(code)


@dataclass
class IntakeFirm:
    """A running firm whose PSA has approved work: a fake PSA, a real store, a real worker."""

    client: Client
    store: Any
    queue: str
    psa: FeedPsa
    system: str = PSA
    """Of the process: each test has a process of its own on a server that all share."""
    firm: str = field(default_factory=lambda: f"acme-{uuid.uuid4().hex[:8]}")

    @property
    def process(self) -> str:
        return f"time/{self.firm}/{self.system}"

    async def start(self, run_timeout: timedelta | None = None, **state: Any) -> WorkflowHandle[Any, Any]:
        return await self.client.start_workflow(
            TimePosting.run,
            TimePostingState(firm=self.firm, system=self.system, page_size=2, **state),
            id=self.process,
            task_queue=self.queue,
            search_attributes=initial_attributes(TIME, self.process),
            run_timeout=run_timeout,
        )

    async def wake(self, **wake: Any) -> None:
        await self.handle.signal("wake", Wake(by="test", **wake))

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.process)

    async def view(self) -> TimePostingView:
        found: TimePostingView = await self.handle.query("status", result_type=TimePostingView)
        return found

    async def until(self, reached: Callable[[TimePostingView], bool]) -> TimePostingView:
        """Wait until the process is as `reached` says."""
        async with asyncio.timeout(20):
            while True:
                try:
                    view = await self.view()
                except RPCError:  # the first workflow task has not run yet
                    view = None
                if view is not None and reached(view):
                    return view
                await asyncio.sleep(0.02)

    async def drained(self) -> TimePostingView:
        """Wait until every wake so far is answered."""
        return await self.until(lambda view: view.served == view.wanted and view.drains > 0)

    async def decide(self, action: DecisionAction, target: str, **fields: Any) -> str:
        """Decide by the clock of intake; returns the decision's id."""
        id = f"decision-{uuid.uuid4().hex[:12]}"
        given = {"actor": "ines@firm.example", "role": "operator", "at": NOW, **fields}
        decision = Decision(id=id, action=action, process=self.process, target=target, **given)
        await self.store.decisions.add(decision)
        update = "second" if action == "second" else "resolve"
        await self.handle.execute_update(update, DecisionRef(id=id))
        return id


@asynccontextmanager
async def running_intake(
    client: Client, store: Any, port: Any = None, **worker_options: Any
) -> AsyncIterator[IntakeFirm]:
    """`port` is a real connector in place of the fake one."""
    queue = f"q-{uuid.uuid4().hex[:8]}"
    firm = IntakeFirm(client, store, queue, FeedPsa())
    file = FirmFile(a_policy(queue))
    boundary = Boundary(Patience(transient=20.0))
    feed: Any = port or firm.psa
    holders = (
        IntakeActivities(feed, store, boundary, CardsOfTheFirm()),
        IntakeProblemActivities(store),
        ProcessActivities(store, file),
        AttentionActivities(store),
        DecisionActivities(store),
    )
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[TimePosting, WakeTimePosting],
        activities=[activity for holder in holders for activity in methods(holder)],
        **worker_options,
    )
    async with worker:
        yield firm
