"""Approved work becomes invoice lines: rated, grouped, changed by the review, and cut by the caps.

    rate -> group -> write-downs and reversals -> caps

Source: rules 1, 7, 12 and 20 of `docs/rules.md`. Pure, and the same in whatever order entries come.
"""

from collections.abc import Mapping, Sequence

from domain.base import Value
from domain.billable import Billable
from domain.invoice_case import InvoiceCase
from domain.invoice_events import revenue_events, sum_of
from domain.invoice_state import InvoiceFinding, LineShare, PricedLine
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.reversals import judge_reversals
from domain.rules.capped_lines import cut_lines
from domain.rules.caps import caps_of
from domain.rules.expense_lines import ExpenseLines, expense_lines
from domain.rules.expenses import rebilled
from domain.rules.grouping import time_lines
from domain.rules.pricing import rate_entries
from domain.selling import RateCard


class Work(Value):
    """Time and expenses, priced and cut. What `lines` and `split` carry sums to the full price."""

    lines: tuple[PricedLine, ...] = ()
    findings: tuple[InvoiceFinding, ...] = ()
    parked: tuple[str, ...] = ()
    """Entries wholly above a cap."""
    split: tuple[LineShare, ...] = ()
    """The part above a cap of entries that are billed in part."""
    left_out: tuple[str, ...] = ()
    """Entries that nothing is billed of."""
    adjusted: Money


def price_work(case: InvoiceCase, cards: Sequence[RateCard]) -> Work:
    """Price the entries of `case`. Raises `RuleError` for terms that cannot be applied."""
    contract, entries = case.contract, _priced_here(case)
    time = [entry for entry in entries if entry.kind == "time" and entry.billable]
    rated = rate_entries(time, contract, cards)
    spent = expense_lines(entries, contract, case.used.expenses)
    priced = [*time_lines(rated.entries, contract), *_with_cost(spent, entries, contract)]
    adjustments = {entry.key: entry.adjustment.amount for entry in entries if entry.adjustment}
    reversals = judge_reversals(entries, priced, adjustments, case.billed)
    changed = _without(_changed(priced, {**adjustments, **reversals.changes}), reversals.waiting)
    cut = cut_lines(changed, entries, caps_of(contract), _used(case))
    lines = [_cost_cut(line, priced) for line in cut.lines]
    billed = {share.key for line in lines for share in line.shares}
    above = _above(cut.above, spent, contract)
    return Work(
        lines=tuple(lines),
        findings=(
            *_decided(rated.findings, case),
            *spent.findings,
            *reversals.findings,
            *cut.findings,
            *_too_low(changed, priced, adjustments),
        ),
        parked=tuple(sorted(key for key in above if key not in billed)),
        split=tuple(LineShare(key=key, net=above[key]) for key in sorted(above) if key in billed),
        left_out=tuple(sorted({entry.key for entry in entries} - billed)),
        adjusted=total([adjustments[key] for key in sorted(adjustments) if key in billed], contract.currency),
    )


def _priced_here(case: InvoiceCase) -> list[Billable]:
    """The entries whose price is ours: not those that the PSA's document has priced."""
    if case.psa_invoice is None:
        return list(case.entries)
    theirs = {id for part in case.psa_invoice.lines for id in part.entry_ids}
    return [entry for entry in case.entries if entry.external_id not in theirs]


def _decided(findings: Sequence[InvoiceFinding], case: InvoiceCase) -> list[InvoiceFinding]:
    """What lacks a rate blocks the invoice until it has one, or a person decides to go without."""
    return [finding.with_changes(blocking=finding.blocking and not case.without_rate) for finding in findings]


def _with_cost(
    spent: ExpenseLines, entries: Sequence[Billable], contract: ProjectContract
) -> list[PricedLine]:
    """Expense lines with what of each counts against the expense cap."""
    costs = {share.key: share.net for share in spent.costs}
    return [line.with_changes(before_markup=costs[line.shares[0].key]) for line in spent.lines]


def _changed(lines: Sequence[PricedLine], changes: Mapping[str, Money]) -> list[PricedLine]:
    """Write-downs, write-ups and reversals on the lines of their entries: revenue changes, never cost."""
    return [_changed_line(line, changes) for line in lines]


def _changed_line(line: PricedLine, changes: Mapping[str, Money]) -> PricedLine:
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
    return line.with_changes(line=draft, shares=shares)


def _without(lines: Sequence[PricedLine], keys: Sequence[str]) -> list[PricedLine]:
    """The lines less the shares of `keys`."""
    result = []
    for line in lines:
        shares = tuple(share for share in line.shares if share.key not in keys)
        if shares == line.shares:
            result.append(line)
        elif shares:
            net = total([share.net for share in shares], line.line.net.currency)
            draft = line.line.with_changes(net=net, quantity=None, unit="", unit_price=None)
            result.append(line.with_changes(line=draft, shares=shares))
    return result


def _too_low(
    changed: Sequence[PricedLine], priced: Sequence[PricedLine], adjustments: Mapping[str, Money]
) -> list[InvoiceFinding]:
    """A write-down takes away the price and no more."""
    before = {share.key: share.net for line in priced for share in line.shares}
    return [
        InvoiceFinding(
            rule="adjustment.beyond_price",
            field="adjustment",
            problem=f"entry {share.key} is worth {before[share.key]} and written down by "
            f"{-adjustments[share.key]}: write down no more than it is worth",
            amount=share.net,
            owner="delivery_operations",
            keys=(share.key,),
        )
        for line in changed
        for share in line.shares
        if share.key in adjustments and share.net.amount < 0 <= before[share.key].amount
    ]


def _cost_cut(line: PricedLine, priced: Sequence[PricedLine]) -> PricedLine:
    """An expense that is cut or changed counts against the expense cap in proportion."""
    if line.line.kind != "expense":
        return line
    whole = next(one for one in priced if one.shares[0].key == line.shares[0].key)
    if whole.before_markup is None or whole.line.net == line.line.net:
        return line.with_changes(before_markup=whole.before_markup)
    part = line.line.net.amount / whole.line.net.amount
    return line.with_changes(before_markup=whole.before_markup.times(part))


def _above(cut: Sequence[LineShare], spent: ExpenseLines, contract: ProjectContract) -> dict[str, Money]:
    """What caps kept out, by entry, at the price it would be billed with."""
    markup, costs = contract.terms.expense_markup_percent, {share.key: share.net for share in spent.costs}
    above = {share.key: share.net for share in cut}
    for share in spent.above_cap:
        cost = costs.get(share.key, Money.zero(contract.currency))
        rest = rebilled(cost + share.net, markup) - rebilled(cost, markup)
        above[share.key] = above[share.key] + rest if share.key in above else rest
    return above


def _used(case: InvoiceCase) -> dict[str, Money]:
    """Billed before, and what the events of this very invoice take first."""
    contract, used = case.contract, dict(case.used.by_cap)
    fixed = revenue_events(case.events)
    used["contract"] = case.used.billed + sum_of(fixed, contract)
    for line in contract.lines:
        mine = [event for event in fixed if event.line == line.number]
        before = case.used.by_line.get(line.number, Money.zero(contract.currency))
        used[f"line:{line.number}"] = before + sum_of(mine, contract)
    return {cap.ref: used[cap.ref] for cap in caps_of(contract) if cap.ref in used}
