"""From an approved entry, as its source said it, to a billable with an identity that never changes."""

import json
from collections.abc import Sequence
from decimal import Decimal

from domain.billable import Billable, EntryKind
from domain.delivery import EntryApproval, Expense, TimeEntry
from domain.identity import content_hash
from domain.intake_lines import is_billed_by_time
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.selling import ContractLine

_MINUTES = {"minutes": Decimal(1), "hours": Decimal(60)}


def entry_key(source: str, kind: EntryKind, external_id: str) -> str:
    """Identity of an entry for ever: `kantata:time:4711`."""
    return f"{source}:{kind}:{external_id}"


def expense_id(expense: Expense) -> str:
    """Id of an expense at its source: the report, with line and allocation where it has several.

    The revision is content, not identity: a second revision replaces the first and is never billed beside it.
    """
    if expense.allocation != 1:
        return f"{expense.report}/{expense.line}/{expense.allocation}"
    return expense.report if expense.line == 1 else f"{expense.report}/{expense.line}"


def time_billable(
    entry: TimeEntry, source: str, project: str, contract: ProjectContract | None, line: ContractLine | None
) -> Billable:
    """`entry` under `line`. Time on a line that is not billed by time, or billed elsewhere, is cost only."""
    by_time = line is not None and is_billed_by_time(line)
    approved = _last_approval(entry.approvals)
    return Billable(
        key=entry_key(source, "time", entry.id),
        kind="time",
        source=source,
        external_id=entry.id,
        version=entry.version,
        content_hash=_time_hash(entry),
        project=project,
        line=line.number if line else 0,
        task_ref=entry.task_ref,
        entity=contract.entity if contract else "",
        resource=entry.resource,
        role=entry.role,
        grade=entry.grade,
        work_date=entry.work_date,
        quantity=entry.quantity,
        billable=entry.billable and by_time and not entry.billed_by,
        narrative=entry.note,
        reverses=entry_key(source, "time", entry.reverses) if entry.reverses else "",
        approved_by=approved.by if approved else "",
        approved_at=approved.at if approved else None,
    )


def expense_billable(
    expense: Expense, source: str, project: str, contract: ProjectContract | None, line: ContractLine | None
) -> Billable:
    """`expense` under `line`, net of recoverable tax and before any markup; however the line is billed."""
    id, approved = expense_id(expense), _last_approval(expense.approvals)
    return Billable(
        key=entry_key(source, "expense", id),
        kind="expense",
        source=source,
        external_id=id,
        version=expense.version,
        content_hash=_expense_hash(expense),
        project=project,
        line=line.number if line else 0,
        task_ref=expense.task_ref,
        entity=contract.entity if contract else "",
        resource=expense.resource,
        work_date=expense.spent_on,
        amount=expense.net,
        category=expense.category,
        billable=expense.billable,
        narrative=expense.note,
        approved_by=approved.by if approved else "",
        approved_at=approved.at if approved else None,
    )


def minutes(quantity: Quantity) -> int:
    """Whole minutes for the sum of a day; zero for days, which have no fixed length."""
    factor = _MINUTES.get(quantity.unit)
    return 0 if factor is None else int((quantity.amount * factor).to_integral_value())


def worth(entry: Billable) -> str:
    """What an entry is about, for a list: `8.00 h`, `1 d` or `119.00 EUR`."""
    if entry.quantity is None:
        return str(entry.amount) if entry.amount else ""
    return spoken(entry.quantity)


def spoken(quantity: Quantity) -> str:
    if quantity.unit == "days":
        return f"{quantity.amount} d"
    return f"{quantity.amount * _MINUTES[quantity.unit] / 60:.2f} h"


def _last_approval(trail: Sequence[EntryApproval]) -> EntryApproval | None:
    return next((step for step in reversed(trail) if step.outcome == "approved"), None)


def _time_hash(entry: TimeEntry) -> str:
    """Of what the work is. Approvals are left out: one may be given again without a new version."""
    said = [entry.project, entry.task, entry.resource, entry.role, entry.grade, entry.note]
    said += [entry.work_date.isoformat(), _digits(entry.quantity.amount), entry.quantity.unit]
    said += ["billable" if entry.billable else "", entry.reverses or ""]
    return content_hash(json.dumps(said))


def _expense_hash(expense: Expense) -> str:
    said = [str(expense.revision), expense.project, expense.task_ref, expense.resource, expense.category]
    said += [expense.note, expense.spent_on.isoformat(), str(expense.gross), str(expense.recoverable_tax)]
    said += ["billable" if expense.billable else "", "reimbursable" if expense.reimbursable else ""]
    return content_hash(json.dumps([*said, expense.paid_by]))


def _digits(number: Decimal) -> str:
    """480, 480.0 and 4.8E2 are one number."""
    return format(number.normalize(), "f")
