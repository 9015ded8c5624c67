"""Journal entries: balanced in their currency, on accounts of the subsidiary, reversed on request."""

from decimal import Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import user_error
from sandbox.netsuite.transactions import books
from sandbox.netsuite.transactions.sales import Data, exact

ZERO = Decimal(0)


def check(data: Data, store: RecordStore) -> None:
    """Complete the lines and see that they balance. Raises Refused."""
    lines = data.get("line") or []
    if len(lines) < 2:
        raise user_error("You must enter at least two lines for this transaction.")
    data["line"] = [_line(number, line, data, store) for number, line in enumerate(lines)]
    sums = {
        side: sum((line.get(side) or ZERO for line in data["line"]), ZERO) for side in ("debit", "credit")
    }
    if sums["debit"] != sums["credit"]:
        raise user_error(
            f"The amounts in a journal entry must balance: debits {sums['debit']}, credits {sums['credit']}."
        )
    if data.get("reversalDate") and data["reversalDate"] <= data["tranDate"]:
        raise user_error("The reversal date must be after the date of the journal entry.")


def _line(number: int, line: dict[str, Any], data: Data, store: RecordStore) -> dict[str, Any]:
    if line.get("account") is None:
        raise user_error("Please enter value(s) for: Account.")
    books.check_account(store, line["account"], data["subsidiary"])
    given = [side for side in ("debit", "credit") if line.get(side) is not None]
    if len(given) != 1 or line[given[0]] < 0:
        raise user_error("Each line of a journal entry has either a debit or a credit, not below zero.")
    path = f"line.items[{number}].{given[0]}"
    return {**line, given[0]: exact(store, line[given[0]], data["currency"], path)}


def reversal(record: Record) -> Data:
    """The entry that reverses a posted one: sides exchanged, on the day asked for."""
    kept = {name: record[name] for name in ("subsidiary", "currency", "exchangeRate")}
    lines = [
        {
            **{name: value for name, value in line.items() if name not in ("debit", "credit")},
            **{
                "credit" if side == "debit" else "debit": line[side]
                for side in ("debit", "credit")
                if side in line
            },
        }
        for line in record["line"]
    ]
    return kept | {
        "tranDate": record["reversalDate"],
        "memo": f"Reversal of {record['tranId']}",
        "approvalStatus": "2",
        "isReversal": True,
        "line": [{name: v for name, v in line.items() if v is not None} for line in lines],
    }
