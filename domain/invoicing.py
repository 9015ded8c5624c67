"""What a bill comes to: covered work and events become priced lines, cut, held back, drawn down and taxed.

    rate and group -> write-downs -> caps -> fixed events -> retention -> advance -> tax -> checks

Source: rules 1, 7, 8, 14 and 20 of `docs/rules.md`. Pure: the same case gives the same invoice and the same
hash, whatever order its entries came in, so that a repetition is not another invoice.
"""

from collections.abc import Callable, Sequence
from itertools import count

from domain.base import Value
from domain.billing_commands import DraftLine, LineKind
from domain.invoice_case import InvoiceCase
from domain.invoice_events import (
    NO_REVENUE,
    event_line,
    fixed_events,
    over_contract_cap,
    psa_lines,
    revenue_events,
    sum_of,
)
from domain.invoice_state import BillingEventRow, InvoiceFinding, PricedInvoice, PricedLine, TaxLine
from domain.invoice_work import price_work
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.rules.advances import draw_down
from domain.rules.approval import lines_hash
from domain.rules.customer_po import po_position
from domain.rules.header_tax import TaxableLine, header_tax
from domain.rules.retention import retain
from domain.rules.tax import ExpectedTax
from domain.selling import RateCard

_WHOLE_CONTRACT = 0
"""Contract line of what concerns the contract as a whole: retention and advances."""


Taxing = Callable[[Money], ExpectedTax]
"""The expected tax of a net amount of this supply."""


class Priced(Value):
    """The invoice, and what of the collected work is not on it."""

    invoice: PricedInvoice
    left_out: tuple[str, ...] = ()
    """Entries that nothing is billed of: no rate, wholly above a cap, or a reversal of what is unbilled."""


def price_invoice(case: InvoiceCase, cards: Sequence[RateCard], taxing: Taxing) -> Priced:
    """Price `case`. Raises `RuleError` for terms that cannot be applied."""
    work = price_work(case, cards)
    events, event_findings = _event_lines(case)
    billed = _numbered([*events, *work.lines])
    lines = _numbered([*billed, *_held_and_drawn(case, billed)])
    net = total([line.line.net for line in lines], case.contract.currency)
    expected = taxing(net)
    lines, taxes = _taxed(lines, expected, case.contract)
    of_whole = (*expected.missing, *_po(case, lines), *_below_zero(net)) if lines else ()
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
        parked=work.parked,
        above=work.split,
        findings=(*work.findings, *event_findings, *of_whole),
        content_hash=lines_hash(lines, taxes),
    )
    return Priced(invoice=invoice, left_out=work.left_out)


# -- inside -------------------------------------------------------------------------------------------


def _event_lines(case: InvoiceCase) -> tuple[list[PricedLine], list[InvoiceFinding]]:
    """Milestones, periods, advances, releases, each as one line; and what the PSA billed, as it did."""
    fixed = fixed_events(case.events)
    lines = [event_line(event, case.contract) for event in fixed]
    findings = over_contract_cap(case.contract, case.used.billed, fixed)
    released = next((event for event in case.events if event.kind == "psa"), None)
    if released is None:
        return lines, findings
    if case.psa_invoice is None:
        return lines, [*findings, _no_document(released)]
    theirs, found = psa_lines(
        case.psa_invoice,
        released,
        case.contract,
        case.used.billed + sum_of(revenue_events(fixed), case.contract),
    )
    return [*lines, *theirs], [*findings, *found]


def _no_document(event: BillingEventRow) -> InvoiceFinding:
    return InvoiceFinding(
        rule="psa.document",
        field="psa_invoice",
        problem=f"invoice {event.evidence} of the PSA was not read: retry, so that it is read",
        amount=event.amount,
        keys=(event.key,),
    )


def _held_and_drawn(case: InvoiceCase, lines: Sequence[PricedLine]) -> list[PricedLine]:
    """Retention of what is billed, then the advance against what is left to pay."""
    contract = case.contract
    revenue = _value(lines, contract)
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


def _value(lines: Sequence[PricedLine], contract: ProjectContract) -> Money:
    """What is billed as value: without retention and advances."""
    return total([line.line.net for line in lines if line.line.kind not in NO_REVENUE], contract.currency)


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


def _po(case: InvoiceCase, lines: Sequence[PricedLine]) -> tuple[InvoiceFinding, ...]:
    """The customer's order is used up by value, as caps are: an advance is not ordered beside the work."""
    position = po_position(
        case.contract.customer_po,
        required=case.contract.terms.po_required,
        net=_value(lines, case.contract),
        billed_before=case.used.billed,
        dated=case.dated,
    )
    return position.findings


def _below_zero(net: Money) -> list[InvoiceFinding]:
    if net.amount >= 0:
        return []
    return [
        InvoiceFinding(
            rule="invoice.below_zero",
            field="net",
            problem=f"it comes to {net}: an invoice is never below zero; let the reversals wait for more "
            "work, or credit what they reverse",
            amount=net,
        )
    ]


def _sum_of(lines: Sequence[PricedLine], kind: LineKind, case: InvoiceCase) -> Money:
    return total([line.line.net for line in lines if line.line.kind == kind], case.contract.currency)
