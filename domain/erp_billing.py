"""What an ERP bills by its own authority, compared with what was signed. We read and check, never bill.

The ERP's figure stands; a difference is an exception for finance systems. Invoices of ours, known by their
effect key, are of other lines and do not count. Credit notes count with their sign. Pure.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from domain.base import Value
from domain.billing_calendar import billed_by
from domain.books import InvoiceFacts
from domain.identity import process_key
from domain.invoice_state import InvoiceRow, InvoiceStage
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.rules.errors import RuleError
from domain.rules.subscription import due_periods, subscription_periods
from domain.selling import BillingMethod, ContractLine

OBSERVED = "observed"
"""First part of the id of an invoice row that somebody else made."""
_STAGES: dict[str, InvoiceStage] = {
    "draft": "drafted",
    "rejected": "discarded",
    "open": "posted",
    "paid": "paid",
    "credited": "credited",
    "void": "credited",
}
_LIVE = ("open", "paid", "credited")
"""In the ledger: a credited invoice still counts, and its credit note takes it off."""


class ErpBilled(Value):
    """What the ERP has billed of a project, and what that says."""

    billed: Money
    planned: Money
    """Due by plan until today."""
    most: Money | None = None
    """All that may ever be billed of these lines; none while a line by time has neither cap nor amount."""
    differences: tuple[str, ...] = ()


def compare(contract: ProjectContract, invoices: Sequence[InvoiceFacts], as_of: date) -> ErpBilled:
    """Compare what others billed in the ERP until `as_of` with the lines under its authority."""
    lines, currency = billed_by(contract, "erp"), contract.currency
    theirs = [one for one in invoices if not one.key and one.state in _LIVE and one.dated <= as_of]
    foreign = [one for one in theirs if one.currency != currency]
    billed = total([one.net for one in theirs if one.currency == currency], currency)
    planned, unplanned = _planned(contract, lines, as_of)
    most = _most(lines, currency)
    return ErpBilled(
        billed=billed,
        planned=planned,
        most=most,
        differences=(
            *unplanned,
            *(f"{_named(one)} is in {one.currency}, the contract in {currency}" for one in foreign),
            *_headers(theirs),
            *_amounts(contract, lines, billed, planned, most, as_of),
        ),
    )


def observed_row(contract: ProjectContract, firm: str, system: str, facts: InvoiceFacts) -> InvoiceRow:
    """An invoice somebody else made, as we keep it: it has no price of ours and uses no limit."""
    return InvoiceRow(
        id=process_key(OBSERVED, firm, f"{system}:{facts.external_id}"),
        project=contract.project,
        entity=contract.entity,
        customer=contract.customer,
        stage=_STAGES[facts.state],
        service_from=min(contract.starts_on, facts.dated),
        service_to=facts.dated,
        dated=facts.dated,
        external_id=facts.external_id,
        number=facts.number,
        erp_net=facts.net,
        erp_tax=facts.tax,
        due_on=facts.due_on,
    )


def _planned(
    contract: ProjectContract, lines: Sequence[ContractLine], as_of: date
) -> tuple[Money, list[str]]:
    """Sum of what is due by plan, and what could not be planned."""
    amounts: list[Money] = []
    problems: list[str] = []
    for line in lines:
        if line.billing_method is BillingMethod.SUBSCRIPTION:
            try:
                amounts += [one.amount for one in due_periods(subscription_periods(line, contract), as_of)]
            except RuleError as error:
                problems.append(str(error))
        elif line.billing_method is BillingMethod.MILESTONE and line.amount is not None:
            amounts += [line.amount] if line.due_on is not None and line.due_on <= as_of else []
    return total(amounts, contract.currency), problems


def _most(lines: Sequence[ContractLine], currency: str) -> Money | None:
    limits = [line.cap or line.amount for line in lines]
    if any(limit is None for limit in limits):
        return None
    return total([limit for limit in limits if limit is not None], currency)


def _headers(invoices: Sequence[InvoiceFacts]) -> Iterator[str]:
    for one in invoices:
        found = sum((line.net.amount for line in one.lines), Decimal(0))
        if one.lines and found != one.net.amount:
            yield f"the lines of {_named(one)} sum to {found} {one.currency}, its header says {one.net}"


def _amounts(
    contract: ProjectContract,
    lines: Sequence[ContractLine],
    billed: Money,
    planned: Money,
    most: Money | None,
    as_of: date,
) -> Iterator[str]:
    by_plan = all(line.billing_method in _BY_PLAN for line in lines)
    what = f"contract {contract.number}, until {as_of}"
    if billed < planned:
        yield f"{what}: {planned} are due by plan, the ERP has billed {billed}: {planned - billed} is missing"
    elif by_plan and planned < billed:
        yield f"{what}: the ERP has billed {billed}, and {planned} are due: {billed - planned} too early"
    if most is not None and most < billed:
        yield f"{what}: the ERP has billed {billed}, {billed - most} more than the {most} agreed"


_BY_PLAN = (BillingMethod.MILESTONE, BillingMethod.SUBSCRIPTION)


def _named(one: InvoiceFacts) -> str:
    return f"invoice {one.number or one.external_id}"
