"""Kantata's time entries, expenses and invoices as canonical ones, and what of them is refused.

Money: `..._in_cents` divided by the row's own `currency_base_unit` (EUR 100, JPY 1, BHD 1000), never rounded;
only the price of a time entry, minutes x rate, is rounded, once. The vendor has no recoverable tax and no
grade; an expense is keyed by its own id, since a report changes when it is submitted again.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import ValidationError

from connectors.kantata.settings import KantataSettings
from connectors.kantata.work_models import ExpenseRow, InvoiceRow, LineRow, TimeEntryRow
from domain.delivery import EntryApproval, Expense, TimeEntry
from domain.intake import PsaInvoice, PsaInvoiceLine, Unreadable
from domain.money import Money, MoneyError, minor_units
from domain.quantity import Quantity

DAY = 24 * 60
NOBODY = "no approval required"
"""Who approved an entry of a project that asks for no approval."""
_STATES: Mapping[str, Literal["cancelled", "paid"]] = {"cancelled": "cancelled", "accepted payment": "paid"}


class Refused(ValueError):
    """A record the canonical model does not take; names the vendor's field."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


def time_entry(system: str, row: TimeEntryRow, task_ref: str) -> TimeEntry:
    """A time entry as approved. Raises `Refused`."""
    if not 0 < row.time_in_minutes <= DAY:
        raise Refused("time_in_minutes", f"{row.time_in_minutes} minutes: 1 to {DAY} can be worked on a day")
    _known_currency(row.currency)
    try:
        return TimeEntry(
            id=row.id,
            source=system,
            project=row.workspace_id,
            task=row.story_id or "",
            task_ref=task_ref,
            task_open=row.story.open if row.story else True,
            resource=row.user_id,
            role=row.role.name if row.role else "",
            note=row.notes or "",
            version=row.updated_at,
            work_date=row.date_performed,
            quantity=Quantity(amount=Decimal(row.time_in_minutes), unit="minutes"),
            approvals=approvals(row),
            billable=row.billable,
        )
    except ValidationError as error:
        raise _refused(error) from None


def expense(system: str, row: ExpenseRow, task_ref: str, settings: KantataSettings) -> Expense:
    """An expense as approved. Raises `Refused`."""
    gross = _money(row.amount_in_cents, row.currency, row.currency_base_unit, settings)
    trail = approvals(row)
    if any(step.outcome == "approved" and step.by == row.user_id for step in trail):
        raise Refused("active_submission", f"approved by {row.user_id}, whose own expense it is")
    try:
        return Expense(
            source=system,
            report=row.id,
            line=1,
            project=row.workspace_id,
            task_ref=task_ref,
            resource=row.user_id,
            category=row.category or "",
            note=row.notes or "",
            version=row.updated_at,
            approvals=trail,
            spent_on=row.date,
            gross=gross,
            recoverable_tax=Money.zero(gross.currency),
            reimbursable=bool(row.reimbursable),
            billable=row.is_billable,
            paid_by="employee" if row.reimbursable else "firm_card",
        )
    except ValidationError as error:
        raise _refused(error) from None


def approvals(row: LineRow) -> tuple[EntryApproval, ...]:
    """Who submitted and who approved it, and when."""
    submission = row.active_submission
    if submission is None:
        return (EntryApproval(by=NOBODY, at=row.updated_at, outcome="approved"),)
    submitted = EntryApproval(by=row.user_id, at=submission.created_at, outcome="submitted")
    if submission.status != "approved":
        return (submitted,)
    by = submission.current_resolution_creator_id or NOBODY
    return (submitted, EntryApproval(by=by, at=submission.updated_at, outcome="approved"))


def unreadable(kind: Literal["time", "expense"], row: LineRow, refused: Refused) -> Unreadable:
    """What is wrong with a record, for the one who can cure it."""
    return Unreadable(
        kind=kind,
        external_id=row.id,
        field=refused.field,
        problem=refused.problem,
        project_external_id=row.workspace_id,
        version=row.updated_at,
    )


def invoice(row: InvoiceRow, settings: KantataSettings, *, ours: bool) -> PsaInvoice:
    """An invoice with its lines; the vendor shows no net, so it is their sum. Raises `Refused`.

    An invoice of several projects names none: it cannot become one invoice of one project by itself.
    """
    _complete(row)
    lines = [
        *_time_lines(row, settings),
        *_expense_lines(row, settings),
        *(
            _line(row, settings, "milestone", side.id, side.title, side.amount_in_cents)
            for side in row.billing_milestones
        ),
        *_item_lines(row, settings),
    ]
    net = Money.zero(row.currency)
    for line in lines:
        net = net + line.net
    return PsaInvoice(
        external_id=row.id,
        number=(row.user_invoice_title if ours else row.user_invoice_number) or "",
        project_external_id=row.workspace_ids[0] if len(row.workspace_ids) == 1 else "",
        currency=row.currency,
        net=net,
        state="draft" if row.draft else _STATES.get(row.status, "released"),
        dated=row.invoice_date,
        lines=tuple(lines),
        ours=ours,
        version=row.updated_at,
    )


def _complete(row: InvoiceRow) -> None:
    """Raises `Refused` when the answer does not show all that the invoice bills: lines would be lost."""
    for field, ids, sides in (
        ("time_entries", row.time_entry_ids, row.time_entries),
        ("expenses", row.expense_ids, row.expenses),
        ("billing_milestones", row.billing_milestone_ids, row.billing_milestones),
        ("additional_items", row.additional_item_ids, row.additional_items),
        ("fixed_fee_items", row.fixed_fee_item_ids, row.fixed_fee_items),
    ):
        if ids is None or len(ids) != len(sides):
            raise Refused(field, f"{len(sides)} of its {field} are shown, not {len(ids or ())}")


def _time_lines(row: InvoiceRow, settings: KantataSettings) -> list[PsaInvoiceLine]:
    unit = _unit(row.currency, row.currency_base_unit, settings)
    return [
        PsaInvoiceLine(
            ref=f"time:{side.id}",
            kind="time",
            description=f"Time of {side.date_performed}",
            net=Money.rounded(
                Decimal(side.time_in_minutes) * (side.rate_in_cents or 0) / (60 * unit), row.currency
            ),
            entry_ids=(side.id,),
        )
        for side in row.time_entries
    ]


def _expense_lines(row: InvoiceRow, settings: KantataSettings) -> list[PsaInvoiceLine]:
    return [
        _line(row, settings, "expense", side.id, side.category or "Expense", side.amount_in_cents, [side.id])
        for side in row.expenses
    ]


def _item_lines(row: InvoiceRow, settings: KantataSettings) -> list[PsaInvoiceLine]:
    kinds = (("additional", row.additional_items), ("fixed_fee", row.fixed_fee_items))
    return [
        _line(row, settings, "other", side.id, side.notes or "Item", side.amount_in_cents, prefix=prefix)
        for prefix, sides in kinds
        for side in sides
    ]


def _line(
    row: InvoiceRow,
    settings: KantataSettings,
    kind: Literal["expense", "milestone", "other"],
    id: str,
    description: str,
    cents: int,
    entry_ids: Sequence[str] = (),
    prefix: str = "",
) -> PsaInvoiceLine:
    return PsaInvoiceLine(
        ref=f"{prefix or kind}:{id}",
        kind=kind,
        description=description,
        net=_money(cents, row.currency, row.currency_base_unit, settings),
        entry_ids=tuple(entry_ids),
    )


def _money(cents: int, currency: str | None, base_unit: int | None, settings: KantataSettings) -> Money:
    unit = _unit(currency, base_unit, settings)
    try:
        return Money.of(Decimal(cents) / unit, currency or "")
    except MoneyError as error:
        raise Refused("amount_in_cents", str(error)) from None


def _unit(currency: str | None, base_unit: int | None, settings: KantataSettings) -> int:
    """Base units of one unit of the currency. Raises `Refused` for a currency nobody knows."""
    _known_currency(currency or "")
    code = currency or ""
    return settings.base_units.get(code) or base_unit or 10 ** minor_units(code)


def _known_currency(currency: str | None) -> None:
    if currency is None:
        return
    try:
        minor_units(currency)
    except MoneyError as error:
        raise Refused("currency", str(error)) from None


def _refused(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "active_submission"
    return Refused(field, first["msg"].removeprefix("Value error, "))
