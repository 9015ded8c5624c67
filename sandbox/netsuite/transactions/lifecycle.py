"""From draft to the ledger: what happens to a transaction when it is written or deleted.

An invoice waits for approval (this tenant routes approvals) and has no impact until then; approval posts it,
gives its number and locks it. Credit memos and payments post at once, journal entries unless pending.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import user_error
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.transactions import books, journals, postings, sales, schedules, settlement
from sandbox.netsuite.transactions.sales import Data
from sandbox.netsuite.transactions.types import PREFIXES, TRANSACTION_TYPES

NAMES = frozenset(each.name for each in TRANSACTION_TYPES)
POSTED = frozenset({"2", "11"})
VOIDED = "V"
# What an approved transaction keeps for good: the accounting, not its memo.
LOCKED = frozenset(
    "entity customer job subsidiary currency exchangeRate tranDate account approvalStatus"
    " item line apply payment".split()
)
_NEXT = {"1": {"1", "2", "3", "11"}, "3": {"1", "3"}, "2": {"2"}, "11": {"11"}}


def prepare(record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore) -> None:
    """Complete and check a transaction that is about to be stored; post it when its time has come."""
    if record_type.name not in NAMES:
        return
    data.setdefault("tranDate", clock.utc(clock.now()).date().isoformat())
    _check_approval(record_type.name, data, before)
    _COMPLETE[record_type.name](record_type, data, before, store)
    if before.get("posted"):
        _check_locked(data, before)
        _void(data)
    elif data.get("status") != VOIDED and _is_posted(record_type.name, data):
        _post(record_type.name, data, store)
    if record_type.name == "invoice":
        data["status"] = _invoice_status(data)


def settle(record: Record, before: Mapping[str, Any], store: RecordStore) -> None:
    """After a write: the ledger, the invoices settled, the schedule consumed, the reversal made."""
    if record.object not in NAMES:
        return
    if record.object == "salesOrder" or (before.get("posted") and record.get("posted")):
        return
    lines = postings.write(record, store)
    if record.object == "invoice":
        schedules.mark_billed(record, store)
    if not record.get("posted"):
        return
    if record.object == "invoice":
        base = next(line.amount for line in lines if line.line == 0)
        store.update("invoice", record.id, {"baseRemaining": base}, derived=True)
    settlement.settle(record, store)
    if record.object == "journalEntry" and record.get("reversalDate"):
        _reverse(record, store)


def check_delete(record: Record, store: RecordStore) -> None:
    """Only what never reached the ledger may go. Raises Refused."""
    if record.object not in NAMES:
        return
    if record.get("posted"):
        raise user_error("This transaction cannot be deleted because it has been approved and posted.")
    if record.object == "salesOrder" and any(
        row.get("createdFrom") == record.id for row in store.rows("invoice")
    ):
        raise user_error("This record cannot be deleted because it has dependent records or transactions.")


def delete(record: Record, store: RecordStore) -> None:
    """Take back what a deleted draft left elsewhere."""
    if record.object in PREFIXES and store.get(postings.LEDGER, record.id) is not None:
        postings.remove(record.id, store)
    if record.object == "invoice":
        schedules.release(record, store)


# ---- inside


def _check_approval(name: str, data: Data, before: Mapping[str, Any]) -> None:
    if name not in ("invoice", "journalEntry"):
        return
    data.setdefault("approvalStatus", "1" if name == "invoice" else "2")
    held = str(before.get("approvalStatus") or "1")
    if data["approvalStatus"] not in _NEXT[held]:
        raise user_error(
            "The approval status of a transaction that was approved or rejected cannot be set so."
        )


def _complete_sale(
    record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore
) -> None:
    sales.prepare(record_type, data, before, store)


def _complete_order(
    record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore
) -> None:
    data.setdefault("orderStatus", "F")
    sales.prepare(record_type, data, before, store)
    if not data.get("tranId"):
        data["tranId"] = books.next_number(store, record_type.name, data)


def _complete_credit(
    record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore
) -> None:
    sales.prepare(record_type, data, before, store)
    if before:
        return
    settlement.check_credit(data, store)
    settlement.apply(data, data["total"], data["entity"], store)
    data["amountRemaining"] = data["unapplied"]
    data["status"] = "A" if data["unapplied"] else "B"


def _complete_payment(
    record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore
) -> None:
    sales.complete_home(data, data["customer"], store)
    sales.complete_rate(data, before, store)
    data["payment"] = sales.exact(store, data["payment"], data["currency"], "payment")
    if data["payment"] <= 0:
        raise user_error("The payment must be above zero.")
    if data.get("account"):
        books.check_account(store, data["account"], data["subsidiary"])
    if before:
        return
    settlement.apply(data, data["payment"], data["customer"], store)
    data["total"], data["status"] = data["payment"], "C"


def _complete_journal(
    record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore
) -> None:
    data.setdefault("currency", books.base_currency(store, data["subsidiary"]))
    sales.complete_rate(data, before, store)
    journals.check(data, store)


_COMPLETE = {
    "invoice": _complete_sale,
    "salesOrder": _complete_order,
    "creditMemo": _complete_credit,
    "customerPayment": _complete_payment,
    "journalEntry": _complete_journal,
}


def _is_posted(name: str, data: Mapping[str, Any]) -> bool:
    if name in ("invoice", "journalEntry"):
        return data["approvalStatus"] in POSTED
    return name != "salesOrder"


def _post(name: str, data: Data, store: RecordStore) -> None:
    period = books.open_period(store, data["tranDate"], receivables=name != "journalEntry")
    data["postingPeriod"], data["posted"] = period.id, True
    if not data.get("tranId"):
        data["tranId"] = books.next_number(store, name, data)
    if name == "invoice":
        data["amountRemaining"], data["amountPaid"] = data["total"], Decimal(0)


def _check_locked(data: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    changed = [name for name in sorted(LOCKED) if data.get(name) != before.get(name)]
    if changed:
        raise user_error(
            f"This transaction is locked because it has been approved and posted ({', '.join(changed)})."
        )


def _void(data: Data) -> None:
    """A person voided an open invoice: it keeps its number and has no impact any more."""
    if data.get("status") != VOIDED:
        return
    if data["amountRemaining"] != data["total"]:
        raise user_error("An invoice to which credits or payments are applied cannot be voided.")
    data["posted"], data["amountRemaining"] = False, Decimal(0)


def _invoice_status(data: Mapping[str, Any]) -> str:
    if data.get("status") == VOIDED:
        return VOIDED
    if not data.get("posted"):
        return "E" if data["approvalStatus"] == "3" else "D"
    return "A" if data["amountRemaining"] else "B"


def _reverse(record: Record, store: RecordStore) -> None:
    data = journals.reversal(record)
    _post(record.object, data, store)
    number = store.next_number("transaction")
    data["transactionNumber"] = f"{PREFIXES[record.object]}-{number}"
    made = store.create(record.object, data, id=str(number), derived=True)
    postings.write(made, store)
    store.update(record.object, record.id, {"reversalEntry": made["tranId"]}, derived=True)
