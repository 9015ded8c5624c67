"""Business rules of the records: what NetSuite refuses although every field is well formed.

All of them answer 400 USER_ERROR with the rule in words, as the vendor does.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import user_error
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.transactions.schedules import BILLED


def check_required(record_type: RecordType, data: Mapping[str, Any]) -> None:
    """Every mandatory field has a value."""
    missing = [
        known.label or known.name
        for known in record_type.fields.values()
        if known.required and data.get(known.name) in (None, "")
    ]
    if missing:
        raise user_error(f"Please enter value(s) for: {', '.join(missing)}.")


def check_write(
    record_type: RecordType, data: Mapping[str, Any], before: Mapping[str, Any], store: RecordStore
) -> None:
    """Rules for a record that is about to be stored; `before` is empty for a new one."""
    changed = {name for name, value in data.items() if before.get(name) != value}
    if "subsidiary" in changed and _row(store, "subsidiary", data).get("isInactive"):
        raise user_error("The subsidiary is inactive.")
    if record_type.name == "job" and changed & {"parent", "subsidiary"}:
        _check_customer_of_job(data, store)
    if record_type.name == "billingSchedule":
        _check_schedule(data, changed, store)
        _check_billed_lines(data, before)


def check_delete(record_type: RecordType, record: Record, store: RecordStore) -> None:
    """A record that others depend on stays."""
    used = {
        "job": _job_is_used,
        "customer": _customer_is_used,
        "billingSchedule": _schedule_is_used,
    }.get(record_type.name)
    if used is not None and used(record, store):
        raise user_error("This record cannot be deleted because it has dependent records or transactions.")


def _check_customer_of_job(data: Mapping[str, Any], store: RecordStore) -> None:
    customer = _row(store, "customer", {"customer": data["parent"]})
    if customer.get("isInactive"):
        raise user_error("The customer of the project is inactive.")
    if customer.get("subsidiary") != data["subsidiary"]:
        raise user_error("The subsidiary of the project must match the subsidiary of the customer.")


def _check_schedule(data: Mapping[str, Any], changed: set[str], store: RecordStore) -> None:
    job_id = data.get("job")
    job = store.get("job", str(job_id)) if job_id else None
    if job is not None and "job" in changed and job.get("isInactive"):
        raise user_error("The project of the billing schedule is inactive.")
    for line in data.get("milestone") or []:
        if line.get("milestoneAmount") is None or line.get("milestoneDate") is None:
            raise user_error("Please enter value(s) for: Amount, Estimated Completion Date.")
    for line in data.get("recurrence") or []:
        if line.get("amount") is None:
            raise user_error("Please enter value(s) for: Amount.")


def _check_billed_lines(data: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    for name in ("milestone", "recurrence"):
        billed = [line for line in before.get(name) or [] if line.get(BILLED)]
        if any(line not in (data.get(name) or []) for line in billed):
            raise user_error("A line of the billing schedule that has been billed cannot be changed.")


def _job_is_used(record: Record, store: RecordStore) -> bool:
    if Decimal(record.get("chargeAmountBilled") or 0) > 0:
        return True
    bound = ("billingSchedule", "invoice", "salesOrder")
    return any(row.get("job") == record.id for name in bound for row in store.rows(name))


def _customer_is_used(record: Record, store: RecordStore) -> bool:
    bound = (("job", "parent"), ("invoice", "entity"), ("salesOrder", "entity"))
    return any(row.get(field) == record.id for name, field in bound for row in store.rows(name))


def _schedule_is_used(record: Record, store: RecordStore) -> bool:
    if record.get("transaction"):
        return True
    if any(order.get("billingSchedule") == record.id for order in store.rows("salesOrder")):
        return True
    lines = [*(record.get("milestone") or []), *(record.get("recurrence") or [])]
    return any(line.get("milestoneCompleted") or line.get(BILLED) for line in lines)


def _row(store: RecordStore, record_type: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    held = store.get(record_type, str(data.get(record_type)))
    return {} if held is None else held.data
