"""Tables of queries: one per record type that has one, and those that exist in queries only.

`transaction` is the head of every transaction; `transactionline` its lines; `transactionaccountingline` what
each line posts to which account, in the base currency of its subsidiary. Column names beyond those of the
vendor's public samples are assumed.
"""

from collections.abc import Iterator
from decimal import Decimal

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.schema import Field, RecordType, booleans, by_name, dates, numbers, texts
from sandbox.netsuite.transactions.postings import LEDGER
from sandbox.netsuite.transactions.types import CODES, TRANSACTION_TYPES

_CUSTOM = sorted({name for each in TRANSACTION_TYPES for name in each.fields if name.startswith("custbody")})
_LEDGER_LINE = (Field("transaction"), Field("account", "ref", target="account"))

TRANSACTION = RecordType(
    "transaction",
    by_name(
        *texts("id externalId type tranId transactionNumber otherRefNum memo status approvalStatus"),
        *dates("tranDate dueDate startDate endDate"),
        Field("entity", "ref", target="customer"),
        Field("job", "ref", target="job"),
        Field("currency", "ref", target="currency"),
        Field("postingPeriod", "ref", target="accountingPeriod"),
        *numbers("exchangeRate foreignTotal foreignAmountUnpaid"),
        *booleans("posting"),
        Field("lastModifiedDate", "datetime"),
        *texts(" ".join(_CUSTOM)),
    ),
    table="transaction",
)
LINE = RecordType(
    "transactionLine",
    by_name(
        Field("id", "integer"),
        *_LEDGER_LINE[:1],
        Field("subsidiary", "ref", target="subsidiary"),
        Field("entity", "ref"),
        Field("item", "ref", target="serviceSaleItem"),
        Field("createdFrom", "ref"),
        *texts("memo"),
        *numbers("foreignAmount netAmount"),
        *booleans("mainLine taxLine"),
    ),
    table="transactionline",
)
ACCOUNTING_LINE = RecordType(
    "transactionAccountingLine",
    by_name(
        *_LEDGER_LINE,
        *(Field(name, "integer") for name in ("transactionLine", "accountingBook")),
        *numbers("amount debit credit"),
        *booleans("posting"),
    ),
    table="transactionaccountingline",
)
TABLES: dict[str, RecordType] = {
    each.table: each for each in (*RECORD_TYPES.values(), TRANSACTION, LINE, ACCOUNTING_LINE) if each.table
}
PRIMARY_BOOK = 1


def rows(store: RecordStore, table: str) -> Iterator[Record]:
    """Every row of a table."""
    if table == TRANSACTION.table:
        return _transactions(store)
    if table == LINE.table:
        return _lines(store)
    if table == ACCOUNTING_LINE.table:
        return _accounting_lines(store)
    return store.rows(TABLES[table].name)


def _transactions(store: RecordStore) -> Iterator[Record]:
    for record_type in TRANSACTION_TYPES:
        for row in store.rows(record_type.name):
            head = {name: row.get(name) for name in TRANSACTION.fields}
            head |= {"type": CODES[row.object], "entity": row.get("entity") or row.get("customer")}
            head |= {"status": row.get("status") or row.get("orderStatus"), "posting": row.get("posted")}
            head |= {"foreignTotal": row.get("total"), "foreignAmountUnpaid": row.get("amountRemaining")}
            yield Record(TRANSACTION.name, row.id, head, row.created, row.modified)


def _lines(store: RecordStore) -> Iterator[Record]:
    for row, head in _ledger(store):
        source = {"transaction": row.id, "subsidiary": head["subsidiary"]}
        source |= {"createdFrom": head.get("createdFrom")}
        for line in row["lines"]:
            shown = {name: line[name] for name in ("memo", "item", "entity")}
            shown |= {"foreignAmount": line["foreign"], "netAmount": line["amount"]}
            shown |= {"mainLine": line["line"] == 0, "taxLine": line["tax"]}
            yield Record(LINE.name, str(line["line"]), source | shown, row.created, row.modified)


def _accounting_lines(store: RecordStore) -> Iterator[Record]:
    for row, _ in _ledger(store):
        for line in row["lines"]:
            amount = Decimal(line["amount"])
            shown = {"transaction": row.id, "transactionLine": line["line"], "account": line["account"]}
            shown |= {"accountingBook": PRIMARY_BOOK, "posting": row["posting"], "amount": amount}
            shown |= {"debit": amount if amount > 0 else None, "credit": -amount if amount < 0 else None}
            yield Record(ACCOUNTING_LINE.name, row.id, shown, row.created, row.modified)


def _ledger(store: RecordStore) -> Iterator[tuple[Record, Record]]:
    for row in store.rows(LEDGER):
        head = store.get(row["type"], row.id)
        if head is not None:
            yield row, head
