"""The general-ledger impact of a transaction: lines in base currency that always balance.

Lines are kept for pending transactions too, marked as not posting: queries see both. Debits are above zero.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.transactions import books

LEDGER = "ledger"
ZERO = Decimal(0)
CREDIT, DEBIT = Decimal(-1), Decimal(1)


@dataclass(slots=True)
class Posting:
    """One line: amounts in the transaction's and in the base currency. Line 0 is the main line."""

    line: int
    account: str
    foreign: Decimal
    amount: Decimal
    memo: str = ""
    item: str | None = None
    entity: str | None = None
    tax: bool = False


def write(record: Record, store: RecordStore) -> list[Posting]:
    """Keep the lines of a transaction as it stands now."""
    lines = _LINES[record.object](record, store)
    kept = [asdict(line) for line in lines]
    data = {"lines": kept, "posting": bool(record.get("posted")), "type": record.object}
    if store.get(LEDGER, record.id) is None:
        store.create(LEDGER, data, id=record.id, derived=True)
    else:
        store.update(LEDGER, record.id, data, derived=True)
    return lines


def remove(transaction: str, store: RecordStore) -> None:
    """Forget the lines of a deleted transaction."""
    store.delete(LEDGER, transaction, derived=True)


def receivable(record: Mapping[str, Any], store: RecordStore) -> str:
    """The receivables account of a transaction."""
    given = record.get("account") or record.get("arAcct")
    return str(given or books.account_of(store, str(record.get("subsidiary")), kind="AcctRec"))


class _Converter:
    """Transaction currency to base currency at the transaction's rate."""

    def __init__(self, record: Record, store: RecordStore) -> None:
        self._store, self._rate = store, Decimal(record["exchangeRate"])
        self._base = books.base_currency(store, record["subsidiary"])

    def __call__(self, amount: Decimal) -> Decimal:
        return books.rounded(self._store, amount * self._rate, self._base)


def _sale(record: Record, store: RecordStore, sign: Decimal) -> list[Posting]:
    base, lines = _Converter(record, store), []
    for line in record["item"]:
        account = _income_account(record, line, store)
        amount = sign * line["amount"]
        lines.append(
            Posting(line["line"], account, amount, base(amount), line.get("description") or "", line["item"])
        )
    number = max((line.line for line in lines), default=0)
    for code, tax in _taxes(record).items():
        number, amount = number + 1, sign * tax
        lines.append(
            Posting(number, _tax_account(record, code, store), amount, base(amount), "VAT", tax=True)
        )
    return lines


def _invoice(record: Record, store: RecordStore) -> list[Posting]:
    lines = _sale(record, store, CREDIT)
    total = -sum((line.amount for line in lines), ZERO)
    account = receivable(record.data, store)
    return [Posting(0, account, Decimal(record["total"]), total, entity=record["entity"]), *lines]


def _credit_memo(record: Record, store: RecordStore) -> list[Posting]:
    lines = _sale(record, store, DEBIT)
    return _settled(record, store, lines, Decimal(record["total"]), record["entity"])


def _payment(record: Record, store: RecordStore) -> list[Posting]:
    base, received = _Converter(record, store), Decimal(record["payment"])
    account = record.get("account") or books.account_of(store, record["subsidiary"], kind="Bank")
    lines = [Posting(1, account, received, base(received))]
    return _settled(record, store, lines, received, record["customer"])


def _settled(
    record: Record, store: RecordStore, lines: list[Posting], total: Decimal, customer: str
) -> list[Posting]:
    """Receivables at the rate of the invoices settled; what that leaves is gain or loss."""
    account_data = (
        {**record.data, "account": record.get("arAcct")} if "payment" in record.data else record.data
    )
    open_base = _Converter(record, store)(Decimal(record["unapplied"]))
    owed = open_base + sum((line["base"] for line in record.get("apply") or []), ZERO)
    main = Posting(0, receivable(account_data, store), -total, -owed, entity=customer)
    left = sum((line.amount for line in lines), ZERO) - owed
    return [main, *lines, *_difference(record, store, lines, left, books.GAIN_OR_LOSS)]


def _journal(record: Record, store: RecordStore) -> list[Posting]:
    base, lines = _Converter(record, store), []
    for line in record["line"]:
        amount = (line.get("debit") or ZERO) - (line.get("credit") or ZERO)
        lines.append(
            Posting(
                line["line"],
                line["account"],
                amount,
                base(amount),
                line.get("memo") or "",
                entity=line.get("entity"),
            )
        )
    left = sum((line.amount for line in lines), ZERO)
    return [*lines, *_difference(record, store, lines, left, books.ROUNDING)]


def _difference(
    record: Record, store: RecordStore, lines: list[Posting], left: Decimal, name: str
) -> list[Posting]:
    if not left:
        return []
    number = max(line.line for line in lines) + 1
    account = books.account_of(store, record["subsidiary"], name=name)
    return [Posting(number, account, ZERO, -left, name)]


def _income_account(record: Record, line: Mapping[str, Any], store: RecordStore) -> str:
    item = store.get("serviceSaleItem", line["item"])
    given = item.get("incomeAccount") if item else None
    return str(given or books.account_of(store, record["subsidiary"], kind="Income"))


def _taxes(record: Record) -> dict[str, Decimal]:
    taxes: dict[str, Decimal] = {}
    for line in record["item"]:
        if line["tax1Amt"]:
            taxes[line["taxCode"]] = taxes.get(line["taxCode"], ZERO) + line["tax1Amt"]
    return taxes


def _tax_account(record: Record, code: str, store: RecordStore) -> str:
    held = store.get("salesTaxItem", code)
    given = held.get("saleAccount") if held else None
    return str(given or books.account_of(store, record["subsidiary"], kind="OthCurrLiab"))


_LINES = {
    "invoice": _invoice,
    "creditMemo": _credit_memo,
    "customerPayment": _payment,
    "journalEntry": _journal,
}
