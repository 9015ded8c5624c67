"""From a request to a credit note: what the rules make of it, and the row that is kept and posted. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import cast

from domain.billing_commands import CreditReason
from domain.billing_process import CreditInput
from domain.calendar import Period
from domain.invoice_commands import priced_of
from domain.invoice_state import InvoiceRow, LineShare, PricedInvoice, PricedLine, TaxLine
from domain.money import Money, total
from domain.rules.approval import lines_hash
from domain.rules.credit import RULE, credit_entries, full_reversal, reduce_price
from domain.rules.credited import Credit, CreditedLine, CreditRefused, PostedInvoice
from domain.rules.header_tax import Rounding

_POSTED = ("posted", "paid")


def credit_of_request(
    request: CreditInput,
    invoice: InvoiceRow,
    credits: Sequence[InvoiceRow],
    dated: date,
    tax_rounding: Rounding = "group",
) -> Credit:
    """The credit that `request` asks for, beside the live `credits` to the invoice.

    Whether the period of `dated` is open the ERP says, when it posts. Raises `CreditRefused` naming what
    to do instead.
    """
    _check_request(request, invoice)
    posted = posted_invoice(invoice, credits).with_changes(tax_rounding=tax_rounding)
    reason = cast(CreditReason, request.reason)
    periods = (Period.of(dated),)
    if request.amount is not None:
        return reduce_price(posted, request.amount, reason, dated, periods)
    if request.entries:
        return credit_entries(posted, request.entries, reason, dated, periods)
    return full_reversal(posted, reason, dated, periods)


def posted_invoice(invoice: InvoiceRow, credits: Sequence[InvoiceRow]) -> PostedInvoice:
    """The invoice as the ERP posted it, with the credit notes `credits` to it."""
    priced = priced_of(invoice)
    if invoice.dated is None:
        raise CreditRefused("invoice", RULE, f"{invoice.id} has no date: it is not posted")
    return PostedInvoice(
        id=invoice.id,
        number=invoice.number,
        currency=priced.currency,
        dated=invoice.dated,
        lines=priced.lines,
        taxes=_taxes_posted(invoice),
        credits=tuple(_credit(row) for row in credits),
    )


def credit_row(
    id: str,
    credit: Credit,
    invoice: InvoiceRow,
    credits: Sequence[InvoiceRow],
    revision: int = 1,
) -> InvoiceRow:
    """The credit note as it is kept: amounts with the invoice's sign, each entry with what it gets back."""
    return InvoiceRow(
        id=id,
        project=invoice.project,
        entity=invoice.entity,
        customer=invoice.customer,
        revision=revision,
        stage="priced",
        service_from=invoice.service_from,
        service_to=invoice.service_to,
        dated=credit.dated,
        priced=_priced_credit(credit, invoice, credits),
        approval_needed=True,
        credits=invoice.id,
        credit_reason=credit.reason,
        credited=credit.entries,
        released=credit.released,
    )


def _priced_credit(credit: Credit, invoice: InvoiceRow, credits: Sequence[InvoiceRow]) -> PricedInvoice:
    priced = priced_of(invoice)
    left = _left_of_shares(invoice, credits)
    back = {part.ref: part.net for part in credit.lines}
    lines = [
        _credited_line(line, back[line.line.ref], left, credit.entries)
        for line in priced.lines
        if line.line.ref in back
    ]
    sums = {
        kind: -total([line.line.net for line in lines if line.line.kind == kind], priced.currency)
        for kind in ("retention", "advance_applied")
    }
    return PricedInvoice(
        lines=tuple(lines),
        taxes=credit.taxes,
        currency=priced.currency,
        net=credit.net,
        tax=credit.tax,
        gross=credit.gross,
        retention=sums["retention"],
        advance_applied=sums["advance_applied"],
        adjusted=Money.zero(priced.currency),
        content_hash=lines_hash(lines, credit.taxes),
    )


def conceded(credits: Sequence[InvoiceRow]) -> set[str]:
    """Entries and events given up for good: they stay on their invoice and are never billed again."""
    return {key for row in credits for key in set(row.credited) - set(row.released)}


def _check_request(request: CreditInput, invoice: InvoiceRow) -> None:
    name = invoice.number or invoice.id
    if invoice.credits:
        raise CreditRefused("invoice", RULE, f"{name} is a credit note itself: bill again what it released")
    if invoice.stage not in _POSTED:
        instead = {"credited": "nothing of it is left to credit"}
        cure = instead.get(invoice.stage, "cancel it, which frees what it covers")
        raise CreditRefused("invoice", RULE, f"{name} is {invoice.stage}: {cure}")
    if request.entries and request.amount is not None:
        raise CreditRefused("amount", RULE, "either entries are credited by name, or the price is reduced")
    if request.rebill and (request.amount is not None or request.reason == "concession"):
        raise CreditRefused(
            "rebill", RULE, "nothing is released, so there is nothing to bill again: leave it out"
        )


def _credit(row: InvoiceRow) -> Credit:
    priced = priced_of(row)
    if row.credit_reason is None or row.dated is None:
        raise ValueError(f"credit note {row.id} has no reason or no date")
    return Credit(
        invoice=row.credits,
        reason=row.credit_reason,
        dated=row.dated,
        lines=tuple(CreditedLine(ref=line.line.ref, net=line.line.net) for line in priced.lines),
        taxes=priced.taxes,
        net=priced.net,
        tax=priced.tax,
        gross=priced.gross,
        entries=row.credited,
        released=row.released,
    )


def _taxes_posted(invoice: InvoiceRow) -> tuple[TaxLine, ...]:
    """A credit uses the original's tax: what the ERP posted, where a person accepted a difference."""
    priced = priced_of(invoice)
    if invoice.erp_tax is None or invoice.erp_tax == priced.tax or len(priced.taxes) != 1:
        return priced.taxes
    return (priced.taxes[0].with_changes(tax=invoice.erp_tax),)


def _left_of_shares(invoice: InvoiceRow, credits: Sequence[InvoiceRow]) -> dict[tuple[str, str], Money]:
    """(line, key) -> what of it no credit note has taken back."""
    left = {
        (line.line.ref, share.key): share.net for line in priced_of(invoice).lines for share in line.shares
    }
    for row in credits:
        for line in priced_of(row).lines:
            for share in line.shares:
                place = (line.line.ref, share.key)
                left[place] = left[place] - share.net
    return left


def _credited_line(
    line: PricedLine, back: Money, left: Mapping[tuple[str, str], Money], named: Collection[str]
) -> PricedLine:
    ref = line.line.ref
    keys = [share.key for share in line.shares if not named or share.key in named]
    parts = _parted(back, [left[ref, key] for key in keys])
    whole = back == line.line.net
    draft = line.line if whole else line.line.with_changes(net=back, quantity=None, unit="", unit_price=None)
    cost = line.before_markup
    if cost is not None and not whole:
        cost = cost.times(back.amount / line.line.net.amount)
    shares = [LineShare(key=key, net=part) for key, part in zip(keys, parts, strict=True) if part.amount]
    return PricedLine(line=draft, shares=tuple(shares), before_markup=cost)


def _parted(back: Money, left: Sequence[Money]) -> list[Money]:
    """`back` over what is left of each: all of it where it is all, else in proportion to its size."""
    if not left or back == total(left, back.currency):
        return list(left)
    weights = [abs(each.amount) for each in left]
    return back.allocate(weights if sum(weights) else [Decimal(1)] * len(left))
