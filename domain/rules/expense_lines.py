"""Expenses become invoice lines, one each: per diem first, then the contract's cap, then the markup.

Source: rules 7 and 20. What is above the per diem stays with the firm; what is above the cap waits for a
person. An expense of which nothing is left makes no line; a refund makes a line below zero.
"""

from collections.abc import Mapping, Sequence

from domain.base import Value
from domain.billable import Billable
from domain.billing_commands import DraftLine
from domain.invariants import distinct, in_currency
from domain.invoice_state import InvoiceFinding, LineShare, PricedLine
from domain.money import Money
from domain.project_contract import CapTerm, ProjectContract
from domain.rules.caps import CapItem, CapResult, apply_caps
from domain.rules.expenses import ExpenseError, rebilled
from domain.rules.per_diem import amount_of, within_per_diem


class ExpenseLines(Value):
    lines: tuple[PricedLine, ...] = ()
    above_cap: tuple[LineShare, ...] = ()
    """Net and before markup, by entry."""
    net_rebilled: Money
    """Before markup: what counts against the expense cap."""
    costs: tuple[LineShare, ...] = ()
    """Its parts, by entry."""
    findings: tuple[InvoiceFinding, ...] = ()


def expense_lines(
    entries: Sequence[Billable],
    contract: ProjectContract,
    rebilled_before: Money,
    tax_codes: Mapping[int, str] | None = None,
    first_ref: int = 1,
) -> ExpenseLines:
    """The billable expenses among `entries`; `rebilled_before` is net and before markup.

    Raises `ExpenseError` for an expense in another currency, without amount, or given twice.
    """
    billable = [entry for entry in entries if entry.kind == "expense" and entry.billable]
    ordered = sorted(billable, key=lambda e: (e.work_date, e.key))
    _check(ordered, contract)
    allowed = within_per_diem(ordered, contract.terms.per_diems)
    capped = _capped(ordered, allowed, contract, rebilled_before)
    bills = {item.key: item.bill for item in capped.items}
    billed = [(entry, bills[entry.key]) for entry in ordered if bills[entry.key].amount]
    codes = tax_codes or {}
    lines = [
        _line(str(ref), entry, bill, contract, codes)
        for ref, (entry, bill) in enumerate(billed, start=first_ref)
    ]
    above = [LineShare(key=item.key, net=item.above) for item in capped.items if item.above.amount]
    return ExpenseLines(
        lines=tuple(line for line in lines if line.line.net.amount),
        above_cap=tuple(above),
        costs=tuple(LineShare(key=entry.key, net=bill) for entry, bill in billed),
        net_rebilled=sum((bill for _, bill in billed), start=Money.zero(contract.currency)),
        findings=(*_per_diem_findings(ordered, allowed), *capped.findings),
    )


def _capped(
    entries: Sequence[Billable], allowed: Mapping[str, Money], contract: ProjectContract, before: Money
) -> CapResult:
    limit = contract.terms.expense_cap
    caps = [] if limit is None else [CapTerm(ref="expenses", limit=limit)]
    items = [
        CapItem(key=entry.key, work_date=entry.work_date, line=entry.line, net=allowed[entry.key])
        for entry in entries
    ]
    return apply_caps(items, caps, {"expenses": before})


def _line(
    ref: str, entry: Billable, bill: Money, contract: ProjectContract, tax_codes: Mapping[int, str]
) -> PricedLine:
    net = rebilled(bill, contract.terms.expense_markup_percent)
    said = (contract.line(entry.line).name, entry.category, entry.work_date.isoformat(), entry.narrative)
    draft = DraftLine(
        ref=ref,
        kind="expense",
        description=", ".join(part for part in said if part),
        net=net,
        tax_code=tax_codes.get(entry.line, ""),
        contract_line=entry.line,
        task_ref=entry.task_ref,
    )
    return PricedLine(line=draft, shares=(LineShare(key=entry.key, net=net),))


def _per_diem_findings(entries: Sequence[Billable], allowed: Mapping[str, Money]) -> list[InvoiceFinding]:
    """What the customer does not pay of an actual expense is said, and stays with the firm."""
    return [
        InvoiceFinding(
            rule="expense.per_diem",
            field="terms.per_diems",
            problem=f"expense {entry.key} of {entry.work_date}: {amount_of(entry)} spent, "
            f"{allowed[entry.key]} billed by the per diem for {entry.category}",
            amount=amount_of(entry) - allowed[entry.key],
            blocking=False,
            owner="delivery_operations",
            keys=(entry.key,),
        )
        for entry in entries
        if allowed[entry.key] != amount_of(entry)
    ]


def _check(entries: Sequence[Billable], contract: ProjectContract) -> None:
    try:
        distinct([entry.key for entry in entries], "expense")
        for entry in entries:
            in_currency(contract.currency, [amount_of(entry)], f"contract {contract.number}, {entry.key}:")
    except ExpenseError:
        raise
    except ValueError as error:
        raise ExpenseError("entries", "20 expenses", str(error)) from error
