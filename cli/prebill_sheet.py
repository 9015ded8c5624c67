"""A pre-bill as data: what an invoice has collected, what was left out and why, and what it comes to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cli import billing_reads
from cli.billing_keys import REVIEWABLE
from cli.billing_reads import Work, state_of, today
from cli.invoice_standing import standings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.context import Session
    from domain.billable import Billable
    from domain.invoice_state import BillingEventRow, InvoiceFinding, InvoiceRow, PricedInvoice
    from domain.project_contract import ProjectContract
    from store.billing_ports import ProjectTotals


@dataclass(frozen=True, slots=True)
class Sheet:
    """Work of one project, on one invoice or for its next one."""

    contract: "ProjectContract"
    invoice: "InvoiceRow | None"
    on_it: Work
    beside: Work
    """Open, and not on the invoice: held, above a cap, or come in since."""
    events: "Sequence[BillingEventRow]"
    totals: "ProjectTotals"
    standing: str = ""
    since: datetime | None = None
    price: "PricedInvoice | None" = None
    """Of the invoice, kept or as it would be now; none before there is one."""
    problem: str = ""
    """Why it cannot be priced."""

    @property
    def due(self) -> datetime | None:
        """When silence escalates."""
        if self.since is None or self.standing != "in review" or not self.contract.terms.prebill:
            return None
        return self.since + timedelta(hours=self.contract.terms.prebill_hours)

    @property
    def included(self) -> Work:
        """What is billed if nobody changes anything: on the invoice, or of the next bill what is ready."""
        return self.on_it if self.invoice is not None else self.beside


async def sheet(session: "Session", contract: "ProjectContract", invoice: "InvoiceRow | None") -> Sheet:
    """The pre-bill of `invoice`, or of what the project's next bill would collect today."""
    store = await session.store()
    billing = store.billing
    mine = await billing.entries_of(invoice.id) if invoice else []
    reviewed = invoice is None or invoice.stage in REVIEWABLE
    until = invoice.service_to if invoice else today()
    others = await billing_reads.open_entries(session, contract.project, until) if reviewed else []
    if invoice is not None:
        events = await billing_reads.events_of(session, invoice)
        process = await store.processes.get(invoice.id)
    else:
        events = [
            event
            for event in await billing.events(contract.project, open_only=True)
            if event.due_on <= until and event.amount is not None
        ]
        process = None
    found = Sheet(
        contract=contract,
        invoice=invoice,
        on_it=billing_reads.valued(session, contract, mine),
        beside=billing_reads.valued(session, contract, others),
        events=events,
        totals=await billing.totals(contract.project, without=invoice.id if invoice else ""),
        standing=(await standings(session, [invoice]))[invoice.id] if invoice else "",
        since=process.started_at if process else None,
    )
    return await _priced(session, found)


async def _priced(session: "Session", found: Sheet) -> Sheet:
    from cli.prebill_price import expected
    from domain.rules.errors import RuleError

    if found.invoice is None:
        return found
    try:
        price = await expected(
            session, found.contract, found.invoice, found.on_it.entries, found.events, found.totals
        )
    except RuleError as error:
        return replace(found, problem=str(error))
    return replace(found, price=price)


def document(sheet: Sheet) -> dict[str, Any]:
    """Stable: entries by contract line, events, sums, limits and findings."""
    contract, invoice = sheet.contract, sheet.invoice
    return {
        "project": contract.project,
        "title": contract.title,
        "customer": contract.customer_name,
        "contract": contract.number,
        "entity": contract.entity,
        "currency": contract.currency,
        "project_manager": contract.terms.project_manager,
        "invoice": invoice.id if invoice else None,
        "stage": invoice.stage if invoice else None,
        "standing": sheet.standing or None,
        "service_from": invoice.service_from if invoice else None,
        "service_to": invoice.service_to if invoice else today(),
        "since": sheet.since,
        "due": sheet.due,
        "lines": _lines(sheet),
        "events": [
            {"key": event.key, "kind": event.kind, "occasion": event.occasion, "amount": event.amount}
            for event in sheet.events
        ],
        "sums": sums(sheet),
        "price": _price(sheet),
        "limits": _limits(sheet),
        "findings": findings(sheet),
    }


def sums(sheet: Sheet) -> dict[str, Any]:
    """What is billed with write-downs, what is left out, before caps, retention, advance and tax."""
    from domain.money import total

    currency = sheet.contract.currency
    work = sheet.included.sum("" if sheet.invoice else "ready")
    fixed = total([event.amount for event in sheet.events if event.amount], currency)
    entries = sheet.included.entries if sheet.invoice else sheet.included.of("ready")
    changes = [entry.adjustment.amount for entry in entries if entry.adjustment]
    return {
        "work": work,
        "events": fixed,
        "total": work + fixed,
        "adjusted": total(changes, currency),
        "held": sheet.beside.sum("held"),
        "parked": sheet.beside.sum("parked"),
        "entries": len(entries),
        "entries_held": len(sheet.beside.of("held")),
        "entries_parked": len(sheet.beside.of("parked")),
        "entries_without_rate": len(sheet.included.valued.without_value(entries)),
    }


def findings(sheet: Sheet) -> list[dict[str, Any]]:
    """Of the price, kept or as it would be; before there is an invoice, of the work alone."""
    price = sheet.price
    found: Sequence[InvoiceFinding] = price.findings if price else sheet.included.valued.findings
    shown = [
        {
            "rule": finding.rule,
            "field": finding.field,
            "problem": finding.problem,
            "blocking": finding.blocking,
            "owner": finding.owner,
            "amount": finding.amount,
        }
        for finding in found
    ]
    for problem in dict.fromkeys((sheet.problem, sheet.on_it.problem, sheet.beside.problem)):
        if problem:
            shown.append({"rule": "price", "field": "entries", "problem": problem, "blocking": True})
    return shown


def _price(sheet: Sheet) -> dict[str, Any] | None:
    """What the invoice comes to: kept once it was priced, else as it would be now."""
    price = sheet.price
    if price is None:
        return None
    names = ("net", "tax", "gross", "retention", "advance_applied")
    kept = sheet.invoice is not None and sheet.invoice.priced is not None
    return {"kept": kept, **{name: getattr(price, name) for name in names}}


def _lines(sheet: Sheet) -> list[dict[str, Any]]:
    from domain.work_value import by_line

    names = {line.number: line.name for line in sheet.contract.lines}
    on_it = {entry.key for entry in sheet.on_it.entries}
    lines = []
    for number, entries in by_line([*sheet.on_it.entries, *sheet.beside.entries]).items():
        billed = [entry for entry in entries if entry.key in on_it or _next(sheet, entry)]
        lines.append(
            {
                "line": number,
                "name": names.get(number, ""),
                "sum": sheet.included.valued.sum_of(billed, sheet.contract.currency),
                "entries": [_entry(sheet, entry, entry.key in on_it) for entry in entries],
            }
        )
    return lines


def _next(sheet: Sheet, entry: "Billable") -> bool:
    return sheet.invoice is None and state_of(entry) == "ready"


def _entry(sheet: Sheet, entry: "Billable", on_it: bool) -> dict[str, Any]:
    work = sheet.on_it if on_it else sheet.beside
    rate = work.valued.rates.get(entry.key)
    state = "billed" if on_it else state_of(entry)
    if state == "ready":
        state = "next bill"
    return {
        "key": entry.key,
        "kind": entry.kind,
        "date": entry.work_date,
        "person": entry.resource,
        "role": " ".join(part for part in (entry.role, entry.grade) if part),
        "quantity": entry.quantity,
        "price": rate.price if rate else None,
        "per": rate.per if rate else None,
        "priced_by": rate.source if rate else None,
        "amount": entry.amount,
        "adjustment": entry.adjustment,
        "value": work.valued.worth(entry),
        "state": state,
        "hold_reason": entry.hold_reason,
        "narrative": entry.narrative,
    }


def _limits(sheet: Sheet) -> dict[str, Any]:
    """How much of cap and advance is left before this bill."""
    terms, totals = sheet.contract.terms, sheet.totals
    return {
        "cap": terms.cap,
        "cap_kind": terms.cap_kind if terms.cap else None,
        "billed_before": totals.billed,
        "cap_left": terms.cap - totals.billed if terms.cap else None,
        "advance_left": totals.advance_left,
        "retained": totals.retained,
        "write_down_limit": terms.write_down_limit,
    }
