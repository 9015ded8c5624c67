"""Record types of the chart of accounts, tax codes and exchange rates.

An account of this tenant is open to all subsidiaries unless it names one. The tax engine is reduced to codes
that a line names; one made of several taxes lists them, where the vendor keeps such groups as `taxGroup`.
"""

from sandbox.netsuite.schema import (
    COMMON,
    Field,
    RecordType,
    Sublist,
    booleans,
    by_name,
    dates,
    numbers,
    same,
    texts,
)

ACCOUNT_TYPES = same(
    "Bank AcctRec OthCurrAsset FixedAsset OthAsset AcctPay CreditCard OthCurrLiab LongTermLiab DeferRevenue"
    " Equity Income COGS Expense OthIncome OthExpense"
)

ACCOUNT = RecordType(
    "account",
    COMMON
    | by_name(
        Field("acctNumber", "string", "Number", required=True, max_length=60),
        Field("acctName", "string", "Name", required=True),
        Field("acctType", "enum", "Type", values=ACCOUNT_TYPES, required=True),
        *texts("fullName description"),
        Field("subsidiary", "ref", target="subsidiary"),
        *booleans("isInactive isSummary"),
    ),
    table="account",
    display=("acctNumber", "acctName"),
    writable=False,
)
SALES_TAX_ITEM = RecordType(
    "salesTaxItem",
    COMMON
    | by_name(
        Field("itemId", "string", "Tax Name", required=True),
        *texts("description"),
        Field("rate", "number", "Rate", required=True),
        Field("saleAccount", "ref", target="account"),
        Field("subsidiary", "ref", target="subsidiary"),
        *booleans("isInactive"),
    ),
    {
        "taxItem": Sublist(
            "taxItem", "line", by_name(Field("line", "integer"), *texts("taxName"), *numbers("rate"))
        )
    },
    table="salestaxitem",
    display=("itemId",),
    writable=False,
)
CURRENCY_RATE = RecordType(
    "currencyRate",
    COMMON
    | by_name(
        Field("baseCurrency", "ref", target="currency"),
        Field("transactionCurrency", "ref", target="currency"),
        *dates("effectiveDate"),
        *numbers("exchangeRate"),
    ),
    table="currencyrate",
    display=("effectiveDate",),
    writable=False,
)
LEDGER_TYPES = (ACCOUNT, SALES_TAX_ITEM, CURRENCY_RATE)
