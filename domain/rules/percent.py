"""Percent complete: what progress allows to be billed to date, less what was billed before.

Source: rules 2 and 3, as for fixed-price lines billed by agreed progress. Rounded once, on the amount to
date, so that bills never drift from the price: at 100 % they sum to it. Progress that falls back is a
credit note that somebody decides, never a negative bill.
"""

from decimal import Decimal

from domain.base import Value
from domain.invoice_state import InvoiceFinding
from domain.money import Exact, Money
from domain.rules.errors import RuleError


class PercentError(RuleError):
    """Progress outside 0 to 100, or amounts that do not go with the price."""


class PercentBill(Value):
    percent: Exact
    to_date: Money
    """What `percent` of the price comes to."""
    due: Money
    """To bill now; zero or above."""
    to_credit: Money
    """Billed before beyond progress, above zero: needs a credit note with a reason."""

    def finding(self, line: int) -> InvoiceFinding | None:
        """Said where more was billed than progress carries."""
        if not self.to_credit.amount:
            return None
        return InvoiceFinding(
            rule="percent.fell_back",
            field=f"lines[{line}].percent",
            problem=f"line {line} is {self.percent}% complete, worth {self.to_date}, and "
            f"{self.to_credit} more is billed already: correct the progress, or credit the difference",
            amount=self.to_credit,
            owner="delivery_operations",
        )


def percent_bill(price: Money, percent: Decimal, billed_before: Money) -> PercentBill:
    """What to bill at `percent` of `price`, net of `billed_before`.

    Raises `PercentError` for a percent outside 0 to 100, a price below zero or another currency.
    """
    if not 0 <= percent <= 100:
        raise PercentError("percent", "3 progress", "is not from 0 to 100: correct the progress", percent)
    if price.amount < 0:
        raise PercentError("price", "3 progress", "is below zero: credit the line instead", price)
    if billed_before.currency != price.currency:
        raise PercentError("billed_before", "10 currency", f"is not in {price.currency}", billed_before)
    to_date = Money.rounded(price.amount * percent / 100, price.currency)
    zero = Money.zero(price.currency)
    return PercentBill(
        percent=percent,
        to_date=to_date,
        due=max(to_date - billed_before, zero),
        to_credit=max(billed_before - to_date, zero),
    )
