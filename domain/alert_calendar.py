"""What a contract makes due by its calendar and nobody planned: a billing event that was missed."""

from collections.abc import Sequence
from datetime import date

from domain.billing_calendar import billed_by, due_events
from domain.invoice_state import BillingEventRow
from domain.project_contract import ProjectContract
from domain.selling import BillingMethod


def missing_events(
    contract: ProjectContract, until: date, kept: Sequence[BillingEventRow]
) -> list[BillingEventRow]:
    """Events due on or before `until` that are not among `kept`, in the order they were due.

    A void one is there: somebody decided about it. A milestone counts from the day the contract gives for
    it; without its acceptance no process plans it. Raises `RuleError` for a contract that cannot be read.
    """
    there = {(event.line, event.occasion) for event in kept}
    accepted = {event.line for event in kept if event.kind == "milestone"}
    found = [
        event
        for event in due_events(contract, None, until, kept)
        if (event.line, event.occasion) not in there
    ]
    found += [event for event in _milestones(contract, until) if event.line not in accepted]
    return sorted(found, key=lambda event: (event.due_on, event.key))


def _milestones(contract: ProjectContract, until: date) -> list[BillingEventRow]:
    return [
        BillingEventRow(
            key=f"{contract.project}/{line.number}/{line.number}/1",
            project=contract.project,
            line=line.number,
            kind="milestone",
            occasion=str(line.number),
            amount=line.amount,
            due_on=line.due_on,
            service_from=min(line.starts_on or contract.starts_on, line.due_on),
            service_to=line.due_on,
        )
        for line in billed_by(contract, "fairlead")
        if line.billing_method is BillingMethod.MILESTONE and line.due_on is not None and line.due_on <= until
    ]
