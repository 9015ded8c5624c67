"""Every write of an invoice and of a credit note refused for good once, each in its turn.

before posting    given up: undone everywhere, what was covered is free again, no draft is left
after posting     parked with an owner; nothing is undone, though somebody asks for it; cured, it goes on
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.attention import Action, AttentionItem, DecisionAction
from domain.billing_process import CreditInput, credit_id
from drill import billing_checks as checks
from drill.billing_cast import refused_project
from drill.billing_stage import Stage, Systems
from drill.billing_state import standing
from drill.billing_story import ASKED_BY, Project, Stuck, take_in, try_again
from drill.lane import Lane
from drill.report import Plan, Report

_BEFORE = ("erp.draft", "erp.post")
_AFTER = ("psa.billing", "crm.billing")
_CREDIT_AFTER = ("psa.cancel", "psa.billing", "crm.billing")
_PATIENCE = 60.0
_PAUSE = 0.1


async def refuse_everything(
    attacked: Lane, systems: Systems, today: date, plan: Plan, report: Report
) -> None:
    """One more project in a running lane; what is not as it should be goes into `report`."""
    stage = Stage(attacked.setup.firm, attacked.store, attacked.sandbox, systems)
    deal = (await stage.signed_deals())["EUR"][-1]
    project = Project(attacked, await stage.put(refused_project(today, deal)))
    before = attacked.decided
    refusals = _Refusals(project, systems, today, report)
    async with project.people():
        try:
            await take_in(attacked, systems.psa.system)
            await refusals.play(quick=plan.quick)
        except Stuck as stuck:
            report.differences.append(str(stuck))
    await refusals.judge()
    report.decisions += attacked.decided - before
    plan.say(f"refusals {report.refusals}, other differences {len(report.differences)}")


@dataclass
class _Refusals:
    project: Project
    systems: Systems
    today: date
    report: Report

    async def play(self, *, quick: bool) -> None:
        project = self.project
        await project.begin()
        for step in _BEFORE[-1:] if quick else _BEFORE:
            await self._given_up(step)
        invoice = await self._parked_invoice()
        entries = [entry.key for entry in await project.lane.store.billing.entries_of(invoice)]
        asked: dict[str, Any] = {"entries": tuple(entries[:2]), "rebill": True}
        if not quick:
            await self._credit_given_up(invoice, asked)
        await self._parked_credit(invoice, asked)

    async def judge(self) -> None:
        """What always holds, at the end of all of it."""
        await self._cure()
        ledger = await checks.Ledger(self._lane, self.systems).read()
        one = await standing(self.project, self.systems)
        found = [*checks.sums_differ(one), *checks.strangers(one), *checks.billed_twice_or_lost(one)]
        found += ledger.postings_differ(one)
        self.report.differences += found
        self.report.documents += len(one.documents)
        rebilled = [row for row in one.rows if row.rebills and row.stage == "posted"]
        if len(rebilled) != 1:
            self._differs(f"{len(rebilled)} invoices bill again what was credited, not one")

    # -- before posting ---------------------------------------------------------------------------

    async def _given_up(self, step: str) -> None:
        """The write is refused, its owner gives it up: nothing is left of the invoice."""
        free = await self._free()
        await self._refuse(f"/{step}")
        self.project.decide = _give_up
        await self.project.bill_now(self.today)
        row = await self.project.invoice_of(self.today.isoformat())
        if row.stage != "discarded":
            self._differs(f"{step} refused for good and given up, but {row.id} is {row.stage}")
        if await self._free() != free:
            self._differs(f"{step} refused for good: not everything that was covered is free again")
        left = [facts for facts in await self._documents() if facts != "rejected"]
        if left:
            self._differs(f"{step} refused for good: the ERP still has {', '.join(left)}")
        await self._cure()

    async def _credit_given_up(self, invoice: str, asked: dict[str, Any]) -> None:
        await self._refuse("/erp.credit")
        self.project.decide = _give_up
        result = await self.project.credit(invoice, **asked)
        row = await self._lane.store.billing.invoice(invoice)
        if result.state != "cancelled" or row is None or row.stage != "posted":
            self._differs(f"erp.credit refused for good and given up, but it ended {result.state}")
        if await self._free():
            self._differs("erp.credit refused for good: something was released all the same")
        await self._cure()

    # -- after posting ----------------------------------------------------------------------------

    async def _parked_invoice(self) -> str:
        """What follows the posting is refused: the invoice stands, and waits for its owner."""
        billing = asyncio.ensure_future(self._billed())
        try:
            await self._parked(_AFTER, "invoice/")
            row = await self.project.invoice_of(self.today.isoformat())
            if row.stage != "posted":
                self._differs(f"{row.id} is {row.stage} after it was posted and PSA or CRM refused")
            await billing
        finally:
            billing.cancel()
        return row.id

    async def _billed(self) -> None:
        for step in _AFTER:
            await self._refuse(f"/{step}")
        self.project.decide = lambda item: None
        await self.project.bill_now(self.today)

    async def _parked_credit(self, invoice: str, asked: dict[str, Any]) -> None:
        crediting = asyncio.ensure_future(self._credited(invoice, asked))
        try:
            await self._parked(_CREDIT_AFTER, "credit/")
            await crediting
        finally:
            crediting.cancel()

    async def _credited(self, invoice: str, asked: dict[str, Any]) -> None:
        request = CreditInput(
            firm=self._lane.firm, invoice=invoice, reason="billing_error", reason_text="billed in error",
            requested_by=ASKED_BY, **asked,
        )  # fmt: skip
        credit = credit_id(self._lane.firm, request)
        # The cancellation is a write under the key of the record that it cancels.
        await self._refuse(f"{invoice}/psa.billing", undo=True)
        for step in _CREDIT_AFTER[1:]:
            await self._refuse(f"{credit}/{step}")
        self.project.decide = lambda item: None
        result = await self.project.credit(invoice, **asked)
        if result.state != "posted" or not result.rebilled_as:
            self._differs(f"{credit} ended {result.state}, rebilled as {result.rebilled_as or 'nothing'}")

    async def _parked(self, steps: Sequence[str], kind: str) -> None:
        """Each of `steps` waits for its owner, is not undone by anybody, and is cured by a decision."""
        for step in steps:
            item = await self._waiting(step, kind)
            if not item.person:
                self._differs(f"{item.id} has no owner")
            if Action.COMPENSATE in item.actions or await self.project.asks_to_undo(item):
                self._differs(f"{item.id}: what is posted could be undone")
            await self._cure(one=True)
            await self.project.settle(item, "retry")
        self.project.decide = try_again

    async def _waiting(self, step: str, kind: str) -> AttentionItem:
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    for item in await self._lane.store.attention.list(limit=1000):
                        mine = item.process.startswith(kind) and f"/{self.project.number}" in item.process
                        if mine and item.step == step:
                            return item
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise Stuck(f"{step} was refused for good, and nobody was told") from None

    # -- small things -----------------------------------------------------------------------------

    @property
    def _lane(self) -> Lane:
        return self.project.lane

    async def _refuse(self, match: str, *, undo: bool = False) -> None:
        """The next write of this step, and every one after it, is refused for good."""
        self.report.refusals += 1
        more = {"path": "/cancel"} if undo else {"match": match}
        await self._lane.arm_fault(kind="reject", only="writes", **more)

    async def _cure(self, *, one: bool = False) -> None:
        """What refused does not any more: all, or the one that has struck."""
        faults = (await self._lane.sandbox.get("/_faults")).json()["faults"]
        for fault in faults:
            if fault["fired"] or not one:
                await self._lane.sandbox.delete(f"/_faults/{fault['id']}")

    async def _free(self) -> list[str]:
        billing = self._lane.store.billing
        entries = await billing.open_entries(self.project.number, up_to=self.today)
        return sorted(entry.key for entry in entries)

    async def _documents(self) -> list[str]:
        found = await self.systems.erp.project_invoices(self.project.contract.erp_project)
        return [facts.state for facts in found]

    def _differs(self, what: str) -> None:
        self.report.differences.append(f"refusals: {what}")


def _give_up(item: AttentionItem) -> DecisionAction | None:
    return "compensate" if Action.COMPENSATE in item.actions else None
