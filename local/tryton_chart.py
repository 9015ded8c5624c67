"""What the books of the example firm hold: companies, chart, taxes, terms, currencies. Data only."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Company:
    """A legal entity of `examples/firm`, with its taxes: code as the firm's file has it -> percent."""

    code: str
    name: str
    country: str
    currency: str
    tax_id: tuple[str, str]
    """Tryton's type of identifier, and the number."""
    taxes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart, with the kind of line of balance sheet or income statement it belongs to."""

    code: str
    name: str
    kind: str
    reconcile: bool = False
    party: bool = False
    """Whether each posting names the customer or supplier."""


COMPANIES = (
    Company(
        *("US01", "Fairlead Consulting Inc.", "US", "USD", ("us_ein", "94-1234567")),
        taxes=(
            *(("US-NONE", "0"), ("US-EXPORT", "0"), ("US-CT-6.35", "6.35"), ("US-CT-1", "1")),
            *(("US-NY-4", "4"), ("US-TX-5", "5"), ("US-WA-6.5", "6.5")),
        ),
    ),
    Company(
        *("DE01", "Fairlead Beratung GmbH", "DE", "EUR", ("eu_vat", "DE136695976")),
        taxes=(("DE-VAT-19", "19"), ("DE-REVERSE", "0"), ("DE-EXPORT", "0"), ("DE-EXEMPT", "0")),
    ),
    Company(
        *("IN01", "Fairlead Services Pvt. Ltd.", "IN", "INR", ("in_pan", "AAGCF1234M")),
        taxes=(
            *(("IN-IGST-18", "18"), ("IN-CGST-SGST-18", "18"), ("IN-CGST-UTGST-18", "18")),
            ("IN-EXPORT", "0"),
        ),
    ),
)
LEGAL_NOTICES = {"DE-REVERSE": "Reverse charge: the recipient is liable for the tax."}

KINDS: dict[str, dict[str, str | bool]] = {
    "Receivables": {"statement": "balance", "assets": True, "receivable": True},
    "Cash": {"statement": "balance", "assets": True},
    # Only accounts of this kind, beside revenue, are allowed on the lines of a customer invoice.
    "Contract balances": {"statement": "balance", "assets": True, "deposit": True},
    "Other assets": {"statement": "balance", "assets": True},
    "Payables": {"statement": "balance", "payable": True},
    "Advances": {"statement": "balance", "deposit": True},
    "Other liabilities": {"statement": "balance"},
    "Equity": {"statement": "balance"},
    "Revenue": {"statement": "income", "revenue": True},
    "Expense": {"statement": "income", "expense": True},
}

CHART = (
    Account("1000", "Bank", "Cash"),
    Account("1100", "Trade receivables", "Receivables", reconcile=True, party=True),
    Account("1190", "Allowance for credit losses", "Other assets"),
    Account("1200", "Contract account", "Contract balances"),
    Account("1210", "Retention held by customers", "Contract balances"),
    Account("1220", "Tax withheld by customers", "Other assets"),
    Account("1300", "Work in progress", "Other assets"),
    Account("1400", "Input tax", "Other assets"),
    Account("2000", "Trade payables", "Payables", reconcile=True, party=True),
    Account("2100", "Output tax", "Other liabilities"),
    # Tryton refuses a line that applies more than a customer's balance here.
    Account("2200", "Advances of customers", "Advances", party=True),
    Account("2210", "Contract liabilities", "Other liabilities"),
    Account("2300", "Received, not invoiced", "Other liabilities"),
    Account("2310", "Owed to employees", "Other liabilities"),
    Account("2320", "Card clearing", "Other liabilities"),
    Account("2400", "Accrued liabilities", "Other liabilities"),
    Account("2500", "Provision for contract losses", "Other liabilities"),
    Account("3000", "Retained earnings", "Equity"),
    Account("4000", "Revenue from services", "Revenue"),
    Account("4900", "Payment tolerance", "Revenue"),
    Account("4950", "Exchange differences", "Revenue"),
    Account("5000", "Project labour", "Expense"),
    Account("5100", "Bench labour", "Expense"),
    Account("5200", "Labour absorbed", "Expense"),
    Account("5300", "Subcontract cost", "Expense"),
    Account("5400", "Project expenses", "Expense"),
    Account("5500", "Contract losses", "Expense"),
    Account("5600", "Credit losses", "Expense"),
)
RECEIVABLE, PAYABLE, TAX, BANK = "1100", "2000", "2100", "1000"

TERMS = {"Due on receipt": 0, "Net 14": 14, "Net 15": 15, "Net 30": 30, "Net 45": 45, "Net 60": 60}
"""Name of payment terms -> days."""

CURRENCIES = {
    "EUR": ("Euro", Decimal(1)),
    "USD": ("US dollar", Decimal("1.13545")),
    "GBP": ("Pound sterling", Decimal("0.85")),
    "CHF": ("Swiss franc", Decimal("0.95")),
    "INR": ("Indian rupee", Decimal("96.50")),
    "JPY": ("Yen", Decimal("162.00")),
    "BHD": ("Bahraini dinar", Decimal("0.43")),
}
"""Code -> name, and how much of it one euro bought on the first day of the books: an example, not a quote."""
