"""All that one invoice depends on."""

from datetime import date

from domain.base import Value
from domain.billable import Billable
from domain.intake import PsaInvoice
from domain.invoice_state import BillingEventRow
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.reversals import BilledEntry


class UsedLimits(Value):
    """What other live invoices of the project have used."""

    billed: Money
    by_line: dict[int, Money] = {}
    by_cap: dict[str, Money] = {}
    """Of the caps in the contract's terms, by their ref."""
    retained: Money
    advance_left: Money
    expenses: Money
    """Rebilled, net and before markup."""


class InvoiceCase(Value):
    """All that one invoice depends on."""

    contract: ProjectContract
    dated: date
    entries: tuple[Billable, ...] = ()
    events: tuple[BillingEventRow, ...] = ()
    used: UsedLimits
    billed: tuple[BilledEntry, ...] = ()
    """Entries on other live invoices that reversals on this one take back."""
    psa_invoice: PsaInvoice | None = None
    """The PSA's own document, where it has the authority to price."""
    without_rate: bool = False
    """A person decided to bill without the entries that have no rate."""
