"""The account bills by its own schedules: `POST /_control/netsuite/billingRun {"until": "2026-12-31"}`.

What a person (or the account's nightly job) does in the screen "Bill Sales Orders". Every schedule with lines
due until the day gives one invoice: by its sales order, or by its project. `"approve": false` leaves the
invoices pending. Nobody's key is on them.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.transactions import books, schedules
from sandbox.netsuite.writes import Write, Writer

RUN = "billingRun"


def run(store: RecordStore, fields: Mapping[str, Any]) -> Record:
    """Bill what is due; the record names the invoices made. Raises ValueError, Refused."""
    unknown = sorted(set(fields) - {"until", "approve"})
    until, approve = fields.get("until"), fields.get("approve", True)
    if unknown or not isinstance(until, str) or not isinstance(approve, bool):
        raise ValueError('a billing run takes "until" (YYYY-MM-DD) and optionally "approve" (true or false)')
    invoices = [
        _bill(schedule, until, approve, store).id
        for schedule in list(store.rows("billingSchedule"))
        if not schedule.get("isInactive") and next(schedules.due(schedule, until), None) is not None
    ]
    return store.create(RUN, {"until": until, "invoices": invoices}, derived=True)


def _bill(schedule: Record, until: str, approve: bool, store: RecordStore) -> Record:
    order = next((row for row in store.rows("salesOrder") if row.get("billingSchedule") == schedule.id), None)
    if order is not None:
        first = order["item"][0]
        source = {name: order[name] for name in _ORDER if order.get(name) is not None}
        values = source | {"createdFrom": order.id}
        values |= schedules.lines_of_invoice(schedule, until, first["item"], first.get("taxCode"))
    else:
        values = _of_project(schedule, store)
        lines = schedules.lines_of_invoice(schedule, until, _item(store), _tax_code(values, store))
        values |= lines
    raw = {"tranDate": until, "approvalStatus": {"id": "2" if approve else "1"}}
    write = Write("create", RECORD_TYPES["invoice"], raw=raw, level="error", privileged=True, taken=values)
    return Writer(store).store(write)


_ORDER = ("entity", "job", "subsidiary", "currency", "otherRefNum")


def _of_project(schedule: Record, store: RecordStore) -> dict[str, Any]:
    job = store.get("job", str(schedule.get("job")))
    if job is None:
        raise ValueError(f"billing schedule {schedule.id} belongs to no sales order and no project")
    values = {"entity": job["parent"], "job": job.id, "subsidiary": job["subsidiary"]}
    return values | ({"currency": job["currency"]} if job.get("currency") else {})


def _tax_code(values: Mapping[str, Any], store: RecordStore) -> str | None:
    """The subsidiary's standard code, its first, for a customer of its own country; else none."""
    customer = books.held(store, "customer", values["entity"])
    home = books.held(store, "subsidiary", values["subsidiary"])["country"]
    countries = [line.get("nexusCountry") for line in customer.get("taxRegistration") or []]
    countries += [line["addressBookAddress"].get("country") for line in customer.get("addressBook") or []]
    codes = (code.id for code in store.rows("salesTaxItem") if code.get("subsidiary") == values["subsidiary"])
    return next(codes, None) if home in countries else None


def _item(store: RecordStore) -> str:
    found = store.find("serviceSaleItem", "externalId", schedules.DEFAULT_ITEM)
    if not found:
        raise ValueError(
            f"the account has no item {schedules.DEFAULT_ITEM} to bill schedules of projects with"
        )
    return found[0].id
