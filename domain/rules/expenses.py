"""What an expense costs the firm, what it owes the employee, and what the customer pays for it.

Source: rule 20. Four flags, independent of each other: reimbursable, billable, paid by, recoverable tax.
Rebilled is the net of recoverable tax plus the agreed markup (output tax comes after, by the line's code).
"""

from decimal import Decimal

from domain.base import Value
from domain.delivery import Expense
from domain.money import Money
from domain.rules.errors import RuleError


class ExpenseError(RuleError):
    """An expense, or terms for expenses, that cannot be priced."""


class ExpenseTreatment(Value):
    """An expense of 119.00 with 19 % recoverable tax costs the project 100.00 and input tax 19.00."""

    project_cost: Money
    input_tax: Money
    """Recovered from the tax office; never a cost, never rebilled."""
    owed_to_employee: Money
    owed_to_card: Money
    rebillable: Money
    """Before per diem, cap and markup; zero where it is not billable."""


def treatment(expense: Expense) -> ExpenseTreatment:
    """What follows from the flags. What the employee paid and is not given back costs the firm nothing."""
    zero = Money.zero(expense.gross.currency)
    by_card = expense.paid_by == "firm_card"
    borne = by_card or expense.reimbursable
    return ExpenseTreatment(
        project_cost=expense.net if borne else zero,
        input_tax=expense.recoverable_tax if borne else zero,
        owed_to_employee=expense.gross if expense.reimbursable else zero,
        owed_to_card=expense.gross if by_card else zero,
        rebillable=expense.net if expense.billable else zero,
    )


def rebilled(net: Money, markup_percent: Decimal) -> Money:
    """`net` with the markup, rounded once; a refund below zero mirrors its expense.

    Raises `ExpenseError` for a markup below -100: it would turn a cost into a credit.
    """
    if markup_percent < -100:
        raise ExpenseError(
            "terms.expense_markup_percent", "20 expenses", "is below -100: correct the terms", markup_percent
        )
    return Money.rounded(net.amount * (100 + markup_percent) / 100, net.currency)
