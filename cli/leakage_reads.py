"""The facts of the leakage report: work and events of a period, and the bills that have them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli import billing_reads

if TYPE_CHECKING:
    from datetime import date

    from cli.context import Session
    from domain.billable import Billable
    from domain.invoice_state import InvoiceRow
    from domain.leakage_facts import EventFact, WorkFact
    from domain.money import Money
    from domain.project_contract import ProjectContract
    from store.billing_ports import Billing

_DEAD = ("discarded", "empty")


@dataclass(slots=True)
class Facts:
    """Of all projects that bill in one currency."""

    currency: str
    work: "list[WorkFact]" = field(default_factory=list)
    events: "list[EventFact]" = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Projects whose work could not be valued, and why."""


async def facts(session: "Session", entity: str | None, first: "date", last: "date") -> list[Facts]:
    """By currency, in order of its code."""
    found: dict[str, Facts] = {}
    billing = (await session.store()).billing
    for contract in await billing_reads.contracts(session):
        if entity in (None, contract.entity):
            group = found.setdefault(contract.currency, Facts(contract.currency))
            await _add(session, billing, contract, group, first, last)
    return [found[currency] for currency in sorted(found)]


async def _add(
    session: "Session",
    billing: "Billing",
    contract: "ProjectContract",
    group: Facts,
    first: "date",
    last: "date",
) -> None:
    from domain.leakage_facts import EventFact, WorkFact

    known = await billing.documents(contract.project)
    rows = {row.id: row for row in known if row.stage not in _DEAD and not row.credits}
    invoice_of: dict[str, str] = {}
    entries = await billing_reads.open_entries(session, contract.project, last)
    for row in rows.values():
        for entry in await billing.entries_of(row.id):
            invoice_of[entry.key] = row.id
            entries.append(entry)
    entries = [entry for entry in entries if first <= entry.work_date <= last]
    work = billing_reads.valued(session, contract, entries)
    if work.problem:
        group.problems.append(f"{contract.project}: {work.problem}")
    billed = {row.id: _shares(row) for row in rows.values()}
    for entry in entries:
        having = rows.get(invoice_of.get(entry.key, ""))
        value = _before_adjustment(entry, billed[having.id]) if having else None
        if value is None:
            value = work.valued.values.get(entry.key)
        group.work.append(WorkFact(entry=entry, value=value, invoice=having))
    for event in await billing.events(contract.project):
        if first <= event.due_on <= last:
            group.events.append(EventFact(event=event, invoice=rows.get(event.invoice)))


def _shares(row: "InvoiceRow") -> "dict[str, Money]":
    """What the invoice bills of each entry."""
    billed: dict[str, Money] = {}
    for line in row.priced.lines if row.priced else ():
        for share in line.shares:
            billed[share.key] = billed[share.key] + share.net if share.key in billed else share.net
    return billed


def _before_adjustment(entry: "Billable", billed: "dict[str, Money]") -> "Money | None":
    """The contract's price of what an invoice bills; what a cap kept back is an event of its own."""
    share = billed.get(entry.key)
    if share is None or entry.adjustment is None:
        return share
    return share - entry.adjustment.amount
