"""The life of one project's billing, played in a lane: what falls due is billed, credited, billed again.

The people in it are played too, all of them by what they would see: the store's list of exceptions, and the
stage of a process. So a story goes on whatever is killed beside it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from domain.attention import AttentionItem, DecisionAction, EventRef
from domain.billing_process import CreditInput, CreditResult, InvoiceResult, InvoiceView
from domain.identity import process_key
from domain.invoice_state import InvoiceRow
from domain.project_contract import ProjectContract
from domain.project_processes import BILLING, OPEN_FOR_BILLING, ProjectBillingState, ProjectBillingView
from domain.time_posting import TIME, TimePostingState, TimePostingView, Wake
from drill.lane import Lane
from runtime.decisions import DecisionNotTaken, decide
from store.ports import InboxRow
from workflows.shared.search_attributes import initial_attributes
from workflows.shared.start import start_credit

V = TypeVar("V")

ASKED_BY = "tomas.lindqvist@fairlead.example"
MANAGER = "practice.lead@fairlead.example"
APPROVER = "controller@fairlead.example"
PATIENCE = 300.0
"""Seconds after which a story counts as stuck."""
MOST_TRIES = 5
"""How often an exception is decided the same way before it counts as one that no decision cures."""
_PAUSE = 0.15
_LOOK_AGAIN = 1.5
"""Seconds until an exception that was decided and is still open is decided again; longer each time."""

Decide = Callable[[AttentionItem], DecisionAction | None]
"""What a person makes of an exception; None leaves it open."""


class Stuck(RuntimeError):
    """The story does not go on; the text says where it stands."""


def try_again(item: AttentionItem) -> DecisionAction | None:
    """The usual answer to trouble that passes."""
    return "retry" if "retry" in item.actions else None


@dataclass
class Project:
    """One project in a lane, with the people around it."""

    lane: Lane
    contract: ProjectContract
    decide: Decide = try_again
    """On exceptions other than approvals, which are always given."""
    write_down: str = ""
    """Taken off the first entry of the first pre-bill, by the project manager."""
    _given_up: str = ""
    """What no decision cures."""
    _tries: dict[str, int] = field(default_factory=dict)
    _next_look: dict[str, float] = field(default_factory=dict)
    _reviewed: set[str] = field(default_factory=set)

    @property
    def number(self) -> str:
        return self.contract.project

    @property
    def billing(self) -> str:
        """Id of the process that bills the project."""
        return process_key(BILLING, self.lane.firm, self.number)

    # -- what happens -----------------------------------------------------------------------------

    async def begin(self) -> None:
        """Hand the project over to its billing, as an activation does; what is due is billed."""
        contract, lane = self.contract, self.lane
        state = ProjectBillingState(
            firm=lane.firm,
            project=self.number,
            deal=contract.deal,
            customer=contract.customer,
            correlation=self.billing,
            contract=contract,
        )
        await lane.client.start_workflow(
            "ProjectBilling",
            state,
            id=self.billing,
            task_queue=lane.settings.own_queue,
            search_attributes=initial_attributes(
                BILLING, self.billing, stage=OPEN_FOR_BILLING, project=self.number
            ),
        )
        await self._until(lambda view: view.revision > 0)
        await self.settled()

    async def bill_now(self, until: date) -> None:
        """A person has everything billed that is open up to `until`."""
        await self._decided("bill_now", self.billing, ASKED_BY, "billing_lead", payload={"until": str(until)})
        await self.settled()

    async def accept(self, milestone: int, *, times: int = 1) -> None:
        """The customer accepts a milestone, and the event comes more than once."""
        version, number = datetime.now(UTC), str(milestone)
        said = {"project": self.number, "milestone": number, "document": "signed.pdf"}
        said["version"] = version.isoformat()
        said |= {"accepted_by": "the customer", "accepted_on": self._today().isoformat()}
        for time in range(times):
            event_id = f"{self.number}-{number}-{time}"
            body = {
                "specversion": "1.0",
                "id": event_id,
                "source": "drill",
                "type": "milestone.accepted",
                "subject": self.number,
                "time": version.isoformat(),
                "datacontenttype": "application/json",
                "data": said,
            }
            row = InboxRow(
                id=f"drill:{event_id}", source="drill", event_id=event_id, type="milestone.accepted",
                subject=self.number, version=version, body=body, received_at=version,
            )  # fmt: skip
            await self.lane.store.inbox.put(row)
            handle = self.lane.client.get_workflow_handle(self.billing)
            await handle.signal("event_received", EventRef(id=row.id, type=row.type))
        await self._until(
            lambda view: (
                not view.attention and any(f"/{number}/{number}/" in one.event for one in view.recent)
            )
        )
        await self.settled()

    async def credit(self, invoice: str, **asked: Any) -> CreditResult:
        """Somebody asks for a credit note; another person approves it, and what is rebilled is billed."""
        given = {"reason": "billing_error", "reason_text": "billed in error", "requested_by": ASKED_BY}
        request = CreditInput(firm=self.lane.firm, invoice=invoice, **{**given, **asked})
        started = await start_credit(self.lane.client, self.lane.settings, request, project=self.number)
        handle = self.lane.client.get_workflow_handle(started.workflow_id, result_type=CreditResult)
        result: CreditResult = await self._patiently(handle.result(), started.workflow_id)
        if result.rebilled_as:
            await self.ended(result.rebilled_as)
        return result

    async def ended(self, invoice: str) -> InvoiceResult:
        """The end of one invoice."""
        handle = self.lane.client.get_workflow_handle(invoice, result_type=InvoiceResult)
        result: InvoiceResult = await self._patiently(handle.result(), invoice)
        return result

    async def settled(self) -> None:
        """Every invoice that was started has ended."""
        known: set[str] = set()
        while True:
            view = await self._until(lambda view: True)
            started = {one.invoice for one in view.recent} - known
            if not started:
                return
            for invoice in sorted(started):
                await self.ended(invoice)
            known |= started

    async def invoices(self) -> list[InvoiceRow]:
        """All documents of the project, oldest first."""
        rows = await self.lane.store.billing.documents(self.number)
        return sorted(rows, key=lambda row: (row.updated_at or datetime.min.replace(tzinfo=UTC), row.id))

    async def invoice_of(self, occasion: str) -> InvoiceRow:
        """The invoice of the event of `occasion`. Raises `Stuck` when there is none."""
        for row in await self.invoices():
            if any(key.split("/")[2] == occasion for key in row.events) and not row.credits:
                return row
        raise Stuck(f"{self.number}: nothing was billed for {occasion}")

    # -- the people -------------------------------------------------------------------------------

    @asynccontextmanager
    async def people(self) -> AsyncIterator["Project"]:
        """Project manager, approver and owners at their desks."""
        desks = [asyncio.create_task(self._attend()), asyncio.create_task(self._review())]
        try:
            yield self
        finally:
            for desk in desks:
                desk.cancel()
            await asyncio.gather(*desks, return_exceptions=True)

    async def _attend(self) -> None:
        """Approve what needs a second person, and decide on every exception, again when it is still open."""
        while True:
            for item in await self.lane.store.attention.list(limit=1000):
                if f"/{self.number}" in item.process:
                    await self._decide_on(item)
            await asyncio.sleep(_PAUSE)

    async def _decide_on(self, item: AttentionItem) -> None:
        if item.step == "approval":
            shown = {"content_hash": item.facts["content_hash"]}
            await self._told("approve", item.process, APPROVER, "controller", payload=shown)
            return
        action, now = self.decide(item), asyncio.get_running_loop().time()
        if action is None or now < self._next_look.get(item.id, 0.0):
            return
        if self._tries.get(item.id, 0) >= MOST_TRIES:
            self._given_up = f"{item.id}: decided {MOST_TRIES} times, and still: {item.detail}"[:500]
        elif await self.settle(item, action):
            # It stays open until the step is done: looking again at once would only decide twice.
            tries = self._tries[item.id] = self._tries.get(item.id, 0) + 1
            self._next_look[item.id] = now + tries * _LOOK_AGAIN

    async def settle(self, item: AttentionItem, action: DecisionAction) -> bool:
        """Somebody decides on an exception; false when the process refuses that."""
        return await self._told(
            action, item.process, APPROVER, "controller", target=item.id, reason="decided in the drill"
        )

    async def asks_to_undo(self, item: AttentionItem) -> bool:
        """Whether a process would let somebody cancel it now."""
        return await self._told("cancel", item.process, APPROVER, "controller", reason="a try in the drill")

    async def _review(self) -> None:
        """The project manager looks at each pre-bill, writes something down in the first, and releases it."""
        while self.contract.terms.prebill:
            for row in await self.lane.store.billing.invoices(project=self.number, stage="collected"):
                again = f"{row.id}/{row.revision}"
                if again not in self._reviewed and await self._awaits_review(row.id):
                    await self._write_down(row)
                    if await self._told("release_prebill", row.id, MANAGER, "practice_lead"):
                        self._reviewed.add(again)
            await asyncio.sleep(_PAUSE)

    async def _awaits_review(self, invoice: str) -> bool:
        handle = self.lane.client.get_workflow_handle(invoice)
        try:
            view: InvoiceView = await handle.query(
                "status", result_type=InvoiceView, rpc_timeout=timedelta(seconds=2)
            )
        except RPCError:  # it is not there yet, or its worker has just been killed
            return False
        return view.stage == "pre-bill review"

    async def _write_down(self, row: InvoiceRow) -> None:
        if not self.write_down:
            return
        entries = await self.lane.store.billing.entries_of(row.id)
        payload = {"amount": self.write_down, "reason_code": "goodwill"}
        told = await self._told(
            "write_down",
            row.id,
            MANAGER,
            "practice_lead",
            target=entries[0].key,
            reason="agreed",
            payload=payload,
        )
        if told:
            self.write_down = ""

    # -- inside -----------------------------------------------------------------------------------

    async def _told(self, action: DecisionAction, process: str, actor: str, role: str, **more: Any) -> bool:
        """Decide; false when the process does not take it (any more), which the next look will tell."""
        with contextlib.suppress(DecisionNotTaken, RPCError):
            await self._decided(action, process, actor, role, **more)
            self.lane.decided += action not in ("bill_now", "write_down")
            return True
        return False

    async def _decided(self, action: DecisionAction, process: str, actor: str, role: str, **more: Any) -> str:
        _, answer = await decide(
            self.lane.client,
            self.lane.store.decisions,
            action=action,
            process=process,
            actor=actor,
            role=role,
            **more,
        )
        return answer

    async def _until(self, reached: Callable[[ProjectBillingView], bool]) -> ProjectBillingView:
        async def looking() -> ProjectBillingView:
            handle = self.lane.client.get_workflow_handle(self.billing)
            while True:
                with contextlib.suppress(RPCError):
                    view: ProjectBillingView = await handle.query(
                        "status", result_type=ProjectBillingView, rpc_timeout=timedelta(seconds=2)
                    )
                    if reached(view):
                        return view
                await asyncio.sleep(_PAUSE)

        return await self._patiently(looking(), self.billing)

    async def _patiently(self, waiting: Awaitable[V], process: str) -> V:
        """Raises `Stuck` when it takes too long or needs a decision that nobody takes."""
        task = asyncio.ensure_future(waiting)
        try:
            async with asyncio.timeout(PATIENCE):
                while not task.done():
                    await asyncio.wait([task], timeout=0.5)
                    self._complain()
                return await task
        except TimeoutError:
            raise Stuck(f"{process} has not ended after {PATIENCE:.0f} s{await self._open()}") from None
        except WorkflowFailureError as error:
            raise Stuck(f"{process} failed: {error.__cause__ or error}") from error
        finally:
            task.cancel()

    def _complain(self) -> None:
        if self._given_up:
            raise Stuck(self._given_up)

    async def _open(self) -> str:
        items = await self.lane.store.attention.list(limit=1000)
        mine = [f"{item.step}: {item.detail}" for item in items if f"/{self.number}" in item.process]
        return f"; open: {' | '.join(mine)}"[:500] if mine else ""

    def _today(self) -> date:
        return datetime.now(UTC).date()


async def take_in(lane: Lane, system: str, page_size: int = 200) -> TimePostingView:
    """Have approved work drained from the PSA `system`, to the end. Raises `Stuck`."""
    id = process_key(TIME, lane.firm, system)
    handle = await lane.client.start_workflow(
        "TimePosting",
        TimePostingState(firm=lane.firm, system=system, requested_by="drill", page_size=page_size),
        id=id,
        task_queue=lane.settings.own_queue,
        search_attributes=initial_attributes(TIME, id),
        start_signal="wake",
        start_signal_args=[Wake(by="drill", again=True)],
    )
    view: TimePostingView | None = None
    seen = 0
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(RPCError):
                    view = await handle.query(
                        "status", result_type=TimePostingView, rpc_timeout=timedelta(seconds=2)
                    )
                    # The signal may come after the first look.
                    seen += view.drains > 0 and view.served >= view.wanted
                    if seen > 1:
                        return view
                    await _retry_drain(lane, view)
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise Stuck(f"{id} has not drained: {view}") from None


async def _retry_drain(lane: Lane, view: TimePostingView) -> None:
    for item in view.attention:
        with contextlib.suppress(DecisionNotTaken):
            await decide(
                lane.client, lane.store.decisions, action="retry", process=item.process, actor=APPROVER,
                role="controller", target=item.id, reason="decided in the drill",
            )  # fmt: skip
            lane.decided += 1
