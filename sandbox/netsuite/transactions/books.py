"""The books of a subsidiary: precision, rate of the day, open period, accounts, gapless numbers."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import user_error
from sandbox.netsuite.transactions.types import PREFIXES

CLOSED = "The transaction date you specified is not within the date range of an open accounting period."
GAIN_OR_LOSS = "Realized Gain/Loss"
ROUNDING = "Rounding Gain/Loss"
NUMBERS = "numbering"


def held(store: RecordStore, object_name: str, record_id: str) -> Record:
    """A record that a checked reference leads to. Raises KeyError if it is gone all the same."""
    found = store.get(object_name, record_id)
    if found is None:
        raise KeyError(f"{object_name} {record_id} does not exist")
    return found


def rounded(store: RecordStore, amount: Decimal, currency: str) -> Decimal:
    """`amount` in the minor units of a currency, half away from zero."""
    return amount.quantize(unit(store, currency), ROUND_HALF_UP)


def unit(store: RecordStore, currency: str) -> Decimal:
    """The smallest amount of a currency."""
    return Decimal(1).scaleb(-int(held(store, "currency", currency)["currencyPrecision"]))


def base_currency(store: RecordStore, subsidiary: str) -> str:
    """Currency in which a subsidiary keeps its books."""
    return str(held(store, "subsidiary", subsidiary)["currency"])


def rate(store: RecordStore, currency: str, subsidiary: str, on: str) -> Decimal:
    """Units of base currency for one of `currency`: the last rate up to the day. Raises Refused."""
    base = base_currency(store, subsidiary)
    if currency == base:
        return Decimal(1)
    known = [
        row
        for row in store.rows("currencyRate")
        if row["transactionCurrency"] == currency and row["baseCurrency"] == base
        if row["effectiveDate"] <= on
    ]
    if not known:
        raise user_error(f"There is no exchange rate for this currency on {on}.")
    return Decimal(max(known, key=lambda row: str(row["effectiveDate"]))["exchangeRate"])


def open_period(store: RecordStore, on: str, *, receivables: bool) -> Record:
    """The base period of a day. Raises Refused when there is none, or it is closed or locked."""
    for period in store.rows("accountingPeriod"):
        if period.get("isYear") or period.get("isQuarter") or period.get("isAdjust"):
            continue
        if not period["startDate"] <= on <= period["endDate"]:
            continue
        shut = period.get("closed") or period.get("allLocked") or (receivables and period.get("arLocked"))
        if shut or period.get("isInactive"):
            break
        return period
    raise user_error(CLOSED)


def account_of(store: RecordStore, subsidiary: str, *, kind: str = "", name: str = "") -> str:
    """The first account of a type or name that the subsidiary may use. Raises Refused."""
    for row in store.rows("account"):
        fits = row["acctType"] == kind if kind else row["acctName"] == name
        if fits and not row.get("isInactive") and row.get("subsidiary") in (None, subsidiary):
            return row.id
    raise user_error(f"The subsidiary has no account '{name or kind}'.")


def check_account(store: RecordStore, account: str, subsidiary: str) -> None:
    """An account takes postings of the subsidiaries it is open to. Raises Refused."""
    found = held(store, "account", account)
    if found.get("isInactive") or found.get("isSummary"):
        raise user_error("The account takes no postings.")
    if found.get("subsidiary") not in (None, subsidiary):
        raise user_error(f"The account {found['acctNumber']} is not available to the subsidiary.")


def next_number(store: RecordStore, record_type: str, data: Mapping[str, Any]) -> str:
    """The next number of a subsidiary's series for a type: without gaps, also when a request is undone."""
    subsidiary = held(store, "subsidiary", data["subsidiary"])
    series = f"{subsidiary.id}/{record_type}"
    counter = store.get(NUMBERS, series)
    number = 1 if counter is None else int(counter["last"]) + 1
    if counter is None:
        store.create(NUMBERS, {"last": number}, id=series, derived=True)
    else:
        store.update(NUMBERS, series, {"last": number}, derived=True)
    prefix = f"{subsidiary['tranPrefix']}-" if subsidiary.get("tranPrefix") else ""
    return f"{prefix}{PREFIXES[record_type]}{number:05d}"
