"""Which line of its contract an entry belongs to."""

import re

from domain.project_contract import ProjectContract
from domain.selling import BillingMethod, ContractLine

_NUMBER = re.compile(r"([1-9][0-9]{0,8})(?![0-9])")


def line_of(task_ref: str, contract: ProjectContract | None) -> ContractLine | None:
    """The line a task was planned for: its reference is the line's number, or one below it such as `2.1`."""
    found = _NUMBER.match(task_ref)
    if found is None or contract is None:
        return None
    return next((line for line in contract.lines if line.number == int(found[1])), None)


def expense_line(task_ref: str, contract: ProjectContract | None) -> ContractLine | None:
    """The line an expense is rebilled under: that of its task, else the one that can be meant.

    Many expenses name no task. Where a contract has one line by time, or one line at all, it is that.
    """
    if task_ref or contract is None:
        return line_of(task_ref, contract)
    by_time = [line for line in contract.lines if is_billed_by_time(line)]
    candidates = by_time or list(contract.lines)
    return candidates[0] if len(candidates) == 1 else None


def is_billed_by_time(line: ContractLine) -> bool:
    """Time on any other line is cost only: the line is billed by its milestone, period or progress."""
    return line.billing_method is BillingMethod.TIME_AND_MATERIALS
