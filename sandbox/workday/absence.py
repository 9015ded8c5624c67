"""REST service absenceManagement: time off by day, and leaves.

`timeOffDetails` gives one row per day in the newest state of its entry, without an id; quantities are hours
or days, as the row's unit says.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.core.records import Record
from sandbox.workday import rest
from sandbox.workday.ids import ref
from sandbox.workday.seeding import LEAVES, TIME_OFF
from sandbox.workday.staffing import existing

STATUS = ("Approved", "Submitted", "Denied", "Canceled", "Successfully Completed")


def time_off_details(call: Call) -> Answer:
    """`GET /workers/{id}/timeOffDetails`."""
    worker = existing(call)
    first, last = _range(call)
    rows = [
        {
            "worker": {"id": worker.id},
            "date": row["date"],
            "timeOffType": row["timeOffType"],
            "quantity": Decimal(row["quantity"]),
            "unit": row["unit"],
            "status": row["status"],
            "comment": "",
        }
        for row in call.store.find(TIME_OFF, "worker", worker.id)
        if first <= row["date"] <= last and _wanted(call, "status", row) and _wanted(call, "timeOffType", row)
    ]
    rows.sort(key=lambda row: row["date"])
    return rest.page(call, rows, "fromDate", "toDate", "status", "timeOffType")


def leaves_of_absence(call: Call) -> Answer:
    """`GET /workers/{id}/leavesOfAbsence`: those that touch the range."""
    worker = existing(call)
    first, last = _range(call)
    rows = [
        {"id": row.id, **row.data, "worker": {"id": worker.id}}
        for row in call.store.find(LEAVES, "worker", worker.id)
        if row["firstDayOfLeave"] <= last and first <= _ends(row.data) and _wanted(call, "status", row)
    ]
    return rest.page(call, rows, "fromDate", "toDate", "status", "leaveType")


def time_off_status(call: Call) -> Answer:
    """`GET /values/timeOff/status/`: the ids of the statuses."""
    return rest.page(call, [ref("status", name) for name in STATUS])


def _range(call: Call) -> tuple[str, str]:
    first, last = rest.day_of(call, "fromDate"), rest.day_of(call, "toDate")
    return (first or date.min).isoformat(), (last or date.max).isoformat()


def _ends(row: Mapping[str, Any]) -> str:
    return str(row.get("actualLastDayOfLeave") or row.get("estimatedLastDayOfLeave") or date.max.isoformat())


def _wanted(call: Call, name: str, row: Record) -> bool:
    asked = call.query.getlist(name)
    return not asked or row[name]["id"] in asked
