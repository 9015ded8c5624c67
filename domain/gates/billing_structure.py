"""Gate "billing structure": every line can be billed, and all of them together are what was signed."""

from collections.abc import Iterator
from decimal import Decimal

from domain.billing_schedule import scheduled_lines
from domain.deal_dates import project_dates
from domain.gates.billing_lines import MAX_LINES, judge_line
from domain.gates.case import Case
from domain.money import Money, total
from domain.readiness import Evidence, Finding
from domain.selling import BillingMethod, Contract, ContractLine


def judge_billing_structure(case: Case) -> Iterator[Finding]:
    contract = case.deal.contract
    if contract is None:
        return  # the legal entity gate says so
    if case.rule.phase == "before_creation":
        yield from _judge_terms(case, contract)
        yield from _judge_value(case, contract)
        yield from _judge_customer_po(case, contract)
    for line in contract.lines[:MAX_LINES]:
        yield from judge_line(case, contract, line)
    if case.rule.phase == "before_opening":
        yield from _judge_schedule(case)


def billing_structure_evidence(case: Case) -> Iterator[Evidence]:
    contract = case.deal.contract
    if contract:
        detail = f"{len(contract.lines)} lines, value {contract.value or 'unknown'}"
        yield case.evidence("crm", contract.id, case.deal.version.isoformat(), detail)
    if case.schedule:
        detail = f"{case.schedule.line_count} lines, {case.schedule.total}"
        yield case.evidence(
            "erp", f"billing schedule {case.schedule.external_id}", case.schedule.version, detail
        )


def _judge_terms(case: Case, contract: Contract) -> Iterator[Finding]:
    if not contract.lines:
        yield case.finding(
            "lines",
            "lines.required",
            f"contract {contract.number} has no lines: add what is sold to the deal",
        )
    if len(contract.lines) > MAX_LINES:
        yield case.finding(
            "lines",
            "lines.too_many",
            f"the deal has {len(contract.lines)} lines, at most {MAX_LINES} can be activated: split the deal",
            len(contract.lines),
        )
    dates = project_dates(case.deal)
    if dates is None:
        yield case.finding(
            "deal.starts_on", "dates.required", "the deal has no start and end date: enter both in the CRM"
        )
    elif dates[0] > dates[1]:
        yield case.finding(
            "deal.ends_on",
            "dates.reversed",
            f"the deal ends on {dates[1]}, before it starts on {dates[0]}: correct the dates",
            dates[1],
        )
    if not Decimal(0) <= contract.retention_percent < Decimal(100):
        yield case.finding(
            "contract.retention_percent",
            "retention.range",
            f"retention of {contract.retention_percent}% is not between 0 and 100: correct it in the CRM",
            contract.retention_percent,
        )


def _judge_value(case: Case, contract: Contract) -> Iterator[Finding]:
    value = contract.value
    if value is None:
        yield case.finding(
            "contract.value",
            "value.required",
            f"contract {contract.number} has no value: enter it in the CRM",
        )
        return
    if value.amount < 0:
        yield case.finding(
            "contract.value", "value.negative", f"the contract value is {value}: it cannot be negative", value
        )
    counted = _lines_of_value(case, contract)
    amounts = [line.amount for line in counted if line.amount is not None]
    if not counted or len(amounts) < len(counted) or {a.currency for a in amounts} != {value.currency}:
        return  # each line without an amount in the currency is a finding of its own
    lines_sum = total(amounts, value.currency)
    if lines_sum != value:
        gap = value - lines_sum
        verdict = f"{gap} is missing from the lines" if gap.amount > 0 else f"the lines hold {-gap} too much"
        yield case.finding(
            "contract.value",
            "lines.sum_mismatch",
            f"the lines sum to {lines_sum}, the contract says {value}: {verdict}; "
            "correct a line or the value",
            value,
        )


def _lines_of_value(case: Case, contract: Contract) -> list[ContractLine]:
    """The lines whose sum is the contract's value: all, or those at a fixed price."""
    if case.option("contract_value") == "all_lines":
        return list(contract.lines)
    return [line for line in contract.lines if line.billing_method is not BillingMethod.TIME_AND_MATERIALS]


def _judge_customer_po(case: Case, contract: Contract) -> Iterator[Finding]:
    order = contract.customer_po
    if order is None or not order.number:
        if case.option("customer_po") == "required":
            yield case.finding(
                "contract.customer_po.number",
                "customer_po.required",
                f"{case.deal.customer.name} must give a purchase order: enter its number on the contract",
            )
        return
    needed_on = max(case.today, case.deal.starts_on or case.today)
    if order.expires_on is not None and order.expires_on < needed_on:
        yield case.finding(
            "contract.customer_po.expires_on",
            "customer_po.expired",
            f"purchase order {order.number} expires on {order.expires_on}, before work on {needed_on}: "
            "ask the customer to extend it",
            order.expires_on,
        )
    if order.amount is not None and contract.value is not None:
        yield from _judge_po_amount(case, order.number, order.amount, contract.value)


def _judge_po_amount(case: Case, number: str, ordered: Money, value: Money) -> Iterator[Finding]:
    if ordered.currency != value.currency:
        yield case.finding(
            "contract.customer_po.amount",
            "customer_po.currency",
            f"purchase order {number} is in {ordered.currency}, the contract in {value.currency}: correct it",
            ordered,
        )
    elif ordered < value:
        yield case.finding(
            "contract.customer_po.amount",
            "customer_po.exhausted",
            f"purchase order {number} covers {ordered} of the contract's {value}: "
            f"ask the customer to raise it by {value - ordered}",
            ordered,
        )


def _judge_schedule(case: Case) -> Iterator[Finding]:
    lines = scheduled_lines(case.deal)
    amounts = [line.amount for line in lines if line.amount is not None]
    if not lines or case.deal.currency is None or {a.currency for a in amounts} - {case.deal.currency}:
        return
    schedule, expected = case.schedule, total(amounts, case.deal.currency)
    if schedule is None:
        yield case.finding(
            "schedule",
            "schedule.missing",
            f"the ERP holds no billing schedule for {expected}: create it again",
        )
        return
    if not schedule.active:
        yield case.finding(
            "schedule",
            "schedule.inactive",
            f"billing schedule {schedule.external_id} is inactive in the ERP: reactivate it",
            schedule.external_id,
        )
    if schedule.total != expected:
        yield case.finding(
            "schedule",
            "schedule.sum_mismatch",
            f"billing schedule {schedule.external_id} sums to {schedule.total}, the fixed-price lines to "
            f"{expected}: correct the schedule in the ERP",
            schedule.total,
        )
