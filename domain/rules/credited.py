"""A posted invoice and the credits made to it: what is left of each line, which entries are free."""

from datetime import date
from typing import Literal

from domain.base import Value
from domain.billing_commands import CreditReason, DraftLine
from domain.books import FxRate
from domain.invoice_state import PricedLine, TaxLine
from domain.money import Money, total
from domain.rules.errors import RuleError


class CreditRefused(RuleError):
    """The credit may not be made; the text says what may be."""


class CreditedLine(Value):
    ref: str
    net: Money


class Credit(Value):
    """A credit note in the invoice's sign: what it takes back of each line and of each tax."""

    invoice: str
    reason: CreditReason
    dated: date
    lines: tuple[CreditedLine, ...]
    taxes: tuple[TaxLine, ...]
    net: Money
    tax: Money
    gross: Money
    base_gross: Money | None = None
    """In the entity's currency, at the invoice's own rate; none where both are the same."""
    entries: tuple[str, ...] = ()
    """Keys of the entries and events it credits by name."""
    released: tuple[str, ...] = ()
    """Those of them that may be billed again."""
    settles: bool = False
    """Nothing of the invoice is left after it."""

    @property
    def books(self) -> Literal["contract_account", "price"]:
        """Whether revenue stands (the work is billed again) or the price is lowered."""
        return "contract_account" if self.reason == "billing_error" else "price"


class PostedInvoice(Value):
    """An invoice as it was posted, with the credits made to it so far."""

    id: str
    number: str
    currency: str
    dated: date
    lines: tuple[PricedLine, ...]
    taxes: tuple[TaxLine, ...] = ()
    fx: FxRate | None = None
    """The rate it was posted with; every credit uses it."""
    base_gross: Money | None = None
    tax_rounding: Literal["line", "group"] = "group"
    """How it was taxed, and its credit notes are: each line by itself, or all of one rate together."""
    credits: tuple[Credit, ...] = ()

    @property
    def gross(self) -> Money:
        net = total([line.line.net for line in self.lines], self.currency)
        return net + total([tax.tax for tax in self.taxes], self.currency)

    @property
    def credited_entries(self) -> frozenset[str]:
        return frozenset(key for credit in self.credits for key in credit.entries)

    def left(self, line: DraftLine) -> Money:
        """What of a line no credit has taken back yet."""
        back = [part.net for credit in self.credits for part in credit.lines if part.ref == line.ref]
        return line.net - total(back, self.currency)

    @property
    def left_of_lines(self) -> dict[str, Money]:
        return {line.line.ref: self.left(line.line) for line in self.lines}
