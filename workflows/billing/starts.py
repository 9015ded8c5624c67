"""Starting invoices: one for each billing event, in order; on hold they wait in that order."""

from collections.abc import Iterable

from temporalio import workflow

from domain.billing_process import INVOICE, InvoiceInput, invoice_id
from domain.project_processes import DueEvent, StartedInvoice
from workflows.billing.account import BillingAccount
from workflows.shared.handover import start_child
from workflows.shared.search_attributes import initial_attributes

RECENT = 20
"""So many of the last invoices and decisions are remembered; the store knows them all."""


class InvoiceStarts:
    """Hands billing events over to invoices, which live on by themselves."""

    def __init__(self, account: BillingAccount) -> None:
        self._account = account

    async def bill(self, due: Iterable[DueEvent], *, decision: str = "", again: bool = False) -> list[str]:
        """Start the invoice of each event; their ids. `again`: also of those that were started before."""
        started = []
        for event in due:
            state = self._account.state
            if state.on_hold:
                self._keep_waiting(event)
            elif again or all(known.event != event.key for known in state.recent):
                started.append(await self._start(event, decision))
        return started

    def _keep_waiting(self, event: DueEvent) -> None:
        pending = self._account.state.pending
        if all(waiting.key != event.key for waiting in pending):
            self._account.keep(pending=(*pending, event))

    async def _start(self, event: DueEvent, decision: str) -> str:
        state = self._account.state
        id = invoice_id(state.firm, event.key)
        await start_child(
            "Invoice",
            id,
            InvoiceInput(
                firm=state.firm,
                project=state.project,
                events=(event.key,),
                service_from=event.service_from,
                service_to=event.service_to,
                requested_by=f"decision {decision}" if decision else workflow.info().workflow_id,
                correlation=state.correlation,
            ),
            initial_attributes(INVOICE, state.correlation, project=state.project, customer=state.customer),
            f"Invoice of project {state.project}: {event.kind.replace('_', ' ')} {event.key}",
        )
        self._remember(event, id, decision)
        return id

    def _remember(self, event: DueEvent, invoice: str, decision: str) -> None:
        state = self._account.state
        started = StartedInvoice(
            invoice=invoice,
            event=event.key,
            kind=event.kind,
            amount=event.amount,
            at=workflow.now(),
            decision=decision,
        )
        others = [one for one in state.recent if one.event != event.key]
        self._account.keep(
            recent=(*others, started)[-RECENT:],
            pending=tuple(waiting for waiting in state.pending if waiting.key != event.key),
        )


def spoken(started: list[str]) -> str:
    """What was started, for who asked for it."""
    if not started:
        return "nothing is open to be billed"
    return f"started {len(started)}: {', '.join(started)}"
