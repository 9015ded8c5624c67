"""Rules of the gate "billing structure" that look at one contract line."""

from collections.abc import Iterator

from domain.gates.case import Case
from domain.readiness import Finding
from domain.selling import BillingMethod, Contract, ContractLine

MAX_LINES = 500
"""Lines of one deal; above it a plan no longer fits the bulk writes and payload limits of one process."""


def judge_line(case: Case, contract: Contract, line: ContractLine) -> Iterator[Finding]:
    """In both phases: a line must say how and how much it bills. The rest is judged before creation."""
    label = f"line {line.number} {line.name}"
    yield from _judge_method(case, line, label)
    if case.rule.phase == "before_creation":
        yield from _judge_amount(case, line, label)
        yield from _judge_dates(case, contract, line, label)


def _judge_amount(case: Case, line: ContractLine, label: str) -> Iterator[Finding]:
    if line.amount is None:
        yield case.finding(
            line.path("amount"), "amount.required", f"{label} has no amount: enter it in the CRM"
        )
        return
    if line.amount.amount < 0:
        yield case.finding(
            line.path("amount"),
            "amount.negative",
            f"{label} is {line.amount}: an amount cannot be negative, a discount lowers a price",
            line.amount,
        )
    if case.deal.currency is not None and line.amount.currency != case.deal.currency:
        yield case.finding(
            line.path("amount"),
            "amount.currency",
            f"{label} is in {line.amount.currency}, the deal in {case.deal.currency}: correct the line",
            line.amount,
        )


def _judge_method(case: Case, line: ContractLine, label: str) -> Iterator[Finding]:
    method = line.billing_method
    if method is None:
        yield case.finding(
            line.path("billing_method"),
            "billing_method.required",
            f"{label} does not say how it is billed: choose one of {', '.join(BillingMethod)}",
        )
    elif method is BillingMethod.TIME_AND_MATERIALS:
        if line.cap is None and not (line.quantity and line.quantity > 0):
            yield case.finding(
                line.path("cap"),
                "cap_or_estimate.required",
                f"{label} is time and materials without a cap or estimated hours: enter one of them",
            )
    elif method is BillingMethod.MILESTONE and line.due_on is None:
        yield case.finding(
            line.path("due_on"), "due_on.required", f"{label} is a milestone without a due date: enter it"
        )
    elif method is BillingMethod.SUBSCRIPTION and line.frequency is None:
        yield case.finding(
            line.path("frequency"),
            "frequency.required",
            f"{label} is a subscription that does not say how often it bills: choose monthly or quarterly",
        )


def _judge_dates(case: Case, contract: Contract, line: ContractLine, label: str) -> Iterator[Finding]:
    if line.starts_on and line.ends_on and line.starts_on > line.ends_on:
        yield case.finding(
            line.path("ends_on"),
            "dates.reversed",
            f"{label} ends on {line.ends_on}, before it starts on {line.starts_on}: correct the dates",
            line.ends_on,
        )
    first, last = contract.starts_on, contract.ends_on
    for field in ("starts_on", "ends_on", "due_on"):
        day = getattr(line, field)
        if day is not None and ((first and day < first) or (last and day > last)):
            yield case.finding(
                line.path(field),
                "dates.outside_contract",
                f"{label}: {day} lies outside the contract ({first or 'open'} to {last or 'open'}): "
                "correct the line or the contract",
                day,
            )
