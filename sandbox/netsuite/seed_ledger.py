"""The ledger side of the seeded account: chart of accounts, billing items, tax codes, exchange rates.

One chart for all subsidiaries, with banks and tax accounts of their own. Billing items credit the contract
account and never revenue: the revenue run owns revenue. Rates are invented, near those of 2026: one per month
and pair, which counts until the next.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from sandbox.core.records import Record
from sandbox.seed.firm import Firm

CHART = (
    ("1100", "Accounts Receivable", "AcctRec"),
    ("1150", "Contract Account", "OthCurrAsset"),
    ("1160", "Retentions Receivable", "OthCurrAsset"),
    ("1170", "Withholding Tax Receivable", "OthCurrAsset"),
    ("1180", "Input Tax", "OthCurrAsset"),
    ("1190", "Allowance for Credit Losses", "OthCurrAsset"),
    ("2000", "Accounts Payable", "AcctPay"),
    ("2100", "Contract Liabilities", "DeferRevenue"),
    ("2300", "Payroll Payable", "OthCurrLiab"),
    ("2310", "Employee Expenses Payable", "OthCurrLiab"),
    ("2320", "Firm Card Clearing", "OthCurrLiab"),
    ("2400", "Received Not Invoiced", "OthCurrLiab"),
    ("2500", "Provision for Onerous Contracts", "OthCurrLiab"),
    ("3000", "Retained Earnings", "Equity"),
    ("4000", "Service Revenue", "Income"),
    ("5000", "Project Labour", "COGS"),
    ("5010", "Bench Labour", "Expense"),
    ("5090", "Labour Absorbed", "COGS"),
    ("5100", "Subcontract Cost", "COGS"),
    ("5200", "Project Expenses", "COGS"),
    ("5300", "Contract Losses", "COGS"),
    ("6900", "Impairment of Receivables", "Expense"),
    ("6950", "Payment Differences", "Expense"),
    ("7000", "Realized Gain/Loss", "OthIncome"),
    ("7010", "Rounding Gain/Loss", "OthExpense"),
)
BANKS = {"US01": "1010", "DE01": "1020", "IN01": "1030"}
TAX_ACCOUNTS = {
    "US01": ("2200", "Sales Tax Payable"),
    "DE01": ("2210", "Umsatzsteuer"),
    "IN01": ("2220", "GST Output"),
}
CONTRACT, RETENTION, LIABILITY = "1150", "1160", "2100"
ITEMS = (
    ("Billing", CONTRACT, "item-billing"),
    ("Time", CONTRACT, None),
    ("Expense", CONTRACT, None),
    ("Milestone", CONTRACT, None),
    ("Subscription", CONTRACT, None),
    ("Percent Complete", CONTRACT, None),
    ("Price Adjustment", CONTRACT, None),
    ("Retention", RETENTION, None),
    ("Advance", LIABILITY, None),
)
TAX_CODES = {
    "US01": (
        ("US Not Taxable", "0"),
        ("US Export", "0"),
        ("US CT 6.35%", "6.35"),
        ("US CT 1%", "1"),
        ("US NY 4%", "4"),
        ("US TX 5%", "5"),
        ("US WA 6.5%", "6.5"),
    ),
    "DE01": (
        ("DE 19%", "19"),
        ("DE 7%", "7"),
        ("DE Reverse Charge", "0"),
        ("DE Export", "0"),
        ("DE Exempt", "0"),
    ),
    "IN01": (
        ("IN IGST 18%", "18"),
        ("IN CGST+SGST 18%", "18"),
        ("IN CGST+UTGST 18%", "18"),
        ("IN Export", "0"),
        ("IN Exempt", "0"),
    ),
}
TAX_PARTS = {"IN CGST+SGST 18%": ("CGST", "SGST"), "IN CGST+UTGST 18%": ("CGST", "UTGST")}
"""Codes made of two taxes of half the rate each."""
DOLLARS = {
    "USD": Decimal(1),
    "EUR": Decimal("1.13545"),
    "GBP": Decimal("1.3285"),
    "INR": Decimal("0.01168"),
    "JPY": Decimal("0.006874"),
    "BHD": Decimal("2.6525"),
}
"""US dollars for one unit."""
_DRIFT = (0, 7, -4, 11, -9, 3)
_PLACES = Decimal("1e-8")


class Books(Protocol):
    """Adds records with all checks of the API."""

    def add(self, record_type: str, fields: Mapping[str, Any]) -> Record: ...


def fill_chart(plan: Firm, books: Books, subsidiaries: Mapping[str, Record]) -> dict[str, str]:
    """Accounts by number: ids."""
    rows: list[tuple[str, str, str, str | None]] = [(*account, None) for account in CHART]
    for entity in plan.entities:
        home = subsidiaries[entity.code].id
        rows.append((BANKS[entity.code], f"Bank {entity.code}", "Bank", home))
        rows.append((*TAX_ACCOUNTS[entity.code], "OthCurrLiab", home))
    return {
        number: books.add(
            "account",
            {
                "acctNumber": number,
                "acctName": name,
                "fullName": name,
                "acctType": kind,
                "subsidiary": home,
            },
        ).id
        for number, name, kind, home in sorted(rows, key=lambda row: row[0])
    }


def fill_items(books: Books, accounts: Mapping[str, str]) -> None:
    """What an invoice line bills."""
    for name, account, external_id in ITEMS:
        item = {"itemId": name, "displayName": name, "incomeAccount": accounts[account]}
        books.add("serviceSaleItem", item | ({"externalId": external_id} if external_id else {}))


def fill_taxes(
    plan: Firm, books: Books, subsidiaries: Mapping[str, Record], accounts: Mapping[str, str]
) -> None:
    """Tax codes of each subsidiary's country."""
    for entity in plan.entities:
        account = accounts[TAX_ACCOUNTS[entity.code][0]]
        for name, rate in TAX_CODES[entity.code]:
            code: dict[str, Any] = {"itemId": name, "rate": Decimal(rate), "saleAccount": account}
            parts = [{"taxName": part, "rate": Decimal(rate) / 2} for part in TAX_PARTS.get(name, ())]
            code |= {"taxItem": {"items": parts}} if parts else {}
            books.add("salesTaxItem", code | {"subsidiary": subsidiaries[entity.code].id})


def fill_rates(plan: Firm, books: Books, currencies: Mapping[str, Record]) -> None:
    """A rate per month from every currency to every base currency."""
    bases = sorted({entity.currency for entity in plan.entities})
    for month, period in enumerate(plan.periods):
        for base in bases:
            for code in sorted(set(currencies) & set(DOLLARS) - {base}):
                rate = {"exchangeRate": rate_of(code, base, month), "effectiveDate": period.start.isoformat()}
                pair = {"transactionCurrency": currencies[code].id, "baseCurrency": currencies[base].id}
                books.add("currencyRate", rate | pair)


def rate_of(code: str, base: str, month: int) -> Decimal:
    """Units of `base` for one of `code` in the `month`-th month of the seed."""
    drift = Decimal(1000 + _DRIFT[(month + len(code + base) + ord(code[0])) % len(_DRIFT)]) / 1000
    return (DOLLARS[code] / DOLLARS[base] * drift).quantize(_PLACES, ROUND_HALF_UP)
