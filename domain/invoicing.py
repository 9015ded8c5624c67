"""What a bill comes to: covered work and events become priced lines, cut, held back, drawn down and taxed.

    rate and group -> write-downs -> caps -> fixed events -> retention -> advance -> tax -> checks

Source: rules 1, 7, 8, 14 and 20 of `docs/rules.md`. Pure: the same case gives the same invoice and the same
hash, whatever order its entries came in, so that a repetition is not another invoice.
"""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import count

from domain.base import Value
from domain.billable import Billable
from domain.billing_commands import DraftLine, LineKind
from domain.intake import PsaInvoice
from domain.invoice_state import (
    BillingEventRow,
    InvoiceFinding,
    LineShare,
    PricedInvoice,
    PricedLine,
    TaxLine,
)
from domain.money import Money, total
from domain.project_contract import CapTerm, ProjectContract
from domain.rules.advances import draw_down
from domain.rules.approval import lines_hash
from domain.rules.capped_lines import cut_lines
from domain.rules.caps import caps_of
from domain.rules.customer_po import po_position
from domain.rules.expense_lines import expense_lines
from domain.rules.grouping import time_lines
from domain.rules.header_tax import TaxableLine, header_tax
from domain.rules.pricing import rate_entries
from domain.rules.retention import retain
from domain.rules.tax import ExpectedTax
from domain.selling import RateCard

_WHOLE_CONTRACT = 0
"""Contract line of what concerns the contract as a whole: retention and advances."""
_KIND_OF: dict[str, LineKind] = {
    "milestone": "milestone",
    "subscription": "subscription",
    "percent": "percent",
    "advance": "advance",
    "retention_release": "retention_release",
    "above_cap": "time",
}


class UsedLimits(Value):
    """What other live invoices of the project have used."""

    billed: Money
    by_line: dict[int, Money] = {}
    by_cap: dict[str, Money] = {}
    """Of the caps in the contract's terms, by their ref."""
    retained: Money
    advance_left: Money
    expenses: Money
    """Rebilled, as on invoices."""


class InvoiceCase(Value):
    """All that one invoice depends on."""

    contract: ProjectContract
    dated: date
    entries: tuple[Billable, ...] = ()
    events: tuple[BillingEventRow, ...] = ()
    used: UsedLimits
    psa_invoice: PsaInvoice | None = None
    """The PSA's own document, where it has the authority to price."""
    without_rate: bool = False
    """A person decided to bill without the entries that have no rate."""


Taxing = Callable[[Money], ExpectedTax]
"""The expected tax of a net amount of this supply."""


class Priced(Value):
    """The invoice, and what of the collected work is not on it."""

    invoice: PricedInvoice
    left_out: tuple[str, ...] = ()
    """Entries that nothing is billed of: without a rate, or wholly above a cap."""
    above: tuple[LineShare, ...] = ()
    """The rest of entries that are billed in part."""


def price_invoice(case: InvoiceCase, cards: Sequence[RateCard], taxing: Taxing) -> Priced:
    """Price `case`. Raises `RuleError` for terms that cannot be applied."""
    work = _work(case, cards)
    events, event_findings = _event_lines(case)
    billed = _numbered([*events, *work.lines])
    lines = _numbered([*billed, *_held_and_drawn(case, billed)])
    net = total([line.line.net for line in lines], case.contract.currency)
    expected = taxing(net)
    lines, taxes = _taxed(lines, expected, case.contract)
    findings = (*work.findings, *event_findings, *(expected.missing if lines else ()), *_po(case, net))
    tax = total([part.tax for part in taxes], case.contract.currency)
    invoice = PricedInvoice(
        lines=tuple(lines),
        taxes=taxes,
        currency=case.contract.currency,
        net=net,
        tax=tax,
        gross=net + tax,
        retention=-_sum_of(lines, "retention", case),
        advance_applied=-_sum_of(lines, "advance_applied", case),
        adjusted=work.adjusted,
        parked=tuple(share.key for share in work.above),
        findings=findings,
        content_hash=lines_hash(lines, taxes),
    )
    return Priced(invoice=invoice, left_out=work.left_out, above=work.split)


class _Work(Value):
    """Time and expenses, priced and cut."""

    lines: tuple[PricedLine, ...] = ()
    findings: tuple[InvoiceFinding, ...] = ()
    above: tuple[LineShare, ...] = ()
    split: tuple[LineShare, ...] = ()
    left_out: tuple[str, ...] = ()
    adjusted: Money


def _work(case: InvoiceCase, cards: Sequence[RateCard]) -> _Work:
    contract, zero = case.contract, Money.zero(case.contract.currency)
    time = [entry for entry in case.entries if entry.kind == "time" and entry.billable]
    rated = rate_entries(time, contract, cards)
    missing = [finding for finding in rated.findings if finding.blocking]
    spent = expense_lines(case.entries, contract, case.used.expenses)
    adjusted = _adjusted([*time_lines(rated.entries, contract), *spent.lines], case.entries)
    cut = cut_lines(adjusted, case.entries, _caps(case), _used(case))
    above = (*cut.above, *spent.above_cap)
    billed = {share.key for line in cut.lines for share in line.shares}
    out = {entry.key for entry in case.entries} - billed
    return _Work(
        lines=cut.lines,
        findings=(*_decided(rated.findings, case), *spent.findings, *cut.findings),
        above=above,
        split=tuple(share for share in above if share.key in billed),
        left_out=tuple(sorted(out | {key for finding in missing for key in finding.keys})),
        adjusted=total(
            [entry.adjustment.amount for entry in case.entries if entry.adjustment and entry.key in billed],
            zero.currency,
        ),
    )


def _decided(findings: Sequence[InvoiceFinding], case: InvoiceCase) -> list[InvoiceFinding]:
    """What lacks a rate blocks the invoice until it has one, or a person decides to go without."""
    return [finding.with_changes(blocking=finding.blocking and not case.without_rate) for finding in findings]


def _adjusted(lines: Sequence[PricedLine], entries: Sequence[Billable]) -> list[PricedLine]:
    """Write-downs and write-ups on the lines of their entries: revenue changes, never cost."""
    changes = {entry.key: entry.adjustment.amount for entry in entries if entry.adjustment}
    return [_adjusted_line(line, changes) for line in lines]


def _adjusted_line(line: PricedLine, changes: dict[str, Money]) -> PricedLine:
    mine = [changes[share.key] for share in line.shares if share.key in changes]
    if not mine:
        return line
    change = total(mine, line.line.net.currency)
    shares = tuple(
        share.with_changes(net=share.net + changes[share.key]) if share.key in changes else share
        for share in line.shares
    )
    # Quantity and price no longer multiply to the net, so only the quantity is shown.
    draft = line.line.with_changes(net=line.line.net + change, unit_price=None)
    return PricedLine(line=draft, shares=shares)


def _caps(case: InvoiceCase) -> tuple[CapTerm, ...]:
    return caps_of(case.contract)


def _used(case: InvoiceCase) -> dict[str, Money]:
    """Billed before, and what the events of this very invoice take first."""
    contract, used = case.contract, dict(case.used.by_cap)
    fixed = [event for event in case.events if event.amount and event.kind not in _NO_REVENUE]
    used["contract"] = case.used.billed + _event_sum(fixed, contract)
    for line in contract.lines:
        mine = [event for event in fixed if event.line == line.number]
        before = case.used.by_line.get(line.number, Money.zero(contract.currency))
        used[f"line:{line.number}"] = before + _event_sum(mine, contract)
    return {cap.ref: used[cap.ref] for cap in caps_of(contract) if cap.ref in used}


_NO_REVENUE = ("advance", "retention_release")
"""Events that bill no value of their own: a liability, and what was billed before."""


def _event_sum(events: Sequence[BillingEventRow], contract: ProjectContract) -> Money:
    return total([event.amount for event in events if event.amount], contract.currency)


def _event_lines(case: InvoiceCase) -> tuple[list[PricedLine], list[InvoiceFinding]]:
    """Milestones, periods, advances, releases and what the PSA billed, each as one line."""
    if case.psa_invoice is not None:
        return _psa_lines(case.psa_invoice, case)
    fixed = [event for event in case.events if event.amount is not None and event.kind in _KIND_OF]
    return [_event_line(event, case.contract) for event in fixed], _over_contract_cap(case, fixed)


def _event_line(event: BillingEventRow, contract: ProjectContract) -> PricedLine:
    assert event.amount is not None  # noqa: S101  the caller looked
    named = next((line.name for line in contract.lines if line.number == event.line), contract.title)
    said = {
        "milestone": f"{named}, accepted: {event.evidence}" if event.evidence else named,
        "subscription": f"{named}, {event.service_from} to {event.service_to}",
        "advance": f"Advance payment, contract {contract.number}",
        "retention_release": f"Release of retention, contract {contract.number}",
        "above_cap": f"{named}, within the raised cap",
    }
    draft = DraftLine(
        ref=event.key,
        kind=_KIND_OF[event.kind],
        description=said.get(event.kind, f"{named}, {event.occasion}"),
        net=event.amount,
        contract_line=event.line,
    )
    return PricedLine(line=draft, shares=(LineShare(key=event.key, net=event.amount),))


def _over_contract_cap(case: InvoiceCase, events: Sequence[BillingEventRow]) -> list[InvoiceFinding]:
    """A fixed amount is never cut by itself: above the cap it needs a changed contract."""
    cap, contract = case.contract.terms.cap, case.contract
    mine = _event_sum([event for event in events if event.kind not in _NO_REVENUE], contract)
    if cap is None or contract.terms.cap_kind == "soft" or case.used.billed + mine <= cap:
        return []
    over = case.used.billed + mine - cap
    return [
        InvoiceFinding(
            rule="cap.hard",
            field="terms.cap",
            problem=f"{mine} fall due, {case.used.billed} of the cap of {cap} are billed: {over} too much; "
            "raise the cap by a signed change, or void the event",
            amount=over,
            keys=tuple(event.key for event in events),
        )
    ]


def _psa_lines(document: PsaInvoice, case: InvoiceCase) -> tuple[list[PricedLine], list[InvoiceFinding]]:
    """The PSA's prices stand; the cap is checked by us."""
    event = case.events[0]
    lines = [
        PricedLine(
            line=DraftLine(
                ref=part.ref,
                kind="adjustment" if part.kind == "other" else part.kind,
                description=part.description,
                net=part.net,
                contract_line=event.line,
            ),
            shares=(LineShare(key=event.key, net=part.net),),
        )
        for part in document.lines
    ]
    return lines, _over_contract_cap(case, [event.with_changes(amount=document.net)])


def _held_and_drawn(case: InvoiceCase, lines: Sequence[PricedLine]) -> list[PricedLine]:
    """Retention of what is billed, then the advance against what is left to pay."""
    contract = case.contract
    revenue = total([line.line.net for line in lines if line.line.kind not in _NO_REVENUE], contract.currency)
    held = retain(contract.terms.retention, revenue, case.used.billed, case.used.retained).held
    applied = Money.zero(contract.currency)
    if revenue.amount > 0:
        applied = draw_down(case.used.advance_left, revenue - held).applied
    result = []
    if held.amount:
        result.append(_own_line("retention", "Retention held", -held))
    if applied.amount:
        result.append(_own_line("advance_applied", "Advance applied", -applied))
    return result


def _own_line(kind: LineKind, description: str, net: Money) -> PricedLine:
    draft = DraftLine(ref=kind, kind=kind, description=description, net=net, contract_line=_WHOLE_CONTRACT)
    return PricedLine(line=draft)


def _numbered(lines: Sequence[PricedLine]) -> list[PricedLine]:
    numbers = count(1)
    return [line.with_changes(line=line.line.with_changes(ref=str(next(numbers)))) for line in lines]


def _taxed(
    lines: Sequence[PricedLine], expected: ExpectedTax, contract: ProjectContract
) -> tuple[list[PricedLine], tuple[TaxLine, ...]]:
    """The lines with their tax code, and the tax by code; none of both where nothing was decided."""
    decision = expected.decision
    if decision is None:
        return list(lines), ()
    taxable = [TaxableLine(ref=line.line.ref, net=line.line.net, decision=decision) for line in lines]
    header = header_tax(taxable, contract.currency, contract.terms.tax_rounding)
    coded = [line.with_changes(line=line.line.with_changes(tax_code=decision.code)) for line in lines]
    return coded, header.taxes


def _po(case: InvoiceCase, net: Money) -> tuple[InvoiceFinding, ...]:
    contract = case.contract
    position = po_position(
        contract.customer_po,
        required=contract.terms.po_required,
        net=net,
        billed_before=case.used.billed,
        dated=case.dated,
    )
    return position.findings


def _sum_of(lines: Sequence[PricedLine], kind: LineKind, case: InvoiceCase) -> Money:
    return total([line.line.net for line in lines if line.line.kind == kind], case.contract.currency)
