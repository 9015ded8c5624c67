"""Third act: an accepted milestone and the month's work become invoices, one each, through trouble."""

from datetime import timedelta

from domain.billing_process import INVOICE, InvoiceResult, InvoiceView
from domain.identity import process_key
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.project_processes import BILLING, ProjectBillingView
from domain.selling import BillingMethod
from drill.demo_outcome import DemoFailed
from drill.demo_scenes import OPERATOR, OPERATOR_ROLE, SECOND, SECOND_ROLE, Scenes
from drill.demo_signing import Signed
from drill.demo_work import PSA
from gateway.sending import send_event

MANAGER_ROLE = "project_manager"
DELIVERIES = 5
WRITTEN_DOWN = "300.00"


class Billing(Scenes):
    """The two ways to an invoice."""

    async def milestone(self, signed: Signed, contract: ProjectContract) -> InvoiceResult:
        """One acceptance told five times: one event delivered three times, two others that say the same."""
        line = next(one for one in contract.lines if one.billing_method is BillingMethod.MILESTONE)
        told = {
            "milestone": str(line.number),
            "document": "https://documents.fairlead.example/acceptances/4711.pdf",
            "accepted_by": f"operations@{signed.account.lower()}.example",
            "accepted_on": (signed.today - timedelta(days=1)).isoformat(),
            "amount": str(line.amount.amount) if line.amount else "",
            "currency": contract.currency,
        }
        for number in range(DELIVERIES):
            sent = await send_event(
                self.stage.settings, self.stage.setup, "milestone.accepted", signed.project,
                data=told, event_id=f"acceptance-4711-{max(1, number - 1)}",
            )  # fmt: skip
            if not sent.accepted:
                raise DemoFailed(f"the gateway refuses the milestone with {sent.status}: {sent.answer}")
        self.say("Customer", f"accepts {line.name!r}; it is told {DELIVERIES} times, in three events")
        result = await self._posted(await self._started(contract.project, "milestone"))
        self.say("Invoice", f"one, {result.number}: {await self._spoken(result)}")
        return result

    async def time(self, signed: Signed, contract: ProjectContract) -> InvoiceResult:
        """The work so far, billed now: reviewed, priced up to the cap, approved, posted through trouble."""
        until = signed.today - timedelta(days=1)
        billing = process_key(BILLING, self.stage.firm, contract.project)
        payload = {"until": until.isoformat()}
        _, answer = await self.decide(billing, "bill_now", OPERATOR, OPERATOR_ROLE, payload=payload)
        process = answer.rpartition(" ")[2]
        if not process.startswith(f"{INVOICE}/"):
            raise DemoFailed(f"the work up to {until} is not billed: {answer}")
        self.say("Operator", f"{OPERATOR} has the work up to {until} billed now")
        await self._review(process, contract)
        kills = self.stage.kills
        await self._lay_traps(process)
        await self.approve(process)
        result = await self._posted(process)
        await self._tell_trouble(kills)
        self.say("Invoice", f"{result.number}: {await self._spoken(result)}")
        await self._tell_others(signed)
        return result

    async def approve(self, process: str) -> None:
        view = await self.until(process, InvoiceView, lambda view: view.stage == "awaiting approval")
        await self.decide(process, "approve", SECOND, SECOND_ROLE, reason="checked against the contract")
        self.say("Controller", f"{SECOND} approves {view.net} net, {view.gross} gross: it is above the limit")

    async def _review(self, process: str, contract: ProjectContract) -> None:
        """The project manager writes one entry down, and releases the rest as it is."""
        manager, billing = contract.terms.project_manager, self.stage.store.billing
        view = await self.until(process, InvoiceView, lambda view: view.stage == "pre-bill review")
        entry = (await billing.entries_of(process))[0]
        payload = {"amount": WRITTEN_DOWN, "reason_code": "goodwill"}
        why = "half of the first day went into access rights"
        await self.decide(
            process, "write_down", manager, MANAGER_ROLE, target=entry.key, payload=payload, reason=why
        )
        less = Money.of(WRITTEN_DOWN, contract.currency)
        await self.decide(process, "release_prebill", manager, MANAGER_ROLE, target=process)
        self.say("Manager", f"{manager} reviews {view.entries} entries, writes one down by {less}")
        await self.until(process, InvoiceView, lambda view: view.stage == "awaiting approval")
        row = await billing.invoice(process)
        parked = row.priced.parked if row and row.priced else ()
        above = row.priced.above if row and row.priced else ()
        beyond = f"{_entries(len(parked))}, and a part of {_entries(len(above))}"
        self.say("Fairlead", f"priced: the cap is met exactly; above it are {beyond}")

    async def _lay_traps(self, process: str) -> None:
        """An answer is lost, and the worker is killed while it posts."""
        stage = self.stage
        if stage.erp_is_sandbox:
            await stage.arm_fault(kind="reset", match=f"{process}/erp.draft/", only="writes", count=1)
            await stage.arm_held_answer(2, f"{process}/erp.post/")
        else:
            await stage.arm_fault(kind="reset", match=f"{process}/psa.billing/", only="writes", count=1)
            stage.arm_crash("after_answer", f"{process}/erp.post/1")

    async def _tell_trouble(self, kills: int) -> None:
        lost = "draft in the ERP" if self.stage.erp_is_sandbox else "billing record in the PSA"
        if (await self.stage.faults_fired()).get("reset", 0) > 1:
            self.say("Fault drill", f"the answer to the {lost} was lost: looked up by its key, found")
        if self.stage.kills > kills:
            self.say("Fault drill", "the worker was killed while the invoice was posted; it went on")

    async def _tell_others(self, signed: Signed) -> None:
        """What PSA and CRM show by now."""
        entries = [one for one in await self.records(f"{PSA}/time_entries") if one["is_invoiced"]]
        deal = await self.sandbox("GET", f"/_control/salesforce/Opportunity/{signed.deal}")
        invoiced = Money.of(str(deal["Fairlead_Invoiced__c"]), str(deal["CurrencyIsoCode"]))
        self.say("Told", f"Kantata shows {len(entries)} entries as billed, Salesforce {invoiced} of the deal")

    async def _started(self, project: str, kind: str) -> str:
        """The invoice that billing has started for an event of `kind`."""
        process = process_key(BILLING, self.stage.firm, project)
        handle = self.stage.client.get_workflow_handle(process)

        async def look() -> str | None:
            view: ProjectBillingView = await handle.query("status", result_type=ProjectBillingView)
            mine = [one.invoice for one in view.recent if one.kind == kind]
            return mine[-1] if mine else None

        return await self.eventually(look, lambda: f"{process} has started no invoice for a {kind}")

    async def _posted(self, process: str) -> InvoiceResult:
        await self.until(process, InvoiceView, lambda view: view.finished or bool(view.attention))
        result = await self.result(process, InvoiceResult)
        if result.state != "posted":
            raise DemoFailed(f"{process} ended {result.state}: {result.reason}")
        self.show(await self.view(process, InvoiceView))
        return result

    async def _spoken(self, result: InvoiceResult) -> str:
        row = await self.stage.store.billing.invoice(result.invoice)
        priced = row.priced if row else None
        if priced is None:
            raise DemoFailed(f"{result.invoice} is posted without a price")
        held = f", {priced.retention} held back" if priced.retention.amount else ""
        return f"{priced.net} net{held}, {priced.tax} tax, {priced.gross} gross"


def _entries(count: int) -> str:
    return "one entry" if count == 1 else f"{count} entries"
